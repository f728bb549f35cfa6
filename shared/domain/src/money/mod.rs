//! Credits: prices, wallets, the entries of the ledger, and what is bought, refunded and transferred.

pub mod checkpoint;
pub mod credits;
pub mod entry;
pub mod provision;
pub mod refund;
pub mod tier;
pub mod transfer;
pub mod wallet;
