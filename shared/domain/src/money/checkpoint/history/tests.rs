//! Checkpoints and entries that agree, and ways in which they do not.

use ed25519_dalek::SigningKey;

use super::*;
use crate::basic::refid::Prefix;
use crate::basic::time::Time;

fn reseller(n: u8) -> ResellerRefid {
    let prefix: Prefix = "RS-".parse().unwrap();
    ResellerRefid::new(&prefix, [n; 10])
}

fn hash(n: u64) -> EntryHash {
    match n {
        0 => EntryHash::START,
        n => format!("{n:064x}").parse().unwrap(),
    }
}

/// The state of a wallet after this many entries of 100 credits each.
fn head(n: u8, sequence: u64) -> WalletHead {
    WalletHead { reseller: reseller(n), sequence, head: hash(sequence), balance: Credits::new(sequence * 100) }
}

fn secret() -> SigningKey {
    SigningKey::from_bytes(&[7; 32])
}

fn key() -> PublicKey {
    part(1, 1, true, vec![]).public_key
}

fn part(day: u8, part: u32, last: bool, wallets: Vec<WalletHead>) -> Part {
    let now = Time::try_from(format!("2026-01-0{day}T00:30:00.000Z")).unwrap();
    Part::sign((now.day(), part, last), wallets, now, &secret())
}

fn day(day: u8) -> Day {
    format!("2026-01-0{day}").parse().unwrap()
}

fn found(parts: Vec<Part>) -> Vec<Discrepancy> {
    Chronicle::of(parts, &key()).discrepancies
}

#[test]
fn days_that_go_on_from_each_other_are_in_order() {
    let parts = vec![
        part(2, 2, true, vec![]),
        part(1, 1, true, vec![head(1, 0), head(2, 5)]),
        part(2, 1, false, vec![head(1, 3), head(2, 5), head(3, 1)]),
        part(1, 1, true, vec![head(1, 0), head(2, 5)]),
    ];
    let chronicle = Chronicle::of(parts, &key());
    assert_eq!(chronicle.discrepancies, vec![]);
    assert_eq!((chronicle.days.len(), chronicle.heads.len()), (2, 3));
    assert_eq!(chronicle.gaps(), vec![]);
}

#[test]
fn a_day_that_lacks_a_part_is_told() {
    let (date, wallets) = (day(1), Vec::new);
    for (parts, expected) in [
        (vec![part(1, 2, true, wallets())], vec![Discrepancy::PartMissing { date, part: 1 }]),
        (
            vec![part(1, 1, false, wallets()), part(1, 3, true, wallets())],
            vec![Discrepancy::PartMissing { date, part: 2 }],
        ),
        (vec![part(1, 1, false, wallets())], vec![Discrepancy::LastMissing { date }]),
        (
            vec![part(1, 1, true, wallets()), part(1, 2, true, wallets())],
            vec![Discrepancy::AfterTheLast { date, part: 2 }],
        ),
        (
            vec![part(1, 1, true, wallets()), part(1, 1, true, vec![head(1, 1)])],
            vec![Discrepancy::TwoParts { date, part: 1 }],
        ),
    ] {
        assert_eq!(found(parts), expected);
    }
}

#[test]
fn days_without_any_part_are_told_as_gaps() {
    let gaps = |days: &[u8]| {
        let parts = days.iter().map(|it| part(*it, 1, true, vec![]));
        let chronicle = Chronicle::of(parts.collect(), &key());
        assert_eq!(chronicle.discrepancies, vec![], "a selection of days has no discrepancy");
        chronicle.gaps()
    };
    let between = |earlier, later| Discrepancy::DaysMissing { earlier: day(earlier), later: day(later) };
    assert_eq!(gaps(&[]), []);
    assert_eq!(gaps(&[5]), []);
    assert_eq!(gaps(&[3, 1, 2]), []);
    assert_eq!(gaps(&[1, 3, 4, 8]), [between(1, 3), between(4, 8)]);
}

#[test]
fn a_wallet_that_goes_back_is_rewritten_or_vanishes_is_told() {
    let first = || part(1, 1, true, vec![head(1, 3), head(2, 5)]);
    let (earlier, later) = (day(1), day(2));
    let other = WalletHead { head: hash(99), ..head(2, 5) };
    for (second, expected) in [
        (vec![head(1, 3), head(2, 4)], Discrepancy::WentBack { reseller: reseller(2), earlier, from: 5, later, to: 4 }),
        (vec![head(1, 3), other], Discrepancy::Rewritten { reseller: reseller(2), sequence: 5, earlier, later }),
        (vec![head(1, 3)], Discrepancy::Vanished { reseller: reseller(2), earlier, later }),
        (vec![head(1, 3), head(2, 5), head(1, 3)], Discrepancy::WalletTwice { date: later, reseller: reseller(1) }),
    ] {
        assert_eq!(found(vec![first(), part(2, 1, true, second)]), [expected]);
    }
}

#[test]
fn a_part_that_is_forged_is_told_and_compared_with_nothing() {
    let first = part(1, 1, true, vec![head(1, 3)]);
    let mut forged = part(2, 1, true, vec![head(1, 3)]);
    forged.wallets = vec![head(1, 2)];
    let why = Forged::Changed;
    assert_eq!(found(vec![first, forged]), [Discrepancy::Forged { date: day(2), part: 1, why }]);
}

fn links(from: u64, to: u64) -> Vec<Link> {
    let link = |n| Link {
        sequence: n,
        kind: EntryType::Credit,
        amount: Credits::new(100),
        balance_after: Credits::new(n * 100),
        previous_hash: hash(n - 1),
        hash: hash(n),
    };
    (from..=to).map(link).collect()
}

fn chronicle() -> Chronicle {
    let days = vec![
        part(1, 1, true, vec![head(1, 0)]),
        part(2, 1, true, vec![head(1, 3)]),
        part(3, 1, true, vec![head(1, 5)]),
    ];
    Chronicle::of(days, &key())
}

#[test]
fn entries_that_pass_through_every_head_are_in_order() {
    let mut newest_first = links(1, 6);
    newest_first.extend(links(4, 5));
    newest_first.reverse();
    assert_eq!(chronicle().follow(&reseller(1), newest_first), vec![]);
    let empty = Chronicle::of(vec![part(1, 1, true, vec![head(1, 0)])], &key());
    assert_eq!(empty.follow(&reseller(1), vec![]), vec![]);
}

#[test]
fn entries_of_another_history_are_told() {
    let unchained = |sequence| Discrepancy::Unchained { reseller: reseller(1), sequence };
    let other = |sequence, date| Discrepancy::OtherHistory { reseller: reseller(1), sequence, date: day(date) };
    let not_given = |sequence, date| Discrepancy::NotGiven { reseller: reseller(1), sequence, date: day(date) };
    let follow = |links| chronicle().follow(&reseller(1), links);

    let mut rewritten = links(1, 6);
    for link in &mut rewritten {
        link.hash = hash(link.sequence + 50);
        link.previous_hash = match link.sequence {
            1 => hash(0),
            n => hash(n + 49),
        };
    }
    assert_eq!(follow(rewritten), [other(3, 2), other(5, 3)]);

    let mut gap = links(1, 6);
    gap.remove(3);
    assert_eq!(follow(gap), [unchained(5)]);

    let mut grafted = links(1, 6);
    grafted[0].previous_hash = hash(77);
    assert_eq!(follow(grafted), [unchained(1), other(0, 1)]);

    let mut doubled = links(1, 6);
    doubled.push(Link { hash: hash(88), ..doubled[1].clone() });
    assert_eq!(follow(doubled), [unchained(2), unchained(3)]);

    assert_eq!(follow(links(4, 6)), [not_given(0, 1)]);
    assert_eq!(follow(links(1, 4)), [not_given(5, 3)]);
    assert_eq!(
        follow(vec![]),
        [not_given(3, 2), not_given(5, 3)],
        "without entries, only the beginning of the history is known"
    );
    let stranger = reseller(9);
    assert_eq!(chronicle().follow(&stranger, links(1, 1)), [Discrepancy::NoCheckpoint { reseller: stranger }]);
}

#[test]
fn entries_whose_amounts_do_not_add_up_are_told() {
    let miscounted = |sequence| Discrepancy::Miscounted { reseller: reseller(1), sequence };
    let other = Discrepancy::OtherHistory { reseller: reseller(1), sequence: 3, date: day(2) };
    let follow = |links| chronicle().follow(&reseller(1), links);

    let mut changed = links(1, 6);
    changed[2].balance_after = Credits::new(1);
    assert_eq!(follow(changed), [miscounted(3), miscounted(4), other]);

    for at in [0, 3] {
        let mut amount = links(1, 6);
        amount[at].amount = Credits::new(99);
        let sequence = amount[at].sequence;
        assert_eq!(follow(amount), [miscounted(sequence)]);
    }

    let mut overdrawn = links(1, 6);
    overdrawn[0].kind = EntryType::Debit;
    assert_eq!(follow(overdrawn), [miscounted(1)]);

    let not_given = Discrepancy::NotGiven { reseller: reseller(1), sequence: 0, date: day(1) };
    // The checkpoint at the previous entry has the balance, so the first given entry's amount can be checked, too.
    let mut later = links(4, 6);
    later[0].amount = Credits::new(101);
    assert_eq!(follow(later), [miscounted(4), not_given]);
}
