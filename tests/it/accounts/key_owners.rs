//! Whose an API key is: it belongs to a user, may do no more than they may, and ends with them (docs/rules.md,
//! "Credentials").

use purser_tests::prelude::*;

use super::turn;

const YEAR: i64 = 365 * 24 * 60;

async fn make(caller: &Caller, body: Value) -> (String, Caller) {
    let made = caller.post("/v1/api-keys", &body).await.expect(201);
    (made.text("refid").to_owned(), caller.with_key(Some(made.text("key"))))
}

async fn works(key: &Caller) -> bool {
    key.get("/v1/products").await.status == 200
}

/// The names of the events about a key, oldest first, without what they are about.
async fn events_of(world: &World, key: &str) -> Vec<String> {
    let events = world.events().await;
    let own = events.iter().filter(|event| event["detail"]["key"] == key);
    let mut names: Vec<String> = own.map(|event| event["detail-type"].as_str().unwrap().to_owned()).collect();
    names.reverse();
    names
}

#[tokio::test]
async fn making_a_key_takes_a_recent_proof_of_who_one_is() {
    let world = World::new().await;
    let partner = world.partner("standard", 0).await;
    let staff = world.member(&partner.refid).await;
    let name = json!({"name": "shop"});
    // A sign-in is no proof, and neither is one in another session.
    let thief = world.sign_in(&staff.email, PASSWORD).await;
    let _unproven = thief.caller.post("/v1/api-keys", &name).await.refused(403, "proof_required");
    let invite = json!({"email": "thief@example.com", "name": "T"});
    let _unproven = thief.caller.post("/v1/users", &invite).await.refused(403, "proof_required");
    let role = json!({"reseller_role": "owner"});
    let unproven = thief.caller.patch(&format!("/v1/users/{}", staff.refid), &role).await;
    let _unproven = unproven.refused(403, "proof_required");
    for (wrong, code) in [
        (json!({"password": "a wrong harbour"}), "wrong_password"),
        (json!({"code": "123456"}), "invalid_code"),
        (json!({}), "invalid_fields"),
        (json!({"password": PASSWORD, "code": "123456"}), "invalid_fields"),
    ] {
        let _wrong = thief.caller.post("/v1/me/proof", &wrong).await.refused(422, code);
    }
    let _unproven = thief.caller.post("/v1/api-keys", &name).await.refused(403, "proof_required");
    // A proof lasts for 15 minutes.
    let before = world.system().clock().now();
    let proved = staff.caller.post("/v1/me/proof", &json!({"password": PASSWORD})).await.expect(200);
    let until: jiff::Timestamp = proved.text("proved_until").parse().unwrap();
    assert!(until.as_second() - before.unix_seconds() >= 15 * 60, "{}", proved.json);
    turn(&world, 14);
    let _made = staff.caller.post("/v1/api-keys", &name).await.expect(201);
    turn(&world, 2);
    let _late = staff.caller.post("/v1/api-keys", &name).await.refused(403, "proof_required");
}

#[tokio::test]
async fn a_code_of_the_second_factor_is_a_proof_and_good_once() {
    let world = World::new().await;
    let mut operator = world.invited(json!({"operator": true})).await;
    let secret = world.offered_factor(&operator).await;
    let code = world.enable_factor(&mut operator, &secret).await;
    let name = json!({"name": "ops"});
    let _unproven = operator.caller.post("/v1/api-keys", &name).await.refused(403, "proof_required");
    let proof = json!({"code": code});
    let _proved = operator.caller.post("/v1/me/proof", &proof).await.expect(200);
    let _made = operator.caller.post("/v1/api-keys", &name).await.expect(201);
    let _again = operator.caller.post("/v1/me/proof", &proof).await.refused(422, "invalid_code");
}

#[tokio::test]
async fn a_key_ends_in_the_commit_that_ends_its_owners_rights() {
    let world = World::new().await;
    let partner = world.partner("standard", 0).await;
    let suspend = json!(null);
    for change in [suspend, json!({"reseller": null}), json!({"reseller_role": "viewer"})] {
        let staff = world.member(&partner.refid).await;
        let (shop, key) = make(&staff.caller, json!({"name": "shop"})).await;
        let (_, looks) = make(&staff.caller, json!({"name": "looks", "scopes": ["read"]})).await;
        // What a key makes belongs to its owner, too, so nothing is left behind.
        let (_, second) = make(&key, json!({"name": "second"})).await;
        assert!(works(&key).await && works(&looks).await && works(&second).await);
        let path = format!("/v1/users/{}", staff.refid);
        if change.is_null() {
            let _out = world.operator.act(&format!("{path}/suspend")).await.expect(200);
        } else {
            let _changed = world.operator.patch(&path, &change).await.expect(200);
        }
        assert!(!works(&key).await && !works(&second).await, "{change}");
        // A viewer may still look.
        assert_eq!(works(&looks).await, change.get("reseller_role").is_some(), "{change}");
        assert_eq!(events_of(&world, &shop).await, ["ApiKeyCreated", "ApiKeyFirstUsed", "ApiKeyEnded"]);
        // A key does not come back with its owner.
        let _back = world.operator.act(&format!("{path}/activate")).await.expect(200);
        assert!(!works(&key).await);
        let listed = partner.caller.get("/v1/api-keys?limit=100").await.expect(200);
        let names = listed.json["data"].as_array().unwrap().iter().filter(|it| it["refid"] == shop.as_str()).count();
        assert_eq!(names, 0);
    }
}

#[tokio::test]
async fn a_suspended_member_does_not_let_himself_in_again() {
    let world = World::new().await;
    let partner = world.partner("standard", 0).await;
    let staff = world.member(&partner.refid).await;
    let (_, key) = make(&staff.caller, json!({"name": "backdoor"})).await;
    let path = format!("/v1/users/{}", staff.refid);
    let _out = partner.caller.act(&format!("{path}/suspend")).await.expect(200);
    let _shut = key.act(&format!("{path}/activate")).await.refused(401, "unauthenticated");
}

#[tokio::test]
async fn keys_made_while_their_owner_is_suspended_end_or_are_refused() {
    let world = World::new().await;
    let partner = world.partner("standard", 0).await;
    for round in 0..4 {
        let staff = world.member(&partner.refid).await;
        let (_, key) = make(&staff.caller, json!({"name": "first"})).await;
        let suspend = format!("/v1/users/{}/suspend", staff.refid);
        let more = json!({"name": "more"});
        let make = || key.post("/v1/api-keys", &more);
        let (a, b, suspended, c) = tokio::join!(make(), make(), world.operator.act(&suspend), make());
        let _suspended = suspended.expect(200);
        let made = [&a, &b, &c].into_iter().filter(|reply| reply.status == 201);
        for key in made.map(|reply| world.operator.with_key(Some(reply.text("key")))).chain([key.clone()]) {
            assert!(!works(&key).await, "round {round}: a key outlived its owner");
        }
        assert_eq!(world.items().iter().filter(|it| it["kind"]["S"] == "keyring").count(), 0, "round {round}");
    }
}

#[tokio::test]
async fn an_owner_has_twenty_keys_at_most_and_expired_ones_make_room() {
    let world = World::new().await;
    let partner = world.partner("standard", 0).await;
    let staff = world.member(&partner.refid).await;
    let soon = world.system().clock().now().plus(SignedDuration::from_mins(5)).to_string();
    let (_, first) = make(&staff.caller, json!({"name": "brief", "expires_at": soon})).await;
    for n in 1..20 {
        let _made = make(&staff.caller, json!({"name": n.to_string()})).await;
    }
    let more = json!({"name": "more"});
    let _full = staff.caller.post("/v1/api-keys", &more).await.refused(409, "too_many_api_keys");
    assert!(works(&first).await);
    turn(&world, 6);
    let _expired = first.get("/v1/products").await.refused(401, "unauthenticated");
    let _made = make(&staff.caller, more).await;
    let listed = staff.caller.get("/v1/api-keys?limit=100").await.expect(200);
    let own = listed.json["data"].as_array().unwrap().iter().filter(|it| it["owner"] == staff.refid.as_str()).count();
    assert_eq!(own, 20);
    // The deployment's own keys are not counted.
    for _ in 0..21 {
        let _made = make(&world.operator, json!({"name": "x", "reseller": partner.refid})).await;
    }
}

#[tokio::test]
async fn a_key_says_whose_it_is_what_it_may_how_long_and_when_it_was_used() {
    let world = World::at("2026-01-05T09:00:00Z").await;
    let partner = world.partner("standard", 0).await;
    let staff = world.member(&partner.refid).await;
    let made = staff.caller.post("/v1/api-keys", &json!({"name": "shop", "scopes": ["sell", "read"]})).await;
    let made = made.expect(201);
    assert_eq!(made.text("owner"), staff.refid);
    assert_eq!(made.json["scopes"], json!(["read", "sell"]));
    assert_eq!(made.text("expires_at"), "2027-01-05T09:00:00.000Z");
    assert_eq!(made.json["last_used_at"], json!(null));
    let key = world.operator.with_key(Some(made.text("key")));
    let last_used = async || {
        let listed = partner.caller.get("/v1/api-keys").await.expect(200);
        let keys = listed.json["data"].as_array().unwrap();
        keys.iter().find(|it| it["refid"] == made.text("refid")).unwrap()["last_used_at"].clone()
    };
    assert_eq!(last_used().await, json!(null));
    assert!(works(&key).await);
    assert_eq!(last_used().await, "2026-01-05T09:00:00.000Z");
    turn(&world, 4);
    assert!(works(&key).await);
    assert_eq!(last_used().await, "2026-01-05T09:00:00.000Z");
    turn(&world, 1);
    assert!(works(&key).await);
    assert_eq!(last_used().await, "2026-01-05T09:05:00.000Z");
    assert_eq!(events_of(&world, made.text("refid")).await, ["ApiKeyCreated", "ApiKeyFirstUsed"]);
    let odd = ["2026-06-01 09:00:00Z", "2026-06-01T09:00:00+25:00", "9999-12-31T23:59:59Z", "tomorrow", ""];
    for wrong in ["2026-01-05T09:05:00Z", "2031-01-05T09:00:00Z", "9999-01-01T00:00:00Z"].into_iter().chain(odd) {
        let body = json!({"name": "x", "expires_at": wrong});
        let refused = partner.caller.post("/v1/api-keys", &body).await.refused(422, "invalid_fields");
        assert_eq!(refused.pointer(), "/expires_at");
    }
    turn(&world, YEAR - 6);
    assert!(works(&key).await);
    turn(&world, 1);
    let _over = key.get("/v1/products").await.refused(401, "unauthenticated");
}

#[tokio::test]
async fn a_key_gives_no_scope_that_it_lacks() {
    let world = World::new().await;
    let partner = world.partner("standard", 0).await;
    let (_, sells) = make(&partner.caller, json!({"name": "sells", "scopes": ["read", "sell"]})).await;
    let _none = sells.post("/v1/api-keys", &json!({"name": "x"})).await.refused(403, "forbidden");
    let (_, admin) = make(&partner.caller, json!({"name": "admin", "scopes": ["admin", "read"]})).await;
    let more = json!({"name": "x", "scopes": ["sell"]});
    let _more = admin.post("/v1/api-keys", &more).await.refused(403, "forbidden");
    let made = admin.post("/v1/api-keys", &json!({"name": "x"})).await.expect(201);
    // Nor does it make one that outlives it.
    let soon = world.system().clock().now().plus(SignedDuration::from_hours(1)).to_string();
    let later = world.system().clock().now().plus(SignedDuration::from_hours(2)).to_string();
    let (_, brief) = make(&partner.caller, json!({"name": "brief", "expires_at": soon})).await;
    let longer = brief.post("/v1/api-keys", &json!({"name": "x", "expires_at": later})).await;
    assert_eq!(longer.refused(422, "invalid_fields").pointer(), "/expires_at");
    let child = brief.post("/v1/api-keys", &json!({"name": "x"})).await.expect(201);
    assert_eq!(child.text("expires_at"), soon);
    assert_eq!(made.json["scopes"], json!(["read", "admin"]), "a key that names no scopes has those of its maker");
}

#[tokio::test]
async fn those_who_decide_about_access_are_mailed_about_a_new_key() {
    let world = World::new().await;
    let operator = world.invited(json!({"operator": true})).await;
    let partner = world.partner("standard", 0).await;
    let owner = world.member(&partner.refid).await;
    let viewer = world.invited(json!({"reseller": partner.refid, "reseller_role": "viewer"})).await;
    let other = world.partner("standard", 0).await;
    let stranger = world.member(&other.refid).await;
    let told = async || {
        let mut told = Vec::new();
        for person in [&operator, &owner, &viewer, &stranger] {
            let subjects = world.subjects(&person.email).await;
            told.push(subjects.iter().filter(|it| it.starts_with("A new API key")).count());
        }
        told
    };
    let before = told().await;
    let since = async || told().await.iter().zip(&before).map(|(now, before)| now - before).collect::<Vec<_>>();
    let _own = make(&owner.caller, json!({"name": "shop"})).await;
    assert_eq!(since().await, [0, 1, 0, 0]);
    let _operators = make(&operator.caller, json!({"name": "ops"})).await;
    assert_eq!(since().await, [1, 1, 0, 0]);
    let _for_them = make(&operator.caller, json!({"name": "theirs", "reseller": partner.refid})).await;
    assert_eq!(since().await, [2, 2, 0, 0]);
    // They are told of a key that was revoked at once, too.
    let brief = operator.caller.post("/v1/api-keys", &json!({"name": "brief"})).await.expect(201);
    let _gone = operator.caller.delete(&format!("/v1/api-keys/{}", brief.text("refid"))).await.expect(204);
    assert_eq!(since().await, [3, 2, 0, 0]);
    let mails = world.all_mails().await;
    let text = mails.iter().find(|it| it["to"].to_string().contains(&owner.email)).unwrap()["text"].to_string();
    assert!(text.contains("theirs") && text.contains("Grace Hopper") && text.contains(&partner.refid), "{text}");
}

#[tokio::test]
async fn a_deployments_first_key_lets_operators_in_and_does_nothing_else() {
    let world = World::new().await;
    let operators_key = world.system().operator_key().to_owned();
    let ask = async |function: &str, path: &str, body: Value| {
        let found = purser_lambda::function(function).unwrap();
        let routes = purser_lambda::router(found, &world.deployed_app(function).await).unwrap();
        world.call(routes, path, &operators_key, None, &body).await
    };
    let _client = ask("create-client", "/v1/clients", world.new_client()).await.refused(403, "forbidden");
    let key = json!({"name": "all", "scopes": ["read", "admin"]});
    let _key = ask("api-keys", "/v1/api-keys", key).await.refused(403, "forbidden");
    let first = json!({"email": "first@example.com", "name": "First", "operator": true});
    let invited = ask("manage-users", "/v1/users", first).await.expect(201);
    assert_eq!(invited.json["scopes"].as_array().unwrap().len(), 5);
}

#[tokio::test]
async fn keys_from_before_go_to_their_makers() {
    let world = World::new().await;
    let partner = world.partner("standard", 0).await;
    let (staff, gone) = (world.member(&partner.refid).await, world.member(&partner.refid).await);
    let mut keys = Vec::new();
    for maker in [&staff.refid, &gone.refid, "operator"] {
        let (refid, key) = make(&partner.caller, json!({"name": maker})).await;
        world.age_key(&refid, maker);
        keys.push((refid, key));
    }
    let (child, by_key) = make(&partner.caller, json!({"name": "child"})).await;
    world.age_key(&child, &keys[0].0);
    let _out = world.operator.act(&format!("/v1/users/{}/suspend", gone.refid)).await.expect(200);
    for (_, key) in &keys {
        assert!(works(key).await, "a key from before goes on working");
    }
    let listed = partner.caller.get("/v1/api-keys").await.expect(200);
    let found = listed.json["data"].as_array().unwrap().iter().find(|it| it["refid"] == keys[0].0.as_str()).unwrap();
    assert_eq!(found["owner"], staff.refid.as_str());
    assert_eq!(found["scopes"].as_array().unwrap().len(), 5);
    // The key of the one who is gone is named; it does not end by itself.
    let adopt = format!("/v1/api-keys/adopt?reseller={}", partner.refid);
    let adopted = world.operator.act(&adopt).await.expect(200);
    assert_eq!(adopted.json, json!({"adopted": 3, "orphans": [keys[1].0]}));
    let again = world.operator.act(&adopt).await.expect(200);
    assert_eq!(again.json, json!({"adopted": 0, "orphans": [keys[1].0]}));
    assert!(works(&keys[1].1).await);
    // From now on they end with their owner, and what a key owns ends with it.
    let _revoked = partner.caller.delete(&format!("/v1/api-keys/{}", keys[0].0)).await.expect(204);
    assert!(!works(&keys[0].1).await && !works(&by_key).await);
    let _back = world.operator.act(&format!("/v1/users/{}/activate", gone.refid)).await.expect(200);
    let _out = world.operator.act(&format!("/v1/users/{}/suspend", gone.refid)).await.expect(200);
    assert!(!works(&keys[1].1).await);
    assert!(works(&keys[2].1).await, "the deployment's");
}

#[tokio::test]
async fn an_owner_with_many_keys_from_before_keeps_them_makes_none_and_loses_all() {
    let world = World::new().await;
    let partner = world.partner("standard", 0).await;
    let staff = world.member(&partner.refid).await;
    let mut keys = Vec::new();
    for n in 0..85 {
        let (refid, key) = make(&partner.caller, json!({"name": n.to_string()})).await;
        world.age_key(&refid, &staff.refid);
        keys.push(key);
    }
    let adopted = world.operator.act(&format!("/v1/api-keys/adopt?reseller={}", partner.refid)).await.expect(200);
    assert_eq!(adopted.json, json!({"adopted": 85, "orphans": []}));
    let more = json!({"name": "more"});
    let _full = staff.caller.post("/v1/api-keys", &more).await.refused(409, "too_many_api_keys");
    assert!(works(&keys[0]).await);
    let _out = world.operator.act(&format!("/v1/users/{}/suspend", staff.refid)).await.expect(200);
    for key in &keys {
        assert!(!works(key).await);
    }
    let user = world.operator.get(&format!("/v1/users/{}", staff.refid)).await.expect(200);
    assert_eq!(user.text("status"), "suspended");
}

#[tokio::test]
async fn no_key_from_before_the_first_proof_of_an_address_survives_it() {
    let world = World::with(None, &[("PURSER_CONFIRM_ADDRESS", "false")]).await;
    let email = "ceo@example.com";
    let body = json!({"email": email, "name": "Not her", "password": PASSWORD});
    let _registered = world.nobody().post("/v1/auth/register", &body).await.expect(202);
    world.system().settle().await;
    let stranger = world.sign_in(email, PASSWORD).await;
    // A password that a stranger may have set does not open an account that holds a role.
    let path = format!("/v1/users/{}", stranger.refid);
    let _given = world.operator.patch(&path, &json!({"operator": true})).await.expect(200);
    let _out = stranger.caller.get("/v1/me").await.refused(401, "unauthenticated");
    let refused = super::attempt(&world.nobody(), email, PASSWORD).await;
    let _refused = refused.refused(401, "invalid_credentials");
    // As if the address had been taken for proven by mistake.
    let user = format!("US#{}", stranger.refid);
    world.tamper(&user, "confirmed_at", &json!({"S": "2026-01-01T00:00:00.000Z"}));
    turn(&world, 60);
    let stranger = world.sign_in(email, PASSWORD).await;
    stranger.prove().await;
    let (_, key) = make(&stranger.caller, json!({"name": "kept"})).await;
    assert!(works(&key).await);
    world.tamper(&user, "confirmed_at", &json!({"NULL": true}));
    super::forget(&world, email).await;
    world.set_password(email, "her own harbour at noon").await;
    assert!(!works(&key).await);
}
