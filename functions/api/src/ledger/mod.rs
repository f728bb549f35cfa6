//! The ledger: top-ups, transfers, ledger entries, and the verification that they add up.

pub mod add_credits;
pub mod read;
pub mod read_checkpoints;
pub mod transfer;
pub mod view;

use crate::Function;
use purser_store::engine::secrets::Purpose::{Ids, Passes, Records};

pub const FUNCTIONS: &[Function] = &[
    Function::http("add-credits", add_credits::routes).with(&[Ids, Passes, Records]),
    Function::http("transfer-credits", transfer::routes).with(&[Ids, Passes, Records]),
    Function::http("read-ledger", read::routes).with(&[Passes]),
    Function::http("read-checkpoints", read_checkpoints::routes).with(&[Passes]),
];
