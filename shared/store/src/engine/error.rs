//! What can go wrong in the store.
//!
//! Invariant: a refusal is a fact a consistent reader would have seen; contention and outages are told apart
//! from it, because only they are worth another try.

use purser_domain::Refusal;

/// Why a command or a read did not happen.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The rules refuse it; nothing changed.
    #[error("refused: {}", .0.code())]
    Refused(Refusal),
    /// Others kept it from happening until the deadline; the caller may try again.
    #[error("the table was too busy until the deadline")]
    Busy,
    /// The table could not be reached or answered with something unforeseen.
    #[error("the table failed: {0}")]
    Failed(String),
    /// An item does not have the form this version writes.
    #[error("an item can't be read: {0}")]
    Unreadable(String),
}

impl From<Refusal> for StoreError {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

/// What the log of a consumer says of it: the message names nobody.
impl From<StoreError> for String {
    fn from(error: StoreError) -> Self {
        error.to_string()
    }
}
