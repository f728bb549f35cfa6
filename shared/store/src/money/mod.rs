//! Credits in the table: wallets, entries, provisions, refunds, transfers, checkpoints.

pub mod checkpoint;
pub mod credits;
pub mod entry;
pub mod provision;
pub mod refund;
pub mod sold;
pub mod transfer;
pub mod wallet;
