//! Budgets of figures in ever larger tables: reading them always costs the same, and updating them costs only as much
//! as has changed.

use purser_domain::analytics::Fact;
use purser_domain::basic::{ClientId, ClientRefid, EmailAddress, Name, ResellerRefid, Time};
use purser_domain::parties::{Client, ClientStatus, Metadata, NewClient};
use purser_store::engine::table::meter::{self, Cost};
use purser_tests::prelude::*;

use super::{Budget, by_reseller};

/// How many clients are written to the timeline at a time.
const AT_ONCE: usize = 500;

/// Client `n`, created a day after client `n - 1`; after 181 days, the dates start again.
fn fact(n: u32, reseller: &ResellerRefid) -> Fact {
    let start = Time::try_from("2026-01-01T00:30:00.000Z".to_owned()).expect("a time");
    let at = start.plus(SignedDuration::from_hours(i64::from(n % 181) * 24));
    let mut bits = [0; 10];
    bits[..4].copy_from_slice(&n.to_be_bytes());
    let new = NewClient {
        name: Name::try_from("x".to_owned()).expect("a name"),
        email: EmailAddress::try_from("x@example.com".to_owned()).expect("an address"),
        phone: None,
        metadata: Metadata::default(),
        client_id: ClientId::try_from(n.to_string()).expect("an id"),
        older_ids: Vec::new(),
    };
    let refid = ClientRefid::new(&"CL-".parse().expect("a prefix"), bits);
    let owner = n.is_multiple_of(2).then(|| reseller.clone());
    Fact::from(&Client::create(new, refid, owner, ClientStatus::Active, at))
}

async fn run_rollup(world: &World) -> Cost {
    world.system().settle().await;
    let event = json!({
        "id": world.fresh("run"), "detail-type": "Scheduled Event", "source": "aws.events", "detail": {},
    });
    let event = serde_json::from_value(event).expect("an event");
    let app = world.system().app().clone();
    let (done, cost) = Box::pin(meter::measured(purser_api::events::schedule::rollup::rollup(app, event))).await;
    done.expect("a run");
    cost
}

/// A world with this many clients, all counted. `progress` receives the number of clients written so far.
async fn filled(clients: u32, progress: impl Fn(u32)) -> (World, Partner) {
    let world = World::at("2026-07-15T12:00:00Z").await;
    let partner = world.partner("gold", 0).await;
    let reseller = ResellerRefid::parse(&partner.refid).expect("a refid");
    let app = world.system().app();
    let facts: Vec<Fact> = (0..clients).map(|n| fact(n, &reseller)).collect();
    let mut there = 0;
    for facts in facts.chunks(AT_ONCE) {
        app.store.project(facts).await.expect("the timeline");
        there += u32::try_from(facts.len()).unwrap_or_default();
        progress(there);
    }
    let _counted = run_rollup(&world).await;
    (world, partner)
}

/// Measures queries, and a run of `rollup` after a new client, in a table with this many clients.
pub async fn measure(clients: u32, progress: impl Fn(u32)) -> Vec<Budget> {
    let (world, partner) = filled(clients, progress).await;
    let caller = &partner.caller;
    let get = async |path: &str| {
        let path = format!("/v1/analytics/{path}");
        caller.get(&path).await.expect(200)
    };
    let six = get("clients/signups?start=2026-01-01&end=2026-06-30").await;
    let counted: i64 =
        six.json["buckets"].as_array().expect("buckets").iter().map(|it| it["value"].as_i64().expect("a number")).sum();
    assert_eq!(counted, i64::from(clients.div_ceil(2)), "every client of the reseller is counted");
    let growth = get("clients/growth?start=2026-01-15&end=2026-06-15").await;
    let stats = get(&format!("resellers/{}/stats", partner.refid)).await;
    let top = get("resellers/top?start=2026-01-01&end=2026-06-30").await;
    let _client = caller.post("/v1/clients", &world.new_client()).await.expect(201);
    let rollup = run_rollup(&world).await;
    let idle = run_rollup(&world).await;
    let run = |operation, cost: Cost, (calls, rcu, wcu)| Budget {
        operation,
        calls: (cost.calls, calls),
        rcu: (cost.rcu, rcu),
        wcu: (cost.wcu, wcu),
        hashes: (0, 0),
    };
    vec![
        by_reseller("six monthly points", &six, 2, 1.0, 0.0),
        by_reseller("a count of five months, cut", &growth, 4, 2.0, 0.0),
        by_reseller("a reseller's statistics", &stats, 4, 2.5, 0.0),
        by_reseller("a reseller's own ranking of half a year", &top, 3, 1.5, 0.0),
        run("roll up one new client", rollup, (40, 30.0, 30.0)),
        run("roll up nothing", idle, (4, 1.0, 2.0)),
    ]
}
