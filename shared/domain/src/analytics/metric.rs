//! The table of figures: the name of each figure, and what one item adds to it.
//!
//! Invariant: this table alone decides what is counted. A figure that is added here is kept from then on, and covers
//! earlier items once the figures are rebuilt.

use serde::{Deserialize, Serialize};

use super::Counts;
use crate::licences::{Licence, LicenceStatus};
use crate::money::entry::{Entry, EntryType};
use crate::parties::client::ClientStatus;
use crate::parties::reseller::{Reseller, ResellerStatus};

pub const CLIENTS: &str = "clients";
pub const PENDING: &str = ClientStatus::Pending.into_str();
pub const ACTIVE: &str = ClientStatus::Active.into_str();
pub const SUSPENDED: &str = ClientStatus::Suspended.into_str();
pub const INACTIVE: &str = ClientStatus::Inactive.into_str();
pub const STANDALONE: &str = "standalone";
/// Clients that belong to a reseller.
pub const RESOLD: &str = "resold";
pub const DISTRIBUTED: &str = "distributed";
/// Credits that purchases cost, less those refunded.
pub const SPENT: &str = "spent";
/// What entries add to balances, less what they take from them.
pub const OUTSTANDING: &str = "outstanding";
/// Licences in any status.
pub const MINTED: &str = "minted";
pub const ACTIVE_LICENCES: &str = "active_licences";
/// Before a product's reference: the number of its licences that were not revoked.
pub const OF_PRODUCT: &str = "product:";
/// Before a tier's name: the number of approved resellers in the tier.
pub const IN_TIER: &str = "tier:";

/// What one item of a kind adds to a figure.
#[derive(Debug, Clone, Copy)]
enum Adds {
    /// The arguments are the client's status, and whether it belongs to a reseller.
    Client(fn(ClientStatus, bool) -> i64),
    Entry(fn(&Entry) -> i64),
    Licence(fn(&Licence) -> i64),
    /// The licence adds to the figure of its product.
    LicenceOfProduct(fn(&Licence) -> i64),
    /// The reseller adds to the figure of its tier.
    ResellerInTier(fn(&Reseller) -> i64),
}

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
    // An applicant that waits for approval is not a reseller yet.
    (IN_TIER, Adds::ResellerInTier(|it| i64::from(it.status != ResellerStatus::Pending))),
];

/// What customers are ranked by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, strum::IntoStaticStr, strum::VariantArray)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = CustomerRanking))]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case", const_into_str)]
pub enum Ranking {
    /// The number of the customer's licences that were not revoked.
    Licences,
    /// The number of different products among the customer's licences that were not revoked.
    Products,
}

impl Ranking {
    /// The score of a customer whose licences add up to `counts`.
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

/// A refund counts in the period in which it is made, like a credit note. So the amount spent in a month can be
/// negative.
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

/// Adds up `adds` over all figures. For a figure, `adds` returns the rest of its name (after the prefix in the table)
/// and the amount.
fn counts(adds: impl Fn(Adds) -> Option<(String, i64)>) -> Counts {
    let mut counts = Counts::default();
    for (name, of) in METRICS {
        if let Some((rest, amount)) = adds(*of) {
            counts.add(&format!("{name}{rest}"), amount);
        }
    }
    counts
}

pub(super) fn of_client(status: ClientStatus, resold: bool) -> Counts {
    counts(|adds| match adds {
        Adds::Client(adds) => Some((String::new(), adds(status, resold))),
        _ => None,
    })
}

pub(super) fn of_entry(entry: &Entry) -> Counts {
    counts(|adds| match adds {
        Adds::Entry(adds) => Some((String::new(), adds(entry))),
        _ => None,
    })
}

pub(super) fn of_licence(licence: &Licence) -> Counts {
    counts(|adds| match adds {
        Adds::Licence(adds) => Some((String::new(), adds(licence))),
        Adds::LicenceOfProduct(adds) => Some((licence.product.to_string(), adds(licence))),
        _ => None,
    })
}

pub(super) fn of_reseller(reseller: &Reseller) -> Counts {
    counts(|adds| match adds {
        Adds::ResellerInTier(adds) => Some((reseller.tier.into_str().to_owned(), adds(reseller))),
        _ => None,
    })
}
