//! Users: how they sign in, what proves who they are, and what a caller may do.
//!
//! Invariant: a secret that a user or a machine presents is never stored as plain text. Purser stores only its hash,
//! or a sealed form if the secret must be read again.

pub mod attempts;
pub mod caller;
pub mod clean_up;
pub mod credentials;
pub mod erasure;
pub mod given;
pub mod password;
pub mod second_factor;
pub mod session;
pub mod token;
pub mod user;

pub use caller::api_key::{ApiKey, EndedApiKey, KeyOwner, Keyring, OwnedKey};
pub use caller::scope::{ResellerRole, Scope, Scopes};
pub use caller::{Actor, Caller, Role, RoleName};
pub use credentials::{Credentials, SecondFactor};
pub use erasure::{Erasure, Subject};
pub use given::{GivenChallenge, GivenCode, GivenDevice, GivenToken};
pub use password::{GivenPassword, Password, PasswordHash, PasswordPolicy, WeakPassword};
pub use second_factor::{RecoveryHash, TotpSecret};
pub use session::{Login, Session, SessionLimits, Sessions};
pub use token::{LinkRequest, Purpose, Token};
pub use user::{User, UserChange, UserStatus};
