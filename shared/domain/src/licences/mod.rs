//! Products, and the licences that are minted when a product is sold.
//!
//! Invariant: a licence does not change when its product does.

pub mod licence;
pub mod product;

pub use licence::{Licence, LicenceKey, LicenceStatus};
#[cfg(feature = "schema")]
pub use product::NewProductReference;
pub use product::{Days, ParallelUses, Product, ProductChange, ProductReference, Terms, TermsError, TermsKind};
