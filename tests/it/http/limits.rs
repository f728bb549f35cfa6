//! Rate limits: floods and guesses are refused and told when to come back, and no other caller notices.

use purser_tests::lambda::{event, invoke};
use purser_tests::prelude::*;

/// A world with these limits, in requests per minute; 0 is no limit.
async fn limited(per_key: u32, per_address: u32) -> World {
    let variables = [
        ("PURSER_KEY_REQUESTS_PER_MINUTE", per_key.to_string()),
        ("PURSER_ADDRESS_REQUESTS_PER_MINUTE", per_address.to_string()),
    ];
    World::with(None, &variables.each_ref().map(|(name, value)| (*name, value.as_str()))).await
}

/// Asserts that the request was over a limit; returns the seconds after which it may be repeated.
#[track_caller]
fn too_much(reply: Reply) -> i64 {
    let refused = reply.refused(429, "rate_limited");
    let seconds = refused.header("retry-after").unwrap().parse().unwrap();
    assert!(seconds >= 1);
    seconds
}

fn turn(world: &World, seconds: i64) {
    world.system().clock().advance(SignedDuration::from_secs(seconds));
}

async fn look(caller: &Caller) -> Reply {
    caller.get("/v1/products").await
}

#[tokio::test]
async fn a_key_over_its_limit_changes_nothing_until_the_moment_it_is_told() {
    let world = limited(6, 0).await;
    let (one, other) = (world.partner("standard", 0).await, world.partner("gold", 0).await);
    for _ in 0..6 {
        let _list = look(&one.caller).await.expect(200);
    }
    let before = world.size().await;
    let seconds = too_much(one.caller.post("/v1/clients", &world.new_client()).await);
    assert!(seconds <= 10, "at six a minute, the next one is free within ten seconds: {seconds}");
    assert_eq!(world.size().await, before, "a request over the limit must change nothing");
    let _list = look(&other.caller).await.expect(200);

    turn(&world, seconds / 2);
    let rest = too_much(look(&one.caller).await);
    assert!(rest <= seconds - seconds / 2);
    turn(&world, rest);
    let _made = one.caller.post("/v1/clients", &world.new_client()).await.expect(201);
    let _seconds = too_much(look(&one.caller).await);
    let _health = one.caller.get("/health").await.expect(200);
}

#[tokio::test]
async fn more_keys_are_not_more_requests() {
    let world = limited(6, 0).await;
    let partner = world.partner("standard", 0).await;
    let body = json!({"name": "another"});
    let mut keys = Vec::new();
    for _ in 0..6 {
        let made = partner.caller.post("/v1/api-keys", &body).await.expect(201);
        keys.push(partner.caller.with_key(Some(made.text("key"))));
    }
    for key in keys {
        let _seconds = too_much(look(&key).await);
    }
}

#[tokio::test]
async fn whoever_names_somebody_elses_key_does_not_spend_its_requests() {
    let world = limited(6, 0).await;
    let partner = world.partner("standard", 0).await;
    let refid = partner.caller.key().unwrap().split('.').next().unwrap();
    let guess = world.nobody().with_key(Some(&format!("{refid}.guess")));
    for _ in 0..10 {
        let _refused = look(&guess).await.refused(401, "unauthenticated");
    }
    let _list = look(&partner.caller).await.expect(200);
}

/// Many people may share a network address. Whoever guesses there is stopped, whatever it says of itself, and nobody
/// else there is.
#[tokio::test]
async fn an_address_that_guesses_keys_learns_nothing_more_and_others_there_go_on() {
    let world = limited(0, 60).await;
    let guess = world.nobody().with_key(Some("AK-0000000000000000.guess"));
    for address in ["198.51.100.1", "198.51.100.2"] {
        let told = [("x-forwarded-for", address), ("forwarded", address), ("purser-viewer-address", address)];
        let guessed = guess.send("GET", "/v1/clients", &told, None).await;
        let _refused = guessed.refused(401, "unauthenticated");
    }
    // Two guesses cost 102 of the 60 requests a minute, and each second gives one back.
    let told = [("x-forwarded-for", "198.51.100.3")];
    let seconds = too_much(guess.send("GET", "/v1/clients", &told, None).await);
    let _list = look(&world.operator).await.expect(200);
    let _health = world.nobody().get("/health").await.expect(200);
    let _refused = world.nobody().get("/v1/clients").await.refused(401, "unauthenticated");
    turn(&world, seconds);
    let guessed = guess.send("GET", "/v1/clients", &told, None).await;
    let _refused = guessed.refused(401, "unauthenticated");
}

#[tokio::test]
async fn an_address_over_its_limit_waits_before_anything_is_read() {
    let world = limited(0, 60).await;
    for _ in 0..60 {
        let _health = world.nobody().get("/health").await.expect(200);
    }
    let waits = world.nobody().get("/v1/clients").await;
    assert_eq!(waits.header("purser-cost"), Some("calls=0 rcu=0 wcu=0 hashes=0"));
    let seconds = too_much(waits);
    for caller in [&world.operator, &world.nobody()] {
        let _seconds = too_much(caller.get("/health").await);
        let _seconds = too_much(caller.get("/nowhere").await);
        let _mails = caller.get("/_local/mails").await.expect(200);
    }
    turn(&world, seconds);
    let _list = look(&world.operator).await.expect(200);
}

#[tokio::test]
async fn a_reseller_that_guesses_addresses_is_stopped_and_an_operator_is_not() {
    let world = limited(60, 0).await;
    let (own, other) = (world.partner("standard", 100).await, world.partner("gold", 0).await);
    let product = world.product(1).await;
    let mut taken = world.new_client();
    taken["client_id"] = json!("theirs");
    let _client = other.caller.post("/v1/clients", &taken).await.expect(201);
    let (email, client_id) = (taken["email"].clone(), taken["client_id"].clone());
    let by_email = json!({"name": "a guess", "email": email});
    let by_id = json!({"name": "a guess", "email": "guess@example.com", "client_id": client_id});
    let order = json!({"product": product, "client": by_id});

    for _ in 0..3 {
        let told = world.operator.post("/v1/clients", &by_email).await;
        let _refused = told.refused(409, "duplicate_email");
    }
    let told = own.caller.post("/v1/clients", &by_email).await;
    let _refused = told.refused(409, "duplicate_email");
    let told = own.caller.post_once("/v1/provisions", "k", &order).await;
    let _refused = told.refused(409, "duplicate_client_id");
    // Two guesses cost 102 of the 60 requests a minute, and each second gives one back.
    let seconds = too_much(own.caller.post("/v1/clients", &by_email).await);
    assert!((20..=43).contains(&seconds), "{seconds}");
    let _list = look(&other.caller).await.expect(200);
    turn(&world, seconds);
    let told = own.caller.post("/v1/clients", &by_email).await;
    let _refused = told.refused(409, "duplicate_email");
    let seconds = too_much(look(&own.caller).await);
    assert!(seconds > 20, "a guess must be charged even though it was answered: {seconds}");
}

#[tokio::test]
async fn on_lambda_the_address_is_the_one_that_the_gateway_saw() {
    let world = limited(0, 3).await;
    let key = world.operator.key().unwrap();
    let from = async |address: &str| {
        let mut event = event("GET", "/v1/clients", "", key);
        event["requestContext"]["http"]["sourceIp"] = json!(address);
        event["headers"]["x-forwarded-for"] = json!(world.fresh("198.51.100"));
        invoke(&world, "read-clients", event).await
    };
    for (used, same, free) in
        [("192.0.2.1", "192.0.2.1", "192.0.2.2"), ("2001:db8::1", "2001:db8::ffff:0:0:2", "2001:db8:0:1::1")]
    {
        for _ in 0..3 {
            let _list = from(used).await.expect(200);
        }
        let seconds = too_much(from(same).await);
        let _list = from(free).await.expect(200);
        turn(&world, seconds);
        let _list = from(same).await.expect(200);
    }
    // Without an address there is nothing to count the request against.
    for _ in 0..5 {
        let _list = from("unknown").await.expect(200);
    }
}
