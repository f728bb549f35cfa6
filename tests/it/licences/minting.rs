//! Minting by operators (rule C1): for whom, with which key, and on which terms.

use purser_tests::prelude::*;

use super::monthly;

#[tokio::test]
async fn an_operator_gives_a_licence_on_the_terms_of_its_product_or_others() {
    let world = World::at("2026-01-31T09:00:00Z").await;
    let grants = json!({"parallel_uses": 3, "lease": "PT10M", "features": ["pdf", "sync"], "domains": ["*.Example.com"],
        "ip_ranges": ["203.0.113.9/24"], "updates_term": "P1Y", "support_term": "P30D"});
    let product = monthly(&world, grants).await;
    let client = world.operator.post("/v1/clients", &world.new_client()).await.expect(201);
    let body = json!({"product": product, "client": client.text("refid")});
    let plain = world.operator.post("/v1/licences", &body).await.expect(201);
    for (member, value) in [
        ("client", client.json["refid"].clone()),
        ("client_id", client.json["client_id"].clone()),
        ("email", Value::Null),
        ("reseller", Value::Null),
        ("provision", Value::Null),
        ("status", json!("pending")),
        ("kind", json!("subscription")),
        ("term", json!("P1M")),
        ("duration_days", Value::Null),
        ("parallel_uses", json!(3)),
        ("lease", json!("PT10M")),
        ("features", json!(["pdf", "sync"])),
        ("domains", json!(["*.example.com"])),
        ("ip_ranges", json!(["203.0.113.0/24"])),
        ("activations", json!(0)),
        ("expires_at", Value::Null),
        ("comments", Value::Null),
        ("metadata", json!({})),
    ] {
        assert_eq!(plain.json[member], value, "{member}");
    }
    let own = json!({
        "product": product, "client": client.text("refid"), "expires_at": "2026-03-01T00:00:00Z",
        "updates_until": "2026-02-01T00:00:00Z", "parallel_uses": 9, "features": [], "comments": "A gift",
        "metadata": {"order": 7}, "kind": "trial",
    });
    let own = world.operator.post("/v1/licences", &own).await.expect(201);
    for (member, value) in [
        ("kind", json!("trial")),
        ("term", json!("P1M")),
        ("expires_at", json!("2026-03-01T00:00:00.000Z")),
        ("updates_until", json!("2026-02-01T00:00:00.000Z")),
        ("parallel_uses", json!(9)),
        ("lease", json!("PT10M")),
        ("features", json!([])),
        ("comments", json!("A gift")),
        ("metadata", json!({"order": 7})),
    ] {
        assert_eq!(own.json[member], value, "{member}");
    }
    let path = format!("/v1/licences/{}", own.text("refid"));
    let read = world.operator.get(&path).await.expect(200);
    let mut shown = crate::provisions::masked(&own.json);
    shown["refused_today"] = json!(0);
    assert_eq!(read.json, shown);
    // An end that was given stays, and the rest begins with the activation.
    let begun = world.operator.act(&format!("{path}/activate")).await.expect(200);
    assert_eq!(
        (begun.text("expires_at"), begun.text("updates_until")),
        (own.text("expires_at"), own.text("updates_until"))
    );
    assert_eq!(begun.text("support_until"), "2026-03-02T09:00:00.000Z");
    // The product may change; what was given stays (rule A5).
    let _changed =
        world.operator.patch(&format!("/v1/products/{product}"), &json!({"features": ["x"]})).await.expect(200);
    assert_eq!(world.operator.get(&path).await.expect(200).json["features"], json!([]));
}

#[tokio::test]
async fn a_licence_is_for_a_client_or_waits_for_one_by_id_or_address() {
    let world = World::new().await;
    let product = monthly(&world, json!({})).await;
    let client = json!({"name": "Acme", "email": "ada@example.com", "client_id": "CUST-1"});
    let client = world.operator.post("/v1/clients", &client).await.expect(201);
    for (named, linked) in [
        (json!({"client_id": " CUST-1 "}), true),
        (json!({"email": "ADA@example.com"}), true),
        (json!({"client_id": "CUST-2"}), false),
        (json!({"email": "bea@example.com"}), false),
    ] {
        let mut body = named.clone();
        body["product"] = json!(product);
        let minted = world.operator.post("/v1/licences", &body).await.expect(201);
        let owner = if linked { client.json["refid"].clone() } else { Value::Null };
        assert_eq!(minted.json["client"], owner, "{named}");
        if !linked {
            let given = [("client_id", &named["client_id"]), ("email", &named["email"])];
            for (member, value) in given {
                assert_eq!(&minted.json[member], value, "{named}");
            }
        }
    }
    let nobody = json!({"product": product, "client": "CL-0000000000000000"});
    let refused = world.operator.post("/v1/licences", &nobody).await.refused(404, "not_found");
    assert_eq!(refused.pointer(), "/client");
    let both = json!({"product": product, "client": client.text("refid"), "email": "ada@example.com"});
    for body in [json!({"product": product}), both] {
        let refused = world.operator.post("/v1/licences", &body).await.refused(422, "invalid_fields");
        assert_eq!(refused.pointer(), "/client");
    }
    let kind = json!({"product": product, "client": client.text("refid"), "kind": "lifetime"});
    let refused = world.operator.post("/v1/licences", &kind).await.refused(422, "invalid_fields");
    assert_eq!(refused.pointer(), "/term");
}

type Fits = Box<dyn Fn(&str) -> bool>;

#[tokio::test]
async fn keys_have_the_form_of_their_product_and_are_unique_in_any_case() {
    let world = World::new().await;
    let client = world.operator.post("/v1/clients", &world.new_client()).await.expect(201).text("refid").to_owned();
    let groups = |sizes: &'static [usize]| move |key: &str| key.split('-').map(str::len).collect::<Vec<_>>() == sizes;
    let formats: [(Value, Fits); 5] = [
        (Value::Null, Box::new(groups(&[5, 5, 5, 5]))),
        (json!("groups"), Box::new(groups(&[5, 5, 5, 5]))),
        (json!("uuid"), Box::new(groups(&[8, 4, 4, 4, 12]))),
        (json!("ulid"), Box::new(groups(&[26]))),
        (json!("ACME-*****-*****-*****"), Box::new(groups(&[4, 5, 5, 5]))),
    ];
    for (format, fits) in formats {
        let product = monthly(&world, json!({"key_format": format})).await;
        let body = json!({"product": product, "client": client});
        let minted = world.operator.post("/v1/licences", &body).await.expect(201);
        assert!(fits(minted.text("key")), "{format}: {}", minted.text("key"));
        assert!(minted.text("key").ends_with(minted.text("key_hint")));
        for again in [minted.text("key").to_owned(), minted.text("key").to_lowercase()] {
            // A key of a pattern is the vendor's own, in which case may say something.
            if format == json!("ACME-*****-*****-*****") && again != minted.text("key") {
                continue;
            }
            let body = json!({"product": product, "client": client, "key": again});
            let refused = world.operator.post("/v1/licences", &body).await.refused(409, "duplicate_key");
            assert_eq!(refused.pointer(), "/key");
        }
    }
    let weak = json!({"reference": "W", "name": "x", "price": 1, "key_format": "ACME-****-****-****"});
    let refused = world.operator.post("/v1/products", &weak).await.refused(422, "invalid_fields");
    assert_eq!(refused.pointer(), "/key_format");
}

#[tokio::test]
async fn of_many_that_want_one_key_one_gets_it_and_a_repeat_gets_the_first_answer() {
    let world = World::new().await;
    let product = monthly(&world, json!({})).await;
    let body = |n: usize| {
        let owner = format!("C-{n}");
        (format!("k-{n}"), json!({"product": product, "client_id": owner, "key": "THE-ONE-KEY", "comments": "x"}))
    };
    let bodies: Vec<(String, Value)> = (0..8).map(body).collect();
    let asked = bodies.iter().map(|(key, body)| world.operator.post_once("/v1/licences", key, body));
    let replies = futures_util::future::join_all(asked).await;
    let made: Vec<_> = replies.iter().filter(|reply| reply.status == 201).collect();
    let taken = replies.iter().filter(|reply| (reply.status, reply.text("code")) == (409, "duplicate_key"));
    assert_eq!((made.len(), taken.count(), world.count_of_kind("licence")), (1, 7, 1));

    let body = json!({"product": product, "client_id": "C-9", "comments": "x"});
    let asked = (0..8).map(|_| world.operator.post_once("/v1/licences", "k", &body));
    let replies = futures_util::future::join_all(asked).await;
    assert!(replies.iter().all(|reply| (reply.status, &reply.bytes) == (201, &replies[0].bytes)));
    assert_eq!((world.count_of_kind("licence"), world.count_of_kind("licence_notes")), (2, 2));
    let other = json!({"product": product, "client_id": "C-9"});
    let _reused = world.operator.post_once("/v1/licences", "k", &other).await.refused(422, "idempotency_key_reused");
}
