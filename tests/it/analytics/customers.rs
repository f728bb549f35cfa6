//! Rankings of clients by what they hold, and the licences of one client (rules C6, D5).

use purser_tests::caller::Caller;
use purser_tests::prelude::*;

use super::{clients, figure, turn_to, values};

async fn buy(caller: &Caller, key: &str, product: &str, client: &str, quantity: u32) -> Value {
    let order = json!({"product": product, "client": client, "quantity": quantity});
    let bought = caller.post_once("/v1/provisions", key, &order).await;
    bought.expect(201).json
}

/// The rows of a ranking: the client's index in `refids`, its licences and its products.
async fn ranking(world: &World, caller: &Caller, query: &str, refids: &[String]) -> Vec<(usize, u64, u64)> {
    let top = figure(world, caller, &format!("customers/top?{query}")).await;
    let place = |row: &Value| refids.iter().position(|it| row["client"] == **it).unwrap();
    let row = |row: &Value| {
        let count = |name: &str| row[name].as_u64().unwrap();
        (place(row), count("licences"), count("products"))
    };
    top["data"].as_array().unwrap().iter().map(row).collect()
}

#[tokio::test]
async fn customers_are_ranked_by_what_they_hold_as_each_may_see_it() {
    let world = World::at("2023-01-15T09:00:00Z").await;
    let (a, b) = (world.partner("standard", 9_000).await, world.partner("standard", 9_000).await);
    let (one, two) = (world.product(10).await, world.product(10).await);
    assert_eq!(figure(&world, &world.operator, "customers/top").await, json!({"data": []}));
    let refids = clients(&world, &a.caller, 3).await;
    let most = buy(&a.caller, "most", &one, &refids[0], 3).await;
    let _two = buy(&a.caller, "first", &one, &refids[1], 1).await;
    let _two = buy(&a.caller, "second", &two, &refids[1], 1).await;
    let all = async |query: &str| ranking(&world, &world.operator, query, &refids).await;
    assert_eq!(all("").await, [(0, 3, 1), (1, 2, 2)]);
    assert_eq!(all("by=licences&limit=1").await, [(0, 3, 1)]);
    assert_eq!(all("by=products").await, [(1, 2, 2), (0, 3, 1)]);
    // The client moves to reseller b, which sells to it too: each reseller sees what it sold itself.
    let path = format!("/v1/clients/{}/transfer", refids[1]);
    let moved = world.operator.post(&path, &json!({"reseller": b.refid})).await;
    let _moved = moved.expect(200);
    let _three = buy(&b.caller, "third", &one, &refids[1], 2).await;
    assert_eq!(all("").await, [(1, 4, 2), (0, 3, 1)]);
    assert_eq!(ranking(&world, &a.caller, "", &refids).await, [(0, 3, 1), (1, 2, 2)]);
    assert_eq!(ranking(&world, &b.caller, "by=products", &refids).await, [(1, 2, 1)]);
    assert_eq!(all(&format!("reseller={}", b.refid)).await, [(1, 2, 1)]);
    let top = a.caller.get("/v1/analytics/customers/top").await.expect(200).json;
    let named: Vec<bool> = top["data"].as_array().unwrap().iter().map(|it| it["name"].is_string()).collect();
    assert_eq!(named, [true, false], "{top}");
    // A revoked licence no longer counts, and a deleted client is ranked without its name.
    let path = format!("/v1/provisions/{}/refund", most["refid"].as_str().unwrap());
    let _back = world.operator.post_once(&path, "k", &json!({})).await.expect(200);
    let path = format!("/v1/clients/{}", refids[1]);
    let _gone = world.operator.delete(&path).await.expect(204);
    assert_eq!(all("").await, [(1, 4, 2)]);
    let top = world.operator.get("/v1/analytics/customers/top").await.expect(200).json;
    assert_eq!(top["data"][0]["name"], json!(null));
    let unknown = world.operator.get("/v1/analytics/customers/top?by=activations").await;
    let _unknown = unknown.refused(400, "malformed_request");
}

#[tokio::test]
async fn the_licences_of_a_client_are_those_that_the_caller_may_see() {
    let world = World::at("2023-01-15T09:00:00Z").await;
    let (a, b) = (world.partner("standard", 9_000).await, world.partner("standard", 9_000).await);
    let product = world.product(10).await;
    let refids = clients(&world, &a.caller, 2).await;
    let _one = buy(&a.caller, "one", &product, &refids[0], 2).await;
    let _other = buy(&a.caller, "other", &product, &refids[1], 1).await;
    turn_to(&world, "2023-02-01T00:00:00Z");
    let _two = buy(&a.caller, "two", &product, &refids[0], 1).await;
    let minted = async |caller: &Caller, more: &str| {
        let query = format!("licences/minted?client={}{more}", refids[0]);
        values(&figure(&world, caller, &query).await)
    };
    let expected = |january: i64, february: i64| [("2023-01".to_owned(), january), ("2023-02".to_owned(), february)];
    assert_eq!(minted(&world.operator, "").await, expected(2, 1));
    assert_eq!(minted(&a.caller, "").await, expected(2, 1));
    let popular = format!("licences/popularity?client={}", refids[0]);
    let popular = figure(&world, &a.caller, &popular).await;
    assert_eq!(popular, json!({"data": [{"product": product, "licences": 3}]}));
    let path = format!("/v1/analytics/licences/minted?client={}", refids[0]);
    let _foreign = b.caller.get(&path).await.refused(404, "not_found");
    let _nonsense = world.operator.get("/v1/analytics/licences/minted?client=x").await.refused(404, "not_found");
    // The client's new reseller sees none of the licences that were sold before.
    let transfer = format!("/v1/clients/{}/transfer", refids[0]);
    let moved = world.operator.post(&transfer, &json!({"reseller": b.refid})).await;
    let _moved = moved.expect(200);
    assert_eq!(minted(&b.caller, "").await, []);
    let _three = buy(&b.caller, "three", &product, &refids[0], 5).await;
    assert_eq!(minted(&b.caller, "").await, [("2023-02".to_owned(), 5)]);
    assert_eq!(minted(&world.operator, "").await, expected(2, 6));
    assert_eq!(minted(&world.operator, &format!("&reseller={}", a.refid)).await, expected(2, 1));
    let _foreign = a.caller.get(&path).await.refused(404, "not_found");
}
