//! API keys: how machines call.
//!
//! Invariant: the secret half of a key is never kept, only its SHA-256; a key has the one role it was made for.

use serde::{Deserialize, Serialize};

use crate::basic::refid::ApiKeyRefid;
use crate::basic::text::Name;
use crate::basic::time::Time;
use crate::people::caller::Role;

/// A key as it is kept.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ApiKey {
    /// Its public half.
    pub refid: ApiKeyRefid,
    /// What it is for.
    pub name: Name,
    /// The role it gives.
    pub role: Role,
    /// SHA-256 of the secret half, hexadecimal.
    pub secret_sha256: String,
    /// When it was made.
    pub created_at: Time,
    /// Always 1: a key is made and revoked, never changed.
    pub version: u64,
}
