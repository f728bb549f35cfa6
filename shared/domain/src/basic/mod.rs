//! The values that the other modules are made of: text, times, e-mail addresses and refids.
//!
//! Invariant: a value that exists passed its check.

pub mod choice;
pub mod email;
pub(crate) mod hex;
pub mod number;
pub mod one_to;
pub mod refid;
#[cfg(feature = "schema")]
pub mod schema;
pub mod stored;
pub mod text;
pub mod time;

pub use email::EmailAddress;
pub use one_to::{OneTo, UpTo};
pub use refid::{
    ActivationRefid, ApiKeyRefid, ClientRefid, EntryRefid, LicenceRefid, Prefix, RecordCode, ResellerRefid, UserRefid,
};
pub use stored::as_stored;
pub use text::{ClientId, Description, Name, Phone, Reference};
pub use time::{Day, Hour, Time};
