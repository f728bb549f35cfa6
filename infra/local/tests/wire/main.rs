//! Tests of the stand-ins with the SDK clients that the functions use.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::sync::Arc;

use jiff::Timestamp;
use purser_local::Now;
use purser_local::cloud::dead_letters::DeadLetters;
use purser_local::cloud::inside::Services;
use purser_local::run::sdk::settings;

mod bus;
mod mail;
mod table;

fn now() -> Now {
    Arc::new(|| Timestamp::from_second(1_700_000_000).unwrap())
}

/// The settings of clients that reach these services.
async fn reaching(services: &Arc<Services>) -> aws_config::SdkConfig {
    settings(services.client()).await
}

fn none_dead() -> DeadLetters {
    DeadLetters::open(None, now()).unwrap()
}
