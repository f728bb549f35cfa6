//! Behind a verified edge the viewer's address counts, and where the edge is required nobody comes past it. Requests
//! come as an HTTP API's events, as they do in the cloud.

use purser_store::engine::secrets::Purpose;
use purser_tests::lambda::{event, invoke};
use purser_tests::prelude::*;

/// CloudFront's own address, from which all requests come.
const CLOUDFRONT: &str = "130.176.1.1";
const FIRST: &str = "1111111111111111111111111111111111111111111111111111111111111111";
const SECOND: &str = "2222222222222222222222222222222222222222222222222222222222222222";

/// A world with an edge, which may send three requests a minute for each viewer.
async fn behind(edge: &str) -> World {
    let variables = [
        ("PURSER_EDGE", edge),
        ("PURSER_ADDRESS_REQUESTS_PER_MINUTE", "3"),
        ("PURSER_ALLOWED_ORIGINS", "https://shop.example"),
    ];
    let world = World::with(None, &variables).await;
    sends(&world, &json!({"sent": FIRST}));
    world
}

/// Replaces the edge's secret, and lets every function read it.
fn sends(world: &World, secret: &Value) {
    world.system().vault().put(Purpose::Edge, secret.to_string()).unwrap();
    world.read_secrets_again();
}

/// A request with these headers, from CloudFront.
async fn with(world: &World, function: &str, request: (&str, &str), headers: &[(&str, &str)]) -> Reply {
    let mut event = event(request.0, request.1, "", world.operator.key().unwrap());
    event["requestContext"]["http"]["sourceIp"] = json!(CLOUDFRONT);
    for (name, value) in headers {
        event["headers"][*name] = json!(value);
    }
    invoke(world, function, event).await
}

async fn list(world: &World, headers: &[(&str, &str)]) -> Reply {
    with(world, "read-clients", ("GET", "/v1/clients"), headers).await
}

fn through(secret: &'static str, viewer: &'static str) -> [(&'static str, &'static str); 2] {
    [("purser-edge-secret", secret), ("purser-viewer-address", viewer)]
}

/// Spends what these headers may send in a minute.
async fn spend(world: &World, headers: &[(&str, &str)]) {
    for _ in 0..3 {
        let _list = list(world, headers).await.expect(200);
    }
    let _waits = list(world, headers).await.refused(429, "rate_limited");
}

#[tokio::test]
async fn each_viewer_behind_the_edge_has_a_limit_of_its_own() {
    for edge in ["accepted", "required"] {
        let world = behind(edge).await;
        spend(&world, &through(FIRST, "192.0.2.1")).await;
        spend(&world, &through(FIRST, "192.0.2.2")).await;
        // A home has a whole /64 network of IPv6.
        spend(&world, &through(FIRST, "2001:db8::1")).await;
        let _waits = list(&world, &through(FIRST, "2001:db8::2")).await.refused(429, "rate_limited");
        let _list = list(&world, &through(FIRST, "2001:db8:0:1::1")).await.expect(200);
    }
}

#[tokio::test]
async fn what_a_caller_says_of_itself_is_not_believed() {
    let forged = |n: usize| {
        let viewer = ["192.0.2.1", "192.0.2.2", "192.0.2.3", "192.0.2.4"][n % 4];
        [
            vec![("purser-viewer-address", viewer)],
            through(SECOND, viewer).to_vec(),
            through("", viewer).to_vec(),
            // What a gateway makes of two headers of one name.
            vec![("purser-edge-secret", "x,1111111111111111111111111111111111111111111111111111111111111111")],
        ]
    };
    for edge in ["none", "accepted"] {
        for kind in 0..4 {
            let world = behind(edge).await;
            for n in 0..3 {
                let _list = list(&world, &forged(n)[kind]).await.expect(200);
            }
            let _waits = list(&world, &forged(3)[kind]).await.refused(429, "rate_limited");
        }
    }
    // Without an edge, nobody sends a secret that would be believed.
    let world = behind("none").await;
    for viewer in ["192.0.2.1", "192.0.2.2", "192.0.2.3"] {
        let _list = list(&world, &through(FIRST, viewer)).await.expect(200);
    }
    let _waits = list(&world, &through(FIRST, "192.0.2.4")).await.refused(429, "rate_limited");
}

#[tokio::test]
async fn where_the_edge_is_required_nobody_comes_past_it() {
    let world = behind("required").await;
    let viewer = "192.0.2.1";
    for headers in [
        vec![],
        vec![("purser-viewer-address", viewer)],
        vec![("purser-edge-secret", FIRST)],
        through(SECOND, viewer).to_vec(),
        through("", viewer).to_vec(),
        // An edge that does not say who came is not set up as it should be.
        through(FIRST, "").to_vec(),
        through(FIRST, "192.0.2.1, 192.0.2.2").to_vec(),
        through(FIRST, "somebody").to_vec(),
    ] {
        for (function, request) in [
            ("read-clients", ("GET", "/v1/clients")),
            ("customer-auth", ("POST", "/v1/auth/login")),
            ("front", ("GET", "/health")),
            ("front", ("GET", "/nowhere")),
        ] {
            let refused = with(&world, function, request, &headers).await.refused(403, "not_through_edge");
            assert_eq!(refused.header("purser-cost"), None, "it must go no further");
            assert!(refused.header("x-request-id").is_some(), "the log must name it");
            assert_eq!(refused.header("x-content-type-options"), Some("nosniff"));
        }
        let page = with(&world, "customer-pages", ("GET", "/customer/confirm"), &headers).await.expect(403);
        assert_eq!(page.header("content-type"), Some("text/html; charset=utf-8"));
        let asks = [("origin", "https://shop.example"), ("access-control-request-method", "GET")];
        let asks = [&headers[..], &asks].concat();
        let preflight = with(&world, "read-clients", ("OPTIONS", "/v1/clients"), &asks).await;
        assert_eq!((preflight.status, preflight.header("access-control-allow-origin")), (403, None));
    }
    let _list = list(&world, &through(FIRST, viewer)).await.expect(200);
    let _health = with(&world, "front", ("GET", "/health"), &through(FIRST, viewer)).await.expect(200);
}

/// While the secret changes, the edge may send the one before or the new one, in any of its places.
#[tokio::test]
async fn while_the_secret_changes_both_values_are_known() {
    let world = behind("required").await;
    let viewer = "192.0.2.1";
    let expected = async |first: u16, second: u16| {
        world.system().clock().advance(SignedDuration::from_mins(2));
        for (secret, status) in [(FIRST, first), (SECOND, second)] {
            let _answer = list(&world, &through(secret, viewer)).await.expect(status);
        }
    };
    expected(200, 403).await;
    sends(&world, &json!({"sent": SECOND, "before": FIRST}));
    expected(200, 200).await;
    sends(&world, &json!({"sent": SECOND}));
    expected(403, 200).await;
    // As long as there is no secret, nothing comes through.
    sends(&world, &json!({}));
    expected(403, 403).await;
    let _nothing = list(&world, &through("", viewer)).await.refused(403, "not_through_edge");
}

#[tokio::test]
async fn people_see_where_they_signed_in_and_not_where_the_edge_is() {
    let world = behind("required").await;
    let body = json!({"email": "olga@example.com", "name": "Olga", "operator": true});
    let mut invite = event("POST", "/v1/users", "", world.operator.key().unwrap());
    let add = |event: &mut Value, viewer: &str| {
        event["headers"]["content-type"] = json!("application/json");
        for (name, value) in [("purser-edge-secret", FIRST), ("purser-viewer-address", viewer)] {
            event["headers"][name] = json!(value);
        }
    };
    add(&mut invite, "192.0.2.1");
    invite["body"] = json!(body.to_string());
    let _invited = invoke(&world, "manage-users", invite).await.expect(201);
    let token = world.mailed_token("olga@example.com").await;
    let mut reset = event("POST", "/v1/auth/reset-password", "", "");
    add(&mut reset, "192.0.2.2");
    reset["body"] = json!(json!({"token": token, "password": PASSWORD}).to_string());
    let _set = invoke(&world, "customer-auth", reset).await.expect(200);
    let mut login = event("POST", "/v1/auth/login", "", "");
    add(&mut login, "192.0.2.3");
    login["body"] = json!(json!({"email": "olga@example.com", "password": PASSWORD}).to_string());
    let session = invoke(&world, "customer-auth", login).await.expect(200);
    let mut sessions = event("GET", "/v1/me/sessions", "", session.text("token"));
    add(&mut sessions, "192.0.2.3");
    let sessions = invoke(&world, "manage-account", sessions).await.expect(200);
    assert_eq!(sessions.json["data"][0]["address"], "192.0.2.3");
    assert!(!sessions.json.to_string().contains(CLOUDFRONT));
}
