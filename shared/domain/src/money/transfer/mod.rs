//! Transfers: credits move from one wallet to another (rule B10).
//!
//! Invariant: what leaves one wallet arrives in the other, in two entries that name each other and are committed
//! together, so the sum over all wallets stays as it is. A reseller sends only downwards, and only one level.

use crate::basic::time::Time;
use crate::money::credits::Amount;
use crate::money::entry::{Counterparty, EntryType};
use crate::money::wallet::{Movement, Particulars, Posting, Wallet};
use crate::parties::reseller::Reseller;
use crate::refusal::Refusal;

/// One end of a transfer: the wallet, and what its entry says.
#[derive(Debug, Clone)]
pub struct End<'a> {
    /// The wallet.
    pub wallet: &'a Wallet,
    /// What the entry in it says.
    pub particulars: Particulars,
}

impl End<'_> {
    fn counterparty(&self) -> Counterparty {
        Counterparty { reseller: self.wallet.reseller.clone(), entry: self.particulars.refid.clone() }
    }
}

/// What a transfer commits.
#[derive(Debug, Clone, PartialEq)]
pub struct Decision {
    /// The wallet it leaves.
    pub sent: Posting,
    /// The wallet it reaches.
    pub received: Posting,
}

/// Refuses what a reseller may not send by itself: anything to a reseller that is not right below it, and anything at
/// all unless it may trade. The receiver is judged first, so that whoever is no receiver always looks alike. A hold is
/// about purchases, and does not matter here.
pub fn must_send(from: &Wallet, to: Option<&Reseller>) -> Result<(), Refusal> {
    let parent = to.and_then(|to| to.parent.as_ref());
    if parent != Some(&from.reseller) {
        return Err(Refusal::InvalidRecipient);
    }
    from.status.must_trade()
}

/// Moves `amount`; the exact balance is enough. Two ends must be two wallets.
pub fn decide(from: End<'_>, to: End<'_>, amount: Amount, now: Time) -> Result<Decision, Refusal> {
    if from.wallet.reseller == to.wallet.reseller {
        return Err(Refusal::InvalidRecipient);
    }
    let movement = |kind, other: &End<'_>| Movement {
        counterparty: Some(other.counterparty()),
        ..Movement::new(kind, amount.credits())
    };
    let out = movement(EntryType::TransferOut, &to);
    let into = movement(EntryType::TransferIn, &from);
    Ok(Decision {
        sent: from.wallet.post(out, from.particulars, now)?,
        received: to.wallet.post(into, to.particulars, now)?,
    })
}

#[cfg(test)]
mod tests;
