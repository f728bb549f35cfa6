//! The pieces that let one process on a laptop stand in for the cloud.
//!
//! Each module replaces one managed part (table, stream, bus, mail) or reads the template that
//! names them. None of them knows a rule of the product or another of our crates: what they call
//! and what calls them is handed in as closures, so that a piece can be read and tested alone.

use std::pin::Pin;
use std::sync::Arc;

pub mod bus;
pub mod dead_letters;
pub mod dynamo;
pub mod journal;
pub mod loopback;
pub mod pattern;
pub mod ses;
pub mod stream;
pub mod template;

/// Where every piece reads the time, so that a test can turn it.
pub type Now = Arc<dyn Fn() -> jiff::Timestamp + Send + Sync>;

/// A future on the heap, which closures with `async` bodies hand back.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// The region that records and events name. Nothing is there; the SDK wants one.
pub const REGION: &str = "eu-central-1";

/// The account that records and events name.
pub const ACCOUNT: &str = "000000000000";
