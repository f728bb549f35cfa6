//! The budgets hold: what operations cost in round trips and capacity units (tests/bench/src/budgets).
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use purser_bench::budgets;
use purser_store::engine::keys::shard;
use purser_tests::lambda::bus_event;
use purser_tests::prelude::*;

#[tokio::test]
async fn every_budget_is_kept() {
    for budget in budgets::measure().await {
        assert!(budget.is_kept(), "{budget:?}");
    }
}

#[tokio::test]
async fn figures_cost_the_same_beside_2_000_clients_as_beside_200() {
    let few = budgets::analytics::measure(200, |_| ()).await;
    for budget in &few {
        assert!(budget.is_kept(), "{budget:?}");
    }
    assert_eq!(budgets::analytics::measure(2_000, |_| ()).await, few);
}

/// Adds a copy of a client for each number: dated so many minutes before 2020, with the keys that the store would give
/// it.
fn multiply(world: &World, client: &str, copies: impl IntoIterator<Item = u32>) {
    let items = world.items();
    let original = items.iter().find(|item| item["pk"]["S"] == format!("CL#{client}"));
    let mut original = original.expect("a client").clone();
    let then: jiff::Timestamp = "2020-01-01T00:00:00Z".parse().unwrap();
    let owner = original["doc"]["M"]["reseller"]["S"].as_str().map(ToOwned::to_owned);
    // Imported clients are sent no e-mail.
    original["by"]["M"]["origin"] = json!({"S": "import"});
    let copies = copies.into_iter().map(|n| {
        let refid = format!("CL-{n:016}");
        let shard = shard(&refid);
        let time = then - jiff::SignedDuration::from_mins(n.into());
        let place = json!({"S": format!("{time:.3}#{refid}")});
        let tenant = owner.clone().unwrap_or_else(|| format!("-#{shard}"));
        original["pk"] = json!({"S": format!("CL#{refid}")});
        original["doc"]["M"]["refid"] = json!({"S": refid});
        original["gsi1pk"] = json!({"S": format!("CL@{tenant}")});
        original["gsi2pk"] = json!({"S": format!("CL#{shard}")});
        original["gsi3pk"] = json!({"S": format!("CL!pending#{shard}")});
        for index in ["gsi1sk", "gsi2sk", "gsi3sk"] {
            original[index] = place.clone();
        }
        original.clone()
    });
    world.put_all(&copies.collect::<Vec<_>>());
}

#[tokio::test]
async fn a_page_costs_the_same_in_a_table_of_10_000_clients_as_in_one_of_100() {
    let lists =
        ["/v1/clients?", "/v1/clients?status=pending&", "/v1/clients?ownership=standalone&", "/v1/clients?reseller="];
    let world = World::new().await;
    let partner = world.partner("standard", 0).await;
    let resold = world.client(&partner).await;
    let alone = world.operator.post("/v1/clients", &world.new_client()).await;
    let alone = alone.expect(201).text("refid").to_owned();
    let costs = async || {
        let mut costs = Vec::new();
        for list in lists {
            let list = match list.strip_suffix("reseller=") {
                Some(_) => format!("{list}{}&", partner.refid),
                None => list.to_owned(),
            };
            let first = world.operator.get(&list).await.expect(200);
            let next = format!("{list}cursor={}", first.text("next_cursor"));
            let second = world.operator.get(&next).await.expect(200);
            for page in [&first, &second] {
                assert_eq!(page.json["data"].as_array().unwrap().len(), 25, "{list}");
            }
            costs.push((list, first.cost(), second.cost()));
        }
        costs
    };
    multiply(&world, &resold, 1..50);
    multiply(&world, &alone, 50..99);
    let of_100 = costs().await;
    multiply(&world, &resold, 99..5_000);
    multiply(&world, &alone, 5_000..9_999);
    assert_eq!(world.count_of_kind("client"), 10_000);
    assert_eq!(of_100, costs().await);
    for filtered in ["ownership=reselled", "ownership=reselled&status=pending"] {
        let page = world.operator.get(&format!("/v1/clients?{filtered}")).await;
        let (calls, rcu, _) = page.expect(200).cost();
        assert!(calls <= 32 && rcu <= 32.0, "{filtered}: {calls} {rcu}");
    }
}

#[tokio::test]
async fn a_list_is_whole_and_in_order_however_the_shards_are_filled() {
    let world = World::new().await;
    let alone = world.operator.post("/v1/clients", &world.new_client()).await;
    let alone = alone.expect(201).text("refid").to_owned();
    // The newest clients are all in one shard, so that a page needs a second round of queries.
    let crowded = (1..2_000_u32).filter(|n| shard(&format!("CL-{n:016}")) == 3);
    let copies: Vec<u32> = crowded.take(120).chain(3_000..3_100).collect();
    multiply(&world, &alone, copies.clone());
    let mut expected = vec![alone];
    expected.extend(copies.into_iter().map(|n| format!("CL-{n:016}")));
    for limit in [7, 25, 100] {
        let (mut listed, mut cursor) = (Vec::new(), String::new());
        loop {
            let path = format!("/v1/clients?limit={limit}{cursor}");
            let page = world.operator.get(&path).await.expect(200);
            let data = page.json["data"].as_array().unwrap();
            listed.extend(data.iter().map(|it| it["refid"].as_str().unwrap().to_owned()));
            match page.json["next_cursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => break,
            }
            assert_eq!(data.len(), limit, "only the last page may be short");
        }
        assert_eq!(listed, expected, "{limit}");
    }
}

#[tokio::test]
async fn what_a_consumer_writes_down_is_counted() {
    let world = World::new().await;
    let partner = world.partner("standard", 0).await;
    let detail = json!({"id": "e", "origin": "api", "reseller": partner.refid, "balance": 1, "threshold": 2});
    let app = world.system().apps().of("notify").unwrap().clone();
    let notified = purser_api::events::bus::notify::notify(app, bus_event("CreditsRanLow", &detail));
    let (done, cost) = purser_store::engine::table::meter::measured(Box::pin(notified)).await;
    assert_eq!(done, Ok(()));
    // The calls: claim the event, read the reseller, check that its address accepts e-mails, read how many it got
    // today, count this one and note so in the claim, settle the claim.
    assert_eq!((cost.calls, cost.rcu, cost.wcu), (6, 3.0, 6.0));
}
