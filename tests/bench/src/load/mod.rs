//! Load on the real `purser`, sent over HTTP from another process: how much it sells a second, and whether it loses
//! anything.
//!
//! Invariant: callers, calls and time are bounded, and everything stays on 127.0.0.1. Answers are examined after the
//! clock has stopped, so that examining them does not distort the measurement.

pub mod raw;
pub mod shop;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use axum::body::Bytes;
use reqwest::{Client, Request};
use tokio::task::JoinSet;

/// The request that one caller sends again and again, each time under a new idempotency key.
#[derive(Debug, Clone)]
pub struct Order {
    pub url: String,
    pub key: String,
    pub body: String,
}

/// The end of a part: whichever bound is reached first.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    pub time: Duration,
    /// The maximum number of calls, of all callers together.
    pub calls: usize,
}

/// An answer, or the lack of one.
#[derive(Debug)]
pub struct Heard {
    /// The HTTP status; 0 if there was no answer.
    pub status: u16,
    pub took: Duration,
    /// The number of calls to the table, if the answer states it; otherwise 0.
    pub calls: u32,
    pub retry_after: bool,
    pub body: Bytes,
}

#[derive(Debug)]
pub struct Part {
    pub heard: Vec<Heard>,
    /// The time from the first call to the last answer.
    pub took: Duration,
}

/// Starts one caller per order; each sends its order until a bound is reached. Calls `tick` five times a second with
/// the number of answers so far.
pub async fn drive(orders: Vec<Order>, bounds: Bounds, tick: impl Fn(usize)) -> Part {
    let (begun, count) = (Instant::now(), Arc::new(AtomicUsize::new(0)));
    let sent = Arc::new(AtomicUsize::new(0));
    let mut callers = JoinSet::new();
    for (place, order) in orders.into_iter().enumerate() {
        let (count, sent) = (Arc::clone(&count), Arc::clone(&sent));
        callers.spawn(async move {
            // Each caller has a connection of its own, as callers on different machines would.
            let http = Client::builder().pool_max_idle_per_host(1).build();
            let http = http.expect("a client");
            let mut heard = Vec::new();
            while begun.elapsed() < bounds.time && sent.fetch_add(1, Ordering::Relaxed) < bounds.calls {
                let key = format!("caller-{place}-{}", heard.len());
                heard.push(ask(&http, order.request(&http, &key)).await);
                count.fetch_add(1, Ordering::Relaxed);
            }
            heard
        });
    }
    let mut heard = Vec::new();
    let mut pulse = tokio::time::interval(Duration::from_millis(200));
    loop {
        tokio::select! {
            done = callers.join_next() => match done {
                Some(done) => heard.extend(done.expect("a caller")),
                None => break,
            },
            _ = pulse.tick() => tick(count.load(Ordering::Relaxed)),
        }
    }
    Part { heard, took: begun.elapsed() }
}

impl Order {
    fn request(&self, http: &Client, key: &str) -> Request {
        let request = http.post(&self.url).bearer_auth(&self.key);
        let request =
            request.header("content-type", "application/json").header("idempotency-key", key).body(self.body.clone());
        request.build().expect("a request")
    }
}

async fn ask(http: &Client, request: Request) -> Heard {
    let asked = Instant::now();
    let (mut status, mut calls, mut retry_after, mut body) = (0, 0, false, Bytes::new());
    if let Ok(response) = http.execute(request).await {
        let header = |name: &str| response.headers().get(name)?.to_str().ok();
        let cost = header("purser-cost").unwrap_or_default();
        let said = cost.split_whitespace().next();
        calls = said.and_then(|said| said.strip_prefix("calls=")?.parse().ok()).unwrap_or_default();
        retry_after = header("retry-after").is_some();
        let answered = response.status().as_u16();
        if let Ok(bytes) = response.bytes().await {
            (status, body) = (answered, bytes);
        }
    }
    Heard { status, took: asked.elapsed(), calls, retry_after, body }
}

impl Part {
    pub fn by_status(&self) -> BTreeMap<u16, usize> {
        let mut counts = BTreeMap::new();
        for heard in &self.heard {
            *counts.entry(heard.status).or_default() += 1;
        }
        counts
    }

    /// The answers of successful purchases.
    pub fn done(&self) -> impl Iterator<Item = &Heard> {
        self.heard.iter().filter(|heard| heard.status == 201)
    }

    /// The time within which this share of the answers arrived; for 1, the time of the slowest answer.
    pub fn quantile(&self, share: f64) -> Duration {
        let mut all: Vec<Duration> = self.heard.iter().map(|heard| heard.took).collect();
        all.sort_unstable();
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            clippy::cast_precision_loss,
            reason = "an index into a list of some thousands"
        )]
        let place = (all.len() as f64 * share).ceil() as usize;
        let place = place.clamp(1, all.len().max(1)) - 1;
        all.get(place).copied().unwrap_or_default()
    }

    #[expect(clippy::cast_precision_loss, reason = "the number is only printed")]
    pub fn a_second(&self, count: usize) -> f64 {
        count as f64 / self.took.as_secs_f64()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_of_what_was_heard() {
        let heard = |millis| Heard {
            status: 201,
            took: Duration::from_millis(millis),
            calls: 3,
            retry_after: false,
            body: Bytes::new(),
        };
        let part = Part { heard: (1..=100).rev().map(heard).collect(), took: Duration::from_secs(2) };
        for (share, millis) in [(0.5, 50), (0.99, 99), (1.0, 100)] {
            assert_eq!(part.quantile(share), Duration::from_millis(millis));
        }
        assert!((part.a_second(part.done().count()) - 50.0).abs() < 1e-9);
    }
}
