//! The table of figures: each with its name, and what one thing adds to it.
//!
//! Invariant: nothing but this table says what is counted; a figure that is added here is kept from then on, and for
//! all that was before once the figures are rebuilt.

use serde::{Deserialize, Serialize};

use super::Counts;
use crate::licences::licence::{Licence, LicenceStatus};
use crate::money::entry::{Entry, EntryType};
use crate::parties::client::ClientStatus;
use crate::parties::reseller::{Reseller, ResellerStatus};

/// Clients.
pub const CLIENTS: &str = "clients";
/// Clients in each status.
pub const PENDING: &str = ClientStatus::Pending.as_str();
/// Active ones.
pub const ACTIVE: &str = ClientStatus::Active.as_str();
/// Suspended ones.
pub const SUSPENDED: &str = ClientStatus::Suspended.as_str();
/// Inactive ones.
pub const INACTIVE: &str = ClientStatus::Inactive.as_str();
/// Clients of no reseller.
pub const STANDALONE: &str = "standalone";
/// Clients of resellers.
pub const RESOLD: &str = "resold";
/// Credits added by top-ups.
pub const DISTRIBUTED: &str = "distributed";
/// Credits that purchases cost, less those that returned.
pub const SPENT: &str = "spent";
/// What all entries add to balances.
pub const OUTSTANDING: &str = "outstanding";
/// Licences.
pub const MINTED: &str = "minted";
/// Licences in use.
pub const ACTIVE_LICENCES: &str = "active_licences";
/// Before the reference of a product: its licences that were not revoked.
pub const OF_PRODUCT: &str = "product:";
/// Before the name of a tier: resellers in it.
pub const IN_TIER: &str = "tier:";

/// What one thing of a kind adds to a figure.
#[derive(Debug, Clone, Copy)]
enum Adds {
    /// By its status, and whether it is resold.
    Client(fn(ClientStatus, bool) -> i64),
    Entry(fn(&Entry) -> i64),
    Licence(fn(&Licence) -> i64),
    /// To a figure for each product.
    LicenceOfProduct(fn(&Licence) -> i64),
    /// To a figure for each tier.
    ResellerInTier(fn(&Reseller) -> i64),
}

/// Every figure.
const METRICS: &[(&str, Adds)] = &[
    (CLIENTS, Adds::Client(|_, _| 1)),
    (PENDING, Adds::Client(|it, _| i64::from(it == ClientStatus::Pending))),
    (ACTIVE, Adds::Client(|it, _| i64::from(it == ClientStatus::Active))),
    (SUSPENDED, Adds::Client(|it, _| i64::from(it == ClientStatus::Suspended))),
    (INACTIVE, Adds::Client(|it, _| i64::from(it == ClientStatus::Inactive))),
    (STANDALONE, Adds::Client(|_, resold| i64::from(!resold))),
    (RESOLD, Adds::Client(|_, resold| i64::from(resold))),
    (DISTRIBUTED, Adds::Entry(distributed)),
    (SPENT, Adds::Entry(spent)),
    (OUTSTANDING, Adds::Entry(outstanding)),
    (MINTED, Adds::Licence(|_| 1)),
    (ACTIVE_LICENCES, Adds::Licence(|it| i64::from(it.status == LicenceStatus::Active))),
    (OF_PRODUCT, Adds::LicenceOfProduct(|it| i64::from(it.status != LicenceStatus::Revoked))),
    // Whoever waits to be approved is no partner yet.
    (IN_TIER, Adds::ResellerInTier(|it| i64::from(it.status != ResellerStatus::Pending))),
];

/// What customers are ranked by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = CustomerRanking))]
#[serde(rename_all = "snake_case")]
pub enum Ranking {
    /// Licences they hold that were not revoked.
    Licences,
    /// Different products of those.
    Products,
}

impl Ranking {
    /// Every ranking.
    pub const ALL: [Self; 2] = [Self::Licences, Self::Products];

    /// What it is called.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Licences => "licences",
            Self::Products => "products",
        }
    }

    /// How much a customer has of it whose licences add up to `counts`.
    pub fn of(self, counts: &Counts) -> u64 {
        let products = counts.by(OF_PRODUCT).filter(|(_, licences)| *licences > 0);
        let licences = products.filter_map(|(_, licences)| u64::try_from(licences).ok());
        match self {
            Self::Licences => licences.fold(0, u64::saturating_add),
            Self::Products => licences.fold(0, |products, _| products + 1),
        }
    }
}

fn amount(entry: &Entry) -> i64 {
    i64::try_from(entry.amount.get()).unwrap_or(i64::MAX)
}

fn distributed(entry: &Entry) -> i64 {
    match entry.kind {
        EntryType::Credit => amount(entry),
        EntryType::Debit | EntryType::Refund | EntryType::TransferIn | EntryType::TransferOut => 0,
    }
}

/// A refund is booked when it is made, as a credit note is: so a month may have less than nothing spent.
fn spent(entry: &Entry) -> i64 {
    match entry.kind {
        EntryType::Debit => amount(entry),
        EntryType::Refund => -amount(entry),
        EntryType::Credit | EntryType::TransferIn | EntryType::TransferOut => 0,
    }
}

fn outstanding(entry: &Entry) -> i64 {
    match entry.kind {
        EntryType::Credit | EntryType::Refund | EntryType::TransferIn => amount(entry),
        EntryType::Debit | EntryType::TransferOut => -amount(entry),
    }
}

/// The sums that `adds` of each figure makes: the rest of a figure's name, and how much.
fn counts(adds: impl Fn(Adds) -> Option<(String, i64)>) -> Counts {
    let mut counts = Counts::default();
    for (name, of) in METRICS {
        if let Some((rest, amount)) = adds(*of) {
            counts.add(&format!("{name}{rest}"), amount);
        }
    }
    counts
}

/// What a client adds.
pub(super) fn of_client(status: ClientStatus, resold: bool) -> Counts {
    counts(|adds| match adds {
        Adds::Client(adds) => Some((String::new(), adds(status, resold))),
        _ => None,
    })
}

/// What an entry adds.
pub(super) fn of_entry(entry: &Entry) -> Counts {
    counts(|adds| match adds {
        Adds::Entry(adds) => Some((String::new(), adds(entry))),
        _ => None,
    })
}

/// What a licence adds.
pub(super) fn of_licence(licence: &Licence) -> Counts {
    counts(|adds| match adds {
        Adds::Licence(adds) => Some((String::new(), adds(licence))),
        Adds::LicenceOfProduct(adds) => Some((licence.product.to_string(), adds(licence))),
        _ => None,
    })
}

/// What a reseller adds.
pub(super) fn of_reseller(reseller: &Reseller) -> Counts {
    counts(|adds| match adds {
        Adds::ResellerInTier(adds) => Some((reseller.tier.as_str().to_owned(), adds(reseller))),
        _ => None,
    })
}
