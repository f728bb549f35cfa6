//! Deleting a client erases its personal data and keeps what was sold to it (rule A9).

use purser_tests::prelude::*;

#[tokio::test]
async fn what_names_a_person_goes_and_licences_stay() {
    let world = World::new().await;
    let partner = world.partner("standard", 1_000).await;
    let product = world.product(100).await;
    let body = json!({"name": "Erika Mustermann", "email": "erika@mustermann.example", "phone": "+49 30 1234567",
        "client_id": "KUNDE-7", "metadata": {"vip": true}});
    let client = partner.caller.post("/v1/clients", &body).await.expect(201);
    let path = format!("/v1/clients/{}", client.text("refid"));
    let order = json!({"product": product, "client": client.text("refid")});
    let sold = partner.caller.post_once("/v1/provisions", "k", &order).await.expect(201);

    let deleted = partner.caller.delete(&path).await.expect(204);
    assert!(deleted.bytes.is_empty());
    for reply in [
        partner.caller.get(&path).await,
        world.operator.get(&path).await,
        partner.caller.delete(&path).await,
        partner.caller.patch(&path, &json!({"name": "Back"})).await,
        partner.caller.act(&format!("{path}/activate")).await,
        partner.caller.post_once("/v1/provisions", "k2", &order).await,
    ] {
        let _gone = reply.refused(404, "not_found");
    }
    for query in ["", "?status=pending", "?email=erika@mustermann.example", "?client_id=KUNDE-7"] {
        let list = world.operator.get(&format!("/v1/clients{query}")).await.expect(200);
        assert_eq!(list.json["data"], json!([]), "{query}");
    }
    let table = world.everything_in_the_table();
    for personal in ["Erika", "mustermann.example", "1234567"] {
        assert!(!table.contains(personal), "{personal}");
    }
    assert_eq!(world.count_of_kind("deleted_client"), 1, "a tombstone must keep the client counted");
    let provision = format!("/v1/provisions/{}", sold.text("refid"));
    let kept = partner.caller.get(&provision).await.expect(200);
    assert_eq!(kept.json["client"], Value::Null);
    assert_eq!(kept.json["licences"][0]["client"], client.json["refid"]);
    world.assert_intact(&partner.refid, 2).await;
    let told = world.events().await;
    assert!(told.iter().any(|event| event["detail-type"] == "ClientDeleted"));
}

#[tokio::test]
async fn a_deleted_client_frees_its_address_and_not_its_id() {
    let world = World::new().await;
    let body = json!({"name": "Acme", "email": "ops@acme.example", "client_id": "C-1"});
    let client = world.operator.post("/v1/clients", &body).await.expect(201);
    let path = format!("/v1/clients/{}", client.text("refid"));
    let _deleted = world.operator.delete(&path).await.expect(204);
    let refused = world.operator.post("/v1/clients", &body).await;
    let _id_is_kept = refused.refused(409, "duplicate_client_id");
    let again = json!({"name": "Acme", "email": "ops@acme.example"});
    let _free = world.operator.post("/v1/clients", &again).await.expect(201);
}

#[tokio::test]
async fn a_deleted_client_releases_its_login() {
    let world = World::new().await;
    let (user, _) = world.login(false).await;
    for _ in 0..2 {
        let mut body = world.new_client();
        body["user"] = json!(user);
        let made = world.operator.post("/v1/clients", &body).await.expect(201);
        let path = format!("/v1/clients/{}", made.text("refid"));
        let _deleted = world.operator.delete(&path).await.expect(204);
    }
}

#[tokio::test]
async fn if_match_holds_for_deletes_too() {
    let world = World::new().await;
    let made = world.operator.post("/v1/clients", &world.new_client()).await.expect(201);
    let path = format!("/v1/clients/{}", made.text("refid"));
    let stale = [("if-match", "\"7\"")];
    let _refused = world.operator.send("DELETE", &path, &stale, None).await.refused(412, "version_mismatch");
    let tag = made.header("etag").unwrap().to_owned();
    let _deleted = world.operator.send("DELETE", &path, &[("if-match", &tag)], None).await.expect(204);
}

#[tokio::test]
async fn each_of_many_is_deleted_by_itself() {
    let world = World::new().await;
    let partner = world.partner("standard", 0).await;
    let (one, two) = (world.client(&partner).await, world.client(&partner).await);
    let unknown = "CL-0000000000000000";
    let body = json!({"clients": [one, unknown, two, one, "nonsense"]});
    let _own = partner.caller.post("/v1/clients/bulk-delete", &body).await.refused(403, "forbidden");
    let reply = world.operator.post("/v1/clients/bulk-delete", &body).await.expect(200);
    let results = reply.json["results"].as_array().unwrap();
    let told: Vec<(&str, bool, &Value)> = results
        .iter()
        .map(|it| (it["client"].as_str().unwrap(), it["deleted"].as_bool().unwrap(), &it["code"]))
        .collect();
    let missing = json!("not_found");
    assert_eq!(
        told,
        [
            (one.as_str(), true, &Value::Null),
            (unknown, false, &missing),
            (two.as_str(), true, &Value::Null),
            (one.as_str(), false, &missing),
            ("nonsense", false, &missing),
        ]
    );
    assert_eq!(world.count_of_kind("deleted_client"), 2);
    for clients in [json!([]), json!(vec![unknown; 101])] {
        let refused = world.operator.post("/v1/clients/bulk-delete", &json!({"clients": clients})).await;
        let refused = refused.refused(422, "invalid_fields");
        assert_eq!(refused.pointer(), "/clients");
        assert!(refused.json["errors"][0]["detail"].as_str().unwrap().contains("100"));
    }
}
