//! Many callers at one wallet, each with an instance of its own, in a cloud whose only faults are the conflicts that
//! the callers cause.
//!
//! Invariant: the pace is measured in virtual time, so it is the same on every machine.

use std::rc::Rc;

use serde_json::json;
use tokio::task::spawn_local;

use crate::cloud::{Cloud, Process};
use crate::in_virtual_time;
use crate::judge::checks::{ledger, licences};
use crate::run::deployment::Deployment;
use crate::workload::command::Party;
use crate::workload::request::Request;

const CALLERS: usize = 32;
/// The number of clients in a bulk purchase.
const MANY: usize = 32;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    pub licences: u64,
    /// In virtual time.
    pub milliseconds: u64,
}

impl std::fmt::Display for Pace {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { licences, milliseconds } = self;
        let a_second = licences * 1_000 / milliseconds.max(&1);
        write!(f, "{licences} licences in {milliseconds} ms of virtual time, {a_second} a second")
    }
}

impl Pace {
    pub fn is_faster_than(self, other: Self, times: u64) -> bool {
        self.licences * other.milliseconds >= times * other.licences * self.milliseconds
    }
}

/// Lets 32 callers buy from one wallet, `times` purchases each: for one new client at a time, or in bulk.
///
/// # Panics
/// When a purchase is refused, or anything is lost.
pub fn sell(in_bulk: bool, times: usize) -> Pace {
    in_virtual_time(1, buy(in_bulk, times))
}

async fn buy(in_bulk: bool, times: usize) -> Pace {
    let cloud = Cloud::new(1, None);
    let deployment = Rc::new(Deployment::new(cloud.clone(), CALLERS, false).await);
    let credits = format!("/v1/resellers/{}/credits", deployment.names.wallet(0));
    let body = json!({"amount": 1_000_000_000});
    let _entry = ask(&deployment, Party::Operator, credits, body, "much").await;
    let began = cloud.now();
    let calls: Vec<_> =
        (0..CALLERS).map(|caller| spawn_local(call(Rc::clone(&deployment), caller, in_bulk, times))).collect();
    for call in calls {
        call.await.expect("a caller that was served");
    }
    let milliseconds = cloud.now() - began;
    let items = cloud.table().items();
    let sold = items.iter().filter(|item| item["kind"]["S"] == "licence").count();
    let each = if in_bulk { MANY } else { 1 };
    assert_eq!(sold, CALLERS * times * each);
    for found in [ledger(&deployment, &items), licences(&items)] {
        found.map_err(|it| it.what).expect("nothing is lost");
    }
    Pace { licences: sold as u64, milliseconds }
}

async fn call(deployment: Rc<Deployment>, caller: usize, in_bulk: bool, times: usize) {
    for time in 0..times {
        let client = |place: usize| {
            let name = format!("c{caller}-{time}-{place}");
            json!({"name": name, "email": format!("{name}@example.com"), "client_id": name})
        };
        let product = deployment.names.product(0);
        let (path, body) = if in_bulk {
            let clients: Vec<_> = (0..MANY).map(client).collect();
            ("/v1/provisions/bulk", json!({"product": product, "clients": clients}))
        } else {
            ("/v1/provisions", json!({"product": product, "client": client(0)}))
        };
        ask(&deployment, Party::Reseller(0), path.to_owned(), body, &format!("{caller}-{time}")).await;
    }
}

async fn ask(deployment: &Deployment, by: Party, path: String, body: serde_json::Value, key: &str) {
    let request = Request { method: "POST", path, body: Some(body) };
    let process = Process::new(format!("hot {key}"), None);
    let reply = deployment.send(&process, by, &request, Some(key)).await;
    let _made = reply.expect("a process that lives").expect(201);
}
