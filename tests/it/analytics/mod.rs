//! Figures (rules A11, B13, C6): what each report shows, of an empty deployment too, and that a reseller sees its own
//! figures only.

mod calendar;
mod corrections;
mod customers;
mod formats;
mod recount;
mod report;

use jiff::{SignedDuration, Timestamp};
use purser_tests::caller::Caller;
use purser_tests::prelude::*;

/// Advances a stopped clock to `moment`.
fn turn_to(world: &World, moment: &str) {
    let moment: Timestamp = moment.parse().unwrap();
    let by = moment.duration_since(world.system().clock().timestamp());
    assert!(by >= SignedDuration::ZERO, "the clock can't be turned back");
    world.system().clock().advance(by);
}

/// Runs the rollup, so that everything is counted, and then reads a figure.
async fn figure(world: &World, caller: &Caller, path: &str) -> Value {
    world.run_schedule("rollup").await;
    caller.get(&format!("/v1/analytics/{path}")).await.expect(200).json
}

/// The values of a trend by period, without the zeros.
fn values(trend: &Value) -> Vec<(String, i64)> {
    let buckets = trend["buckets"].as_array().unwrap().iter();
    let all = buckets.map(|it| (it["period"].as_str().unwrap().to_owned(), it["value"].as_i64().unwrap()));
    all.filter(|(_, value)| *value != 0).collect()
}

async fn clients(world: &World, caller: &Caller, count: usize) -> Vec<String> {
    let mut refids = Vec::new();
    for _ in 0..count {
        let created = caller.post("/v1/clients", &world.new_client()).await.expect(201);
        refids.push(created.text("refid").to_owned());
    }
    refids
}

#[tokio::test]
async fn an_empty_system_has_zeros_in_the_same_shape() {
    let world = World::at("2023-06-15T12:00:00Z").await;
    let read = async |path: &str| {
        let path = format!("/v1/analytics/{path}");
        world.operator.get(&path).await.expect(200).json
    };
    let zero = json!({"count": 0, "percentage": 0.0});
    assert_eq!(read("clients/segmentation").await, json!({"standalone": zero, "resold": zero}));
    let statuses = json!({"active": 0, "pending": 0, "suspended": 0, "inactive": 0});
    assert_eq!(read("clients/status").await, statuses);
    assert_eq!(read("clients/growth").await, json!({"count": 0}));
    assert_eq!(read("clients/top-owners").await, json!({"data": []}));
    assert_eq!(read("credits/outstanding").await, json!({"credits": 0}));
    assert_eq!(read("resellers/top").await, json!({"data": []}));
    assert_eq!(read("resellers/tiers").await, json!({"platinum": 0, "gold": 0, "standard": 0}));
    assert_eq!(read("licences/popularity").await, json!({"data": []}));
    let trend = read("clients/signups?start=2023-01-01&end=2023-03-31").await;
    let bucket = |period| json!({"period": period, "value": 0});
    let buckets = json!([bucket("2023-01"), bucket("2023-02"), bucket("2023-03")]);
    assert_eq!(trend, json!({"interval": "monthly", "buckets": buckets, "as_of": null}));
    let trend = read("credits/trends?interval=yearly&start=2023-01-01&end=2023-03-31").await;
    let buckets = json!([{"period": "2023", "value": 0, "spent": 0}]);
    assert_eq!(trend, json!({"interval": "yearly", "buckets": buckets, "as_of": null}));
    assert_eq!(values(&read("licences/minted").await), []);
    // A rollup with nothing to count changes no value, and sets `as_of`.
    let counted = figure(&world, &world.operator, "clients/signups").await;
    assert_eq!(counted["as_of"], "2023-06-15T11:59:30.000Z");
    assert_eq!(counted["buckets"].as_array().unwrap().len(), 12);
}

#[tokio::test]
async fn the_documents_segmentation() {
    let world = World::at("2023-06-15T12:00:00Z").await;
    let partner = world.partner("gold", 0).await;
    let _standalone = clients(&world, &world.operator, 50).await;
    let _resold = clients(&world, &partner.caller, 100).await;
    let all = figure(&world, &world.operator, "clients/segmentation").await;
    let expected = json!({
        "standalone": {"count": 50, "percentage": 33.33},
        "resold": {"count": 100, "percentage": 66.67},
    });
    assert_eq!(all, expected);
    let own = figure(&world, &partner.caller, "clients/segmentation").await;
    assert_eq!(own["resold"], json!({"count": 100, "percentage": 100.0}));
    assert_eq!(own["standalone"], json!({"count": 0, "percentage": 0.0}));
}

#[tokio::test]
async fn credits_resellers_and_licences() {
    let world = World::at("2023-01-31T23:59:59.999Z").await;
    let product = world.product(100).await;
    let (a, b) = (world.partner("platinum", 75_000).await, world.partner("standard", 0).await);
    turn_to(&world, "2023-02-01T00:00:00Z");
    world.top_up(&b.refid, 82_000).await;
    let buy = json!({"product": product, "quantity": 3, "client": world.new_client()});
    let bought = a.caller.post_once("/v1/provisions", "1", &buy).await.expect(201);
    let other = world.product(10).await;
    let buy = json!({"product": other, "quantity": 2, "client": world.new_client()});
    let _bought = b.caller.post_once("/v1/provisions", "2", &buy).await.expect(201);
    let bare = json!({"cost": 1_000, "description": "set up"});
    let _bare = b.caller.post_once("/v1/provisions", "3", &bare).await.expect(201);
    let sent = format!("/v1/resellers/{}/transfers", a.refid);
    let _sent = world.operator.post_once(&sent, "4", &json!({"to": b.refid, "amount": 5_000})).await.expect(201);

    let operator = &world.operator;
    let trend = figure(&world, operator, "credits/trends?start=2023-01-01&end=2023-02-28").await;
    let buckets = json!([
        {"period": "2023-01", "value": 75_000, "spent": 0},
        {"period": "2023-02", "value": 82_000, "spent": 210 + 20 + 1_000},
    ]);
    assert_eq!(trend["buckets"], buckets);
    let outstanding = figure(&world, operator, "credits/outstanding").await;
    assert_eq!(outstanding, json!({"credits": 157_000 - 1_230}));
    let of_b = figure(&world, &b.caller, "credits/outstanding").await;
    assert_eq!(of_b, json!({"credits": 82_000 - 1_020 + 5_000}));
    let tiers = figure(&world, operator, "resellers/tiers").await;
    assert_eq!(tiers, json!({"platinum": 1, "gold": 0, "standard": 1}));
    let stats = figure(&world, operator, &format!("resellers/{}/stats", a.refid)).await;
    let expected = json!({"balance": 69_790, "tier": "platinum", "spent": 210, "clients": 1, "active_licences": 0});
    assert_eq!(stats, expected);
    let minted = figure(&world, operator, "licences/minted?start=2023-02-01&end=2023-02-02&interval=daily").await;
    assert_eq!(values(&minted), [("2023-02-01".to_owned(), 5)]);
    let popular = figure(&world, operator, "licences/popularity").await;
    let rows = json!([{"product": product, "licences": 3}, {"product": other, "licences": 2}]);
    assert_eq!(popular, json!({"data": rows}));
    assert_eq!(figure(&world, &a.caller, "licences/popularity").await, json!({"data": [rows[0]]}));

    // A refund is booked in the month in which it is made, and its licences no longer count as popular.
    turn_to(&world, "2023-03-05T00:00:00Z");
    let refund = format!("/v1/provisions/{}/refund", bought.text("refid"));
    let _refund = operator.post_once(&refund, "5", &json!({})).await.expect(200);
    let trend = figure(&world, &a.caller, "credits/trends?start=2023-02-01&end=2023-03-31").await;
    let spent: Vec<i64> = trend["buckets"].as_array().unwrap().iter().map(|it| it["spent"].as_i64().unwrap()).collect();
    assert_eq!(spent, [210, -210]);
    assert_eq!(figure(&world, &a.caller, "licences/popularity").await, json!({"data": []}));
    let minted = figure(&world, &a.caller, "licences/minted?start=2023-02-01&end=2023-03-31").await;
    assert_eq!(values(&minted), [("2023-02".to_owned(), 3)]);
}

#[tokio::test]
async fn rankings_are_by_acquisitions_then_spent_then_company() {
    let world = World::at("2023-03-10T00:00:00Z").await;
    let mut partners = Vec::new();
    for _ in 0..4 {
        partners.push(world.partner("standard", 1_000).await);
    }
    let [first, second, third, idle] = partners.as_slice() else { panic!() };
    let _clients = clients(&world, &third.caller, 2).await;
    for partner in [first, second] {
        let _client = clients(&world, &partner.caller, 1).await;
    }
    let bare = json!({"cost": 7, "description": "x"});
    let _bare = second.caller.post_once("/v1/provisions", "1", &bare).await.expect(201);
    let top = figure(&world, &world.operator, "resellers/top?start=2023-03-10&end=2023-03-10").await;
    let order: Vec<&str> = top["data"].as_array().unwrap().iter().map(|it| it["reseller"].as_str().unwrap()).collect();
    assert_eq!(order, [&third.refid, &second.refid, &first.refid]);
    let row = &top["data"][1];
    assert_eq!((&row["acquisitions"], &row["spent"], &row["tier"]), (&json!(1), &json!(7), &json!("standard")));
    assert!(row["company"].as_str().unwrap().starts_with("partner"));
    // Owners of equally many clients are ordered by company name, even where the limit cuts between them.
    let owners = figure(&world, &world.operator, "clients/top-owners?limit=2").await;
    let rows = owners["data"].as_array().unwrap();
    assert_eq!(rows.len(), 2);
    assert_eq!((rows[0]["clients"].as_u64(), rows[1]["clients"].as_u64()), (Some(2), Some(1)));
    assert_eq!(rows[1]["reseller"], first.refid);
    // The day before has no rows, and a reseller gets only its own.
    let before = figure(&world, &world.operator, "resellers/top?end=2023-03-09").await;
    assert_eq!(before, json!({"data": []}));
    let own = figure(&world, &second.caller, "resellers/top").await;
    assert_eq!(own["data"].as_array().unwrap().len(), 1);
    assert_eq!(own["data"][0]["reseller"], second.refid);
    assert_eq!(figure(&world, &idle.caller, "clients/top-owners").await, json!({"data": []}));
}

#[tokio::test]
async fn a_reseller_sees_its_own_figures_and_no_others() {
    let world = World::at("2023-03-10T00:00:00Z").await;
    let (a, b) = (world.partner("standard", 500).await, world.partner("standard", 90).await);
    let _of_a = clients(&world, &a.caller, 3).await;
    let _of_b = clients(&world, &b.caller, 1).await;
    let _standalone = clients(&world, &world.operator, 2).await;
    for (caller, named, count, credits) in [
        (&world.operator, "", 6, 590),
        (&world.operator, a.refid.as_str(), 3, 500),
        (&world.operator, b.refid.as_str(), 1, 90),
        (&a.caller, "", 3, 500),
        (&a.caller, a.refid.as_str(), 3, 500),
        (&b.caller, "", 1, 90),
    ] {
        let query = if named.is_empty() { String::new() } else { format!("?reseller={named}") };
        let growth = figure(&world, caller, &format!("clients/growth{query}")).await;
        assert_eq!(growth, json!({"count": count}), "{named}");
        let left = figure(&world, caller, &format!("credits/outstanding{query}")).await;
        assert_eq!(left, json!({"credits": credits}), "{named}");
        let trend = figure(&world, caller, &format!("clients/signups{query}")).await;
        assert_eq!(values(&trend), [("2023-03".to_owned(), count)], "{named}");
    }
    let foreign = format!("/v1/analytics/clients/growth?reseller={}", a.refid);
    let _refused = b.caller.get(&foreign).await.refused(404, "not_found");
    let unknown = "/v1/analytics/clients/growth?reseller=RS-0000000000000000";
    let _refused = world.operator.get(unknown).await.refused(404, "not_found");
    let _refused = b.caller.get("/v1/analytics/resellers/tiers").await.refused(403, "forbidden");
}
