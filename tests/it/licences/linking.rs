//! Linking (rule C7): a licence that waits finds its client by external id, or by an address that was confirmed.

use purser_tests::prelude::*;

use super::monthly;

async fn minted(world: &World, owner: Value) -> String {
    let mut body = owner;
    body["product"] = json!(monthly(world, json!({})).await);
    world.operator.post("/v1/licences", &body).await.expect(201).text("refid").to_owned()
}

async fn owner(world: &World, licence: &str) -> Value {
    world.system().settle().await;
    world.operator.get(&format!("/v1/licences/{licence}")).await.expect(200).json["client"].clone()
}

#[tokio::test]
async fn a_client_with_the_external_id_gets_the_licences_that_wait_for_it() {
    let world = World::new().await;
    let waiting =
        [minted(&world, json!({"client_id": "C-1"})).await, minted(&world, json!({"client_id": "C-1"})).await];
    let other = minted(&world, json!({"client_id": "C-2"})).await;
    let ended = minted(&world, json!({"client_id": "C-1"})).await;
    let _revoked = world.operator.act(&format!("/v1/licences/{ended}/revoke")).await.expect(200);
    let body = json!({"name": "Acme", "email": "acme@example.com", "client_id": "C-1"});
    let client = world.operator.post("/v1/clients", &body).await.expect(201);
    for licence in &waiting {
        assert_eq!(owner(&world, licence).await, client.json["refid"]);
    }
    assert_eq!(owner(&world, &other).await, Value::Null);
    assert_eq!(owner(&world, &ended).await, Value::Null);
    let listed = format!("/v1/licences?client={}", client.text("refid"));
    assert_eq!(world.operator.get(&listed).await.expect(200).json["data"].as_array().unwrap().len(), 2);
    let told = world.events().await;
    let linked = told.iter().filter(|event| event["detail-type"] == "LicenceTransferred");
    let [first, second] = linked.collect::<Vec<_>>()[..] else { panic!("two") };
    assert_eq!((&first["detail"]["from"], &second["detail"]["client"]), (&Value::Null, &client.json["refid"]));
}

#[tokio::test]
async fn an_address_links_once_its_owner_has_confirmed_it_and_no_sooner() {
    let world = World::with(None, &[("PURSER_AUTO_BIND_USER", "true")]).await;
    let licence = minted(&world, json!({"email": "ada@example.com"})).await;
    // Whoever makes a client with an address has not proved that it is theirs.
    let partner = world.partner("standard", 0).await;
    let body = json!({"name": "Ada", "email": "ADA@example.com"});
    let client = partner.caller.post("/v1/clients", &body).await.expect(201);
    assert_eq!(owner(&world, &licence).await, Value::Null);
    world.register("ada@example.com").await;
    assert_eq!(owner(&world, &licence).await, Value::Null);
    let confirm = json!({"token": world.mailed_token("ada@example.com").await, "password": PASSWORD});
    let _confirmed = world.nobody().post("/v1/auth/confirm", &confirm).await.expect(200);
    assert_eq!(owner(&world, &licence).await, client.json["refid"]);
    let linked = world.operator.get(&format!("/v1/licences/{licence}")).await.expect(200);
    assert_eq!((&linked.json["email"], &linked.json["client_id"]), (&Value::Null, &client.json["client_id"]));
    // What is minted afterwards is the client's at once.
    let next = minted(&world, json!({"email": "ada@example.com"})).await;
    assert_eq!(owner(&world, &next).await, client.json["refid"]);
}

#[tokio::test]
async fn a_client_that_comes_while_a_licence_is_minted_gets_it() {
    let world = World::new().await;
    let product = monthly(&world, json!({})).await;
    for n in 0..8 {
        let id = format!("C-{n}");
        let licence = json!({"product": product, "client_id": id});
        let client = json!({"name": "Acme", "email": format!("c{n}@example.com"), "client_id": id});
        let (minted, made) =
            tokio::join!(world.operator.post("/v1/licences", &licence), world.operator.post("/v1/clients", &client));
        let (minted, made) = (minted.expect(201), made.expect(201));
        assert_eq!(owner(&world, minted.text("refid")).await, made.json["refid"]);
    }
}
