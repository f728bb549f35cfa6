//! Refunds (rule B10): credits return once, licences are revoked, and the refund's entry names the purchase.

mod at_once;
mod many_clients;

use purser_tests::prelude::*;

/// Buys `quantity` units of a product at 100 credits for a new client; returns the provision.
async fn bought(world: &World, partner: &Partner, quantity: u32) -> Reply {
    let (product, client) = (world.product(100).await, world.client(partner).await);
    let order = json!({"product": product, "client": client, "quantity": quantity});
    let key = world.fresh("order");
    let bought = partner.caller.post_once("/v1/provisions", &key, &order);
    bought.await.expect(201)
}

/// Spends `cost` credits on a description without a product; returns the provision.
async fn spent(world: &World, partner: &Partner, cost: u64) -> Reply {
    let order = json!({"cost": cost, "description": "Set-up"});
    let key = world.fresh("order");
    let spent = partner.caller.post_once("/v1/provisions", &key, &order);
    spent.await.expect(201)
}

fn place(provision: &Reply) -> String {
    format!("/v1/provisions/{}/refund", provision.text("refid"))
}

/// Refunds everything that is left, with a request that has no body.
async fn refund(caller: &Caller, provision: &Reply, key: &str) -> Reply {
    let headers = [("idempotency-key", key)];
    caller.send("POST", &place(provision), &headers, None).await
}

fn licences(provision: &Reply) -> Vec<String> {
    let licences = provision.json["licences"].as_array().unwrap().iter();
    let refids = licences.map(|licence| licence["refid"].as_str().unwrap().to_owned());
    refids.collect()
}

fn statuses(provision: &Value) -> Vec<&str> {
    let licences = provision["licences"].as_array().unwrap().iter();
    licences.map(|licence| licence["status"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn a_purchase_is_refunded_whole_and_shows_it() {
    let world = World::new().await;
    let partner = world.partner("gold", 1_000).await;
    let provision = bought(&world, &partner, 2).await;
    assert_eq!(provision.number("cost"), 170);
    assert_eq!((provision.number("refunded"), &provision.json["refunds"]), (0, &json!([])));
    let original = provision.json["entry"].clone();
    world.system().clock().advance(jiff::SignedDuration::from_hours(24));
    let refunded = refund(&world.operator, &provision, "back").await.expect(200);

    assert_eq!(refunded.json["entry"], original, "the purchase's entry must stay as it was");
    assert_eq!((refunded.number("cost"), refunded.number("refunded")), (170, 170));
    assert_eq!(refunded.number("balance"), 830, "the answer must show the balance that the purchase left");
    assert_eq!(statuses(&refunded.json), ["revoked", "revoked"]);
    for (before, after) in licences_of(&provision).zip(licences_of(&refunded)) {
        assert_eq!((&after["key"], &after["version"]), (&Value::Null, &json!(2)));
        assert_eq!(after["key_hint"], before["key_hint"]);
    }
    let entries = world.entries(&partner.refid).await;
    let entry = entries.last().unwrap();
    assert_eq!(refunded.json["refunds"], json!([entry]));
    assert_eq!(entry["type"], "refund");
    assert_eq!(entry["provision"], provision.json["refid"], "the refund's entry must name the purchase");
    assert_ne!(entry["refid"], provision.json["refid"]);
    assert_eq!((&entry["amount"], &entry["balance_after"]), (&json!(170), &json!(1_000)));
    assert_eq!((&entry["sale"], &entry["counterparty"]), (&Value::Null, &Value::Null));
    world.assert_intact(&partner.refid, 3).await;

    let path = format!("/v1/provisions/{}", provision.text("refid"));
    for caller in [&world.operator, &partner.caller] {
        assert_eq!(caller.get(&path).await.expect(200).json, refunded.json);
    }
    let unknown = format!("/v1/provisions/{}", entry["refid"].as_str().unwrap());
    let _is_no_provision = world.operator.get(&unknown).await.refused(404, "not_found");
    let again = format!("{unknown}/refund");
    let again = world.operator.post_once(&again, "k", &json!({})).await;
    let _is_no_provision = again.refused(404, "not_found");
}

fn licences_of(provision: &Reply) -> impl Iterator<Item = &Value> {
    provision.json["licences"].as_array().unwrap().iter()
}

#[tokio::test]
async fn licences_are_refunded_one_by_one() {
    let world = World::new().await;
    let partner = world.partner("standard", 1_000).await;
    let provision = bought(&world, &partner, 3).await;
    let licences = licences(&provision);
    let only = |chosen: &[usize]| {
        let chosen: Vec<&String> = chosen.iter().map(|n| &licences[*n]).collect();
        json!({"licences": chosen, "description": "Too many"})
    };
    let path = place(&provision);
    let ask = async |key: &str, body: &Value| world.operator.post_once(&path, key, body).await;
    let one = ask("one", &only(&[1])).await.expect(200);
    assert_eq!(statuses(&one.json), ["pending", "revoked", "pending"]);
    assert_eq!((one.number("refunded"), world.balance(&partner.refid).await), (100, 800));
    assert_eq!(one.json["refunds"][0]["description"], "Too many");

    for (chosen, key) in [([1].as_slice(), "again"), (&[0, 1], "one of them again")] {
        let key = key.replace(' ', "-");
        let refused = ask(&key, &only(chosen)).await;
        let _refused = refused.refused(409, "already_refunded");
    }
    let foreign = bought(&world, &partner, 1).await;
    let foreign = self::licences(&foreign)[0].clone();
    for unknown in [foreign.as_str(), "LI-0000000000000000", "nonsense", ""] {
        let body = json!({"licences": [licences[0], unknown]});
        let refused = ask("unknown", &body).await.refused(404, "not_found");
        assert_eq!(refused.text("detail"), "There is no such licence.");
    }
    let wrong = [json!([]), json!([licences[0], licences[0]]), json!(vec!["x"; 91])];
    for list in wrong {
        let refused = ask("wrong", &json!({"licences": list})).await;
        assert_eq!(refused.refused(422, "invalid_fields").pointer(), "/licences");
    }
    assert_eq!(world.balance(&partner.refid).await, 700, "refused refunds must change nothing");

    // Refund everything that is left: `null` means the same as no body.
    let rest = ask("rest", &json!({"licences": null})).await.expect(200);
    assert_eq!(statuses(&rest.json), ["revoked"; 3]);
    let amounts: Vec<&Value> = rest.json["refunds"].as_array().unwrap().iter().map(|it| &it["amount"]).collect();
    assert_eq!(amounts, [&json!(100), &json!(200)]);
    let repeated = refund(&world.operator, &provision, "rest").await.expect(200);
    assert_eq!(repeated.bytes, rest.bytes);
    assert_eq!(repeated.header("idempotency-replayed"), Some("true"));
    let _done = refund(&world.operator, &provision, "more").await.refused(409, "already_refunded");
    assert_eq!(world.balance(&partner.refid).await, 900);
    world.assert_intact(&partner.refid, 5).await;
}

#[tokio::test]
async fn a_bare_cost_is_refunded_whole() {
    let world = World::new().await;
    let partner = world.partner("platinum", 1_000).await;
    let provision = spent(&world, &partner, 21).await;
    let part = json!({"licences": ["LI-0000000000000000"]});
    let part = world.operator.post_once(&place(&provision), "part", &part).await;
    let _has_none = part.refused(404, "not_found");
    let whole = refund(&world.operator, &provision, "whole").await.expect(200);
    assert_eq!((whole.number("refunded"), whole.number("cost")), (21, 21));
    let _done = refund(&world.operator, &provision, "more").await.refused(409, "already_refunded");
    assert_eq!(world.balance(&partner.refid).await, 1_000);
}

#[tokio::test]
async fn ninety_licences_are_refunded_in_one_commit_or_one_by_one() {
    let world = World::new().await;
    let partner = world.partner("standard", 20_000).await;
    let whole = bought(&world, &partner, 90).await;
    let refunded = refund(&world.operator, &whole, "whole").await.expect(200);
    assert_eq!(statuses(&refunded.json), ["revoked"; 90]);
    assert_eq!(refunded.number("refunded"), 9_000);

    let single = bought(&world, &partner, 90).await;
    let mut last = refunded;
    for licence in licences(&single) {
        let body = json!({"licences": [licence]});
        let path = place(&single);
        let asked = world.operator.post_once(&path, &licence, &body);
        last = asked.await.expect(200);
    }
    assert_eq!(last.json["refunds"].as_array().unwrap().len(), 90);
    assert_eq!((last.number("refunded"), world.balance(&partner.refid).await), (9_000, 20_000));
    let path = format!("/v1/provisions/{}", single.text("refid"));
    assert_eq!(partner.caller.get(&path).await.expect(200).json, last.json);
    let _done = refund(&world.operator, &single, "more").await.refused(409, "already_refunded");
    world.assert_intact(&partner.refid, 94).await;
}

#[tokio::test]
async fn neither_suspension_nor_hold_keeps_credits_from_returning_and_a_full_wallet_does() {
    let world = World::new().await;
    let partner = world.partner("standard", 100).await;
    let provision = spent(&world, &partner, 10).await;
    let path = format!("/v1/resellers/{}", partner.refid);
    let hold = json!({"hold_provisioning": true});
    let _held = world.operator.patch(&path, &hold).await.expect(200);
    let _suspended = world.operator.act(&format!("{path}/suspend")).await.expect(200);
    let wallet = format!("WA#{}", partner.refid);
    let most = (1_u64 << 53) - 1;
    world.tamper(&wallet, "balance", &json!({"N": most.to_string()}));
    let full = refund(&world.operator, &provision, "k").await;
    let _full = full.refused(409, "balance_too_large");
    world.tamper(&wallet, "balance", &json!({"N": "90"}));
    let _back = refund(&world.operator, &provision, "k").await.expect(200);
    world.assert_intact(&partner.refid, 3).await;
}

#[tokio::test]
async fn a_key_stands_for_one_refund_and_for_no_other_command() {
    let world = World::new().await;
    let partner = world.partner("standard", 1_000).await;
    let (one, other) = (spent(&world, &partner, 10).await, spent(&world, &partner, 10).await);
    let first = refund(&world.operator, &one, "k").await.expect(200);
    let reused = refund(&world.operator, &other, "k").await;
    let _reused = reused.refused(422, "idempotency_key_reused");
    let described = json!({"description": "x"});
    let reused = world.operator.post_once(&place(&one), "k", &described).await;
    let _reused = reused.refused(422, "idempotency_key_reused");
    // Text that is not a refid names no licence of the provision, but the idempotency key is judged first.
    let nonsense = json!({"licences": ["nonsense"]});
    let reused = world.operator.post_once(&place(&one), "k", &nonsense).await;
    let _reused = reused.refused(422, "idempotency_key_reused");
    for nothing in [json!({}), json!({"description": null})] {
        let same = world.operator.post_once(&place(&one), "k", &nothing).await;
        assert_eq!(same.expect(200).bytes, first.bytes, "a body that says nothing must count as no body");
    }
    // The idempotency keys of refunds, top-ups and purchases are independent.
    let credits = format!("/v1/resellers/{}/credits", partner.refid);
    let top_up = world.operator.post_once(&credits, "k", &json!({"amount": 5})).await;
    let _added = top_up.expect(201);
    let bare = json!({"cost": 5, "description": "x"});
    let _made = partner.caller.post_once("/v1/provisions", "k", &bare).await.expect(201);
    assert_eq!(world.balance(&partner.refid).await, 990);
}

#[tokio::test]
async fn events_tell_of_the_refund_and_of_each_licence_that_ended() {
    let world = World::new().await;
    let partner = world.partner("standard", 1_000).await;
    let provision = bought(&world, &partner, 2).await;
    let before = world.events().await.len();
    let refunded = refund(&world.operator, &provision, "k").await.expect(200);
    let events = world.events().await;
    let new = &events[..events.len() - before];
    let told = |name: &str| -> Vec<&Value> {
        let named = new.iter().filter(|event| event["detail-type"] == name);
        named.map(|event| &event["detail"]).collect()
    };
    assert_eq!(new.len(), 3, "{new:?}");
    let [credits] = told("CreditsRefunded")[..] else { panic!("{new:?}") };
    for (member, value) in [
        ("reseller", json!(partner.refid)),
        ("provision", provision.json["refid"].clone()),
        ("amount", json!(200)),
        ("balance", json!(1_000)),
        ("sequence", json!(3)),
    ] {
        assert_eq!(credits[member], value, "{member}");
    }
    let mut ended = told("LicenceRevoked");
    ended.sort_by_key(|detail| detail["licence"].to_string());
    let mut licences: Vec<&Value> = licences_of(&refunded).collect();
    licences.sort_by_key(|licence| licence["refid"].to_string());
    assert_eq!(ended.len(), 2);
    for (detail, licence) in ended.iter().zip(licences) {
        assert_eq!(detail["licence"], licence["refid"]);
        for member in ["product", "client", "reseller"] {
            assert_eq!(detail[member], licence[member], "{member}");
        }
    }
    // A repeat publishes no events.
    let again = refund(&world.operator, &provision, "k").await.expect(200);
    assert_eq!(again.bytes, refunded.bytes);
    assert_eq!(world.events().await.len(), before + 3);
}
