//! What the vendor keeps with a licence for itself: comments and metadata. Programs never see it.
//!
//! Invariant: notes are apart from the licence, so that each activation and validation reads and writes less.

use serde::{Deserialize, Serialize};

use crate::basic::refid::{LicenceRefid, RecordCode};
use crate::basic::text::text_type;
use crate::basic::time::Time;
use crate::parties::metadata::Metadata;

text_type!(
    /// Comments on a licence, for the vendor's and the reseller's people.
    Comments, most 2000, example "Replaces a key of the old shop"
);

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LicenceNotes {
    pub licence: LicenceRefid,
    pub comments: Option<Comments>,
    /// Free data of the callers. The store seals it (rule A6), so it is not part of the document.
    #[serde(skip)]
    pub metadata: Metadata,
    /// The record of the command that minted the licence, whose answer names the licence's owner.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub record: Option<RecordCode>,
    pub created_at: Time,
    pub updated_at: Time,
    /// 0 as long as nothing is stored.
    pub version: u64,
}

/// The changes to make to notes; `None` leaves a field as it is.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct NotesChange {
    /// `Some(None)` removes the comments.
    pub comments: Option<Option<Comments>>,
    /// The whole metadata, after the merge.
    pub metadata: Option<Metadata>,
}

impl LicenceNotes {
    /// The notes of a licence as long as nothing is noted.
    pub fn none_of(licence: LicenceRefid, now: Time) -> Self {
        let metadata = Metadata::default();
        Self { licence, comments: None, metadata, record: None, created_at: now, updated_at: now, version: 0 }
    }

    /// The notes with `change` applied; `None` if that changes nothing.
    pub fn changed(&self, change: NotesChange, now: Time) -> Option<Self> {
        let next = Self {
            comments: change.comments.unwrap_or_else(|| self.comments.clone()),
            metadata: change.metadata.unwrap_or_else(|| self.metadata.clone()),
            ..self.clone()
        };
        let differs = next != *self;
        differs.then(|| Self { updated_at: now.max(self.updated_at), version: self.version + 1, ..next })
    }
}
