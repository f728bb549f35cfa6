//! What a process has: configuration, clock, logs, metrics, and its ways to AWS.

pub mod app;
pub mod clock;
pub mod config;
pub mod logs;
pub mod mail;
pub mod metrics;
pub mod sdk;
