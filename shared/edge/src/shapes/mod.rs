//! The shapes of resources in JSON (docs/rules.md, "Answers"): what every function shows of the same thing.
//!
//! Invariant: a member that stands here stays; nothing is shown that is not listed here.

mod checkpoints;
mod figures;
mod goods;
mod ledger;
mod parties;
mod users;
mod values;

pub use checkpoints::{CheckpointPartShape, WalletHeadShape};
pub use figures::RecountShape;
pub use goods::{LicenceShape, LicenceStatusShape, ProductShape, TermsShape};
pub use ledger::{
    BulkProvisionShape, CounterpartyShape, EntryShape, EntryTypeShape, ProvisionShape, RefundShape, SaleShape,
    SoldShape, WalletShape,
};
pub use parties::{ApiKeyShape, ClientShape, ClientStatusShape, ResellerShape, ResellerStatusShape, TierShape};
pub use users::{
    LoginShape, RoleShape, SessionShape, SessionTokenShape, StaleReasonShape, StaleUserShape, UserShape,
    UserStatusShape,
};
pub use values::{
    AmountShape, ApiKeyRefidShape, ChallengeShape, ClientIdShape, ClientRefidShape, CodeShape, CreditsShape, DayShape,
    DescriptionShape, DeviceShape, EmailShape, EntryRefidShape, HashShape, IdempotencyKeyShape, LicenceRefidShape,
    MetadataShape, NameShape, NewPasswordShape, NewReferenceShape, PasswordShape, PhoneShape, PictureShape,
    ProductReferenceShape, ProvisionRefidShape, PublicKeyShape, ReferenceShape, ResellerRefidShape, SequenceShape,
    SignatureShape, SumShape, ThresholdShape, TokenShape, UserRefidShape,
};
