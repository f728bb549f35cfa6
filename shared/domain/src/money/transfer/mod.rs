//! Transfers: credits move from one wallet to another (rule B10).
//!
//! Invariant: what leaves one wallet arrives in the other. The two entries name each other and are committed
//! together, so the sum of all wallets does not change. A reseller sends credits only to resellers directly below it.

use crate::basic::time::Time;
use crate::money::credits::Amount;
use crate::money::entry::{Counterparty, EntryType};
use crate::money::wallet::{Movement, Particulars, Posting, Wallet};
use crate::parties::reseller::Reseller;
use crate::refusal::Refusal;

/// One end of a transfer: a wallet, and the particulars of the entry in it.
#[derive(Debug, Clone)]
pub struct End<'a> {
    pub wallet: &'a Wallet,
    pub particulars: Particulars,
}

impl End<'_> {
    fn counterparty(&self) -> Counterparty {
        Counterparty { reseller: self.wallet.reseller.clone(), entry: self.particulars.refid.clone() }
    }
}

#[derive(Debug, Clone, PartialEq)]
pub struct Decision {
    pub sent: Posting,
    pub received: Posting,
}

/// Refuses a transfer that a reseller may not make on its own: to a reseller that is not directly below it, or while it
/// may not trade. It checks the recipient first, so a wrong one gets the same refusal whatever the sender's status. A
/// hold applies to purchases only, so it is not checked.
pub fn must_send(from: &Wallet, to: Option<&Reseller>) -> Result<(), Refusal> {
    let parent = to.and_then(|to| to.parent.as_ref());
    if parent != Some(&from.reseller) {
        return Err(Refusal::InvalidRecipient);
    }
    from.status.must_trade()
}

/// Decides a transfer of `amount`; the sender may spend its whole balance. The two ends must be different wallets.
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
