//! Products: what is sold.

pub mod read;
pub mod view;
pub mod write;

use crate::Function;

/// The functions of this room.
pub const FUNCTIONS: &[Function] =
    &[Function::http("read-products", read::routes), Function::http("write-products", write::routes)];
