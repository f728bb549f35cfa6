//! Events: what the rest of Purser is told of a change.
//!
//! Invariant: an event is a pure function of one item's change, so nothing is written twice and nothing is
//! forgotten; it carries refids and figures, never a licence key, an address or an image of the item.

mod changes;

pub use changes::{Change, events_of};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use strum::{EnumDiscriminants, EnumString, IntoStaticStr, VariantArray};

use crate::basic::refid::{ClientRefid, EntryRefid, LicenceRefid, ResellerRefid, UserRefid};
use crate::basic::time::Time;
use crate::licences::product::ProductReference;
use crate::money::credits::Credits;
use crate::money::tier::Tier;
use crate::parties::client::ClientStatus;
use crate::parties::reseller::ResellerStatus;

/// What happened. The doc comments are the tables of docs/events.md.
///
/// Members go over the bus by these names. Events of another version of Purser arrive, too: a consumer ignores members
/// it doesn't know, so a member may be added, and must be an `Option` as long as events without it may be on their way.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, EnumDiscriminants)]
#[serde(tag = "detail-type", content = "detail")]
#[strum_discriminants(
    name(EventName),
    doc = "The name of an event: `detail-type` on the bus.",
    derive(PartialOrd, Ord, Hash, EnumString, IntoStaticStr, VariantArray),
    allow(missing_docs)
)]
pub enum Event {
    /// A client was created.
    ClientCreated {
        /// The client.
        client: ClientRefid,
        /// The reseller it belongs to; null for a standalone client.
        reseller: Option<ResellerRefid>,
        /// Its first status.
        status: ClientStatus,
    },
    /// A client's status changed.
    ClientStatusChanged {
        /// The client.
        client: ClientRefid,
        /// The reseller it belongs to; null for a standalone client.
        reseller: Option<ResellerRefid>,
        /// Its status before.
        from: ClientStatus,
        /// Its status now.
        to: ClientStatus,
    },
    /// A client was moved to another reseller.
    ClientTransferred {
        /// The client.
        client: ClientRefid,
        /// The reseller it belonged to; null if it was standalone.
        from: Option<ResellerRefid>,
        /// The reseller it belongs to now; null if it is standalone.
        to: Option<ResellerRefid>,
    },
    /// Something else of a client changed, for instance its name.
    ClientChanged {
        /// The client.
        client: ClientRefid,
        /// The reseller it belongs to; null for a standalone client.
        reseller: Option<ResellerRefid>,
    },
    /// A client was deleted.
    ClientDeleted {
        /// The client.
        client: ClientRefid,
        /// The reseller it belonged to; null if it was standalone.
        reseller: Option<ResellerRefid>,
    },
    /// A reseller was onboarded, or applied to become one.
    ResellerOnboarded {
        /// The reseller.
        reseller: ResellerRefid,
        /// Its tier.
        tier: Tier,
        /// Its first status; `pending` is an application.
        status: ResellerStatus,
        /// The reseller above it; null if there is none.
        parent: Option<ResellerRefid>,
    },
    /// A reseller's status changed. From `pending` to `active`, its application was approved.
    ResellerStatusChanged {
        /// The reseller.
        reseller: ResellerRefid,
        /// Its status before.
        from: ResellerStatus,
        /// Its status now.
        to: ResellerStatus,
    },
    /// Something else of a reseller changed, for instance its tier.
    ResellerChanged {
        /// The reseller.
        reseller: ResellerRefid,
        /// Its tier now.
        tier: Tier,
    },
    /// A reseller topped up.
    CreditsAdded {
        /// The reseller.
        reseller: ResellerRefid,
        /// How many credits.
        amount: Credits,
        /// The balance after it.
        balance: Credits,
        /// The number of the ledger entry in the reseller's wallet.
        sequence: u64,
    },
    /// A reseller purchased.
    CreditsProvisioned {
        /// The reseller.
        reseller: ResellerRefid,
        /// The provision.
        provision: EntryRefid,
        /// How many credits it cost.
        cost: Credits,
        /// The balance after it.
        balance: Credits,
        /// The number of the ledger entry in the reseller's wallet.
        sequence: u64,
        /// The product; null if only a cost was given.
        product: Option<ProductReference>,
        /// The clients it was for; empty if only a cost was given.
        clients: Vec<ClientRefid>,
    },
    /// A reseller got credits back for a provision.
    CreditsRefunded {
        /// The reseller.
        reseller: ResellerRefid,
        /// The provision that is refunded.
        provision: Option<EntryRefid>,
        /// How many credits.
        amount: Credits,
        /// The balance after it.
        balance: Credits,
        /// The number of the ledger entry in the reseller's wallet.
        sequence: u64,
    },
    /// Credits left a wallet for another one.
    CreditsTransferredOut {
        /// The reseller whose wallet they left.
        reseller: ResellerRefid,
        /// The reseller that got them.
        to: Option<ResellerRefid>,
        /// How many credits.
        amount: Credits,
        /// The balance after it.
        balance: Credits,
        /// The number of the ledger entry in the reseller's wallet.
        sequence: u64,
    },
    /// Credits arrived in a wallet from another one.
    CreditsTransferredIn {
        /// The reseller in whose wallet they arrived.
        reseller: ResellerRefid,
        /// The reseller that gave them.
        from: Option<ResellerRefid>,
        /// How many credits.
        amount: Credits,
        /// The balance after it.
        balance: Credits,
        /// The number of the ledger entry in the reseller's wallet.
        sequence: u64,
    },
    /// A ledger entry took a balance from at or above the reseller's threshold to below it. A changed threshold does
    /// not.
    CreditsRanLow {
        /// The reseller.
        reseller: ResellerRefid,
        /// The balance after the entry.
        balance: Credits,
        /// The threshold.
        threshold: Credits,
    },
    /// A licence was minted.
    LicenceMinted {
        /// The licence.
        licence: LicenceRefid,
        /// The product it is of.
        product: ProductReference,
        /// The client that owns it; null while it is unlinked.
        client: Option<ClientRefid>,
        /// The reseller that sold it; null if none did.
        reseller: Option<ResellerRefid>,
    },
    /// A licence was revoked.
    LicenceRevoked {
        /// The licence.
        licence: LicenceRefid,
        /// The product it is of.
        product: ProductReference,
        /// The client that owns it; null while it is unlinked.
        client: Option<ClientRefid>,
        /// The reseller that sold it; null if none did.
        reseller: Option<ResellerRefid>,
    },
    /// An account was made for a person, who has yet to set a password.
    UserInvited {
        /// The user.
        user: UserRefid,
    },
    /// A user confirmed the e-mail address for the first time.
    UserConfirmed {
        /// The user.
        user: UserRefid,
    },
    /// A user's e-mail address changed, and the new one is confirmed.
    EmailChanged {
        /// The user.
        user: UserRefid,
    },
    /// A user set another password. The first one is no change.
    PasswordChanged {
        /// The user.
        user: UserRefid,
    },
    /// A user turned the second factor on or off.
    SecondFactorChanged {
        /// The user.
        user: UserRefid,
        /// Whether there is one now.
        on: bool,
    },
    /// A user signed in from a device that was not seen before. The user's first sign-in is none.
    SignedInFromNewDevice {
        /// The user.
        user: UserRefid,
        /// The sign-in.
        login: String,
    },
    /// Somebody asked for a link by e-mail: to register, to confirm an address or to reset a password.
    LinkRequested {
        /// The request.
        request: String,
    },
}

impl EventName {
    /// The name on the bus.
    pub fn as_str(self) -> &'static str {
        self.into()
    }

    /// Every name.
    pub const ALL: &[Self] = Self::VARIANTS;
}

impl std::fmt::Display for EventName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Why an event can't be read. It quotes nothing of the members, which may be personal, because it is logged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum UnreadableEvent {
    /// A name that no event of this version has.
    #[error("no event has this name")]
    Unknown,
    /// Members that the event of this name does not have.
    #[error("the members of the {0} are not what they should be")]
    Members(EventName),
}

impl Event {
    /// Its name.
    pub fn name(&self) -> EventName {
        self.into()
    }

    /// Its members as a JSON object: `detail` on the bus.
    pub fn detail(&self) -> Result<Value, serde_json::Error> {
        let mut tagged = serde_json::to_value(self)?;
        Ok(tagged.get_mut("detail").map(Value::take).unwrap_or_default())
    }

    /// Reads the members of the event that is called `name`; what else is in `detail` is ignored.
    pub fn read(name: &str, detail: &Value) -> Result<Self, UnreadableEvent> {
        let name: EventName = name.parse().map_err(|_| UnreadableEvent::Unknown)?;
        let tagged = json!({"detail-type": name.as_str(), "detail": detail});
        serde_json::from_value(tagged).map_err(|_| UnreadableEvent::Members(name))
    }
}

/// An event that happened at some time, as the bus is told of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Occurrence {
    /// refid : version : name. It is the same however often the event is delivered; consumers claim it before they act.
    pub id: String,
    /// When it happened.
    pub time: Time,
    /// What happened.
    pub event: Event,
}

#[cfg(test)]
mod tests;
