//! Provisions: purchases with credits, and their refunds.

mod body;
pub mod provision;
pub mod read;
pub mod refund;
pub mod view;

use crate::Function;

pub const FUNCTIONS: &[Function] = &[
    Function::http("provision", provision::routes),
    Function::http("read-provisions", read::routes),
    Function::http("refund-provision", refund::routes),
];
