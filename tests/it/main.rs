//! What Purser promises, tested through the doors its users use; the tree mirrors the API.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::too_many_lines,
    reason = "a test stops where something is not as it should be; a table is as long as it has cases"
)]

mod account_mails;
mod accounts;
mod analytics;
mod api_keys;
mod bad_input;
mod budgets;
mod bulk;
mod captcha;
mod checkpoints;
mod client_bindings;
mod client_changes;
mod client_deletion;
mod clients;
mod configuration;
mod credits;
mod deploying;
mod edge;
mod exactly_once;
mod failures;
mod faults;
mod history;
mod holds;
mod isolation;
mod laptop;
mod ledger;
mod limits;
mod lists;
mod logs;
mod low_credit;
mod mails;
mod operations;
mod overload;
mod pages;
mod parity;
mod products;
mod provisions;
mod quotes;
mod refunds;
mod resellers;
mod rights;
mod sessions;
mod sign_up;
mod simulation;
mod stored;
mod stream;
mod sub_resellers;
mod tidy;
mod transfers;
mod undelivered;
mod walk;
