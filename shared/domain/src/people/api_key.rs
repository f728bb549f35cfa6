//! API keys: how machines authenticate.
//!
//! Invariant: the secret half of a key is never stored, only its SHA-256. A key has exactly the role that it was
//! created with.

use serde::{Deserialize, Serialize};

use crate::basic::refid::ApiKeyRefid;
use crate::basic::text::Name;
use crate::basic::time::Time;
use crate::people::caller::Role;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ApiKey {
    pub refid: ApiKeyRefid,
    pub name: Name,
    pub role: Role,
    /// The SHA-256 of the secret half, in hexadecimal.
    pub secret_sha256: String,
    pub created_at: Time,
    /// Always 1: a key is created and revoked, but never changed.
    pub version: u64,
}
