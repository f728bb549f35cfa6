//! Refunds: the credits of a purchase return, and its licences end (rule B10).
//!
//! Invariant: the price of a licence, or a cost without licences, returns at most once, whatever else happens to the
//! licence or the wallet. The refunds of a provision never add up to more than it cost, and the entry of the purchase
//! never changes.

use serde::{Deserialize, Serialize};

use crate::basic::refid::{EntryRefid, LicenceRefid};
use crate::basic::time::Time;
use crate::money::credits::Credits;
use crate::money::entry::{Entry, EntryType, Refund};
use crate::money::wallet::{Movement, Particulars, Posting, Wallet};
use crate::refusal::{Refusal, ResourceKind};

/// What has been refunded of a provision so far. The record does not exist before the first refund.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refunds {
    pub provision: EntryRefid,
    pub refunded: Credits,
    /// The licences whose price has returned; empty if the provision named only a cost.
    pub licences: Vec<LicenceRefid>,
    /// The entries of the refunds, oldest first.
    pub entries: Vec<EntryRefid>,
    pub created_at: Time,
    pub updated_at: Time,
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

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    /// Everything that has not been refunded yet.
    Rest,
    Licences(Vec<LicenceRefid>),
    /// The price of licences. The name of at least one is not a refid, so no provision can have that licence. This is
    /// refused in [`decide`] and not when the text is read, because a repeated command must get its stored answer
    /// without being judged again.
    Unknown,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Decision {
    pub posting: Posting,
    /// The provision's refunds, including this one.
    pub refunds: Refunds,
    /// The licences that this refund ends.
    pub licences: Vec<LicenceRefid>,
}

/// Decides the refund of `part` of `purchase` to the wallet that paid for it; `so_far` has been refunded before. The
/// reseller's status and a hold on its purchases don't matter, because the credits are its own.
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
    // This bounds the refunds by the price, even if the lists were wrong.
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

fn chosen(sold: &[LicenceRefid], refunded: &[LicenceRefid], part: &Part) -> Result<Vec<LicenceRefid>, Refusal> {
    let mut open = sold.to_vec();
    open.retain(|licence| !refunded.contains(licence));
    let chosen = match part {
        Part::Rest => open,
        Part::Unknown => return Err(Refusal::NotFound(ResourceKind::Licence)),
        Part::Licences(named) => {
            if named.iter().any(|licence| !sold.contains(licence)) {
                return Err(Refusal::NotFound(ResourceKind::Licence));
            }
            // A licence that is named twice is no longer in `open` the second time.
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

/// The price of `count` units. The division is exact, because a purchase costs its quantity times the price of a
/// unit.
fn share(purchase: &Entry, quantity: u32, count: usize) -> Credits {
    let one = purchase.amount.get() / u64::from(quantity.max(1));
    Credits::new(one * count as u64)
}

/// The amount of a purchase that names only a cost. It has no parts, so it can only be refunded as a whole.
fn whole(purchase: &Entry, so_far: &Refunds, part: &Part) -> Result<Credits, Refusal> {
    if *part != Part::Rest {
        return Err(Refusal::NotFound(ResourceKind::Licence));
    }
    if !so_far.entries.is_empty() {
        return Err(Refusal::AlreadyRefunded);
    }
    Ok(purchase.amount)
}

#[cfg(test)]
mod tests;
