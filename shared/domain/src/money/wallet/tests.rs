//! Tests of wallets with tables and random histories, and fixtures for the tests of other rules.

use proptest::prelude::*;

use super::*;
use crate::basic::refid::Prefix;
use crate::money::entry::Audit;

pub(crate) fn wallet(balance: u64, threshold: u64) -> Wallet {
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

pub(crate) fn prefix(text: &str) -> Prefix {
    text.parse().unwrap()
}

pub(crate) fn particulars(n: u8) -> Particulars {
    let refid = EntryRefid::new(&prefix("PV-"), [n; 10]);
    Particulars { refid, reference: None, description: None, actor: Actor::new("operator") }
}

pub(crate) fn at(seconds: i64) -> Time {
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
        let posting = wallet(from, 500).debit(Credits::new(from - to), None, particulars(1), at(0)).unwrap();
        assert_eq!(posting.entry.ran_low(), low, "{from} → {to}");
    }
    let topped_up = wallet(400, 500).credit(Amount::try_from(200).unwrap(), particulars(1), at(0)).unwrap();
    assert!(!topped_up.entry.ran_low());
    assert_eq!(topped_up.wallet.balance, Credits::new(600));
    let never = wallet(1, 0).debit(Credits::new(1), None, particulars(1), at(0)).unwrap();
    assert!(!never.entry.ran_low(), "a threshold of 0 never warns");
}

#[test]
fn the_exact_balance_is_enough_and_one_more_is_not() {
    let wallet = wallet(490, 0);
    assert!(wallet.debit(Credits::new(490), None, particulars(1), at(0)).is_ok());
    assert_eq!(
        wallet.debit(Credits::new(491), None, particulars(1), at(0)),
        Err(Refusal::InsufficientCredits { balance: Credits::new(490), required: Credits::new(491) })
    );
}

#[test]
fn standing_decides_before_money() {
    for (status, hold, refusal) in [
        (ResellerStatus::Active, false, None),
        (ResellerStatus::Active, true, Some(Refusal::ProvisioningHeld)),
        (ResellerStatus::Suspended, true, Some(Refusal::ResellerSuspended)),
        (ResellerStatus::Pending, false, Some(Refusal::ResellerPending)),
    ] {
        let wallet = Wallet { status, hold_provisioning: hold, ..wallet(0, 0) };
        assert_eq!(wallet.must_provision().err(), refusal, "{status:?} {hold}");
    }
}

#[test]
fn time_never_runs_backwards_in_a_wallet() {
    let first = wallet(0, 0).credit(Amount::try_from(9).unwrap(), particulars(1), at(100)).unwrap();
    let second = first.wallet.debit(Credits::new(1), None, particulars(2), at(50)).unwrap();
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
