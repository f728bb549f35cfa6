//! Hashes that must not change, and what an entry does to a balance.

use super::*;
use crate::refid::Prefix;
use crate::wallet::tests::{at, particulars, wallet};

fn prefix(text: &str) -> Prefix {
    text.parse().unwrap()
}

fn sale() -> Sale {
    Sale {
        product: ProductReference::try_from("PROD-001".to_owned()).unwrap(),
        quantity: 2,
        list_price: Amount::try_from(700).unwrap(),
        tier: Tier::Platinum,
        discount: BasisPoints::try_from(3_000).unwrap(),
        clients: vec![ClientRefid::new(&prefix("CL-"), [7; 10])],
        licences: vec![
            LicenceRefid::new(&prefix("LI-"), [8; 10]),
            LicenceRefid::new(&prefix("LI-"), [9; 10]),
        ],
    }
}

fn debit(sale: Option<Sale>) -> Entry {
    let wallet = wallet(5_000, 500);
    let posting = wallet.debit(Credits::new(980), sale, particulars(3), at(1_000));
    posting.unwrap().entry
}

/// The hashes of entries that live systems have written must come out the same for ever.
#[test]
fn the_hashes_of_entries_do_not_change() {
    for (entry, hash) in [
        (
            debit(None),
            "dc113828f41df30119204aed396e158afe54c498f47ec66cb3e30a4e54eaf140",
        ),
        (
            debit(Some(sale())),
            "446cac169fb261dd9c7e94a024e5ca3e662e601efc3bb9cb36aa73fc2d9d4f9a",
        ),
    ] {
        assert_eq!(entry.hash.to_string(), hash);
        assert_eq!(entry.computed_hash().to_string(), hash);
    }
}

#[test]
fn what_a_refund_and_a_transfer_are_about_is_covered_by_their_hash() {
    let plain = debit(None);
    let refund = Refund {
        provision: EntryRefid::new(&prefix("PV-"), [4; 10]),
        licences: sale().licences,
    };
    let counterparty = Counterparty {
        reseller: ResellerRefid::new(&prefix("RS-"), [5; 10]),
        entry: EntryRefid::new(&prefix("PV-"), [6; 10]),
    };
    let mut refunds = [refund.clone(), refund.clone(), refund];
    refunds[1].licences.pop();
    refunds[2].provision = EntryRefid::new(&prefix("PV-"), [5; 10]);
    let mut others = [counterparty.clone(), counterparty.clone(), counterparty];
    others[1].reseller = ResellerRefid::new(&prefix("RS-"), [4; 10]);
    others[2].entry = EntryRefid::new(&prefix("PV-"), [5; 10]);
    let mut hashes = vec![plain.hash];
    hashes.extend(refunds.map(|refund| {
        let refund = Some(refund);
        let entry = Entry {
            refund,
            ..plain.clone()
        };
        entry.computed_hash()
    }));
    hashes.extend(others.map(|other| {
        let counterparty = Some(other);
        let entry = Entry {
            counterparty,
            ..plain.clone()
        };
        entry.computed_hash()
    }));
    let distinct: std::collections::HashSet<String> =
        hashes.iter().map(ToString::to_string).collect();
    assert_eq!(distinct.len(), hashes.len());
}

#[test]
fn what_an_entry_does_to_a_balance() {
    let (balance, amount) = (Credits::new(10), Credits::new(4));
    for (kind, after) in [
        (EntryType::Credit, 14),
        (EntryType::Debit, 6),
        (EntryType::Refund, 14),
        (EntryType::TransferIn, 14),
        (EntryType::TransferOut, 6),
    ] {
        assert_eq!(
            kind.applied(balance, amount),
            Ok(Credits::new(after)),
            "{kind:?}"
        );
        let adds = after > 10;
        let too_far = if adds {
            Credits::MAX_BALANCE
        } else {
            Credits::new(11)
        };
        let refused = if adds {
            Refusal::BalanceTooLarge {
                most: Credits::MAX_BALANCE,
            }
        } else {
            Refusal::InsufficientCredits {
                balance,
                required: too_far,
            }
        };
        assert_eq!(kind.applied(balance, too_far), Err(refused), "{kind:?}");
    }
}
