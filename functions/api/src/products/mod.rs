//! Products: what resellers buy licences of.

pub mod read;
pub mod view;
pub mod write;

use crate::Function;
use purser_store::engine::secrets::Purpose::{Ids, Passes, Records};

pub const FUNCTIONS: &[Function] = &[
    Function::http("read-products", read::routes).with(&[Passes]),
    Function::http("write-products", write::routes).with(&[Ids, Passes, Records]),
];
