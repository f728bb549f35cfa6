//! What the embedded database can do by itself: the transaction of a purchase, three items, again and again, with the
//! table's indexes and stream, and nothing in front of it.
//!
//! Invariant: the items are those that a purchase has stored, under other refids, in a file like the laptop's. So the
//! rate bounds what the laptop can sell on this machine.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use purser_local::cloud::dynamo::{Dynamo, Storage};
use purser_local::run::system::template;
use purser_tests::World;
use serde_json::{Value, json};

const TABLE: &str = "raw";

/// How many such transactions a second the database commits for this many callers at once, for as long as `time`.
pub async fn transactions_a_second(callers: usize, time: Duration) -> f64 {
    let sold = purchase().await;
    let folder = tempfile::tempdir().expect("a folder");
    let file = Storage::File(folder.path().join("table.sqlite"));
    let now = std::sync::Arc::new(|| Timestamp::UNIX_EPOCH);
    let table = Dynamo::open(file, &template().expect("a template").table, TABLE, now).expect("a table");
    let (count, begun) = (AtomicUsize::new(0), Instant::now());
    std::thread::scope(|scope| {
        for caller in 0..callers {
            let (table, sold, count) = (&table, &sold, &count);
            scope.spawn(move || {
                while begun.elapsed() < time {
                    let number = count.fetch_add(1, Ordering::Relaxed);
                    let (status, said) = table.call("TransactWriteItems", sold.again(caller, number).as_bytes());
                    assert_eq!(status, 200, "{said}");
                }
            });
        }
    });
    f64::from(u32::try_from(count.into_inner()).unwrap_or(u32::MAX)) / begun.elapsed().as_secs_f64()
}

/// What a purchase of one licence has stored.
struct Sold {
    request: String,
    wallet: String,
    entry: String,
    licence: String,
}

impl Sold {
    /// The same purchase under other refids, from the wallet of this caller.
    fn again(&self, caller: usize, number: usize) -> String {
        let named =
            |text: String, refid: &str, number: usize| text.replace(refid, &format!("{}{number:016}", &refid[..3]));
        let text = named(self.request.clone(), &self.wallet, caller);
        named(named(text, &self.entry, number), &self.licence, number)
    }
}

async fn purchase() -> Sold {
    let world = World::new().await;
    let partner = world.partner("standard", 1_000).await;
    let client = world.client(&partner).await;
    let order = json!({"product": world.product(1).await, "client": client});
    let bought = partner.caller.post_once("/v1/provisions", "k", &order).await.expect(201);
    let items = world.items();
    let stored = |pk: String| -> Value {
        items.iter().find(|item| item["pk"]["S"] == pk.as_str()).unwrap_or_else(|| panic!("no {pk}")).clone()
    };
    let (entry, licence) = (bought.text("refid"), bought.json["licences"][0]["refid"].as_str().expect("a refid"));
    let put = |pk: String, fresh: bool| {
        let mut put = json!({"TableName": TABLE, "Item": stored(pk)});
        if fresh {
            put["ConditionExpression"] = json!("attribute_not_exists(pk)");
        }
        json!({"Put": put})
    };
    let items = [
        put(format!("EN#{entry}"), true),
        put(format!("WA#{}", partner.refid), false),
        put(format!("LI#{licence}"), true),
    ];
    Sold {
        request: json!({"TransactItems": items}).to_string(),
        wallet: partner.refid.clone(),
        entry: entry.to_owned(),
        licence: licence.to_owned(),
    }
}
