//! What follows from changes: changes read back from the stream, the claims of consumers, addresses not to mail.

pub mod change;
pub mod claim;
pub mod suppression;
