//! What a reseller may find out about other resellers' clients: that an address is taken, and not often (rule A2).

use purser_tests::prelude::*;

/// What a reseller may ask about in a day.
const A_DAY: u64 = 1_000;

fn spent(world: &World, partner: &Partner) -> u64 {
    let pk = format!("GB#{}#", partner.refid);
    let items = world.items();
    let own = items.iter().filter(|item| item["pk"]["S"].as_str().unwrap().starts_with(&pk));
    own.map(|item| item["spent"]["N"].as_str().unwrap().parse::<u64>().unwrap()).sum()
}

fn candidates(count: usize) -> Vec<Value> {
    (0..count).map(|n| json!({"name": "x", "email": format!("candidate-{n}@example.com")})).collect()
}

#[tokio::test]
async fn a_refused_bulk_is_charged_for_all_that_it_names_and_tells_one_duplicate() {
    let world = World::new().await;
    let (own, other) = (world.partner("standard", 1_000).await, world.partner("standard", 0).await);
    let product = world.product(1).await;
    let (mine, theirs, more) = (world.new_client(), world.new_client(), world.new_client());
    let _mine = own.caller.post("/v1/clients", &mine).await.expect(201);
    for client in [&theirs, &more] {
        let _theirs = other.caller.post("/v1/clients", client).await.expect(201);
    }
    let mut clients = candidates(28);
    let mut with_id = world.new_client();
    with_id["client_id"] = json!("an id");
    clients.extend([mine, theirs, more, with_id]);
    let order = json!({"product": product, "clients": clients});
    let refused = own.caller.post_once("/v1/provisions/bulk", "k", &order).await.refused(409, "duplicate_email");
    assert_eq!(refused.json["errors"].as_array().unwrap().len(), 1, "{}", refused.json);
    assert_eq!(refused.pointer(), "/clients/28/email");
    assert_eq!(spent(&world, &own), 33, "32 addresses and one id");
    // Each repeat is charged again, and what is bought costs nothing.
    let again = own.caller.post_once("/v1/provisions/bulk", "k", &order).await;
    let _again = again.refused(409, "duplicate_email");
    assert_eq!(spent(&world, &own), 66);
    let fine = json!({"product": product, "clients": candidates(3)});
    let _bought = own.caller.post_once("/v1/provisions/bulk", "fine", &fine).await.expect(201);
    let _bought = own.caller.post_once("/v1/provisions/bulk", "fine", &fine).await.expect(201);
    assert_eq!(spent(&world, &own), 66);
    assert_eq!(spent(&world, &other), 0);
}

#[tokio::test]
async fn every_refusal_of_a_command_that_names_an_address_is_charged() {
    let world = World::new().await;
    let (own, other) = (world.partner("standard", 0).await, world.partner("standard", 0).await);
    let product = world.product(10).await;
    let theirs = world.new_client();
    let _theirs = other.caller.post("/v1/clients", &theirs).await.expect(201);
    let mine = world.client(&own).await;
    let mut charged = 0;
    let mut costs = async |what: &str, by: u64| {
        charged += by;
        assert_eq!(spent(&world, &own), charged, "{what}");
    };
    let _taken = own.caller.post("/v1/clients", &theirs).await.refused(409, "duplicate_email");
    costs("creating", 1).await;
    let free = json!({"product": product, "client": {"name": "x", "email": "free@example.com", "client_id": "x"}});
    let poor = own.caller.post_once("/v1/provisions", "k", &free).await;
    let _poor = poor.refused(402, "insufficient_credits");
    costs("being too poor for a free address", 2).await;
    let staff = json!({"name": "x", "email": other_login(&world, &other).await});
    let _user = own.caller.post("/v1/users", &staff).await.refused(409, "duplicate_email");
    costs("inviting somebody else's user", 1).await;
    let existing = json!({"product": product, "client": mine});
    let poor = own.caller.post_once("/v1/provisions", "k", &existing).await;
    let _poor = poor.refused(402, "insufficient_credits");
    costs("being too poor for an existing client", 0).await;
    let path = format!("/v1/clients/{mine}");
    let moved = own.caller.patch(&path, &json!({"email": "elsewhere@example.com"})).await;
    let _moved = moved.expect(200);
    costs("moving a new client", 1).await;
    let _same = own.caller.patch(&path, &json!({"email": "ELSEWHERE@example.com"})).await.expect(200);
    costs("writing an address otherwise", 0).await;
    let day = SignedDuration::from_hours(24);
    world.system().clock().advance(day);
    let _moved = own.caller.patch(&path, &json!({"email": "third@example.com"})).await.expect(200);
    costs("moving an old client", 1).await;
    let taken = own.caller.patch(&path, &json!({"email": theirs["email"]})).await;
    let _taken = taken.refused(409, "duplicate_email");
    costs("moving it to a taken address", 1).await;
    let brief = world.client(&own).await;
    let _gone = own.caller.delete(&format!("/v1/clients/{brief}")).await.expect(204);
    costs("deleting a new client", 1).await;
    world.system().clock().advance(day);
    let _gone = own.caller.delete(&path).await.expect(204);
    costs("deleting an old client", 0).await;
}

async fn other_login(world: &World, other: &Partner) -> Value {
    let path = format!("/v1/resellers/{}", other.refid);
    world.operator.get(&path).await.expect(200).json["email"].clone()
}

#[tokio::test]
async fn over_the_budget_nothing_is_told_until_the_next_day() {
    let world = World::at("2026-01-03T22:00:00Z").await;
    let (own, other) = (world.partner("standard", 1_000).await, world.partner("standard", 0).await);
    let product = world.product(1).await;
    let old = format!("/v1/clients/{}", world.client(&own).await);
    world.system().clock().advance(SignedDuration::from_hours(48));
    let young = format!("/v1/clients/{}", world.client(&own).await);
    let before = world.new_client();
    let _made = own.caller.post_once("/v1/clients", "before", &before).await.expect(201);
    let theirs = world.new_client();
    let _theirs = other.caller.post("/v1/clients", &theirs).await.expect(201);
    let mut clients = candidates(31);
    clients.push(theirs.clone());
    let order = json!({"product": product, "clients": clients});
    for _ in 0..A_DAY / 32 {
        let told = own.caller.post_once("/v1/provisions/bulk", "k", &order).await;
        let _told = told.refused(409, "duplicate_email");
    }
    let over = own.caller.post_once("/v1/provisions/bulk", "k", &order).await;
    let over = over.refused(429, "too_many_attempts");
    assert_eq!(over.header("retry-after"), Some("7200"));
    assert_eq!(over.json["errors"], Value::Null);
    for _ in 0..A_DAY % 32 {
        let _told = own.caller.post("/v1/clients", &theirs).await.refused(409, "duplicate_email");
    }
    let _over = own.caller.post("/v1/clients", &theirs).await.refused(429, "too_many_attempts");
    // What would succeed tells as much as what would not, so an address that is free gets the same answer.
    let over = own.caller.post("/v1/clients", &theirs).await;
    let free = own.caller.post("/v1/clients", &world.new_client()).await.refused(429, "too_many_attempts");
    assert_eq!(free.bytes, over.bytes);
    let invited = json!({"name": "x", "email": "free@example.com"});
    let _over = own.caller.post("/v1/users", &invited).await.refused(429, "too_many_attempts");
    let order = json!({"product": product, "client": world.new_client()});
    let _over = own.caller.post_once("/v1/provisions", "new", &order).await.refused(429, "too_many_attempts");
    let order = json!({"product": product, "clients": candidates(2)});
    let _over = own.caller.post_once("/v1/provisions/bulk", "new", &order).await.refused(429, "too_many_attempts");
    for path in [&young, &old] {
        let moved = own.caller.patch(path, &json!({"email": "x@example.com"})).await;
        let _over = moved.refused(429, "too_many_attempts");
    }
    let _over = own.caller.delete(&young).await.refused(429, "too_many_attempts");
    // Whatever asks nothing goes on.
    let _renamed = own.caller.patch(&young, &json!({"name": "x"})).await.expect(200);
    let order = json!({"product": product, "client": old.rsplit('/').next()});
    let _sold = own.caller.post_once("/v1/provisions", "old", &order).await.expect(201);
    let again = own.caller.post_once("/v1/clients", "before", &before).await.expect(201);
    assert_eq!(again.header("idempotency-replayed"), Some("true"));
    let _deleted = own.caller.delete(&old).await.expect(204);
    // Neither other resellers nor operators are held up.
    let _taken = world.operator.post("/v1/clients", &theirs).await.refused(409, "duplicate_email");
    let _taken = other.caller.post("/v1/clients", &theirs).await.refused(409, "duplicate_email");
    world.system().clock().advance(SignedDuration::from_hours(2));
    let _told = own.caller.post("/v1/clients", &theirs).await.refused(409, "duplicate_email");
}

#[tokio::test]
async fn each_of_many_addresses_that_one_client_gets_at_once_is_charged() {
    let world = World::at("2026-01-05T10:00:00Z").await;
    let own = world.partner("standard", 0).await;
    let path = format!("/v1/clients/{}", world.client(&own).await);
    world.system().clock().advance(SignedDuration::from_hours(25));
    let bodies: Vec<Value> = (0..8).map(|n| json!({"email": format!("moved-{n}@example.com")})).collect();
    let moves = futures_all(bodies.iter().map(|body| own.caller.patch(&path, body))).await;
    let moved = moves.iter().filter(|it| it.status == 200).count();
    assert_eq!(u64::try_from(moved).unwrap(), spent(&world, &own), "{moves:?}");
    assert!(moved > 1, "{moves:?}");
    // A client that is gone is charged once, however many delete it.
    let young = format!("/v1/clients/{}", world.client(&own).await);
    let before = spent(&world, &own);
    let _gone = own.caller.delete(&young).await.expect(204);
    assert_eq!(spent(&world, &own), before + 1);
    let mut named = world.new_client();
    named["client_id"] = json!("an id");
    let named = own.caller.post("/v1/clients", &named).await.expect(201);
    let _gone = own.caller.delete(&format!("/v1/clients/{}", named.text("refid"))).await.expect(204);
    assert_eq!(spent(&world, &own), before + 3, "the address and the id");
}

#[tokio::test]
async fn simultaneous_guesses_share_no_place_in_the_budget() {
    let variables = [("PURSER_KEY_REQUESTS_PER_MINUTE", "0"), ("PURSER_ADDRESS_REQUESTS_PER_MINUTE", "0")];
    let world = World::with(None, &variables).await;
    let (own, other) = (world.partner("standard", 1_000).await, world.partner("standard", 0).await);
    let product = world.product(1).await;
    let theirs = world.new_client();
    let _theirs = other.caller.post("/v1/clients", &theirs).await.expect(201);
    let mut clients = candidates(31);
    clients.push(theirs);
    let order = json!({"product": product, "clients": clients});
    let mut guesses = tokio::task::JoinSet::new();
    for n in 0..40 {
        let (caller, order) = (own.caller.clone(), order.clone());
        guesses.spawn(async move { caller.post_once("/v1/provisions/bulk", &format!("k{n}"), &order).await.status });
    }
    let statuses = guesses.join_all().await;
    let told = statuses.iter().filter(|status| **status == 409).count();
    assert_eq!(told, 31, "{statuses:?}");
    assert_eq!(spent(&world, &own), 31 * 32);
}
