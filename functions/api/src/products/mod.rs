//! Products: what resellers buy licences of.

pub mod read;
pub mod view;
pub mod write;

use crate::Function;

pub const FUNCTIONS: &[Function] =
    &[Function::http("read-products", read::routes), Function::http("write-products", write::routes)];
