//! Wallets: a balance and what may be done with it.
//!
//! Invariant: the balance is never negative, and only ever changes together with the entry that says why. Each
//! change raises `version`, the one condition a commit is made under.

use serde::{Deserialize, Serialize};

use crate::caller::Actor;
use crate::credits::{Amount, Credits};
use crate::entry::{Entry, EntryHash, EntryType, Sale};
use crate::refid::{EntryRefid, ResellerRefid};
use crate::refusal::Refusal;
use crate::reseller::{Reseller, ResellerStatus};
use crate::text::{Description, Reference};
use crate::tier::Tier;
use crate::time::Time;

/// A wallet as it is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wallet {
    /// Whose it is.
    pub reseller: ResellerRefid,
    /// What it holds.
    pub balance: Credits,
    /// The number of its last entry; 0 before the first.
    pub sequence: u64,
    /// The hash of its last entry.
    pub head: EntryHash,
    /// The reseller's tier.
    pub tier: Tier,
    /// The reseller's status.
    pub status: ResellerStatus,
    /// Whether purchases are held.
    pub hold_provisioning: bool,
    /// The balance below which the reseller is warned.
    pub low_credit_threshold: Credits,
    /// When its last entry was made; the next one is not before it.
    pub last_at: Time,
    /// Counts its changes from 1.
    pub version: u64,
}

/// What every entry says, whatever it does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Particulars {
    /// The entry's id, derived from wallet, class and idempotency key.
    pub refid: EntryRefid,
    /// The caller's name of it.
    pub reference: Option<Reference>,
    /// What it is for.
    pub description: Option<Description>,
    /// Who causes it.
    pub actor: Actor,
}

/// A wallet after a movement, and the entry that says why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Posting {
    /// The wallet as it will be.
    pub wallet: Wallet,
    /// The entry to append.
    pub entry: Entry,
}

impl Wallet {
    /// The empty wallet of a new reseller.
    pub fn open(reseller: &Reseller) -> Self {
        Self {
            reseller: reseller.refid.clone(),
            balance: Credits::ZERO,
            sequence: 0,
            head: EntryHash::START,
            tier: reseller.tier,
            status: reseller.status,
            hold_provisioning: reseller.hold_provisioning,
            low_credit_threshold: reseller.low_credit_threshold,
            last_at: reseller.created_at,
            version: 1,
        }
    }

    #[must_use]
    /// This wallet with what `reseller` now says of tier, status, hold and threshold.
    pub fn following(&self, reseller: &Reseller) -> Self {
        Self {
            tier: reseller.tier,
            status: reseller.status,
            hold_provisioning: reseller.hold_provisioning,
            low_credit_threshold: reseller.low_credit_threshold,
            version: self.version + 1,
            ..self.clone()
        }
    }

    /// Whether tier, status, hold and threshold are those of `reseller`.
    pub fn agrees_with(&self, reseller: &Reseller) -> bool {
        self.tier == reseller.tier
            && self.status == reseller.status
            && self.hold_provisioning == reseller.hold_provisioning
            && self.low_credit_threshold == reseller.low_credit_threshold
    }

    /// Refuses a purchase that the reseller's standing does not allow (SPEC B5).
    pub fn must_provision(&self) -> Result<(), Refusal> {
        self.status.must_trade()?;
        if self.hold_provisioning {
            Err(Refusal::ProvisioningHeld)
        } else {
            Ok(())
        }
    }

    /// A top-up (SPEC B4).
    pub fn credit(
        &self,
        amount: Amount,
        particulars: Particulars,
        now: Time,
    ) -> Result<Posting, Refusal> {
        let after = self
            .balance
            .checked_add(amount.credits())
            .ok_or(Refusal::BalanceTooLarge {
                most: Credits::MAX_BALANCE,
            })?;
        Ok(self.post(
            EntryType::Credit,
            amount.credits(),
            after,
            None,
            particulars,
            now,
        ))
    }

    /// A purchase for `cost`; the exact balance is enough (SPEC B5).
    pub fn debit(
        &self,
        cost: Credits,
        sale: Option<Sale>,
        particulars: Particulars,
        now: Time,
    ) -> Result<Posting, Refusal> {
        let after = self
            .balance
            .checked_sub(cost)
            .ok_or(Refusal::InsufficientCredits {
                balance: self.balance,
                required: cost,
            })?;
        Ok(self.post(EntryType::Debit, cost, after, sale, particulars, now))
    }

    fn post(
        &self,
        kind: EntryType,
        amount: Credits,
        balance_after: Credits,
        sale: Option<Sale>,
        particulars: Particulars,
        now: Time,
    ) -> Posting {
        let mut entry = Entry {
            refid: particulars.refid,
            reseller: self.reseller.clone(),
            sequence: self.sequence + 1,
            kind,
            amount,
            balance_before: self.balance,
            balance_after,
            threshold: self.low_credit_threshold,
            reference: particulars.reference,
            description: particulars.description,
            sale,
            actor: particulars.actor,
            created_at: now.max(self.last_at),
            previous_hash: self.head,
            hash: EntryHash::START,
        };
        entry.hash = entry.computed_hash();
        let wallet = Self {
            balance: balance_after,
            sequence: entry.sequence,
            head: entry.hash,
            last_at: entry.created_at,
            version: self.version + 1,
            ..self.clone()
        };
        Posting { wallet, entry }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::entry::Audit;
    use crate::refid::Prefix;

    fn wallet(balance: u64, threshold: u64) -> Wallet {
        Wallet {
            reseller: ResellerRefid::new(&prefix("RS-"), [1; 10]),
            balance: Credits::new(balance),
            sequence: 0,
            head: EntryHash::START,
            tier: Tier::Standard,
            status: ResellerStatus::Active,
            hold_provisioning: false,
            low_credit_threshold: Credits::new(threshold),
            last_at: Time::of(jiff::Timestamp::UNIX_EPOCH),
            version: 1,
        }
    }

    fn prefix(text: &str) -> Prefix {
        text.parse().unwrap()
    }

    fn particulars(n: u8) -> Particulars {
        let refid = EntryRefid::new(&prefix("PV-"), [n; 10]);
        Particulars {
            refid,
            reference: None,
            description: None,
            actor: Actor::new("operator"),
        }
    }

    fn at(seconds: i64) -> Time {
        Time::of(jiff::Timestamp::from_second(seconds).unwrap())
    }

    #[test]
    fn a_debit_below_the_threshold_runs_low_once() {
        for (from, to, low) in [
            (700, 500, false),
            (500, 499, true),
            (499, 300, false),
            (600, 450, true),
            (500, 500, false),
            (1_000, 0, true),
            (0, 0, false),
        ] {
            let posting = wallet(from, 500)
                .debit(Credits::new(from - to), None, particulars(1), at(0))
                .unwrap();
            assert_eq!(posting.entry.ran_low(), low, "{from} → {to}");
        }
        let topped_up = wallet(400, 500)
            .credit(Amount::try_from(200).unwrap(), particulars(1), at(0))
            .unwrap();
        assert!(!topped_up.entry.ran_low());
        assert_eq!(topped_up.wallet.balance, Credits::new(600));
        let never = wallet(1, 0)
            .debit(Credits::new(1), None, particulars(1), at(0))
            .unwrap();
        assert!(!never.entry.ran_low(), "a threshold of 0 never warns");
    }

    #[test]
    fn the_exact_balance_is_enough_and_one_more_is_not() {
        let wallet = wallet(490, 0);
        assert!(
            wallet
                .debit(Credits::new(490), None, particulars(1), at(0))
                .is_ok()
        );
        assert_eq!(
            wallet.debit(Credits::new(491), None, particulars(1), at(0)),
            Err(Refusal::InsufficientCredits {
                balance: Credits::new(490),
                required: Credits::new(491)
            })
        );
    }

    #[test]
    fn standing_decides_before_money() {
        for (status, hold, refusal) in [
            (ResellerStatus::Active, false, None),
            (
                ResellerStatus::Active,
                true,
                Some(Refusal::ProvisioningHeld),
            ),
            (
                ResellerStatus::Suspended,
                true,
                Some(Refusal::ResellerSuspended),
            ),
            (
                ResellerStatus::Pending,
                false,
                Some(Refusal::ResellerPending),
            ),
        ] {
            let wallet = Wallet {
                status,
                hold_provisioning: hold,
                ..wallet(0, 0)
            };
            assert_eq!(wallet.must_provision().err(), refusal, "{status:?} {hold}");
        }
    }

    #[test]
    fn time_never_runs_backwards_in_a_wallet() {
        let first = wallet(0, 0)
            .credit(Amount::try_from(9).unwrap(), particulars(1), at(100))
            .unwrap();
        let second = first
            .wallet
            .debit(Credits::new(1), None, particulars(2), at(50))
            .unwrap();
        assert_eq!(second.entry.created_at, at(100));
    }

    proptest! {
        #[test]
        fn any_history_proves_itself_and_any_change_shows(
            moves in prop::collection::vec((any::<bool>(), 1_u64..1_000), 1..40),
            hit: prop::sample::Index,
            which in 0..5,
        ) {
            let mut wallet = wallet(0, 500);
            let mut entries = Vec::new();
            for (n, (credit, amount)) in moves.iter().enumerate() {
                let now = at(i64::try_from(n).unwrap());
                let posting = if *credit {
                    wallet.credit(Amount::try_from(*amount).unwrap(), particulars(1), now)
                } else {
                    wallet.debit(Credits::new(*amount), None, particulars(1), now)
                };
                if let Ok(posting) = posting {
                    wallet = posting.wallet;
                    entries.push(posting.entry);
                }
            }
            prop_assume!(!entries.is_empty());
            let audit = |entries: &[Entry]| {
                let mut audit = Audit::of(&wallet.reseller, None);
                for entry in entries {
                    audit.entry(entry, false);
                }
                audit.finish(wallet.balance, wallet.sequence, wallet.head)
            };
            prop_assert_eq!(audit(&entries), vec![]);

            let index = hit.index(entries.len());
            match which {
                0 => { entries.remove(index); }
                1 => { let copy = entries[index].clone(); entries.insert(index, copy); }
                2 => entries[index].amount = Credits::new(entries[index].amount.get() + 1),
                3 => entries[index].actor = Actor::new("someone else"),
                _ if entries.len() > 1 => { let other = (index + 1) % entries.len(); entries.swap(index, other); }
                _ => entries.clear(),
            }
            prop_assert_ne!(audit(&entries), vec![]);
        }
    }
}
