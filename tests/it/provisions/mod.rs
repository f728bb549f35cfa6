//! Provisions: debit, licences and a new client in one commit, at the tier's price, or nothing (rules B2, B3, B5, B6,
//! B9, B11).

pub mod bulk;
mod exactly_once;
mod holds;
mod low_credit;
mod refunds;

use purser_tests::prelude::*;

#[tokio::test]
async fn a_product_for_a_new_client_is_one_commit() {
    let world = World::new().await;
    let partner = world.partner("platinum", 1_000).await;
    let product = world.product(700).await;
    let client = json!({"name": "Acme", "email": "acme@example.com", "metadata": {"a": 1}, "client_id": "CUST-1"});
    let order = json!({"product": product, "client": client, "description": "First order"});
    let made = partner.caller.post_once("/v1/provisions", "k", &order).await.expect(201);
    assert_eq!((made.number("cost"), made.number("balance")), (490, 510));
    let (client, licence, entry) = (&made.json["client"], &made.json["licences"][0], &made.json["entry"]);
    assert_eq!((&client["client_id"], &client["reseller"]), (&json!("CUST-1"), &json!(partner.refid)));
    assert_eq!(made.json["licences"].as_array().unwrap().len(), 1);
    for (member, value) in [
        ("product", json!(product)),
        ("client", client["refid"].clone()),
        ("client_id", json!("CUST-1")),
        ("reseller", json!(partner.refid)),
        ("provision", made.json["refid"].clone()),
        ("status", json!("pending")),
        ("kind", json!("subscription")),
        ("term", json!("P1Y")),
        ("features", json!(["export.pdf", "export.csv", "sync", "themes", "api"])),
        ("parallel_uses", json!(5)),
        ("activations", json!(0)),
        ("activated_at", Value::Null),
        ("expires_at", Value::Null),
    ] {
        assert_eq!(licence[member], value, "{member}");
    }
    for (member, value) in [
        ("sequence", json!(2)),
        ("type", json!("debit")),
        ("amount", json!(490)),
        ("balance_after", json!(510)),
        ("provision", made.json["refid"].clone()),
        ("description", json!("First order")),
        (
            "sale",
            json!({
                "product": product, "quantity": 1, "list_price": 700, "tier": "platinum",
                "discount_basis_points": 3000,
            }),
        ),
    ] {
        assert_eq!(entry[member], value, "{member}");
    }
    let read = partner.caller.get(&format!("/v1/provisions/{}", made.text("refid"))).await.expect(200);
    assert_eq!(read.json, masked(&made.json));
    let found = partner.caller.get(&format!("/v1/clients/{}", client["refid"].as_str().unwrap())).await.expect(200);
    assert_eq!(&found.json, client);
}

/// What a command answered as it is read later: without the keys of licences (rule C9).
pub fn masked(shown: &Value) -> Value {
    match shown {
        Value::Object(members) => {
            let masks = |name: &str| name == "key" && members.contains_key("key_hint");
            let member = |(name, value): (&String, &Value)| {
                (name.clone(), if masks(name) { Value::Null } else { masked(value) })
            };
            members.iter().map(member).collect()
        }
        Value::Array(items) => items.iter().map(masked).collect(),
        other => other.clone(),
    }
}

#[tokio::test]
async fn many_units_are_many_licences() {
    let world = World::new().await;
    let partner = world.partner("gold", 100_000).await;
    let product = world.product(999).await;
    let order = |quantity: u64| json!({"product": product, "quantity": quantity, "client": world.new_client()});
    let made = partner.caller.post_once("/v1/provisions", "k1", &order(90)).await.expect(201);
    assert_eq!(made.number("cost"), 90 * 849, "the price must be rounded for each unit, not for the whole");
    let keys: std::collections::HashSet<_> =
        made.json["licences"].as_array().unwrap().iter().map(|licence| licence["key"].to_string()).collect();
    assert_eq!((keys.len(), world.count_of_kind("licence")), (90, 90));
    for quantity in [0, 91] {
        let refused = partner.caller.post_once("/v1/provisions", "k2", &order(quantity)).await;
        let refused = refused.refused(422, "invalid_fields");
        assert_eq!(refused.pointer(), "/quantity");
        assert!(
            refused.json["errors"][0]["detail"].as_str().unwrap().contains("90"),
            "the refusal must name the limit"
        );
    }
    let read = partner.caller.get(&format!("/v1/provisions/{}", made.text("refid"))).await.expect(200);
    assert_eq!(read.json, masked(&made.json));
}

#[tokio::test]
async fn a_refused_provision_changes_nothing() {
    let world = World::new().await;
    let partner = world.partner("standard", 500).await;
    let other = world.partner("standard", 500).await;
    let (product, gold) = (world.product(501).await, world.product(10).await);
    let tiers = json!({"tiers": ["gold", "platinum"]});
    let _product = world.operator.patch(&format!("/v1/products/{gold}"), &tiers).await.expect(200);
    let retired = world.product(10).await;
    let _product =
        world.operator.patch(&format!("/v1/products/{retired}"), &json!({"active": false})).await.expect(200);
    let (own, foreign) = (world.client(&partner).await, world.client(&other).await);
    let taken = json!({"name": "X", "email": "client-taken@example.com"});
    let _client = world.operator.post("/v1/clients", &taken).await.expect(201);
    let cheap = world.product(10).await;
    let before = (world.size().await, world.balance(&partner.refid).await);
    for (order, status, code) in [
        (json!({"product": product, "client": own}), 402, "insufficient_credits"),
        (json!({"product": product, "client": world.new_client()}), 402, "insufficient_credits"),
        (json!({"product": cheap, "quantity": 51, "client": own}), 402, "insufficient_credits"),
        (json!({"product": gold, "client": own}), 409, "tier_not_allowed"),
        (json!({"product": retired, "client": own}), 409, "product_inactive"),
        (json!({"product": "PROD-NONE", "client": own}), 404, "not_found"),
        (json!({"product": "no/such product", "client": own}), 404, "not_found"),
        (json!({"product": cheap, "client": foreign}), 404, "not_found"),
        (json!({"product": cheap, "client": "CL-0000000000000000"}), 404, "not_found"),
        (json!({"product": cheap, "client": "nonsense"}), 404, "not_found"),
        (json!({"product": cheap, "client": taken}), 409, "duplicate_email"),
        (json!({"product": cheap, "client": own, "reseller": other.refid}), 404, "not_found"),
        (json!({"product": cheap}), 422, "invalid_fields"),
        (json!({"client": own}), 422, "invalid_fields"),
        (json!({"cost": 5}), 422, "invalid_fields"),
        (json!({"cost": 5, "description": "x", "client": own}), 422, "invalid_fields"),
        (json!({"cost": 5, "description": "x", "product": cheap}), 422, "invalid_fields"),
        (json!({"cost": 501, "description": "x"}), 402, "insufficient_credits"),
        (json!({"product": cheap, "client": {"name": "X"}}), 422, "invalid_fields"),
        (
            json!({"product": cheap, "client": {"name": "X", "email": "x@y.co", "metadata": {"pin": 1}}}),
            422,
            "sensitive_metadata",
        ),
    ] {
        let reply = partner.caller.post_once("/v1/provisions", "k", &order).await;
        let _refused = reply.refused(status, code);
        assert_eq!((world.size().await, world.balance(&partner.refid).await), before, "{order}");
    }
    let inner = json!({"product": cheap, "client": {"name": "X"}});
    let refused = partner.caller.post_once("/v1/provisions", "k", &inner).await;
    assert_eq!(refused.pointer(), "/client/email");
    let pinned = json!({"name": "X", "email": "x@y.co", "metadata": {"a": {"pin": 1}}});
    for (client, pointer) in [(taken, "/client/email"), (pinned, "/client/metadata/a/pin")] {
        let order = json!({"product": cheap, "client": client});
        let refused = partner.caller.post_once("/v1/provisions", "k", &order).await;
        assert_eq!(refused.pointer(), pointer);
    }
    let _made =
        partner.caller.post_once("/v1/provisions", "k", &json!({"product": cheap, "client": own})).await.expect(201);
}

#[tokio::test]
async fn the_exact_balance_is_enough() {
    let world = World::new().await;
    let partner = world.partner("standard", 300).await;
    let order = json!({"product": world.product(300).await, "client": world.new_client()});
    let made = partner.caller.post_once("/v1/provisions", "k", &order).await.expect(201);
    assert_eq!(made.number("balance"), 0);
    let refused = partner.caller.post_once("/v1/provisions", "k2", &json!({"cost": 1, "description": "x"})).await;
    let refused = refused.refused(402, "insufficient_credits");
    assert_eq!((refused.number("balance"), refused.number("required")), (0, 1));
}

#[tokio::test]
async fn a_bare_cost_gets_no_discount_and_an_operator_names_the_wallet() {
    let world = World::new().await;
    let partner = world.partner("platinum", 100).await;
    let bare = json!({"reseller": partner.refid, "cost": 90, "description": "Set-up"});
    let made = world.operator.post_once("/v1/provisions", "k", &bare).await.expect(201);
    assert_eq!((made.number("cost"), made.number("balance")), (90, 10));
    assert_eq!((&made.json["client"], &made.json["licences"]), (&Value::Null, &json!([])));
    assert_eq!(made.json["entry"]["sale"], Value::Null);
    let read = world.operator.get(&format!("/v1/provisions/{}", made.text("refid"))).await.expect(200);
    assert_eq!(read.json, masked(&made.json));
    let unnamed = json!({"cost": 1, "description": "x"});
    let refused = world.operator.post_once("/v1/provisions", "k2", &unnamed).await.refused(422, "invalid_fields");
    assert_eq!(refused.pointer(), "/reseller");
    for unknown in ["RS-0000000000000000", "nonsense"] {
        let order = json!({"reseller": unknown, "cost": 1, "description": "x"});
        let _refused = world.operator.post_once("/v1/provisions", "k2", &order).await.refused(422, "invalid_reseller");
    }
    let _refused = partner.caller.post("/v1/provisions", &unnamed).await.refused(400, "idempotency_key_required");
}
