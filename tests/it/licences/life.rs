//! The life of a licence (rule C2): its status, its terms, its owner; and what a refund does to it (rule B10).

use jiff::SignedDuration;
use purser_tests::prelude::*;

use super::{Sold, monthly};

/// The steps that lead from a new licence to a status.
fn path_to(status: &str) -> &'static [&'static str] {
    match status {
        "pending" => &[],
        "active" => &["/activate"],
        "suspended by its reseller" => &["/activate", "/suspend as its reseller"],
        "suspended by an operator" => &["/activate", "/suspend"],
        "suspended by both" => &["/activate", "/suspend", "/suspend as its reseller"],
        "revoked" => &["/revoke"],
        _ => panic!("{status}"),
    }
}

async fn step(world: &World, sold: &Sold, step: &str) -> Reply {
    match step.strip_suffix(" as its reseller") {
        Some(step) => sold.partner.caller.act(&sold.path(step)).await,
        None => world.operator.act(&sold.path(step)).await,
    }
}

/// What a step leads to: the status and who suspends it, or what is allowed instead.
type Led = Result<(&'static str, Value), Value>;

/// The whole table over HTTP, by who asks: the status and who suspends it afterwards, or what is allowed instead.
#[tokio::test]
async fn the_status_table_by_role() {
    let world = World::new().await;
    let (op, re) = (json!(["operator"]), json!(["reseller"]));
    let (none, both) = (json!([]), json!(["operator", "reseller"]));
    let denied = |allowed: &[&str]| Err(json!(allowed));
    let to = |status: &'static str, by: &Value| -> Led { Ok((status, by.clone())) };
    let begun = ["active", "revoked"];
    let rows: [(&str, [Led; 6]); 6] = [
        // activate (operator), suspend, reinstate (operator), suspend, reinstate (reseller), revoke (reseller)
        (
            "pending",
            [to("active", &none), denied(&begun), denied(&begun), denied(&begun), denied(&begun), to("revoked", &none)],
        ),
        (
            "active",
            [
                to("active", &none),
                to("suspended", &op),
                to("active", &none),
                to("suspended", &re),
                to("active", &none),
                to("revoked", &none),
            ],
        ),
        (
            "suspended by its reseller",
            [
                denied(&begun),
                to("suspended", &both),
                denied(&["revoked"]),
                to("suspended", &re),
                to("active", &none),
                to("revoked", &none),
            ],
        ),
        (
            "suspended by an operator",
            [
                denied(&begun),
                to("suspended", &op),
                to("active", &none),
                to("suspended", &both),
                denied(&["revoked"]),
                to("revoked", &none),
            ],
        ),
        (
            "suspended by both",
            [
                denied(&begun),
                to("suspended", &both),
                to("suspended", &re),
                to("suspended", &both),
                to("suspended", &op),
                to("revoked", &none),
            ],
        ),
        ("revoked", [denied(&[]), denied(&[]), denied(&[]), denied(&[]), denied(&[]), to("revoked", &none)]),
    ];
    let steps = [
        "/activate",
        "/suspend",
        "/reinstate",
        "/suspend as its reseller",
        "/reinstate as its reseller",
        "/revoke as its reseller",
    ];
    for (status, row) in rows {
        for (asked, expected) in steps.iter().zip(row) {
            let sold = Sold::new(&world).await;
            for taken in path_to(status) {
                let _done = step(&world, &sold, taken).await.expect(200);
            }
            let before = world.operator.get(&sold.path("")).await.expect(200);
            let reply = step(&world, &sold, asked).await;
            let at = format!("{asked} when {status}");
            match expected {
                Ok((to, by)) => {
                    let reply = reply.expect(200);
                    assert_eq!((reply.text("status"), &reply.json["suspended_by"]), (to, &by), "{at}");
                    let same = before.text("status") == to && before.json["suspended_by"] == by;
                    let version = before.number("version") + u64::from(!same);
                    assert_eq!(reply.number("version"), version, "{at}");
                }
                Err(allowed) => {
                    let refused = reply.refused(409, "status_transition_denied");
                    assert_eq!(refused.json["allowed"], allowed, "{at}");
                    assert_eq!(world.operator.get(&sold.path("")).await.expect(200).json, before.json, "{at}");
                }
            }
        }
    }
}

#[tokio::test]
async fn only_an_operator_activates_and_a_term_ends_at_its_exact_moment() {
    let world = World::at("2026-01-31T10:00:00.500Z").await;
    let sold = Sold::new(&world).await;
    let _refused = sold.partner.caller.act(&sold.path("/activate")).await.refused(403, "forbidden");
    let begun = world.operator.act(&sold.path("/activate")).await.expect(200);
    assert_eq!(begun.text("activated_at"), "2026-01-31T10:00:00.500Z");
    assert_eq!(begun.text("expires_at"), "2026-02-28T10:00:00.500Z");
    world.system().clock().advance(SignedDuration::from_hours(28 * 24) - SignedDuration::from_millis(1));
    assert_eq!(world.operator.get(&sold.path("")).await.expect(200).text("status"), "active");
    world.system().clock().advance(SignedDuration::from_millis(1));
    assert_eq!(world.operator.get(&sold.path("")).await.expect(200).text("status"), "expired");
}

#[tokio::test]
async fn a_reseller_notes_and_an_operator_changes_terms() {
    let world = World::at("2026-01-31T10:00:00Z").await;
    let sold = Sold::new(&world).await;
    let path = sold.path("");
    let noted = json!({"comments": "Ask for Ada", "metadata": {"shop": "old"}});
    let noted = sold.partner.caller.patch(&path, &noted).await.expect(200);
    assert_eq!(
        (noted.text("comments"), &noted.json["metadata"], noted.number("version")),
        ("Ask for Ada", &json!({"shop": "old"}), 2)
    );
    let merged = json!({"metadata": {"shop": null, "seat": 4}, "comments": null});
    let merged = world.operator.patch(&path, &merged).await.expect(200);
    assert_eq!((&merged.json["comments"], &merged.json["metadata"]), (&Value::Null, &json!({"seat": 4})));
    for terms in [json!({"parallel_uses": 9}), json!({"expires_at": null}), json!({"term": "P1Y", "comments": "x"})] {
        let before = world.operator.get(&path).await.expect(200);
        let _refused = sold.partner.caller.patch(&path, &terms).await.refused(403, "forbidden");
        assert_eq!(world.operator.get(&path).await.expect(200).json, before.json, "{terms}");
    }
    let card = json!({"metadata": {"password": "x"}});
    let refused = sold.partner.caller.patch(&path, &card).await.refused(422, "sensitive_metadata");
    assert_eq!(refused.pointer(), "/metadata/password");
    let terms = json!({
        "term": "P1Y", "parallel_uses": null, "lease": "P1D", "features": ["a", "a"], "domains": ["a.example"],
        "ip_ranges": ["::1"], "updates_until": "2026-06-01T00:00:00Z", "support_until": null,
    });
    let changed = world.operator.patch(&path, &terms).await.expect(200);
    for (member, value) in [
        ("term", json!("P1Y")),
        ("parallel_uses", Value::Null),
        ("activations", json!(0)),
        ("lease", json!("P1D")),
        ("features", json!(["a"])),
        ("domains", json!(["a.example"])),
        ("ip_ranges", json!(["::1/128"])),
        ("updates_until", json!("2026-06-01T00:00:00.000Z")),
    ] {
        assert_eq!(changed.json[member], value, "{member}");
    }
    // The term that a pending licence has when it is activated is its first.
    let begun = world.operator.act(&sold.path("/activate")).await.expect(200);
    assert_eq!(begun.text("expires_at"), "2027-01-31T10:00:00.000Z");
    let same = world.operator.patch(&path, &json!({"parallel_uses": null})).await.expect(200);
    assert_eq!(same.number("version"), begun.number("version"));
    let headers = [("content-type", "application/json"), ("if-match", "\"1\"")];
    let stale = world.operator.send("PATCH", &path, &headers, Some(b"{\"comments\":\"x\"}".to_vec())).await;
    let _refused = stale.refused(412, "version_mismatch");
}

#[tokio::test]
async fn a_reseller_gives_a_licence_to_its_own_clients_and_an_operator_to_any() {
    let world = World::new().await;
    let (sold, other) = (Sold::new(&world).await, Sold::new(&world).await);
    let mine = world.client(&sold.partner).await;
    let to = |client: &str| json!({"client": client});
    let moved = sold.partner.caller.post(&sold.path("/transfer"), &to(&mine)).await.expect(200);
    assert_eq!((moved.text("client"), moved.text("reseller")), (mine.as_str(), sold.partner.refid.as_str()));
    for client in [other.client.as_str(), "CL-0000000000000000", "?"] {
        let refused = sold.partner.caller.post(&sold.path("/transfer"), &to(client)).await.refused(404, "not_found");
        assert_eq!(refused.pointer(), "/client");
    }
    let _unknown =
        other.partner.caller.post(&sold.path("/transfer"), &to(&other.client)).await.refused(404, "not_found");
    let given = world.operator.post(&sold.path("/transfer"), &to(&other.client)).await.expect(200);
    // Its seller can't take it back from somebody else's client.
    let _refused = sold.partner.caller.post(&sold.path("/transfer"), &to(&mine)).await.refused(403, "forbidden");
    // Whoever sold it still sees it (rule A5).
    assert_eq!((given.text("client"), given.text("reseller")), (other.client.as_str(), sold.partner.refid.as_str()));
    let _seen = sold.partner.caller.get(&sold.path("")).await.expect(200);
    let of = |client: &str| format!("/v1/licences?client={client}");
    assert_eq!(world.operator.get(&of(&mine)).await.expect(200).json["data"], json!([]));
    let listed = world.operator.get(&of(&other.client)).await.expect(200);
    let listed: Vec<&str> =
        listed.json["data"].as_array().unwrap().iter().map(|it| it["refid"].as_str().unwrap()).collect();
    assert!(listed.contains(&sold.licence.as_str()) && listed.contains(&other.licence.as_str()), "{listed:?}");
    let _ended = world.operator.act(&sold.path("/revoke")).await.expect(200);
    let _refused = world.operator.post(&sold.path("/transfer"), &to(&mine)).await.refused(409, "licence_revoked");
}

/// A client that is deleted had a licence, and somebody else has it now: what the deleted one bought names it no more.
#[tokio::test]
async fn what_named_a_client_before_a_transfer_is_erased_with_the_client() {
    let world = World::new().await;
    let partner = world.partner("standard", 10_000).await;
    let product = monthly(&world, json!({})).await;
    let buyer = json!({"name": "Quonk", "email": "quonk@quonk.example"});
    let order = json!({"product": product, "client": buyer});
    let bought = partner.caller.post_once("/v1/provisions", "k", &order).await.expect(201);
    let heir = world.client(&partner).await;
    let licence = bought.json["licences"][0]["refid"].as_str().unwrap();
    let path = format!("/v1/licences/{licence}");
    let renewed = partner.caller.post_once(&format!("{path}/renew"), "renewal", &json!({})).await.expect(200);
    assert_eq!(renewed.json["metadata"], Value::Null);
    let renewal = world.entries(&partner.refid).await.pop().unwrap()["refid"].as_str().unwrap().to_owned();
    let refund = format!("/v1/provisions/{renewal}/refund");
    let _refunded = world.operator.post_once(&refund, "back", &json!({})).await.expect(200);
    let _moved = partner.caller.post(&format!("{path}/transfer"), &json!({"client": heir})).await.expect(200);
    let client = bought.json["client"]["refid"].clone();
    let noted = json!({
        "product": product, "client": client, "comments": "Quonk's", "metadata": {"who": "quonk"},
    });
    let given = world.operator.post_once("/v1/licences", "gift", &noted).await.expect(201);
    let passed_on = json!({"product": product, "client": client, "metadata": {"who": "quonk"}});
    let passed_on_to = world.operator.post_once("/v1/licences", "passed-on", &passed_on).await.expect(201);
    let passing = format!("/v1/licences/{}", passed_on_to.text("refid"));
    let _moved = world.operator.post(&format!("{passing}/transfer"), &json!({"client": heir})).await.expect(200);
    let _noted = world.operator.patch(&passing, &json!({"metadata": {"who": "the heir"}})).await.expect(200);
    let client = format!("/v1/clients/{}", client.as_str().unwrap());
    let _deleted = partner.caller.delete(&client).await.expect(204);
    world.system().settle().await;
    world.system().clock().advance(SignedDuration::from_secs(70));
    world.run_schedule("run-due-work").await;
    world.system().settle().await;
    let _erased = partner.caller.post_once("/v1/provisions", "k", &order).await.refused(409, "answer_erased");
    let _erased = world.operator.post_once("/v1/licences", "gift", &noted).await.refused(409, "answer_erased");
    let again = world.operator.post_once("/v1/licences", "passed-on", &passed_on).await;
    let _erased = again.refused(409, "answer_erased");
    let _erased = world.operator.post_once(&refund, "back", &json!({})).await.refused(409, "answer_erased");
    let _erased =
        partner.caller.post_once(&format!("{path}/renew"), "renewal", &json!({})).await.refused(409, "answer_erased");
    assert_eq!(world.count_of_kind("licence_notes"), 1);
    let kept = world.operator.get(&passing).await.expect(200);
    assert_eq!(kept.json["metadata"], json!({"who": "the heir"}));
    assert!(!world.everything_in_the_table().to_lowercase().contains("quonk"));
    let kept = world.operator.get(&format!("/v1/licences/{}", given.text("refid"))).await.expect(200);
    assert_eq!((&kept.json["comments"], &kept.json["metadata"]), (&Value::Null, &json!({})));
    assert_eq!(world.operator.get(&path).await.expect(200).text("client"), heir);
}
