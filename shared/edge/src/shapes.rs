//! The shapes of resources in JSON (SPEC, "Shapes"): what every function shows of the same thing.
//!
//! Invariant: a member that stands here stays; nothing is shown that is not listed here.

mod goods;
mod ledger;
mod parties;

pub use goods::{LicenceShape, ProductReferenceShape, ProductShape, TermsShape};
pub use ledger::{
    BulkProvisionShape, EntryShape, ProvisionShape, SaleShape, SoldShape, WalletShape,
};
pub use parties::{
    ApiKeyShape, ClientShape, ClientStatusShape, RefidShape, ResellerShape, ResellerStatusShape,
    TierShape,
};
