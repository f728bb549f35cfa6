//! HTTP that belongs to no noun: the health check, the API's document, and the answer for paths without a route.

pub mod fallback;
pub mod front;
#[cfg(feature = "document")]
pub mod openapi;

use crate::Function;

pub const FUNCTIONS: &[Function] = &[Function::stateless("front", front::routes)];
