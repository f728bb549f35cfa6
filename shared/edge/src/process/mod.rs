//! What every function's process needs: its state, configuration, clock, logs, metrics, e-mail and AWS clients.

pub mod app;
pub mod clock;
pub mod config;
pub mod gate;
pub mod keeper;
pub mod logs;
pub mod mail;
pub mod metrics;
pub mod sdk;
pub mod security;
