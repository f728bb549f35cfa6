//! Refunds: credits that a purchase cost return, and its licences end (rule B10).
//!
//! Invariant: what a licence cost and what a bare cost was returns once, whatever else happens to licence or wallet;
//! the parts refunded of a provision never come to more than it cost. The purchase's entry stays as it is.

use serde::{Deserialize, Serialize};

use crate::basic::refid::{EntryRefid, LicenceRefid};
use crate::basic::time::Time;
use crate::money::credits::Credits;
use crate::money::entry::{Entry, EntryType, Refund};
use crate::money::wallet::{Movement, Particulars, Posting, Wallet};
use crate::refusal::{Refusal, What};

/// What has been refunded of a provision so far; there is none before its first refund.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refunds {
    /// The purchase.
    pub provision: EntryRefid,
    /// How much has returned.
    pub refunded: Credits,
    /// The licences whose price has returned; none of a bare cost.
    pub licences: Vec<LicenceRefid>,
    /// The entries that returned it, oldest first.
    pub entries: Vec<EntryRefid>,
    /// When the first of them was made.
    pub created_at: Time,
    /// When the last of them was made.
    pub updated_at: Time,
    /// Counts its changes from 1.
    pub version: u64,
}

impl Refunds {
    fn none_of(purchase: &Entry) -> Self {
        Self {
            provision: purchase.refid.clone(),
            refunded: Credits::ZERO,
            licences: Vec::new(),
            entries: Vec::new(),
            created_at: purchase.created_at,
            updated_at: purchase.created_at,
            version: 0,
        }
    }

    fn with(mut self, entry: &Entry, licences: &[LicenceRefid], refunded: Credits) -> Self {
        self.refunded = refunded;
        self.licences.extend_from_slice(licences);
        self.entries.push(entry.refid.clone());
        if self.version == 0 {
            self.created_at = entry.created_at;
        }
        self.updated_at = entry.created_at;
        self.version += 1;
        self
    }
}

/// How much of a provision to refund.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    /// All that has not been refunded.
    Rest,
    /// What these licences cost.
    Licences(Vec<LicenceRefid>),
    /// What licences cost of which one is named by text that is no refid, so no provision has it. It is refused here,
    /// not where the text is read, because a command that has happened is recalled and not judged.
    Unknown,
}

/// What a refund commits.
#[derive(Debug, Clone, PartialEq)]
pub struct Decision {
    /// The wallet and the entry.
    pub posting: Posting,
    /// What has been refunded of the provision then.
    pub refunds: Refunds,
    /// The licences that end with it.
    pub licences: Vec<LicenceRefid>,
}

/// Refunds `part` of `purchase`, of which `so_far` has been refunded, to the wallet that paid. Neither the reseller's
/// status nor a hold matters: what it paid for nothing is its own.
pub fn decide(
    wallet: &Wallet,
    purchase: &Entry,
    so_far: Option<&Refunds>,
    part: &Part,
    particulars: Particulars,
    now: Time,
) -> Result<Decision, Refusal> {
    let so_far = so_far.map_or_else(|| Refunds::none_of(purchase), Clone::clone);
    let (amount, licences) = match &purchase.sale {
        Some(sale) => {
            let licences = chosen(&sale.licences, &so_far.licences, part)?;
            (share(purchase, sale.quantity, licences.len()), licences)
        }
        None => (whole(purchase, &so_far, part)?, Vec::new()),
    };
    // Whatever the lists say, no more returns than was paid.
    let refunded = so_far.refunded.checked_add(amount);
    let refunded = refunded.filter(|sum| *sum <= purchase.amount);
    let refunded = refunded.ok_or(Refusal::AlreadyRefunded)?;
    let movement = Movement {
        refund: Some(Refund { provision: purchase.refid.clone(), licences: licences.clone() }),
        ..Movement::new(EntryType::Refund, amount)
    };
    let posting = wallet.post(movement, particulars, now)?;
    let refunds = so_far.with(&posting.entry, &licences, refunded);
    Ok(Decision { posting, refunds, licences })
}

/// The licences to refund, of those that were `sold`.
fn chosen(sold: &[LicenceRefid], refunded: &[LicenceRefid], part: &Part) -> Result<Vec<LicenceRefid>, Refusal> {
    let mut open = sold.to_vec();
    open.retain(|licence| !refunded.contains(licence));
    let chosen = match part {
        Part::Rest => open,
        Part::Unknown => return Err(Refusal::NotFound(What::Licence)),
        Part::Licences(named) => {
            if named.iter().any(|licence| !sold.contains(licence)) {
                return Err(Refusal::NotFound(What::Licence));
            }
            // One that is named a second time is no longer there to be taken.
            let mut take = |licence: &LicenceRefid| {
                let place = open.iter().position(|it| it == licence)?;
                Some(open.swap_remove(place))
            };
            let taken: Option<Vec<_>> = named.iter().map(&mut take).collect();
            taken.ok_or(Refusal::AlreadyRefunded)?
        }
    };
    if chosen.is_empty() {
        return Err(Refusal::AlreadyRefunded);
    }
    Ok(chosen)
}

/// What `count` of the units cost; exact, because a purchase costs its quantity times the price of one.
fn share(purchase: &Entry, quantity: u32, count: usize) -> Credits {
    let one = purchase.amount.get() / u64::from(quantity.max(1));
    Credits::new(one * count as u64)
}

/// A bare cost has no parts.
fn whole(purchase: &Entry, so_far: &Refunds, part: &Part) -> Result<Credits, Refusal> {
    if *part != Part::Rest {
        return Err(Refusal::NotFound(What::Licence));
    }
    if !so_far.entries.is_empty() {
        return Err(Refusal::AlreadyRefunded);
    }
    Ok(purchase.amount)
}

#[cfg(test)]
mod tests;
