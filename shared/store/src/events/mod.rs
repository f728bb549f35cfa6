//! What the consumers of changes need: changes decoded from the stream, claims on events, what is due later,
//! what is to be erased, and suppressed addresses.

pub mod change;
pub mod claim;
pub mod due;
pub mod erasure;
pub mod mail_budget;
pub mod suppression;
