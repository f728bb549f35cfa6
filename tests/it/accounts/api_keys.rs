//! API keys: shown once, good for their reseller only, refused as soon as they are revoked (docs/rules.md,
//! "Credentials").

use purser_tests::prelude::*;

#[tokio::test]
async fn a_key_is_shown_once_works_and_is_revoked_at_once() {
    let world = World::new().await;
    let partner = world.partner("standard", 0).await;
    let made = partner.caller.post_once("/v1/api-keys", "k", &json!({"name": "shop"})).await.expect(201);
    assert_eq!((made.text("reseller"), made.text("name")), (partner.refid.as_str(), "shop"));
    let shop = world.operator.with_key(Some(made.text("key")));
    let _reseller = shop.get(&format!("/v1/resellers/{}", partner.refid)).await.expect(200);
    let refused = partner.caller.post_once("/v1/api-keys", "k", &json!({"name": "shop"})).await;
    let _refused = refused.refused(409, "key_already_shown");

    let list = partner.caller.get("/v1/api-keys").await.expect(200);
    let names: Vec<_> = list.json["data"].as_array().unwrap().iter().map(|key| key["name"].clone()).collect();
    assert_eq!(names, ["shop", "test"]);
    let secret = made.text("key").rsplit('.').next().unwrap();
    assert!(!String::from_utf8_lossy(&list.bytes).contains(secret), "the list must not show the secret");
    assert!(!world.everything_in_the_table().contains(secret), "the table must not hold the secret");

    let path = format!("/v1/api-keys/{}", made.text("refid"));
    assert_eq!(shop.delete(&path).await.expect(204).bytes, b"");
    let _refused = shop.get("/v1/products").await.refused(401, "unauthenticated");
    let _refused = partner.caller.delete(&path).await.refused(404, "not_found");
}

#[tokio::test]
async fn a_reseller_makes_sees_and_revokes_keys_for_itself_only() {
    let world = World::new().await;
    let (a, b) = (world.partner("standard", 0).await, world.partner("standard", 0).await);
    let operators = world.operator.post("/v1/api-keys", &json!({"name": "ops"})).await.expect(201);
    assert_eq!(operators.json["reseller"], Value::Null);
    let body = json!({"name": "x", "reseller": b.refid});
    let _refused = a.caller.post("/v1/api-keys", &body).await.refused(404, "not_found");
    let unknown = json!({"name": "x", "reseller": "RS-0000000000000000"});
    let _refused = world.operator.post("/v1/api-keys", &unknown).await.refused(422, "invalid_reseller");
    let list = world.operator.get(&format!("/v1/api-keys?reseller={}", b.refid)).await.expect(200);
    let of_b = list.json["data"][0]["refid"].as_str().unwrap();
    for foreign in [of_b, operators.text("refid"), "AK-0000000000000000", "nonsense"] {
        let _refused = a.caller.delete(&format!("/v1/api-keys/{foreign}")).await.refused(404, "not_found");
    }
    let _refused = a.caller.get(&format!("/v1/api-keys?reseller={}", b.refid)).await.refused(404, "not_found");
    let ops = world.operator.with_key(Some(operators.text("key")));
    assert_eq!(ops.get("/v1/api-keys").await.expect(200).json["data"][0]["name"], "ops");
}

#[tokio::test]
async fn what_is_no_key_is_refused_alike() {
    let world = World::new().await;
    let partner = world.partner("standard", 0).await;
    let key = partner.caller.key().unwrap().to_owned();
    let (refid, secret) = key.rsplit_once('.').unwrap();
    let wrong = format!("{refid}.{}", secret.chars().rev().collect::<String>());
    let unknown = format!("AK-0000000000000000.{}.{secret}", partner.refid);
    let mut bodies = std::collections::HashSet::new();
    for bad in [Some(wrong.as_str()), Some(unknown.as_str()), Some(refid), Some("."), Some("x"), None] {
        let refused = world.operator.with_key(bad).get("/v1/products").await.refused(401, "unauthenticated");
        assert_eq!(refused.header("www-authenticate"), Some("Bearer"));
        bodies.insert(refused.bytes);
    }
    assert_eq!(bodies.len(), 1, "all invalid credentials must be answered alike");
    let known = world.operator.with_key(Some(&wrong)).get("/v1/products").await.cost();
    let none = world.operator.with_key(Some(&unknown)).get("/v1/products").await.cost();
    assert_eq!(known.0, none.0, "a wrong secret and an unknown key must take the same number of calls");
    // Nor does a token that names no reseller, as older ones: the standing is read once the secret is proven right.
    let older = |refid: &str| world.operator.with_key(Some(&format!("{refid}.wrong")));
    let known = older(refid.split('.').next().unwrap()).get("/v1/products").await.cost();
    let none = older("AK-0000000000000000").get("/v1/products").await.cost();
    assert_eq!(known.0, none.0);
    for header in ["Basic abc", "Bearer", "Bearer ", "bearer"] {
        let refused = world.nobody().send("GET", "/v1/products", &[("authorization", header)], None).await;
        let _refused = refused.refused(401, "unauthenticated");
    }
    let key_header = format!("Bearer {key}");
    let both = [("authorization", key_header.as_str()), ("authorization", "Bearer x")];
    let _refused = world.nobody().send("GET", "/v1/products", &both, None).await.refused(401, "unauthenticated");
    let lower = format!("bearer {key}");
    let _products = world.nobody().send("GET", "/v1/products", &[("authorization", &lower)], None).await.expect(200);
}
