//! Products, and the licences that are minted when a product is sold.
//!
//! Invariant: a licence does not change when its product does.

pub mod activation;
pub mod judgement;
pub mod key;
pub mod licence;
pub mod notes;
pub mod product;
pub mod rules;
pub mod signature;
pub mod status;
pub mod tenure;
pub mod term;

pub use activation::{Activation, ActivationStatus, EndReason, Ended, Moment, Program, Replace, Seat, Seats};
pub use judgement::{Fingerprint, Installation, NamedProduct, Nonce, Outcome, Question};
pub use key::{KeyFormat, KeyHint, LicenceKey, TypedKey};
pub use licence::{Licence, LicenceChange, LicenceOwner};
pub use notes::{Comments, LicenceNotes, NotesChange};
#[cfg(feature = "schema")]
pub use product::NewProductReference;
pub use product::{
    Grants, GrantsChange, ParallelUses, Product, ProductChange, ProductReference, Terms, TermsError, TermsKind,
};
pub use rules::{Domain, DomainRule, Feature, IpRange, MOST_RULES};
pub use signature::{AnswerKey, AnswerSignature, KeyStatus, KeyUse, PublishedKey, SigningKeyId, VerificationKey};
pub use status::{LicenceStatus, ShownStatus, Step, Suspender};
pub use tenure::{RunNumber, Tenure};
pub use term::{Days, Lease, Term};
