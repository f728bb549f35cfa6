//! Events: what Purser publishes on its bus about a change.
//!
//! Invariant: an event is a pure function of one item's change, so it needs no record of its own and can't get lost. It
//! carries refids and figures, but never a licence key, an address or a copy of the item.

mod changes;
pub mod due;
mod occurrence;

pub use changes::{Change, events_of};
pub use occurrence::{Occurrence, UnreadableEvent};

use serde::{Deserialize, Serialize};
use strum::{Display, EnumDiscriminants, EnumString, IntoStaticStr, VariantArray};

use crate::basic::refid::{
    ActivationRefid, ApiKeyRefid, ClientRefid, EntryRefid, LicenceRefid, ResellerRefid, UserRefid,
};
use crate::basic::time::Time;
use crate::licences::activation::EndReason;
use crate::licences::product::ProductReference;
use crate::licences::status::Suspender;
use crate::money::credits::Credits;
use crate::money::tier::Tier;
use crate::parties::client::ClientStatus;
use crate::parties::reseller::ResellerStatus;
use crate::people::caller::api_key::KeyOwner;

/// What happened. The tables in docs/events.md are made from the doc comments of this enum.
///
/// The names of the variants and of their members are the names on the bus. Consumers also receive events of other
/// versions of Purser, and ignore members that they don't know. So a member may be added, but it must be an `Option`
/// as long as events without it may still arrive.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, EnumDiscriminants)]
#[serde(tag = "detail-type", content = "detail")]
#[strum_discriminants(
    name(EventName),
    doc = "The name of an event: `detail-type` on the bus.",
    derive(PartialOrd, Ord, Hash, Display, EnumString, IntoStaticStr, VariantArray),
    strum(const_into_str),
    allow(missing_docs)
)]
pub enum Event {
    /// A client was created.
    ClientCreated {
        /// The client.
        client: ClientRefid,
        /// The reseller that the client belongs to; null for a standalone client.
        reseller: Option<ResellerRefid>,
        /// The client's first status.
        status: ClientStatus,
    },
    /// A client's status changed.
    ClientStatusChanged {
        /// The client.
        client: ClientRefid,
        /// The reseller that the client belongs to; null for a standalone client.
        reseller: Option<ResellerRefid>,
        /// The client's status before the change.
        from: ClientStatus,
        /// The client's status after the change.
        to: ClientStatus,
    },
    /// A client is to be told of its status, which changed a minute ago or, if the client was told of an earlier
    /// change, within the last hour.
    ClientNoticeFellDue {
        /// The client.
        client: ClientRefid,
    },
    /// A client was moved to another reseller.
    ClientTransferred {
        /// The client.
        client: ClientRefid,
        /// The reseller that the client belonged to; null if it was standalone.
        from: Option<ResellerRefid>,
        /// The reseller that the client belongs to now; null if it is standalone.
        to: Option<ResellerRefid>,
    },
    /// Another property of a client changed, for instance its name.
    ClientChanged {
        /// The client.
        client: ClientRefid,
        /// The reseller that the client belongs to; null for a standalone client.
        reseller: Option<ResellerRefid>,
    },
    /// A client was deleted.
    ClientDeleted {
        /// The client.
        client: ClientRefid,
        /// The reseller that the client belonged to; null if it was standalone.
        reseller: Option<ResellerRefid>,
    },
    /// A client or a user was deleted, and copies of its personal data that are stored elsewhere are to be erased.
    /// Caused twice: at once, and at least ten seconds later, for what commands that were running have stored since.
    ErasureDue {
        /// The client; null if it is a user.
        client: Option<ClientRefid>,
        /// The user; null if it is a client.
        user: Option<UserRefid>,
    },
    /// A reseller was onboarded, or applied to become one.
    ResellerOnboarded {
        /// The reseller.
        reseller: ResellerRefid,
        /// The reseller's tier.
        tier: Tier,
        /// Its first status; `pending`: it applied and awaits approval.
        status: ResellerStatus,
        /// The reseller that it was onboarded under; null if there is none.
        parent: Option<ResellerRefid>,
    },
    /// A reseller's status changed. From `pending` to `active`, its application was approved.
    ResellerStatusChanged {
        /// The reseller.
        reseller: ResellerRefid,
        /// The reseller's status before the change.
        from: ResellerStatus,
        /// Its status now; from `pending`: its application was approved.
        to: ResellerStatus,
    },
    /// Another property of a reseller changed, for instance its tier.
    ResellerChanged {
        /// The reseller.
        reseller: ResellerRefid,
        /// The reseller's tier after the change.
        tier: Tier,
    },
    /// An operator changed the e-mail address of a reseller.
    ResellerEmailChanged {
        /// The reseller.
        reseller: ResellerRefid,
    },
    /// Credits were added to a reseller's wallet by a top-up.
    CreditsAdded {
        /// The reseller.
        reseller: ResellerRefid,
        /// The number of credits.
        amount: Credits,
        /// The balance after the entry.
        balance: Credits,
        /// The number of the ledger entry in the reseller's wallet.
        sequence: u64,
    },
    /// A reseller made a purchase.
    CreditsProvisioned {
        /// The reseller.
        reseller: ResellerRefid,
        /// The provision.
        provision: EntryRefid,
        /// The number of credits that the purchase cost.
        cost: Credits,
        /// The balance after the entry.
        balance: Credits,
        /// The number of the ledger entry in the reseller's wallet.
        sequence: u64,
        /// The product; null if the purchase gave only a cost.
        product: Option<ProductReference>,
        /// The clients that the purchase was for; empty if it gave only a cost.
        clients: Vec<ClientRefid>,
    },
    /// A provision was refunded, in whole or in part, to the reseller that paid for it.
    CreditsRefunded {
        /// The reseller.
        reseller: ResellerRefid,
        /// The provision that is refunded.
        provision: Option<EntryRefid>,
        /// The number of credits.
        amount: Credits,
        /// The balance after the entry.
        balance: Credits,
        /// The number of the ledger entry in the reseller's wallet.
        sequence: u64,
    },
    /// Credits left a wallet by a transfer.
    CreditsTransferredOut {
        /// The reseller whose wallet the credits left.
        reseller: ResellerRefid,
        /// The reseller that received the credits.
        to: Option<ResellerRefid>,
        /// The number of credits.
        amount: Credits,
        /// The balance after the entry.
        balance: Credits,
        /// The number of the ledger entry in the reseller's wallet.
        sequence: u64,
    },
    /// Credits arrived in a wallet by a transfer.
    CreditsTransferredIn {
        /// The reseller in whose wallet the credits arrived.
        reseller: ResellerRefid,
        /// The reseller that sent the credits.
        from: Option<ResellerRefid>,
        /// The number of credits.
        amount: Credits,
        /// The balance after the entry.
        balance: Credits,
        /// The number of the ledger entry in the reseller's wallet.
        sequence: u64,
    },
    /// A ledger entry took the balance from at or above the reseller's threshold to below it. Changing the threshold
    /// does not cause this event.
    CreditsRanLow {
        /// The reseller.
        reseller: ResellerRefid,
        /// The balance after the entry.
        balance: Credits,
        /// The reseller's threshold.
        threshold: Credits,
    },
    /// A licence was minted.
    LicenceMinted {
        #[serde(flatten)]
        about: AboutLicence,
    },
    /// A licence was activated, by an operator or by its first installation. Its term began.
    LicenceActivated {
        #[serde(flatten)]
        about: AboutLicence,
        /// When the licence expires; null if it never does.
        expires_at: Option<Time>,
    },
    /// A licence got another term: a reseller paid for it, or an operator gave it.
    LicenceRenewed {
        #[serde(flatten)]
        about: AboutLicence,
        /// When the licence expires now; null if its first term has not begun.
        expires_at: Option<Time>,
    },
    /// A licence was suspended.
    LicenceSuspended {
        #[serde(flatten)]
        about: AboutLicence,
        /// Who suspended it. Others may have done so before.
        by: Suspender,
    },
    /// Nobody suspends a licence any more, so it is active again.
    LicenceReinstated {
        #[serde(flatten)]
        about: AboutLicence,
    },
    /// A licence was revoked.
    LicenceRevoked {
        #[serde(flatten)]
        about: AboutLicence,
    },
    /// A licence was given to another client, or found the client that it was for.
    LicenceTransferred {
        #[serde(flatten)]
        about: AboutLicence,
        /// The client that owned the licence; null if it had none.
        from: Option<ClientRefid>,
    },
    /// The key of a licence was replaced. The key before it opens nothing any more.
    LicenceKeyRotated {
        #[serde(flatten)]
        about: AboutLicence,
    },
    /// A licence ends soon. A licence that lasts 60 days or less is not told of 30 days before, one that lasts 14 days
    /// or less not of 7, and one that lasts two days or less not at all. If it is renewed meanwhile, it starts anew.
    LicenceExpiring {
        #[serde(flatten)]
        about: AboutLicence,
        /// When the licence expires.
        expires_at: Time,
        /// How many days before its end this is: 30, 7 or 1.
        days: u32,
    },
    /// A licence has expired. It may be renewed.
    LicenceExpired {
        #[serde(flatten)]
        about: AboutLicence,
        /// When it expired.
        expires_at: Time,
    },
    /// An installation took a seat of a licence. One that comes back after it gave its seat back causes this again.
    /// Here and below, client and reseller are those of when the installation took its seat.
    InstallationActivated {
        #[serde(flatten)]
        about: AboutLicence,
        /// The installation.
        activation: ActivationRefid,
    },
    /// An installation lost its seat. Whether its lease has ended is looked at when another one needs a seat, so an
    /// installation that has lapsed causes this later, or never.
    InstallationDeactivated {
        #[serde(flatten)]
        about: AboutLicence,
        /// The installation.
        activation: ActivationRefid,
        /// How it lost its seat.
        why: EndReason,
    },
    /// A user was created for a person, who has yet to set a password.
    UserInvited {
        /// The user.
        user: UserRefid,
    },
    /// A user confirmed their e-mail address for the first time.
    UserConfirmed {
        /// The user.
        user: UserRefid,
    },
    /// A user asked for another e-mail address, which is not confirmed yet.
    EmailChangeRequested {
        /// The user.
        user: UserRefid,
    },
    /// A user's e-mail address changed; the new address is confirmed.
    EmailChanged {
        /// The user.
        user: UserRefid,
    },
    /// A user replaced their password. Setting the first password does not cause this event.
    PasswordChanged {
        /// The user.
        user: UserRefid,
    },
    /// A user turned the second factor on or off.
    SecondFactorChanged {
        /// The user.
        user: UserRefid,
        /// Whether the user has a second factor now.
        on: bool,
    },
    /// A user signed in from a device that was not seen before. The user's first sign-in does not cause this event.
    SignedInFromNewDevice {
        /// The user.
        user: UserRefid,
        /// The id of the sign-in.
        login: String,
    },
    /// An API key was made.
    ApiKeyCreated {
        /// The key.
        key: ApiKeyRefid,
        /// The reseller that the key acts for; null for an operator's key.
        reseller: Option<ResellerRefid>,
        /// Whose key it is; `operator` is the deployment.
        owner: KeyOwner,
    },
    /// An API key was used for the first time.
    ApiKeyFirstUsed {
        /// The key.
        key: ApiKeyRefid,
        /// The reseller that the key acts for; null for an operator's key.
        reseller: Option<ResellerRefid>,
        /// Whose key it is; `operator` is the deployment.
        owner: KeyOwner,
    },
    /// An API key expires in two weeks. Keys that last for four weeks or less do not cause this event.
    ApiKeyExpiresSoon {
        /// The key.
        key: ApiKeyRefid,
        /// The reseller that the key acts for; null for an operator's key.
        reseller: Option<ResellerRefid>,
        /// Whose key it is; `operator` is the deployment.
        owner: KeyOwner,
    },
    /// An API key has expired. It opens nothing any more; soon after this event it ends.
    ApiKeyExpired {
        /// The key.
        key: ApiKeyRefid,
        /// The reseller that the key acted for; null for an operator's key.
        reseller: Option<ResellerRefid>,
        /// Whose key it was; `operator` is the deployment.
        owner: KeyOwner,
    },
    /// An API key ended: it was revoked, it had expired, or its owner lost one of its rights.
    ApiKeyEnded {
        /// The key.
        key: ApiKeyRefid,
        /// The reseller that the key acted for; null for an operator's key.
        reseller: Option<ResellerRefid>,
        /// Whose key it was; `operator` is the deployment.
        owner: KeyOwner,
    },
    /// Someone asked for a link by e-mail: to register, to confirm an address or to reset a password.
    LinkRequested {
        /// The id of the request.
        request: String,
    },
}

/// What every event about a licence says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AboutLicence {
    /// The licence.
    pub licence: LicenceRefid,
    /// The product that the licence is for.
    pub product: ProductReference,
    /// The client that owns the licence; null while it has none.
    pub client: Option<ClientRefid>,
    /// The reseller that sold the licence; null if none did.
    pub reseller: Option<ResellerRefid>,
}

#[cfg(test)]
mod tests;
