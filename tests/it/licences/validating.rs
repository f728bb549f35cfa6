//! What a program is told about its licence (rule C3), over HTTP: every code, what each answer shows, and what asking
//! costs.

use purser_tests::prelude::*;

use super::Sold;

/// What a program asks with a key, without any credentials.
async fn ask(world: &World, key: &str, more: Value) -> Reply {
    let mut body = json!({"key": key});
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    world.nobody().post("/v1/licences/validate", &body).await
}

async fn code(world: &World, key: &str, more: Value) -> String {
    let told = ask(world, key, more).await.expect(200);
    let valid = told.text("code") == "valid";
    assert_eq!(told.json["valid"], json!(valid));
    told.text("code").to_owned()
}

/// A licence of a product with every rule, which a reseller sold to a client. Its term has not begun.
async fn strict(world: &World, more: Value) -> Sold {
    let mut members = json!({
        "features": ["sync"], "domains": ["*.example.com"], "ip_ranges": ["127.0.0.0/8"], "updates_term": "P1M",
    });
    members.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    Sold::with(world, members).await
}

#[tokio::test]
async fn every_code() {
    let world = World::new().await;
    let sold = strict(&world, json!({})).await;
    let good = json!({"domain": "shop.example.com"});
    assert_eq!(code(&world, &sold.key, good.clone()).await, "not_yet_active");
    let _active = world.operator.act(&sold.path("/activate")).await.expect(200);
    let with = |more: Value| {
        let mut asked = good.clone();
        asked.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        asked
    };
    for (asked, told) in [
        (good.clone(), "valid"),
        (with(json!({"product": sold.product})), "valid"),
        (with(json!({"product": "ANOTHER"})), "wrong_product"),
        (with(json!({"features": ["sync"]})), "valid"),
        (with(json!({"features": ["sync", "export"]})), "feature_missing"),
        (with(json!({"released_at": "2020-01-01T00:00:00Z"})), "valid"),
        (with(json!({"released_at": "9999-01-01T00:00:00Z"})), "version_not_covered"),
        (json!({}), "domain_not_allowed"),
        (json!({"domain": "https://example.com/"}), "domain_not_allowed"),
        (json!({"domain": "localhost:8080"}), "valid"),
        (with(json!({"fingerprint": "this machine"})), "not_activated"),
    ] {
        assert_eq!(code(&world, &sold.key, asked.clone()).await, told, "{asked}");
    }
    let elsewhere = strict(&world, json!({"ip_ranges": ["203.0.113.0/24", "2001:db8::/32"]})).await;
    let _active = world.operator.act(&elsewhere.path("/activate")).await.expect(200);
    assert_eq!(code(&world, &elsewhere.key, good.clone()).await, "ip_not_allowed");

    let _active = sold.partner.caller.act(&format!("/v1/clients/{}/activate", sold.client)).await.expect(200);
    for (step, told) in [("suspend", "client_suspended"), ("activate", "valid"), ("deactivate", "client_suspended")] {
        let _stepped = world.operator.act(&format!("/v1/clients/{}/{step}", sold.client)).await.expect(200);
        assert_eq!(code(&world, &sold.key, good.clone()).await, told, "{step}");
    }
    // A client that was deleted keeps what it bought.
    let _gone = world.operator.delete(&format!("/v1/clients/{}", sold.client)).await.expect(204);
    assert_eq!(code(&world, &sold.key, good.clone()).await, "valid");
    let _suspended = sold.partner.caller.act(&sold.path("/suspend")).await.expect(200);
    assert_eq!(code(&world, &sold.key, good.clone()).await, "suspended");
    let _back = sold.partner.caller.act(&sold.path("/reinstate")).await.expect(200);
    let month = json!({"advance": "P32D"});
    let _turned = world.nobody().post("/_local/clock", &month).await.expect(200);
    assert_eq!(code(&world, &sold.key, good.clone()).await, "expired");
    let _ended = world.operator.act(&sold.path("/revoke")).await.expect(200);
    assert_eq!(code(&world, &sold.key, good.clone()).await, "revoked");
    let typed = format!(" {}\u{a0}", sold.key);
    assert_eq!(code(&world, &typed, good.clone()).await, "revoked", "spaces around a key are no part of it");
    for nobodys in ["AAAAA-AAAAA-AAAAA-AAAAA-AAAAA", "x", "\u{1f511} and so on"] {
        assert_eq!(code(&world, nobodys, good.clone()).await, "not_found", "{nobodys:?}");
    }
}

/// An answer holds what a program needs, and nothing about whose the licence is.
#[tokio::test]
async fn what_an_answer_shows() {
    let world = World::new().await;
    let sold = strict(&world, json!({"parallel_uses": 3, "support_term": "P1M"})).await;
    let active = world.operator.act(&sold.path("/activate")).await.expect(200).json;
    // Members that this version does not know are ignored.
    let unknown = r#""version": {"of": [1e999, 9007199254740993]}"#;
    let asked = format!(r#"{{"key": {:?}, "domain": "a.test", "nonce": "🔑 7", {unknown}}}"#, sold.key);
    let headers = [("content-type", "application/json")];
    let told = world.nobody().send("POST", "/v1/licences/validate", &headers, Some(asked.into_bytes())).await;
    let told = told.expect(200);
    let licence = json!({
        "product": sold.product, "kind": "subscription", "status": "active", "activated_at": active["activated_at"],
        "expires_at": active["expires_at"], "updates_until": active["updates_until"],
        "support_until": active["support_until"], "features": ["sync"], "parallel_uses": 3, "activations": 0,
    });
    let expected = json!({
        "valid": true, "code": "valid", "checked_at": told.json["checked_at"], "nonce": "\u{1f511} 7",
        "licence": licence,
    });
    assert_eq!(told.json, expected);
    let now = world.system().clock().now().to_string();
    assert!(told.text("checked_at") <= now.as_str() && active["expires_at"].as_str().unwrap() > now.as_str());
    // Of a body with a fault, what is unknown is no fault either.
    for number in ["9007199254740993", "1e999"] {
        let faulty = format!(r#"{{"unknown": {number}, "key": {:?}, "domain": "a b"}}"#, sold.key);
        let faulty = Some(faulty.into_bytes());
        let refused = world.nobody().send("POST", "/v1/licences/validate", &headers, faulty).await;
        let refused = refused.refused(422, "invalid_fields");
        assert_eq!(refused.json["errors"].as_array().unwrap().len(), 1, "{}", refused.json);
        assert_eq!(refused.pointer(), "/domain");
    }
    let none = ask(&world, "AAAAA-AAAAA-AAAAA-AAAAA-AAAAA", json!({})).await.expect(200);
    assert_eq!((&none.json["licence"], &none.json["nonce"]), (&Value::Null, &Value::Null));
    for (member, wrong) in [("key", json!(7)), ("domain", json!("a b")), ("nonce", json!("")), ("features", json!(1))] {
        let refused = ask(&world, &sold.key, json!({member: wrong})).await.refused(422, "invalid_fields");
        assert_eq!(refused.pointer(), format!("/{member}"));
    }
}

/// A refund is final for the next program that asks, because the read is strongly consistent.
#[tokio::test]
async fn the_next_question_after_a_refund_is_told_so() {
    let world = World::new().await;
    let sold = strict(&world, json!({"domains": []})).await;
    let _active = world.operator.act(&sold.path("/activate")).await.expect(200);
    assert_eq!(code(&world, &sold.key, json!({})).await, "valid");
    let refund = format!("/v1/provisions/{}/refund", sold.provision);
    let why = json!({"description": "x"});
    let _refunded = world.operator.post_once(&refund, "refund", &why).await.expect(200);
    let told = ask(&world, &sold.key, json!({})).await.expect(200);
    assert_eq!(told.text("code"), "revoked");
    // The laptop's table has no stale reads, but a read that may be stale would cost half a unit.
    assert_eq!(told.cost(), (2, 2.0, 0.0));
}

/// The key before a rotation opens nothing, and whoever still asks with it is not charged for guesses.
#[tokio::test]
async fn a_former_key_is_not_found_and_costs_nothing() {
    let variables = [("PURSER_ADDRESS_REQUESTS_PER_MINUTE", "60")];
    let world = World::with(None, &variables).await;
    let sold = strict(&world, json!({"domains": []})).await;
    let _active = world.operator.act(&sold.path("/activate")).await.expect(200);
    let mut former = vec![sold.key.clone()];
    for _ in 0..2 {
        let rotated = world.operator.act(&sold.path("/rotate-key")).await.expect(200);
        former.push(rotated.text("key").to_owned());
    }
    let key = former.pop().unwrap();
    for _ in 0..5 {
        for former in &former {
            assert_eq!(code(&world, former, json!({})).await, "not_found");
        }
        assert_eq!(code(&world, &key, json!({})).await, "valid");
    }
    // A key that nobody ever had costs fifty requests, so the second one is more than a minute has.
    let told = guesses(&world, "AAAAA-AAAAA-AAAAA-AAAAA-AAAAA").await;
    assert!(told.contains(&429), "{told:?}");
    // Others behind the same address still get in.
    assert_eq!(code(&world, &key, json!({})).await, "valid");
    // So does text that is no key at all.
    let world = World::with(None, &variables).await;
    let told = guesses(&world, "x").await;
    assert!(told.contains(&429), "{told:?}");
}

/// How some guesses are answered, the first of which is.
async fn guesses(world: &World, key: &str) -> Vec<u16> {
    assert_eq!(code(world, key, json!({})).await, "not_found");
    let mut told = Vec::new();
    for _ in 0..3 {
        told.push(ask(world, key, json!({})).await.status);
    }
    told
}

/// Pages of any origin may ask, because the key is all the authority that there is.
#[tokio::test]
async fn a_page_of_any_origin_may_ask() {
    let world = World::new().await;
    let preflight = [
        ("origin", "https://anywhere.example"),
        ("access-control-request-method", "POST"),
        ("access-control-request-headers", "content-type"),
    ];
    let allowed = world.nobody().send("OPTIONS", "/v1/licences/validate", &preflight, None).await.expect(200);
    assert_eq!(allowed.header("access-control-allow-origin"), Some("*"));
    assert_eq!(allowed.header("access-control-allow-methods"), Some("POST"));
    let headers = [("origin", "https://anywhere.example"), ("content-type", "application/json")];
    let body = json!({"key": "x"}).to_string().into_bytes();
    let told = world.nobody().send("POST", "/v1/licences/validate", &headers, Some(body)).await.expect(200);
    assert_eq!(told.header("access-control-allow-origin"), Some("*"));
    assert!(told.header("access-control-expose-headers").unwrap().contains("purser-signature"));
    for path in ["/v1/licences", "/v1/licences?limit=1"] {
        let others = world.operator.send("GET", path, &headers, None).await.expect(200);
        assert_eq!(others.header("access-control-allow-origin"), None);
    }
    for path in ["/v1/licences/LI-0123456789ABCDEF", "/v1/licences/validate/"] {
        let others = world.operator.send("GET", path, &headers, None).await.refused(404, "not_found");
        assert_eq!(others.header("access-control-allow-origin"), None, "{path}");
    }
}
