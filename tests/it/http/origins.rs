//! Pages of other origins: those that are configured may call the API from a browser, and no others (CORS).

use purser_tests::prelude::*;

const SHOP: &str = "https://shop.example";
const EXPOSED: &str = "access-control-expose-headers";
const ALLOWED: &str = "access-control-allow-origin";

async fn open() -> World {
    World::with(None, &[("PURSER_ALLOWED_ORIGINS", "https://shop.example, http://localhost:5173")]).await
}

/// What a browser asks before it sends a request that a form can't send.
async fn preflight(world: &World, path: &str, origin: &str) -> Reply {
    let asked = "authorization,content-type,idempotency-key";
    let headers =
        [("origin", origin), ("access-control-request-method", "POST"), ("access-control-request-headers", asked)];
    world.nobody().send("OPTIONS", path, &headers, None).await
}

/// Whether an answer says anything about origins.
fn says_something(reply: &Reply) -> bool {
    reply.headers.iter().any(|(name, _)| name.as_str().starts_with("access-control-"))
}

#[tokio::test]
async fn pages_of_configured_origins_call_the_api() {
    let world = open().await;
    let product = json!({"reference": "P", "name": "x", "price": 1}).to_string();
    for (origin, reference) in [(SHOP, "P-1"), ("http://localhost:5173", "P-2")] {
        // A path with a route for GET reaches that function, and one without reaches `front`.
        for path in ["/v1/products", "/v1/provisions/bulk"] {
            let asked = preflight(&world, path, origin).await.expect(200);
            assert_eq!(asked.header(ALLOWED), Some(origin), "{path}");
            assert!(asked.header("access-control-allow-methods").unwrap().contains("POST"));
            let allowed = asked.header("access-control-allow-headers").unwrap();
            assert!(["authorization", "content-type", "idempotency-key"].iter().all(|it| allowed.contains(it)));
        }
        let headers = [("origin", origin), ("content-type", "application/json")];
        let body = product.replace("\"P\"", &format!("{reference:?}")).into_bytes();
        let made = world.operator.send("POST", "/v1/products", &headers, Some(body)).await.expect(201);
        assert_eq!(made.header(ALLOWED), Some(origin));
        let exposed = made.header(EXPOSED).unwrap();
        assert!(
            ["purser-signature", "etag", "retry-after", "idempotency-replayed"].iter().all(|it| exposed.contains(it))
        );
        assert!(made.header("vary").is_some_and(|vary| vary.contains("origin")), "caches must keep origins apart");
        assert_eq!(made.header("access-control-allow-credentials"), None);
        // A page can read why it was refused, too.
        let refused = world.nobody().send("GET", "/v1/products", &[("origin", origin)], None).await;
        assert_eq!(refused.refused(401, "unauthenticated").header(ALLOWED), Some(origin));
    }
}

#[tokio::test]
async fn no_other_page_does_and_no_page_gets_to_pursers_own() {
    let (world, shut) = (open().await, World::new().await);
    for origin in ["https://evil.example", "https://shop.example.evil.example", "http://shop.example", "null"] {
        assert_eq!(preflight(&world, "/v1/products", origin).await.header(ALLOWED), None, "{origin}");
        let read = world.operator.send("GET", "/v1/products", &[("origin", origin)], None).await.expect(200);
        assert_eq!(read.header(ALLOWED), None, "{origin}");
        assert!(read.header("vary").is_some_and(|vary| vary.contains("origin")), "{origin}");
    }
    for path in ["/customer/sign-in", "/health"] {
        assert!(!says_something(&preflight(&world, path, SHOP).await), "{path}");
        let read = world.nobody().send("GET", path, &[("origin", SHOP)], None).await;
        assert!(!says_something(&read), "{path}");
    }
    let asked = preflight(&shut, "/v1/products", SHOP).await.refused(405, "method_not_allowed");
    assert!(!says_something(&asked), "no origin is allowed by default");
    let bare = world.nobody().send("OPTIONS", "/v1/products", &[("origin", SHOP)], None).await;
    assert_eq!(bare.refused(405, "method_not_allowed").header("allow"), Some("GET, HEAD, POST"));
}

#[tokio::test]
async fn a_page_can_read_that_it_has_to_wait() {
    let variables = [("PURSER_ALLOWED_ORIGINS", SHOP), ("PURSER_ADDRESS_REQUESTS_PER_MINUTE", "1")];
    let world = World::with(None, &variables).await;
    let read = async || world.nobody().send("GET", "/v1/products", &[("origin", SHOP)], None).await;
    let _first = read().await.refused(401, "unauthenticated");
    let waits = read().await.refused(429, "rate_limited");
    assert_eq!(waits.header(ALLOWED), Some(SHOP));
    assert!(waits.header(EXPOSED).unwrap().contains("retry-after"));
}

#[tokio::test]
async fn browsers_are_told_to_use_https_wherever_there_is_https() {
    let paths = ["/health", "/v1/products", "/nowhere", "/customer/confirm?token=x"];
    let deployed = World::with(None, &[("PURSER_PUBLIC_URL", "https://purser.example")]).await;
    let laptop = World::new().await;
    for path in paths {
        let told = deployed.nobody().get(path).await;
        assert_eq!(told.header("strict-transport-security"), Some("max-age=31536000"), "{path}");
        assert_eq!(laptop.nobody().get(path).await.header("strict-transport-security"), None, "{path}");
    }
}
