//! Products: operators make and change them, and every caller reads them (rule B3).

use purser_tests::prelude::*;

#[tokio::test]
async fn a_product_is_made_read_changed_and_listed() {
    let world = World::new().await;
    let body = json!({"reference": "PROD-001", "name": "Pro", "price": 700, "tiers": ["platinum", "gold", "gold"],
        "duration_days": 365, "parallel_uses": 3});
    let made = world.operator.post("/v1/products", &body).await.expect(201);
    assert_eq!(made.json["tiers"], json!(["gold", "platinum"]));
    assert_eq!((made.number("price"), &made.json["active"]), (700, &json!(true)));
    let _refused = world.operator.post("/v1/products", &body).await.refused(409, "duplicate_product");
    let partner = world.partner("standard", 0).await;
    assert_eq!(partner.caller.get("/v1/products/PROD-001").await.expect(200).json, made.json);
    let _refused = partner.caller.post("/v1/products", &body).await.refused(403, "forbidden");
    let _refused = partner.caller.patch("/v1/products/PROD-001", &json!({"price": 1})).await.refused(403, "forbidden");

    let change = json!({"price": 800, "tiers": null, "duration_days": null, "active": false});
    let changed = world.operator.patch("/v1/products/PROD-001", &change).await.expect(200);
    assert_eq!((changed.number("price"), &changed.json["tiers"], changed.number("version")), (800, &Value::Null, 2));
    assert_eq!((&changed.json["duration_days"], changed.number("parallel_uses")), (&Value::Null, 3));
    let _refused = world.operator.patch("/v1/products/NONE", &json!({"price": 0})).await.refused(404, "not_found");
    let _refused =
        world.operator.patch("/v1/products/PROD-001", &json!({"price": 0})).await.refused(422, "invalid_fields");

    for reference in ["B", "A", "C"] {
        let body = json!({"reference": reference, "name": "x", "price": 1});
        let _product = world.operator.post("/v1/products", &body).await.expect(201);
    }
    let first = partner.caller.get("/v1/products?limit=3").await.expect(200);
    let references: Vec<_> = first.json["data"].as_array().unwrap().iter().map(|p| p["reference"].clone()).collect();
    assert_eq!(references, ["A", "B", "C"]);
    let next = format!("/v1/products?limit=3&cursor={}", first.text("next_cursor"));
    let rest = partner.caller.get(&next).await.expect(200);
    assert_eq!((&rest.json["data"][0]["reference"], &rest.json["next_cursor"]), (&json!("PROD-001"), &Value::Null));
}

#[tokio::test]
async fn terms_and_duration_go_together() {
    let world = World::new().await;
    let made = async |terms: Value, days: Value| {
        let reference = world.fresh("T");
        let body = json!({"reference": reference, "name": "x", "price": 1, "terms": terms, "duration_days": days});
        world.operator.post("/v1/products", &body).await
    };
    for (terms, days, kind) in [
        (Value::Null, json!(30), "subscription"),
        (Value::Null, Value::Null, "lifetime"),
        (json!("trial"), json!(14), "trial"),
        (json!("perpetual"), Value::Null, "perpetual"),
    ] {
        let made = made(terms, days.clone()).await.expect(201);
        assert_eq!((made.text("terms"), &made.json["duration_days"]), (kind, &days));
    }
    for (terms, days) in [(json!("trial"), Value::Null), (json!("lifetime"), json!(5))] {
        let refused = made(terms, days).await.refused(422, "invalid_fields");
        assert_eq!(refused.pointer(), "/term");
    }
    let trial = made(json!("trial"), json!(14)).await.expect(201);
    let path = format!("/v1/products/{}", trial.text("reference"));
    for (change, kind, days) in [
        (json!({"duration_days": 7}), "trial", json!(7)),
        (json!({"terms": "subscription"}), "subscription", json!(7)),
        (json!({"duration_days": null}), "lifetime", Value::Null),
        (json!({"terms": "perpetual"}), "perpetual", Value::Null),
        (json!({"duration_days": 9}), "subscription", json!(9)),
    ] {
        let changed = world.operator.patch(&path, &change).await.expect(200);
        assert_eq!((changed.text("terms"), &changed.json["duration_days"]), (kind, &days), "{change}");
    }
    let _refused = world.operator.patch(&path, &json!({"terms": "lifetime"})).await.refused(422, "invalid_fields");
}

#[tokio::test]
async fn a_member_and_its_older_name_are_not_both_taken() {
    let world = World::new().await;
    let product = json!({"reference": "PROD-N", "name": "x", "price": 1, "term": "P1Y"});
    let _made = world.operator.post("/v1/products", &product).await.expect(201);
    for (both, older) in [
        (json!({"term": "P1M", "duration_days": 30}), "/duration_days"),
        (json!({"term": null, "duration_days": 30}), "/duration_days"),
        (json!({"term": "P1M", "duration_days": null}), "/duration_days"),
        (json!({"kind": "trial", "terms": "subscription"}), "/terms"),
    ] {
        let refused = world.operator.patch("/v1/products/PROD-N", &both).await.refused(422, "invalid_fields");
        assert_eq!(refused.pointer(), older, "{both}");
    }
    assert_eq!(world.operator.get("/v1/products/PROD-N").await.text("term"), "P1Y");
}

#[tokio::test]
async fn a_reference_can_stand_in_a_url() {
    let world = World::new().await;
    for bad in ["", ".", "..", "a/b", "a b", "a?b", "ä", &"x".repeat(65)] {
        let body = json!({"reference": bad, "name": "x", "price": 1});
        let refused = world.operator.post("/v1/products", &body).await.refused(422, "invalid_fields");
        assert_eq!(refused.pointer(), "/reference", "{bad}");
    }
}

#[tokio::test]
async fn a_product_that_nobody_may_buy_is_refused_and_nothing_that_has_a_price_is_free() {
    let world = World::new().await;
    let none = json!({"reference": "P", "name": "x", "price": 1, "tiers": []});
    assert_eq!(world.operator.post("/v1/products", &none).await.refused(422, "invalid_fields").pointer(), "/tiers");
    let product = world.product(1).await;
    let path = format!("/v1/products/{product}");
    let none = world.operator.patch(&path, &json!({"tiers": []})).await;
    assert_eq!(none.refused(422, "invalid_fields").pointer(), "/tiers");
    let partner = world.partner("platinum", 0).await;
    let quote = format!("/v1/resellers/{}/quote?product={product}&quantity=90", partner.refid);
    let quote = partner.caller.get(&quote).await.expect(200);
    assert_eq!((quote.number("unit_price"), quote.number("cost")), (1, 90));
    let order = json!({"product": product, "quantity": 90, "client": world.new_client()});
    let poor = partner.caller.post_once("/v1/provisions", "k", &order).await.refused(402, "insufficient_credits");
    assert_eq!(poor.number("required"), 90);
}
