//! Tests of `migrate`.

use purser_tests::prelude::*;

use super::against;

#[tokio::test]
async fn keys_from_before_are_adopted_once_and_those_of_nobody_are_named() {
    let world = World::new().await;
    let partner = world.partner("standard", 0).await;
    let staff = world.member(&partner.refid).await;
    for maker in [staff.refid.as_str(), "US-0000000000000000"] {
        let made = partner.caller.post("/v1/api-keys", &json!({"name": "shop"})).await.expect(201);
        world.age_key(made.text("refid"), maker);
    }
    let said = against(&world, &["migrate"]).await;
    let found = "0 clients can be found\n1 reseller can be found\n";
    let adopted = format!("{found}2 API keys put on the keyrings of their makers\nAK-");
    assert!(said.out.starts_with(&adopted), "{said:?}");
    let named = "its maker is gone, is suspended, or may do less than the key; revoke it or replace it\n";
    assert!(said.out.ends_with(named), "{said:?}");
    assert_eq!((said.status, said.err.as_str()), (1, ""), "{said:?}");
    let again = against(&world, &["migrate"]).await;
    assert!(again.out.starts_with(&format!("{found}0 API keys put on")), "{again:?}");
}

#[tokio::test]
async fn clients_and_resellers_from_before_lists_could_be_searched_are_found() {
    let world = World::new().await;
    let partner = world.partner("standard", 0).await;
    for _ in 0..60 {
        let _client = world.client(&partner).await;
    }
    world.system().settle().await;
    for row in world.items().iter().filter(|item| item["kind"]["S"] == "search") {
        world.remove(row);
    }
    let found = async || {
        let clients = partner.caller.get("/v1/clients?q=client&limit=100").await.expect(200);
        let resellers = world.operator.get("/v1/resellers?q=partner").await.expect(200);
        [clients, resellers].map(|page| page.json["data"].as_array().unwrap().len())
    };
    assert_eq!(found().await, [0, 0]);
    for _ in 0..2 {
        let said = against(&world, &["migrate"]).await;
        assert!(said.out.starts_with("60 clients can be found\n1 reseller can be found\n"), "{said:?}");
        assert_eq!((said.status, said.err.as_str()), (0, ""), "{said:?}");
        assert_eq!(found().await, [60, 1]);
    }
}
