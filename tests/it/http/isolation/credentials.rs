//! Invalid credentials: each is answered like none at all, byte for byte.

use purser_tests::prelude::*;

use super::face;
use crate::http::operations::{Ids, Needs, Party, Request, Who, cases, refid_of, variants, world};

async fn bad_credentials(world: &World, party: &Party) -> Vec<(&'static str, Vec<String>)> {
    let key = party.caller.key().unwrap();
    let other = Party::new(world).await;
    let revoked = other.caller.key().unwrap();
    let revoke = format!("/v1/api-keys/{}", refid_of(revoked));
    let _revoked = other.caller.delete(&revoke).await.expect(204);
    let (refid, secret) = key.split_once('.').unwrap();
    let (_, foreign) = revoked.split_once('.').unwrap();
    let first = world.operator.key().unwrap();
    let one = |value: String| vec![value];
    let mut all = vec![
        ("no key", vec![]),
        ("a revoked key", one(format!("Bearer {revoked}"))),
        ("a wrong secret", one(format!("Bearer {refid}.{foreign}"))),
        ("an empty secret", one(format!("Bearer {refid}."))),
        ("half a secret", one(format!("Bearer {refid}.{}", &secret[..20]))),
        ("a longer secret", one(format!("Bearer {refid}.{secret}A"))),
        ("no secret", one(format!("Bearer {refid}"))),
        ("an unknown key", one(format!("Bearer AK-0000000000000000.{secret}"))),
        ("a reseller's id", one(format!("Bearer {}.{secret}", party.ids.reseller))),
        ("no refid", one(format!("Bearer .{secret}"))),
        ("the operator's key in capitals", one(format!("Bearer {}", first.to_uppercase()))),
        ("another script", one("Bearer مفتاح".to_owned())),
        ("nothing after the scheme", one("Bearer ".to_owned())),
        ("no scheme", one(key.to_owned())),
        ("a foreign scheme", one(format!("Basic {key}"))),
        ("another foreign scheme", one(format!("Digest {key}"))),
        ("no space after the scheme", one(format!("Bearer{key}"))),
        ("two keys", vec![format!("Bearer {key}"), format!("Bearer {first}")]),
    ];
    let sessions = bad_sessions(world, key).await;
    all.extend(sessions.into_iter().map(|(what, it)| (what, one(format!("Bearer {it}")))));
    all
}

/// Invalid session tokens that a caller might send, by description; `key` is a valid API key.
async fn bad_sessions(world: &World, key: &str) -> Vec<(&'static str, String)> {
    let token = |person: &Person| person.caller.key().unwrap().to_owned();
    let idle = world.person().await;
    let half_an_hour = json!({"advance": "PT31M"});
    let nobody = world.nobody();
    let _later = nobody.post("/_local/clock", &half_an_hour).await.expect(200);

    let (good, other) = (world.person().await, world.person().await);
    let ended = world.person().await;
    let _ended = ended.caller.act("/v1/auth/logout").await.expect(204);
    let suspended = world.member(&world.partner("standard", 0).await.refid).await;
    let suspend = format!("/v1/users/{}/suspend", suspended.refid);
    let _suspended = world.operator.act(&suspend).await.expect(200);
    let gone = world.person().await;
    let delete = format!("/v1/users/{}", gone.refid);
    let _gone = world.operator.delete(&delete).await.expect(204);

    let good_token = token(&good);
    let (refid, secret) = good_token.split_once('.').unwrap();
    let other_token = token(&other);
    let (_, foreign) = other_token.split_once('.').unwrap();
    let (key_refid, key_secret) = key.split_once('.').unwrap();
    vec![
        ("a session unused for long", token(&idle)),
        ("a session that was ended", token(&ended)),
        ("a session of somebody suspended", token(&suspended)),
        ("a session of somebody deleted", token(&gone)),
        ("a session of an unknown user", format!("US-0000000000000000.{secret}")),
        ("another user's session", format!("{refid}.{foreign}")),
        ("half a token", format!("{refid}.{}", &secret[..20])),
        ("a longer token", format!("{refid}.{secret}A")),
        ("a token in capitals", good_token.to_uppercase()),
        ("an empty token", format!("{refid}.")),
        ("a user's id", refid.to_owned()),
        ("a key's secret with a user's refid", format!("{refid}.{key_secret}")),
        ("a session's secret with a key's refid", format!("{key_refid}.{secret}")),
        ("the device of a sign-in", good.device),
    ]
}

#[tokio::test]
async fn nothing_is_reached_without_a_valid_key() {
    let world = world().await;
    let mut party = Party::new(&world).await;
    let credentials = bad_credentials(&world, &party).await;
    party.prepare(&world, Needs::Login).await;
    let nobody = world.nobody();
    let before = world.state().await;
    let expected = face(&nobody.get("/v1/clients").await.refused(401, "unauthenticated"));
    for (case, operation) in cases(&world).await {
        if case.who == Who::Anybody {
            continue;
        }
        let request = |ids: &Ids| (case.sample)(ids).request(&operation, "k");
        let unknown = request(&party.ids.of_nothing());
        let request = request(&party.ids);
        let mut requests = vec![("for what does not exist", unknown)];
        requests.extend(variants(&operation, &request));
        for (what, request) in requests {
            let reply = request.send(&nobody).await;
            assert_eq!(face(&reply), expected, "{} {what}", case.operation);
        }
        for (what, values) in &credentials {
            let add = |request: Request, value: &String| request.with_header("authorization", value);
            let reply = values.iter().fold(request.clone(), add).send(&nobody).await;
            assert_eq!(face(&reply), expected, "{} with {what}", case.operation);
        }
    }
    assert_eq!(world.state().await, before, "refused requests must change nothing");
}
