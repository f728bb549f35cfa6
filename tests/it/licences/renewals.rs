//! Renewals (rules C2, B2, B10): a reseller pays, an operator gives, and what is refunded is one term less.

use jiff::SignedDuration;
use purser_tests::prelude::*;

use super::Sold;

fn days(days: i64) -> SignedDuration {
    SignedDuration::from_hours(days * 24)
}

async fn renew(caller: &Caller, sold: &Sold, key: &str) -> Reply {
    caller.post_once(&sold.path("/renew"), key, &json!({})).await
}

async fn refund(world: &World, provision: &str) -> Reply {
    world.operator.post_once(&format!("/v1/provisions/{provision}/refund"), provision, &json!({})).await
}

#[tokio::test]
async fn a_renewal_is_paid_for_at_the_tier_price_in_one_commit_and_can_be_refunded() {
    let world = World::at("2026-01-31T10:00:00Z").await;
    let sold = Sold::new(&world).await;
    let reseller = &sold.partner.caller;
    let _begun = world.operator.act(&sold.path("/activate")).await.expect(200);
    let _required = reseller.act(&sold.path("/renew")).await.refused(400, "idempotency_key_required");
    assert_eq!(world.balance(&sold.partner.refid).await, 10_000 - 490);
    let headers = [("idempotency-key", "stale"), ("if-match", "\"1\"")];
    let stale = reseller.send("POST", &sold.path("/renew"), &headers, None).await;
    let _refused = stale.refused(412, "version_mismatch");
    let renewed = renew(reseller, &sold, "k").await.expect(200);
    assert_eq!((renewed.text("status"), renewed.text("expires_at")), ("active", "2026-03-31T10:00:00.000Z"));
    assert_eq!(renewed.json["key"], Value::Null);
    let again = renew(reseller, &sold, "k").await.expect(200);
    assert_eq!((again.header("idempotency-replayed"), &again.bytes), (Some("true"), &renewed.bytes));
    let entries = world.entries(&sold.partner.refid).await;
    let entry = entries.last().unwrap();
    assert_eq!((entries.len(), &entry["type"], &entry["amount"]), (3, &json!("debit"), &json!(490)));
    assert_eq!((&entry["sale"]["product"], &entry["sale"]["quantity"]), (&json!(sold.product), &json!(1)));
    world.assert_intact(&sold.partner.refid, 3).await;
    // The same key buys something else.
    let order = json!({"product": sold.product, "client": sold.client});
    let _bought = reseller.post_once("/v1/provisions", "k", &order).await.expect(201);

    let provision = entry["refid"].as_str().unwrap();
    let read = reseller.get(&format!("/v1/provisions/{provision}")).await.expect(200);
    assert_eq!((read.number("cost"), &read.json["licences"][0]["refid"]), (490, &json!(sold.licence)));
    let refunded = refund(&world, provision).await.expect(200);
    let left = &refunded.json["licences"][0];
    assert_eq!((&left["status"], &left["expires_at"]), (&json!("active"), &json!("2026-02-28T10:00:00.000Z")));
    let _twice = world
        .operator
        .post_once(&format!("/v1/provisions/{provision}/refund"), "again", &json!({}))
        .await
        .refused(409, "already_refunded");
    // The first purchase is refunded by itself, and ends the licence.
    let ended = refund(&world, &sold.provision).await.expect(200);
    assert_eq!(ended.json["licences"][0]["status"], "revoked");
    let _revoked = renew(reseller, &sold, "late").await.refused(409, "licence_revoked");
    world.assert_intact(&sold.partner.refid, 6).await;
    assert_eq!(world.balance(&sold.partner.refid).await, 10_000 - 490);
    let told: Vec<Value> = world.events().await;
    let count = |name: &str| told.iter().filter(|event| event["detail-type"] == name).count();
    let counted =
        ["LicenceMinted", "LicenceActivated", "LicenceRenewed", "LicenceRevoked", "CreditsProvisioned"].map(count);
    assert_eq!(counted, [2, 1, 1, 1, 3]);
}

/// Before, at and after the end of a term that began on 31 January; the refund leaves what there was.
#[tokio::test]
async fn a_renewal_counts_from_the_end_or_from_now() {
    for (after, renewed, left) in [
        (days(27), "2026-03-31T10:00:00.000Z", "2026-02-28T10:00:00.000Z"),
        (days(28), "2026-03-31T10:00:00.000Z", "2026-02-28T10:00:00.000Z"),
        (days(28) + SignedDuration::from_millis(1), "2026-03-28T10:00:00.001Z", "2026-02-28T10:00:00.000Z"),
        (days(40), "2026-04-12T10:00:00.000Z", "2026-02-28T10:00:00.000Z"),
    ] {
        let world = World::at("2026-01-31T10:00:00Z").await;
        let sold = Sold::new(&world).await;
        let _begun = world.operator.act(&sold.path("/activate")).await.expect(200);
        world.system().clock().advance(after);
        let reply = renew(&sold.partner.caller, &sold, "k").await.expect(200);
        assert_eq!((reply.text("status"), reply.text("expires_at")), ("active", renewed), "{after:?}");
        let entries = world.entries(&sold.partner.refid).await;
        let refunded = refund(&world, entries[2]["refid"].as_str().unwrap()).await.expect(200);
        assert_eq!(refunded.json["licences"][0]["expires_at"], left, "{after:?}");
    }
}

#[tokio::test]
async fn an_operator_renews_for_nothing_and_repeats_give_one_term() {
    let world = World::at("2026-01-31T10:00:00Z").await;
    let sold = Sold::new(&world).await;
    let _begun = world.operator.act(&sold.path("/activate")).await.expect(200);
    let asked = (0..8).map(|_| renew(&world.operator, &sold, "k"));
    let replies = futures_util::future::join_all(asked).await;
    assert!(replies.iter().all(|reply| (reply.status, &reply.bytes) == (200, &replies[0].bytes)));
    assert_eq!(replies[0].text("expires_at"), "2026-03-31T10:00:00.000Z");
    assert_eq!(world.entries(&sold.partner.refid).await.len(), 2);
    // Before its activation, a licence is renewed by a second first term.
    let pending = Sold::new(&world).await;
    let renewed = renew(&pending.partner.caller, &pending, "k").await.expect(200);
    assert_eq!((renewed.text("status"), &renewed.json["expires_at"]), ("pending", &Value::Null));
    let begun = world.operator.act(&pending.path("/activate")).await.expect(200);
    assert_eq!(begun.text("expires_at"), "2026-03-31T10:00:00.000Z");
}

#[tokio::test]
async fn what_a_purchase_would_be_refused_for_a_renewal_is_too_and_nothing_changes() {
    let world = World::new().await;
    let sold = Sold::new(&world).await;
    let other = Sold::new(&world).await;
    let product = format!("/v1/products/{}", sold.product);
    let reseller = format!("/v1/resellers/{}", sold.partner.refid);
    let before = world.operator.get(&sold.path("")).await.expect(200).json;
    let _unknown = renew(&other.partner.caller, &sold, "k").await.refused(404, "not_found");
    for (path, there, back, status, code) in [
        (&product, json!({"tiers": ["gold"]}), json!({"tiers": null}), 409, "tier_not_allowed"),
        (&product, json!({"active": false}), json!({"active": true}), 409, "product_inactive"),
        (&product, json!({"price": 1_000_000}), json!({"price": 700}), 402, "insufficient_credits"),
        (&reseller, json!({"hold_provisioning": true}), json!({"hold_provisioning": false}), 403, "provisioning_held"),
    ] {
        let _there = world.operator.patch(path, &there).await.expect(200);
        let _refused = renew(&sold.partner.caller, &sold, "k").await.refused(status, code);
        let _back = world.operator.patch(path, &back).await.expect(200);
    }
    assert_eq!(world.operator.get(&sold.path("")).await.expect(200).json, before);
    assert_eq!(world.entries(&sold.partner.refid).await.len(), 2);
    // A refusal is not remembered.
    let _renewed = renew(&sold.partner.caller, &sold, "k").await.expect(200);
    let for_ever = json!({"expires_at": null, "term": null});
    let _changed = world.operator.patch(&sold.path(""), &for_ever).await.expect(200);
    let _refused = renew(&sold.partner.caller, &sold, "never").await.refused(409, "not_renewable");
}

#[tokio::test]
async fn many_renewals_at_once_are_that_many_terms_and_debits() {
    let world = World::at("2026-01-31T10:00:00Z").await;
    let sold = Sold::new(&world).await;
    let _begun = world.operator.act(&sold.path("/activate")).await.expect(200);
    let keys: Vec<String> = (0..12).map(|n| format!("k{n}")).collect();
    let asked = keys.iter().map(|key| renew(&sold.partner.caller, &sold, key));
    let replies = futures_util::future::join_all(asked).await;
    assert!(replies.iter().all(|reply| reply.status == 200));
    let licence = world.operator.get(&sold.path("")).await.expect(200);
    assert_eq!(licence.text("expires_at"), "2027-02-28T10:00:00.000Z");
    assert_eq!(world.balance(&sold.partner.refid).await, 10_000 - 13 * 490);
    world.assert_intact(&sold.partner.refid, 14).await;
}
