//! What follows from changes and from time that passes, so that each function that events or schedules start uses its
//! rights.

use purser_tests::faults::{Fault, Script};
use purser_tests::prelude::*;
use purser_tests::seals::SEALED;

use super::{RightsUsed, accounts, busy_world, second_operator};
use crate::accounts::me::second_factor::enable;

/// What follows from changes, and from time that passes.
pub async fn events() -> RightsUsed {
    let world = busy_world().await;
    let operator = second_operator(&world).await;
    live(&world, &operator).await;
    accounts::live(&world).await;
    world.run_schedule("checkpoint-ledger").await;
    leave(&world).await;
    crowd(&world).await;
    // A notice that waits, a user who never confirms, and an operator to whom that is reported.
    world.register("stranger@example.com").await;
    let _told = world.invited(json!({"operator": true})).await;
    let noticed = world.operator.post("/v1/clients", &world.new_client()).await.expect(201);
    let noticed = format!("/v1/clients/{}", noticed.text("refid"));
    let _active = world.operator.act(&format!("{noticed}/activate")).await.expect(200);
    world.system().settle().await;
    // The notice falls due, and a month later the rest.
    for later in ["PT2M", "P31D"] {
        let later = json!({"advance": later});
        let _turned = world.nobody().post("/_local/clock", &later).await.expect(200);
    }
    for function in ["run-due-work", "report-accounts", "rollup", "report-partners"] {
        world.run_schedule(function).await;
    }
    reseal(&world).await;
    for ranking in ["resellers", "customers"] {
        let top = world.operator.get(&format!("/v1/analytics/{ranking}/top")).await;
        assert_ne!(top.expect(200).json["data"], json!([]), "{ranking}");
    }
    assert_eq!(world.system().dead_letters(), []);
    RightsUsed::of(&world)
}

/// A user with a picture and an open link, and a client with a note, who are deleted.
async fn leave(world: &World) {
    let leaves = world.person().await;
    let forgot = json!({"email": leaves.email});
    let _asked = world.nobody().post("/v1/auth/forgot-password", &forgot).await.expect(202);
    world.system().settle().await;
    let picture = json!({
        "pk": {"S": format!("AV#{}", leaves.refid)}, "sk": {"S": "."}, "kind": {"S": "avatar"},
        "doc": {"M": {"version": {"N": "1"}}},
    });
    world.put_all(std::slice::from_ref(&picture));
    let kept = [format!("PW#{}", leaves.refid), format!("SE#{}", leaves.refid)];
    let mut late = world.items();
    late.retain(|item| kept.iter().any(|pk| item["pk"]["S"] == *pk));
    late.push(picture);
    let path = format!("/v1/users/{}", leaves.refid);
    let _left = world.operator.delete(&path).await.expect(204);
    world.system().settle().await;
    // Changes of the account were under way.
    world.put_all(&late);
    let created = world.operator.post_once("/v1/clients", "leaves", &world.new_client()).await.expect(201);
    let path = format!("/v1/clients/{}", created.text("refid"));
    let noted = json!({"product": world.product(1).await, "client": created.text("refid"), "comments": "x"});
    let _noted = world.operator.post_once("/v1/licences", "noted", &noted).await.expect(201);
    let _left = world.operator.delete(&path).await.expect(204);
}

/// Installations that take each other's seat, one of which is heard of, and the licence of somebody who is deleted.
async fn crowd(world: &World) {
    let sold = crate::licences::activating::for_(world, 1, json!({"lease": "PT10M"})).await;
    for (name, more, status) in [
        ("a", json!({}), 201),
        ("b", json!({}), 409),
        ("b", json!({"replace": "oldest"}), 201),
        ("a", json!({"replace": "oldest"}), 201),
    ] {
        let asked = crate::licences::activating::ask(world, "", &sold.key, name, more).await;
        assert_eq!(asked.status, status, "{name}");
    }
    let minute = json!({"advance": "PT1M"});
    let _turned = world.nobody().post("/_local/clock", &minute).await.expect(200);
    let _heard = crate::licences::activating::ask(world, "/heartbeat", &sold.key, "a", json!({})).await.expect(200);
    let asked = json!({"key": sold.key, "fingerprint": "a"});
    let _told = world.nobody().post("/v1/licences/validate", &asked).await.expect(200);
    let _ended = world.operator.get(&sold.path("/activations?ended=true")).await.expect(200);
    let gone = format!("/v1/clients/{}", sold.client);
    let _gone = world.operator.delete(&gone).await.expect(204);
}

/// What the requests of the cases do not cause: an operator with a key in the table, lists by status, users that are
/// bound by address, an address that changes, a client that moves, what is found, and a wallet that runs low.
async fn live(world: &World, operator: &Caller) {
    let partner = world.partner("standard", 1_000).await;
    let (other, product) = (world.partner("standard", 0).await, world.product(600).await);
    let (_, bound_at_once) = world.login(true).await;
    let (_, bound_by_purchase) = world.login(true).await;
    let (_, bound_by_bulk) = world.login(true).await;

    let named = |email: &str| json!({"name": "x", "email": email});
    // It waits for a client whose user has confirmed this address.
    let waits = json!({"product": product, "email": bound_at_once});
    let _waits = operator.post("/v1/licences", &waits).await.expect(201);
    let client = operator.post("/v1/clients", &named(&bound_at_once)).await.expect(201);
    let client = format!("/v1/clients/{}", client.text("refid"));
    world.system().settle().await;
    let address = json!({"email": "another@example.com"});
    let _changed = operator.patch(&client, &address).await.expect(200);
    // A refusal reads client and wallet again, together.
    let barred = world.partner("standard", 0).await.refid;
    let _suspended = operator.act(&format!("/v1/resellers/{barred}/suspend")).await.expect(200);
    let to = json!({"reseller": barred});
    let barred = operator.post(&format!("{client}/transfer"), &to).await;
    let _barred = barred.refused(409, "reseller_suspended");
    let to = json!({"reseller": other.refid});
    let _moved = operator.post(&format!("{client}/transfer"), &to).await.expect(200);
    let _list = operator.get("/v1/clients?status=pending&ownership=reselled").await.expect(200);
    world.system().settle().await;
    for list in ["/v1/clients?q=x", "/v1/resellers?q=partner"] {
        let found = operator.get(list).await.expect(200);
        assert_ne!(found.json["data"], json!([]), "{list}");
    }
    let _gone = operator.delete(&client).await.expect(204);

    let undelivered = named("bounce@simulator.amazonses.com");
    let _client = operator.post("/v1/clients", &undelivered).await.expect(201);

    // The purchase takes 600 of 1,000 credits, which leaves less than the threshold of 500, so the wallet is held.
    let body = json!({"product": product, "client": named(&bound_by_purchase)});
    let bought = partner.caller.post_once("/v1/provisions", "one", &body).await.expect(201);
    // The hold rule reads the present wallet, so it must run before the refund returns the credits.
    world.system().settle().await;
    let bought = format!("/v1/provisions/{}", bought.text("refid"));
    let _read = partner.caller.get(&bought).await.expect(200);
    // A refusal reads the record, too.
    let licence = world.operator.get(&bought).await.expect(200).json["licences"][0]["refid"].clone();
    let renew = format!("/v1/licences/{}/renew", licence.as_str().unwrap());
    let _held = partner.caller.post_once(&renew, "renew", &json!({})).await.refused(403, "provisioning_held");
    let refund = json!({"description": "x"});
    let _refunded = operator.post_once(&format!("{bought}/refund"), "refund", &refund).await.expect(200);
    let _read = partner.caller.get(&bought).await.expect(200);
    world.system().settle().await;
    let credits = format!("/v1/resellers/{}/credits", partner.refid);
    let top_up = json!({"amount": 5_000, "reference": "INV-1"});
    let _entry = operator.post_once(&credits, "two", &top_up).await.expect(201);
    world.system().settle().await;
    let body = json!({"product": product, "clients": [named(&bound_by_bulk)]});
    let _bought = partner.caller.post_once("/v1/provisions/bulk", "three", &body).await.expect(201);
    world.system().settle().await;
}

/// New keys, under which everything is sealed anew, although a conflict makes each kind be read again, and with which
/// a checkpoint is signed.
async fn reseal(world: &World) {
    let sells = json!({"company_name": "x", "email": "sealed@example.com", "metadata": {"a": 1}});
    let _sealed = world.operator.post("/v1/resellers", &sells).await.expect(201);
    let buys = json!({"name": "x", "email": "sealed@example.com", "metadata": {"a": 1}});
    let _sealed = world.operator.post("/v1/clients", &buys).await.expect(201);
    let noted = json!({"product": world.product(1).await, "client_id": "sealed", "metadata": {"a": 1}});
    let _sealed = world.operator.post("/v1/licences", &noted).await.expect(201);
    let (person, phone, _) = enable(world, &world.person().await).await;
    world.system().clock().advance(jiff::SignedDuration::from_mins(1));
    let code = json!({"email": person.email, "password": PASSWORD, "code": phone.shows(world, 0)});
    let _in = world.nobody().post("/v1/auth/login", &code).await.expect(200);
    world.rotate();
    world.read_secrets_again();
    for what in ["clients", "resellers", "licences"] {
        let script = Script::default();
        let conflict = json!({"__type": "com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException"});
        script.then(1, "UpdateItem", &Fault::Answer(400, conflict.to_string()));
        let app = world.app_over("reseal", &script).await;
        app.keeper.refresh().await;
        let walked = purser_api::seals::reseal::reseal(app, json!({"what": what})).await.unwrap();
        assert_ne!(walked["renewed"], 0, "{what}");
    }
    for what in SEALED {
        world.reseal(what).await;
    }
    world.run_schedule("checkpoint-ledger").await;
}

/// A world that lost the timeline rows and one figure of the day before, then found and repaired that.
pub async fn recounted() -> RightsUsed {
    let world = World::at("2023-01-15T09:00:00Z").await;
    let partner = world.partner("standard", 1_000).await;
    let body = json!({"product": world.product(10).await, "client": world.new_client()});
    let bought = partner.caller.post_once("/v1/provisions", "k", &body).await;
    let _bought = bought.expect(201);
    world.run_schedule("rollup").await;
    let rows = world.items().into_iter();
    for row in rows.filter(|item| item["kind"]["S"] == "timeline") {
        world.remove(&row);
    }
    let figure = world.items().into_iter().find(|item| item["sk"]["S"] == "H#2023-01-15T09");
    world.remove(&figure.unwrap());
    let day = json!({"advance": "P1D"});
    let _turned = world.nobody().post("/_local/clock", &day).await.expect(200);
    world.run_schedule("sample-figures").await;
    let path = |act: &str| format!("/v1/analytics/figures/{act}?day=2023-01-15");
    let found = world.operator.get(&path("check")).await.expect(200);
    // What differs: a reseller, a client, a licence, two entries and a figure.
    assert_eq!(found.json["differing"], 6);
    let _mended = world.operator.act(&path("rebuild")).await.expect(200);
    world.run_schedule("rollup").await;
    let _all = world.operator.get("/v1/analytics/figures/check").await.expect(200);
    let _all = world.operator.act("/v1/analytics/figures/rebuild").await.expect(200);
    RightsUsed::of(&world)
}
