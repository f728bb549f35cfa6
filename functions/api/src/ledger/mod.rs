//! The ledger: top-ups, transfers, ledger entries, and the verification that they add up.

pub mod add_credits;
pub mod read;
pub mod read_checkpoints;
pub mod transfer;
pub mod view;

use crate::Function;

pub const FUNCTIONS: &[Function] = &[
    Function::http("add-credits", add_credits::routes),
    Function::http("transfer-credits", transfer::routes),
    Function::http("read-ledger", read::routes),
    Function::http("read-checkpoints", read_checkpoints::routes),
];
