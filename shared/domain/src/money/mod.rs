//! Credits: prices, wallets, the ledger, and what resellers buy, refund and transfer.
//!
//! Invariant: a balance changes only together with a ledger entry that says why.

pub mod checkpoint;
pub mod credits;
pub mod entry;
pub mod provision;
pub mod refund;
pub mod tier;
pub mod transfer;
pub mod wallet;

pub use checkpoint::{PublicKey, Signature, WalletHead};
pub use credits::{Amount, Credits, Threshold};
pub use entry::{Entry, EntryHash, EntryType, Refund, Sale, Sequence, Waypoint};
pub use provision::{MOST_CLIENTS, Quantity};
pub use refund::Refunds;
pub use tier::{BasisPoints, Discounts, Tier};
pub use wallet::{Particulars, Wallet};
