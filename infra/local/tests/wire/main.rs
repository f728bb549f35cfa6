//! Tests of the stand-ins with the SDK clients that the functions use.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::sync::Arc;

use jiff::Timestamp;
use purser_local::Now;
use purser_local::cloud::dead_letters::DeadLetters;

macro_rules! config {
    ($sdk:ident, $endpoint:expr) => {
        $sdk::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new(purser_local::REGION))
            .credentials_provider(Credentials::new("local", "local", None, None, "local"))
            .endpoint_url($endpoint)
            .build()
    };
}

mod bus;
mod mail;
mod table;

fn now() -> Now {
    Arc::new(|| Timestamp::from_second(1_700_000_000).unwrap())
}

fn none_dead() -> DeadLetters {
    DeadLetters::open(None, now()).unwrap()
}
