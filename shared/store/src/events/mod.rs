//! What the consumers of changes need: changes decoded from the stream, claims on events, and suppressed addresses.

pub mod change;
pub mod claim;
pub mod due;
pub mod mail_budget;
pub mod suppression;
