//! What belongs to no noun: health, the API's document, and paths that are nobody's.

pub mod fallback;
pub mod front;
pub mod openapi;

use crate::Function;

/// The functions of this room.
pub const FUNCTIONS: &[Function] = &[Function::stateless("front", front::routes)];
