//! Budgets: what operations cost in round trips and capacity units (ARCHITECTURE.md, "Budgets").

use purser_tests::{World, budgets};

#[tokio::test]
async fn every_budget_is_kept() {
    for budget in budgets::measure().await {
        assert!(budget.is_kept(), "{budget:?}");
    }
}

#[tokio::test]
async fn a_page_costs_the_same_however_many_clients_there_are() {
    let world = World::new().await;
    let partner = world.partner("standard", 0).await;
    let mut costs = Vec::new();
    for batch in [30, 120] {
        for _ in 0..batch {
            let _client = world.client(&partner).await;
        }
        costs.push(budgets::cost(&partner.caller.get("/v1/clients").await));
    }
    assert_eq!(costs[0], costs[1]);
}
