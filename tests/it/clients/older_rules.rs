//! Requests that older, laxer rules took: their repeats still get their answers, and nothing new gets in.

use purser_domain::basic::as_stored;
use purser_tests::faults::Script;
use purser_tests::prelude::*;

/// The answer of a function that judges input as older versions did.
async fn answered_before(world: &World, function: &str, path: &str, key: &str, body: &Value) -> Reply {
    let app = world.app_over(function, &Script::default()).await;
    let routes = purser_lambda::router(purser_lambda::function(function).unwrap(), &app).unwrap();
    let call = || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let operator = world.system().operator_key();
        as_stored(|| runtime.block_on(world.call(routes, path, operator, Some(key), body)))
    };
    // The laxer rules hold for a thread of its own.
    std::thread::scope(|scope| scope.spawn(call).join().unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_repeat_across_a_stricter_rule_gets_its_answer_and_a_new_request_does_not() {
    let world = World::new().await;
    let body = |local: &str| json!({"name": "\u{200b}", "email": format!("\"{local}\"@example.com")});
    let first = answered_before(&world, "create-client", "/v1/clients", "k", &body("q1")).await.expect(201);
    let again = world.operator.post_once("/v1/clients", "k", &body("q1")).await.expect(201);
    assert_eq!((again.header("idempotency-replayed"), &again.bytes), (Some("true"), &first.bytes));
    let before = world.state().await;
    let other = world.operator.post_once("/v1/clients", "k", &body("q2")).await;
    let _other = other.refused(422, "idempotency_key_reused");
    let new = world.operator.post_once("/v1/clients", "another", &body("q1")).await;
    let new = new.refused(422, "invalid_fields");
    assert_eq!(new.json["errors"].as_array().unwrap().len(), 2, "{}", new.json);
    let _unkeyed = world.operator.post("/v1/clients", &body("q1")).await.refused(422, "invalid_fields");
    assert_eq!(world.state().await, before);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn so_does_a_repeat_whose_metadata_todays_rules_refuse() {
    let world = World::new().await;
    let partner = world.partner("standard", 1_000).await;
    let product = world.product(10).await;
    for (what, kept, code, member) in [
        ("a credential", json!({"cvv2": "123"}), "sensitive_metadata", "cvv2"),
        ("a card", json!({"deep": ["4111 1111 1111 1111"]}), "sensitive_metadata", "deep/0"),
        ("a separator", json!({"line": "a\u{2028}b"}), "invalid_fields", "line"),
    ] {
        let client = || {
            let mut client = world.new_client();
            client["metadata"] = kept.clone();
            client
        };
        let mut reseller = json!({"company_name": "x", "email": format!("{}@example.com", world.fresh("older"))});
        reseller["metadata"] = kept.clone();
        let one = json!({"reseller": partner.refid, "product": product, "client": client()});
        let many = json!({"reseller": partner.refid, "product": product, "clients": [world.new_client(), client()]});
        for (function, path, body, place) in [
            ("create-client", "/v1/clients", client(), ""),
            ("onboard-reseller", "/v1/resellers", reseller, ""),
            ("provision", "/v1/provisions", one, "/client"),
            ("provision", "/v1/provisions/bulk", many, "/clients/1"),
        ] {
            let (key, another) =
                (format!("{what} {path}").replace(' ', "-"), format!("{what} again").replace(' ', "-"));
            let first = answered_before(&world, function, path, &key, &body).await.expect(201);
            let again = world.operator.post_once(path, &key, &body).await.expect(201);
            assert_eq!((again.header("idempotency-replayed"), &again.bytes), (Some("true"), &first.bytes), "{key}");
            let before = world.state().await;
            let new = world.operator.post_once(path, &another, &body).await.refused(422, code);
            assert_eq!(new.pointer(), format!("{place}/metadata/{member}"), "{key}");
            assert_eq!(world.state().await, before, "{key}");
        }
    }
}
