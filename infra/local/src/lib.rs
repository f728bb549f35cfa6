//! The whole of Purser in one process, for a laptop and for tests.
//!
//! Most modules replace one managed part of the cloud (table, stream, bus, mail) or read the
//! template that names them. None of these knows a rule of the product or another of our crates:
//! what they call and what calls them is handed in as closures, so that a piece can be read and
//! tested alone. [`system`] puts them together with the functions.

use std::pin::Pin;
use std::sync::Arc;

pub mod apps;
pub mod bus;
pub mod dead_letters;
pub mod demo;
pub mod docs;
pub mod dynamo;
pub mod folder;
pub mod functions;
pub mod gateway;
pub mod journal;
pub mod local_routes;
pub mod loopback;
pub mod pattern;
pub mod roles;
pub mod sdk;
pub mod ses;
pub mod stream;
pub mod system;
pub mod template;
pub mod timetable;

/// Where every piece reads the time, so that a test can turn it.
pub type Now = Arc<dyn Fn() -> jiff::Timestamp + Send + Sync>;

/// A future on the heap, which closures with `async` bodies hand back.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// The region that records and events name. Nothing is there; the SDK wants one.
pub const REGION: &str = "eu-central-1";

/// The account that records and events name.
pub const ACCOUNT: &str = "000000000000";
