//! Provisions: purchases with credits, and their refunds.

mod body;
pub mod provision;
pub mod read;
pub mod refund;
pub mod view;

use crate::Function;
use purser_store::engine::secrets::Purpose::{Ids, Licences, Passes, Records};

pub const FUNCTIONS: &[Function] = &[
    Function::http("provision", provision::routes).with(&[Ids, Passes, Records, Licences]),
    Function::http("read-provisions", read::routes).with(&[Passes, Records]),
    Function::http("refund-provision", refund::routes).with(&[Ids, Passes, Records]),
];
