//! Stale reads of one item beside a fresh read of another: a batch read is not a snapshot, so a commit has to check
//! every item that its decision read.

use purser_api::events::bus::hold_provisioning::hold_provisioning;
use purser_tests::faults::Fault;
use purser_tests::lambda::bus_event;
use purser_tests::prelude::*;

use super::Faulty;

const JSON: [(&str, &str); 1] = [("content-type", "application/json")];

fn item(world: &World, pk: &str) -> Value {
    let items = world.items();
    let found = items.iter().find(|item| item["pk"]["S"] == pk);
    found.expect("an item").clone()
}

fn found(world: &World, items: &[&Value]) -> Fault {
    let table = world.system().dynamo().table().to_owned();
    let body = json!({"Responses": {table: items}, "UnprocessedKeys": {}});
    Fault::Answer(200, body.to_string())
}

async fn buy(partner: &Partner, once: &str) -> Reply {
    let bare = json!({"cost": 10, "description": "x"});
    partner.caller.post_once("/v1/provisions", once, &bare).await
}

/// Calls that read the partner's present profile, but the wallet as it was `between` a change and the change back.
fn behind<'a>(world: &'a World, partner: &Partner, between: &Value) -> Faulty<'a> {
    let fresh = item(world, &format!("RS#{}", partner.refid));
    let faulty = Faulty::new(world);
    faulty.script.then(1, "BatchGetItem", &found(world, &[&fresh, between]));
    faulty
}

#[tokio::test]
async fn a_wallet_that_seems_suspended_already_is_suspended() {
    let world = World::new().await;
    let partner = world.partner("standard", 1_000).await;
    let own = format!("/v1/resellers/{}", partner.refid);
    let _suspended = world.operator.act(&format!("{own}/suspend")).await.expect(200);
    let between = item(&world, &format!("WA#{}", partner.refid));
    let _active = world.operator.act(&format!("{own}/activate")).await.expect(200);
    let faulty = behind(&world, &partner, &between);
    let reply = faulty.send("update-reseller", "POST", &format!("{own}/suspend"), &[], "").await;
    assert_eq!(reply.expect(200).text("status"), "suspended");
    assert!(faulty.script.is_played());
    let _barred = buy(&partner, "k").await.refused(409, "reseller_suspended");
}

#[tokio::test]
async fn a_wallet_that_seems_to_have_the_tier_already_gets_it() {
    let world = World::new().await;
    let partner = world.partner("standard", 1_000).await;
    let own = format!("/v1/resellers/{}", partner.refid);
    let between = item(&world, &format!("WA#{}", partner.refid));
    let _platinum = world.operator.patch(&own, &json!({"tier": "platinum"})).await.expect(200);
    let faulty = behind(&world, &partner, &between);
    let reply = faulty.send("update-reseller", "PATCH", &own, &JSON, r#"{"tier":"standard"}"#).await;
    assert_eq!(reply.expect(200).text("tier"), "standard");
    let order = json!({"product": world.product(100).await, "client": world.new_client()});
    let bought = partner.caller.post_once("/v1/provisions", "k", &order).await.expect(201);
    assert_eq!(bought.number("cost"), 100);
}

#[tokio::test]
async fn the_rule_does_not_hold_or_release_on_a_balance_of_before() {
    let world = World::with(None, &[("PURSER_HOLD_ON_LOW_CREDIT", "true")]).await;
    let partner = world.partner("standard", 600).await;
    let own = format!("/v1/resellers/{}", partner.refid);
    world.system().settle().await;
    let rich = item(&world, &format!("WA#{}", partner.refid));
    let bare = json!({"cost": 200, "description": "x"});
    let _low = partner.caller.post_once("/v1/provisions", "k", &bare).await.expect(201);
    world.system().settle().await;
    let held = item(&world, &format!("WA#{}", partner.refid));
    let event = |name: &str| {
        let detail = json!({
            "reseller": partner.refid, "amount": 1, "balance": 1, "threshold": 500, "sequence": 1, "id": name,
        });
        bus_event(name, &detail)
    };
    let faulty = behind(&world, &partner, &rich);
    let app = world.app_over("hold-provisioning", &faulty.script).await;
    hold_provisioning(app, event("CreditsAdded")).await.unwrap();
    assert!(faulty.script.is_played());
    let _held = buy(&partner, "k1").await.refused(403, "provisioning_held");
    let profile = world.operator.get(&own).await.expect(200);
    assert_eq!(profile.json["hold_provisioning"], json!(true));

    world.top_up(&partner.refid, 1_000).await;
    world.system().settle().await;
    let faulty = behind(&world, &partner, &held);
    let app = world.app_over("hold-provisioning", &faulty.script).await;
    hold_provisioning(app, event("CreditsRanLow")).await.unwrap();
    assert!(faulty.script.is_played());
    let profile = world.operator.get(&own).await.expect(200);
    assert_eq!(profile.json["hold_provisioning"], json!(false));
    let _bought = buy(&partner, "k2").await.expect(201);
}

#[tokio::test]
async fn a_login_that_seems_bound_already_is_bound() {
    let world = World::new().await;
    let (user, _) = world.login(false).await;
    let mut body = world.new_client();
    body["user"] = json!(user);
    let made = world.operator.post("/v1/clients", &body).await.expect(201);
    let path = format!("/v1/clients/{}", made.text("refid"));
    let bound = item(&world, &format!("US#{user}"));
    let _released = world.operator.patch(&path, &json!({"user": null})).await.expect(200);
    let client = item(&world, &format!("CL#{}", made.text("refid")));
    let faulty = Faulty::new(&world);
    for item in [client, bound] {
        faulty.script.then(1, "BatchGetItem", &found(&world, &[&item]));
    }
    let again = json!({"user": user}).to_string();
    let reply = faulty.send("update-client", "PATCH", &path, &JSON, &again).await;
    assert_eq!(reply.expect(200).text("user"), user);
    assert!(faulty.script.is_played());
    let mut second = world.new_client();
    second["user"] = json!(user);
    let _taken = world.operator.post("/v1/clients", &second).await.refused(409, "user_already_bound");
}

#[tokio::test]
async fn an_equal_change_of_address_that_lost_is_no_duplicate() {
    let world = World::new().await;
    let made = world.operator.post("/v1/clients", &world.new_client()).await.expect(201);
    let path = format!("/v1/clients/{}", made.text("refid"));
    let before = item(&world, &format!("CL#{}", made.text("refid")));
    let change = json!({"email": "new@acme.example"});
    let first = world.operator.patch(&path, &change).await.expect(200);
    let faulty = Faulty::new(&world);
    faulty.script.then(1, "BatchGetItem", &found(&world, &[&before]));
    let reply = faulty.send("update-client", "PATCH", &path, &JSON, &change.to_string()).await;
    assert_eq!(reply.expect(200).json, first.json);
    for n in 0..8 {
        let change = json!({"email": format!("n{n}@acme.example")});
        let tries = [0, 1].map(|_| {
            let (operator, path, change) = (world.operator.clone(), path.clone(), change.clone());
            tokio::spawn(async move { operator.patch(&path, &change).await.status })
        });
        for tried in tries {
            assert_eq!(tried.await.unwrap(), 200);
        }
    }
}
