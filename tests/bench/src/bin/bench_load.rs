//! `make bench-load`: measures what the laptop sells under load, and how it answers when overloaded.
//!
//!     bench_load SECONDS_OF_EACH_PART
#![allow(clippy::expect_used, reason = "a measurement should stop at the first failure")]

use std::collections::BTreeSet;
use std::io::{IsTerminal, Write};
use std::process::ExitCode;
use std::time::Duration;

use purser_bench::load::raw;
use purser_bench::load::shop::{BULK, Shop, sold};
use purser_bench::load::{Bounds, Order, Part, drive};
use purser_crash::laptop::{Laptop, OPERATOR_KEY, processor_time};
use purser_tests::Caller;

const CALLERS: usize = 32;
/// Far more callers than a laptop serves at once.
const CROWD: usize = 512;
/// The maximum number of calls in a part, however fast the machine is.
const CALLS: usize = 100_000;
/// The target: how many licences bulk purchases sell for each licence sold singly in the same time.
const RATIO: f64 = 20.0;
/// The bound for the slowest answer under overload. A command gives up after eight seconds, and its last call may
/// take one second more.
const SLOWEST: Duration = Duration::from_secs(12);
/// The bound for the peak memory, in MiB.
const MEMORY: u64 = 512;

/// No rate limits: this measures how much the system does, not what it refuses.
const UNLIMITED: [(&str, &str); 3] = [
    ("PURSER_KEY_REQUESTS_PER_MINUTE", "0"),
    ("PURSER_ADDRESS_REQUESTS_PER_MINUTE", "0"),
    ("PURSER_ADDRESS_MAILS_PER_HOUR", "0"),
];

#[tokio::main]
async fn main() -> ExitCode {
    let seconds = std::env::args().nth(1).and_then(|text| text.parse().ok());
    let Some(seconds) = seconds.filter(|seconds| (1..=600).contains(seconds)) else {
        eprintln!("Usage: bench_load SECONDS_OF_EACH_PART (from 1 to 600)");
        return ExitCode::from(2);
    };
    let bounds = Bounds { time: Duration::from_secs(seconds), calls: CALLS };
    let parent = tempfile::tempdir().expect("a folder");
    let laptop = Laptop::start(&parent.path().join("data"), &UNLIMITED).await;
    let mut bench = Bench::prepare(&laptop, bounds).await;
    bench.all(&laptop).await;
    if bench.broken.is_empty() {
        println!("\nNothing was lost: every wallet is intact, and each licence was paid for and exists once.");
        return ExitCode::SUCCESS;
    }
    for broken in &bench.broken {
        println!("BROKEN: {broken}");
    }
    ExitCode::FAILURE
}

struct Bench {
    operator: Caller,
    url: String,
    bounds: Bounds,
    broken: Vec<String>,
}

impl Bench {
    async fn prepare(laptop: &Laptop, bounds: Bounds) -> Self {
        let key = Some(OPERATOR_KEY.to_owned());
        let operator = Caller::new(reqwest::Client::new(), laptop.url(), key);
        Shop::stock(&operator).await;
        Self { operator, url: laptop.url().to_owned(), bounds, broken: Vec::new() }
    }

    async fn all(&mut self, laptop: &Laptop) {
        let many = self.open("many", CALLERS, 1).await;
        let (hot, bulk) = (self.open("hot", 1, CALLERS).await, self.open("bulk", 1, BULK).await);
        let crowd = self.open("crowd", CALLERS, 1).await;
        let [hot, bulk] = [hot.as_slice(), bulk.as_slice()];
        println!(
            "{:<36}{:>11}{:>11}{:>8}{:>8}{:>8}{:>9}{:>8}{:>7}  answers",
            "32 callers", "licences/s", "requests/s", "p50 ms", "p99 ms", "CPU ms", "later ms", "driver", "calls"
        );
        let each: Vec<Order> = many.iter().map(|shop| shop.single(0)).collect();
        let each = self.part(laptop, "a wallet each, one licence a call", each, &many).await;
        let singles = (0..CALLERS).filter_map(|place| Some(hot.first()?.single(place)));
        let singles: Vec<Order> = singles.collect();
        let single = self.part(laptop, "one wallet, one licence a call", singles, hot).await;
        let bulks: Vec<Order> = bulk.iter().cycle().take(CALLERS).map(Shop::bulk).collect();
        let many = self.part(laptop, "one wallet, 32 licences a call", bulks, bulk).await;
        progress("The database by itself");
        let raw = raw::transactions_a_second(CALLERS, self.bounds.time).await;
        progress("");
        println!(
            "\nThe database by itself commits {raw:.0} such transactions a second. With a wallet each, the laptop \
             sells {:.2} times as many licences.",
            each / raw
        );
        let ratio = many / single;
        println!("On one wallet, bulk sells {ratio:.1} licences for each one sold singly (target: {RATIO}).");
        self.overload(laptop, &crowd).await;
    }

    async fn open(&self, name: &str, shops: usize, clients: usize) -> Vec<Shop> {
        let mut open = Vec::new();
        for place in 0..shops {
            progress(&format!("Opening shops: {name} {place}"));
            let name = format!("{name}-{place}");
            open.push(Shop::open(&self.operator, &self.url, &name, clients).await);
        }
        progress("");
        open
    }

    /// Runs a part in which every answer must be a purchase, and prints its line. Returns how many licences a second
    /// it sold. `CPU ms` is `purser`'s processor time for each answer while it was asked, and `later ms` what followed
    /// until stream and bus were empty, as they are before each part. `driver` is this process's share of all
    /// processor time while it asked, and `calls` are those to the table, of which a purchase needs three.
    async fn part(&mut self, laptop: &Laptop, name: &str, orders: Vec<Order>, shops: &[Shop]) -> f64 {
        self.settle().await;
        let driver = std::process::id();
        let (before, driver_before) = (laptop.processor_time(), processor_time(driver));
        let part = self.drive(name, orders).await;
        let spent = laptop.processor_time().saturating_sub(before);
        let driven = processor_time(driver).saturating_sub(driver_before);
        self.settle().await;
        let later = laptop.processor_time().saturating_sub(before + spent);
        let answers = part.by_status();
        if answers.keys().any(|status| *status != 201) {
            self.broken.push(format!("{name}: {answers:?}"));
        }
        let licences = self.books(name, &part, shops).await;
        let done = part.done().count();
        let calls: u32 = part.done().map(|heard| heard.calls).sum();
        let count = f64::from(u32::try_from(done.max(1)).unwrap_or(u32::MAX));
        println!(
            "{name:<36}{:>11.1}{:>11.1}{:>8.0}{:>8.0}{:>8.2}{:>9.2}{:>6.0} %{:>7.2}  {answers:?}",
            part.a_second(licences),
            part.a_second(done),
            millis(part.quantile(0.5)),
            millis(part.quantile(0.99)),
            millis(spent) / count,
            millis(later) / count,
            100.0 * driven.as_secs_f64() / (driven + spent).as_secs_f64(),
            f64::from(calls) / count,
        );
        part.a_second(licences)
    }

    /// Waits until nothing is left that a purchase causes later. Nothing of it may have failed.
    async fn settle(&mut self) {
        progress("Waiting for stream and bus");
        let nothing = serde_json::json!({});
        let settled = self.operator.post("/_local/dead-letters/redrive", &nothing).await.expect(200).json;
        if settled != serde_json::json!({"redriven": 0, "left": 0}) {
            self.broken.push(format!("stream and bus gave up on something: {settled}"));
        }
        progress("");
    }

    async fn books(&mut self, name: &str, part: &Part, shops: &[Shop]) -> usize {
        progress("Checking the books");
        let sold = sold(part, shops).await;
        progress("");
        sold.unwrap_or_else(|what| {
            self.broken.push(format!("{name}: {what}"));
            0
        })
    }

    async fn drive(&self, name: &str, orders: Vec<Order>) -> Part {
        let part = drive(orders, self.bounds, |count| {
            progress(&format!("{name}: {count} answers"));
        });
        let part = part.await;
        progress("");
        part
    }

    /// Runs more callers than the laptop serves at once: it must refuse the excess at once, serve the rest, and keep
    /// its memory within the bound.
    async fn overload(&mut self, laptop: &Laptop, shops: &[Shop]) {
        let orders = shops.iter().cycle().take(CROWD).map(|shop| shop.single(0));
        let part = self.drive("512 callers", orders.collect()).await;
        let slowest = part.quantile(1.0);
        let memory = laptop.peak_memory();
        println!(
            "\n512 callers, one wallet for every 16: {:?}, {:.1} licences/s; the slowest answer took {:.1} s \
             (bound: {} s), memory peaked at {memory} MiB (bound: {MEMORY} MiB)",
            part.by_status(),
            part.a_second(part.done().count()),
            slowest.as_secs_f64(),
            SLOWEST.as_secs(),
        );
        let known = BTreeSet::from([201, 429, 503]);
        if part.by_status().keys().any(|status| !known.contains(status)) {
            self.broken.push(format!("overload: {:?}", part.by_status()));
        }
        let refused = |status| matches!(status, 429 | 503);
        let silent = part.heard.iter().filter(|heard| refused(heard.status) && !heard.retry_after);
        if silent.count() > 0 {
            self.broken.push("overload: a refusal has no Retry-After header".to_owned());
        }
        if slowest > SLOWEST || memory > MEMORY {
            self.broken.push("overload: a bound was exceeded".to_owned());
        }
        self.books("overload", &part, shops).await;
    }
}

fn millis(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1_000.0
}

/// Shows progress in a line that the next call overwrites, if standard error is a terminal.
fn progress(what: &str) {
    if std::io::stderr().is_terminal() {
        // If standard error is closed, there is nobody to tell.
        let _ = write!(std::io::stderr(), "\r\x1b[K{what}");
    }
}
