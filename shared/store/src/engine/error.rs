//! What can go wrong in the store.
//!
//! Invariant: a refusal rests on a strongly consistent read. Contention and outages are kept apart from refusals,
//! because only they are worth another try.

use purser_domain::Refusal;

#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// A rule refuses the command; nothing changed.
    #[error("refused: {}", .0.code())]
    Refused(Refusal),
    /// The table was too busy or could not be reached. A command reports this only after trying until its deadline.
    /// The caller may try again.
    #[error("the table was too busy or could not be reached")]
    Busy,
    /// Something else failed, such as a call to the table that must not be retried.
    #[error("the store failed: {0}")]
    Failed(String),
    /// An item does not have the form that this version of Purser writes.
    #[error("an item can't be read: {0}")]
    Unreadable(String),
}

impl From<Refusal> for StoreError {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

/// The message goes into the log of a consumer, so it must not name a person.
impl From<StoreError> for String {
    fn from(error: StoreError) -> Self {
        error.to_string()
    }
}
