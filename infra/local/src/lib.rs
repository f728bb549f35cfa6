//! The whole of Purser in one process, for a laptop and for tests.
//!
//! [`cloud`] stands in for the managed parts of the cloud, [`mod@template`] reads the template that names them, and
//! [`run`] connects both with the functions.

use std::pin::Pin;
use std::sync::Arc;

pub mod cloud;
mod page;
pub mod run;
pub mod template;

/// The clock of every stand-in; a closure, so that a test can turn it.
pub type Now = Arc<dyn Fn() -> jiff::Timestamp + Send + Sync>;

pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Calls a function, by its handler, with an event in EventBridge's envelope.
pub type Target = Arc<dyn Fn(String, serde_json::Value) -> BoxFuture<'static, Result<(), String>> + Send + Sync>;

/// The region in records and events. Nothing is there, but the SDK requires a region.
pub const REGION: &str = "eu-central-1";

pub const ACCOUNT: &str = "000000000000";
