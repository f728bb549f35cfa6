//! The whole of Purser in one process, for a laptop and for tests.
//!
//! [`cloud`] stands in for managed parts of the cloud, [`mod@template`] reads the template that names them, and [`run`]
//! puts both together with the functions.

use std::pin::Pin;
use std::sync::Arc;

pub mod cloud;
pub mod run;
pub mod template;

/// Where every piece reads the time, so that a test can turn it.
pub type Now = Arc<dyn Fn() -> jiff::Timestamp + Send + Sync>;

/// A future on the heap, which closures with `async` bodies hand back.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Calls a function, by its name, with an event in EventBridge's envelope.
pub type Target = Arc<dyn Fn(String, serde_json::Value) -> BoxFuture<'static, Result<(), String>> + Send + Sync>;

/// The region that records and events name. Nothing is there; the SDK wants one.
pub const REGION: &str = "eu-central-1";

/// The account that records and events name.
pub const ACCOUNT: &str = "000000000000";
