//! Tests of refunds, partial and whole, with tables and a property.

use proptest::prelude::*;

use super::*;
use crate::basic::refid::{ClientRefid, Prefix};
use crate::licences::product::ProductReference;
use crate::money::credits::Amount;
use crate::money::entry::Sale;
use crate::money::tier::{BasisPoints, Tier};
use crate::money::wallet::tests::{at, particulars, wallet};

fn licence(n: u8) -> LicenceRefid {
    let prefix: Prefix = "LI-".parse().unwrap();
    LicenceRefid::new(&prefix, [n; 10])
}

fn licences(numbers: impl IntoIterator<Item = u8>) -> Vec<LicenceRefid> {
    numbers.into_iter().map(licence).collect()
}

fn sale(quantity: u8) -> Sale {
    let prefix: Prefix = "CL-".parse().unwrap();
    Sale {
        product: ProductReference::try_from("PROD-001".to_owned()).unwrap(),
        quantity: quantity.into(),
        list_price: Amount::try_from(700).unwrap(),
        tier: Tier::Standard,
        discount: BasisPoints::try_from(0).unwrap(),
        clients: vec![ClientRefid::new(&prefix, [1; 10])],
        licences: licences(0..quantity),
        renews: None,
    }
}

fn bought(quantity: u8, price: u64) -> (Wallet, Entry) {
    let cost = Credits::new(price * u64::from(quantity));
    let before = wallet(1_000_000, 500);
    let made = before.debit(cost, Some(sale(quantity)), particulars(1), at(1)).unwrap();
    (made.wallet, made.entry)
}

fn spent(cost: u64) -> (Wallet, Entry) {
    let before = wallet(1_000_000, 500);
    let made = before.debit(Credits::new(cost), None, particulars(1), at(1)).unwrap();
    (made.wallet, made.entry)
}

fn only(numbers: impl IntoIterator<Item = u8>) -> Part {
    Part::Licences(licences(numbers))
}

#[test]
fn each_part_returns_once() {
    let (wallet, purchase) = bought(3, 70);
    let not_found = Err(Refusal::NotFound(ResourceKind::Licence));
    for (first, second, expected) in [
        (only([1]), only([0, 2]), Ok(140)),
        (only([1]), Part::Rest, Ok(140)),
        (only([2, 0]), Part::Rest, Ok(70)),
        (only([1]), only([1]), Err(Refusal::AlreadyRefunded)),
        (only([1]), only([0, 1]), Err(Refusal::AlreadyRefunded)),
        (only([1]), only([0, 0]), Err(Refusal::AlreadyRefunded)),
        (only([1]), only([1, 9]), not_found.clone()),
        (only([1]), only([9]), not_found.clone()),
        (only([1]), Part::Unknown, not_found),
        (Part::Rest, Part::Rest, Err(Refusal::AlreadyRefunded)),
        (Part::Rest, only([0]), Err(Refusal::AlreadyRefunded)),
        (only([0, 1, 2]), Part::Rest, Err(Refusal::AlreadyRefunded)),
        (only([0]), only([]), Err(Refusal::AlreadyRefunded)),
    ] {
        let at_first = decide(&wallet, &purchase, None, &first, particulars(2), at(2)).unwrap();
        let so_far = Some(&at_first.refunds);
        let again = decide(&at_first.posting.wallet, &purchase, so_far, &second, particulars(3), at(3));
        let amount = again.map(|it| it.posting.entry.amount.get());
        assert_eq!(amount, expected, "{first:?} {second:?}");
    }
}

#[test]
fn a_bare_cost_returns_whole_and_once() {
    let (wallet, purchase) = spent(21);
    for part in [only([0]), Part::Unknown] {
        let part = decide(&wallet, &purchase, None, &part, particulars(2), at(2));
        assert_eq!(part, Err(Refusal::NotFound(ResourceKind::Licence)));
    }
    let made = decide(&wallet, &purchase, None, &Part::Rest, particulars(2), at(2)).unwrap();
    assert_eq!(made.posting.wallet.balance, Credits::new(1_000_000));
    assert_eq!(made.posting.entry.provision(), Some(&purchase.refid));
    assert!(!made.posting.entry.is_provision());
    assert_eq!(made.refunds.refunded, Credits::new(21));
    let again = decide(&made.posting.wallet, &purchase, Some(&made.refunds), &Part::Rest, particulars(3), at(3));
    assert_eq!(again, Err(Refusal::AlreadyRefunded));
}

#[test]
fn what_cost_nothing_is_refunded_once_as_well() {
    let (wallet, purchase) = bought(2, 0);
    let made = decide(&wallet, &purchase, None, &Part::Rest, particulars(2), at(2)).unwrap();
    assert_eq!((made.refunds.refunded, made.licences.len()), (Credits::ZERO, 2));
    let again = decide(&made.posting.wallet, &purchase, Some(&made.refunds), &Part::Rest, particulars(3), at(3));
    assert_eq!(again, Err(Refusal::AlreadyRefunded));
}

/// The refunded sum is stored next to the lists. If the sum leaves less to refund than the lists do, the sum decides.
#[test]
fn no_more_returns_than_the_sum_leaves_whatever_the_lists_say() {
    let (whole, bare) = (bought(3, 70), spent(210));
    let returned = Ok(Credits::new(210));
    let refused = Err(Refusal::AlreadyRefunded);
    for ((wallet, purchase), refunded, part, expected) in [
        (&whole, 140, only([1]), returned.clone()),
        (&whole, 141, only([1]), refused.clone()),
        (&whole, 0, Part::Rest, returned.clone()),
        (&whole, 1, Part::Rest, refused.clone()),
        (&whole, 210, Part::Rest, refused.clone()),
        (&whole, Credits::MAX_BALANCE.get(), Part::Rest, refused.clone()),
        (&bare, 0, Part::Rest, returned),
        (&bare, 1, Part::Rest, refused),
    ] {
        let so_far = Refunds { refunded: Credits::new(refunded), ..Refunds::none_of(purchase) };
        let decided = decide(wallet, purchase, Some(&so_far), &part, particulars(2), at(2));
        let sum = decided.map(|it| it.refunds.refunded);
        assert_eq!(sum, expected, "{refunded} {part:?}");
    }
}

#[test]
fn neither_status_nor_hold_matters_and_room_does() {
    use crate::parties::reseller::ResellerStatus;
    let (paid, purchase) = bought(1, 70);
    for status in [ResellerStatus::Active, ResellerStatus::Pending, ResellerStatus::Suspended] {
        let wallet = Wallet { status, hold_provisioning: true, ..paid.clone() };
        assert!(decide(&wallet, &purchase, None, &Part::Rest, particulars(2), at(2)).is_ok());
    }
    let full = Wallet { balance: Credits::MAX_BALANCE, ..paid };
    let refused = decide(&full, &purchase, None, &Part::Rest, particulars(2), at(2));
    assert_eq!(refused, Err(Refusal::BalanceTooLarge { most: Credits::MAX_BALANCE }));
}

proptest! {
    #[test]
    fn whatever_is_refunded_in_whatever_parts_never_comes_to_more_than_was_paid(
        quantity in 1_u8..=90,
        price in 0_u64..1_000,
        parts in prop::collection::vec(prop::collection::vec(0_u8..95, 0..30), 0..20),
        rest: bool,
    ) {
        let start = wallet(1_000_000, 500);
        let (mut wallet, purchase) = bought(quantity, price);
        let opening = start.balance;
        let (mut refunds, mut returned) = (None::<Refunds>, Vec::new());
        let parts = parts.into_iter().map(only).chain(rest.then_some(Part::Rest));
        for part in parts {
            let decided = decide(&wallet, &purchase, refunds.as_ref(), &part, particulars(2), at(2));
            let Ok(made) = decided else { continue };
            prop_assert_eq!(made.posting.entry.amount.get(), price * made.licences.len() as u64);
            returned.extend(made.licences);
            wallet = made.posting.wallet;
            refunds = Some(made.refunds);
        }
        let mut once = returned.clone();
        once.sort();
        once.dedup();
        prop_assert_eq!(once.len(), returned.len(), "no licence is refunded twice");
        let total = refunds.as_ref().map_or(0, |it| it.refunded.get());
        prop_assert_eq!(total, price * returned.len() as u64);
        prop_assert!(total <= purchase.amount.get());
        prop_assert_eq!(wallet.balance.get(), opening.get() - purchase.amount.get() + total);
        if rest {
            prop_assert_eq!(total, purchase.amount.get());
        }
        if let Some(refunds) = refunds {
            prop_assert_eq!(refunds.version, refunds.entries.len() as u64);
            prop_assert_eq!(refunds.licences, returned);
        }
    }
}
