//! The optional rule that holds a reseller whose credits ran low until it has enough again (rule B9).

use aws_lambda_events::eventbridge::EventBridgeEvent;
use purser_api::events::bus::hold_provisioning::hold_provisioning;
use purser_tests::lambda::bus_event;
use purser_tests::prelude::*;

async fn holding() -> World {
    World::with(None, &[("PURSER_HOLD_ON_LOW_CREDIT", "true")]).await
}

async fn spend(world: &World, partner: &Partner, cost: u64) -> Reply {
    let bare = json!({"cost": cost, "description": "x"});
    let once = world.fresh("order");
    partner.caller.post_once("/v1/provisions", &once, &bare).await
}

async fn is_held(world: &World, partner: &Partner) -> bool {
    world.system().settle().await;
    let path = format!("/v1/resellers/{}", partner.refid);
    world.operator.get(&path).await.expect(200).json["hold_provisioning"] == json!(true)
}

#[tokio::test]
async fn who_ran_low_buys_again_after_a_top_up() {
    let world = holding().await;
    let partner = world.partner("standard", 600).await;
    let _made = spend(&world, &partner, 101).await.expect(201);
    assert!(is_held(&world, &partner).await);
    let size = world.size().await;
    let _held = spend(&world, &partner, 1).await.refused(403, "provisioning_held");
    let product = world.product(1).await;
    let order = json!({"product": product, "clients": [world.new_client()]});
    let bulk = partner.caller.post_once("/v1/provisions/bulk", "k", &order).await;
    let _held = bulk.refused(403, "provisioning_held");
    assert_eq!(world.size().await, size + 1, "only the product may have been stored");
    let mails = world.mails().await;
    assert!(mails[0]["text"].as_str().unwrap().contains("on hold until you top up"), "{mails:?}");

    world.top_up(&partner.refid, 1).await;
    assert!(!is_held(&world, &partner).await, "499 + 1 reaches the threshold");
    let _made = spend(&world, &partner, 1).await.expect(201);
    assert!(is_held(&world, &partner).await, "running low again must hold the reseller again");
}

#[tokio::test]
async fn too_small_a_top_up_releases_nobody() {
    let world = holding().await;
    let partner = world.partner("standard", 600).await;
    let _made = spend(&world, &partner, 400).await.expect(201);
    assert!(is_held(&world, &partner).await);
    world.top_up(&partner.refid, 299).await;
    assert!(is_held(&world, &partner).await);
    world.top_up(&partner.refid, 1).await;
    assert!(!is_held(&world, &partner).await);
}

#[tokio::test]
async fn a_transfer_can_hold_the_sender_and_release_the_receiver() {
    let world = holding().await;
    let (one, other) = (world.partner("standard", 600).await, world.partner("standard", 600).await);
    let _made = spend(&world, &one, 200).await.expect(201);
    assert!(is_held(&world, &one).await);
    let path = format!("/v1/resellers/{}/transfers", other.refid);
    let transfer = json!({"to": one.refid, "amount": 101});
    let sent = world.operator.post_once(&path, "k", &transfer).await;
    let _sent = sent.expect(201);
    assert!(!is_held(&world, &one).await, "501 credits are enough");
    assert!(is_held(&world, &other).await, "499 credits are not enough");
}

#[tokio::test]
async fn a_refund_releases_as_a_top_up_does() {
    let world = holding().await;
    let partner = world.partner("standard", 600).await;
    let low = spend(&world, &partner, 101).await.expect(201);
    assert!(is_held(&world, &partner).await);
    let path = format!("/v1/provisions/{}/refund", low.text("refid"));
    let refund = world.operator.post_once(&path, "k", &json!({})).await;
    let _refunded = refund.expect(200);
    assert!(!is_held(&world, &partner).await);
}

#[tokio::test]
async fn what_an_operator_holds_an_operator_releases() {
    let world = holding().await;
    let partner = world.partner("standard", 600).await;
    let path = format!("/v1/resellers/{}", partner.refid);
    let set = async |hold: bool| {
        let change = json!({"hold_provisioning": hold});
        let _changed = world.operator.patch(&path, &change).await.expect(200);
    };
    set(true).await;
    world.top_up(&partner.refid, 1_000).await;
    assert!(is_held(&world, &partner).await, "a top-up must not release what an operator holds");
    set(false).await;
    let _made = spend(&world, &partner, 1_200).await.expect(201);
    assert!(is_held(&world, &partner).await);
    set(false).await;
    assert!(!is_held(&world, &partner).await, "an operator may release a reseller that is low");
    let _made = spend(&world, &partner, 100).await.expect(201);
    assert!(!is_held(&world, &partner).await, "a purchase below the threshold must not hold it again");
}

#[tokio::test]
async fn the_rule_is_off_unless_it_is_set() {
    let world = World::new().await;
    let partner = world.partner("standard", 600).await;
    let _made = spend(&world, &partner, 400).await.expect(201);
    assert!(!is_held(&world, &partner).await);
    let _made = spend(&world, &partner, 200).await.expect(201);
}

fn event(name: &str, reseller: &str, id: &str) -> EventBridgeEvent<Value> {
    let detail = json!({
        "reseller": reseller, "amount": 1, "balance": 1, "threshold": 500, "sequence": 1, "id": id, "origin": "api",
    });
    bus_event(name, &detail)
}

#[tokio::test]
async fn late_and_repeated_events_decide_on_the_wallet_as_it_is() {
    let world = holding().await;
    let partner = world.partner("standard", 600).await;
    let app = world.system().app();
    let handle = async |name, id| hold_provisioning(app.clone(), event(name, &partner.refid, id)).await;
    handle("CreditsRanLow", "late").await.unwrap();
    assert!(!is_held(&world, &partner).await, "a late event must not hold a wallet that has enough");

    let _made = spend(&world, &partner, 400).await.expect(201);
    assert!(is_held(&world, &partner).await);
    handle("CreditsAdded", "early").await.unwrap();
    assert!(is_held(&world, &partner).await);
    let path = format!("/v1/resellers/{}", partner.refid);
    let release = json!({"hold_provisioning": false});
    let _released = world.operator.patch(&path, &release).await.expect(200);
    handle("CreditsRanLow", "late").await.unwrap();
    assert!(!is_held(&world, &partner).await, "a repeated event must not hold what an operator released");
    hold_provisioning(app.clone(), event("CreditsRanLow", "RS-0000000000000000", "none")).await.unwrap();
    assert!(handle("ClientCreated", "other").await.is_err());
}
