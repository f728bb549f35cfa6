//! Hashes that must not change, and what an entry does to a balance.

use proptest::prelude::*;

use super::*;
use crate::basic::refid::Prefix;
use crate::money::wallet::Movement;
use crate::money::wallet::tests::{at, particulars, wallet};

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
        licences: vec![LicenceRefid::new(&prefix("LI-"), [8; 10]), LicenceRefid::new(&prefix("LI-"), [9; 10])],
        renews: None,
    }
}

fn debit(sale: Option<Sale>) -> Entry {
    let wallet = wallet(5_000, 500);
    let posting = wallet.debit(Credits::new(980), sale, particulars(3), at(1_000));
    posting.unwrap().entry
}

/// Live systems have stored entries with these hashes, so computing them must give the same result for ever.
#[test]
fn the_hashes_of_entries_do_not_change() {
    for (entry, hash) in [
        (debit(None), "dc113828f41df30119204aed396e158afe54c498f47ec66cb3e30a4e54eaf140"),
        (debit(Some(sale())), "446cac169fb261dd9c7e94a024e5ca3e662e601efc3bb9cb36aa73fc2d9d4f9a"),
        (
            with_parts(EntryType::Refund, false, true, false),
            "7a39002aebf6acea1982f4508768a62ccb33a2d6aed2c56d4f5291f4936652b8",
        ),
        (
            with_parts(EntryType::TransferOut, false, false, true),
            "8ced6701a71facbfa181a99a8b72285b7594c5b8377f2fb33051a81fb05feffd",
        ),
    ] {
        assert_eq!(entry.hash.to_string(), hash);
        assert_eq!(entry.computed_hash().to_string(), hash);
    }
}

fn refund() -> Refund {
    Refund { provision: EntryRefid::new(&prefix("PV-"), [4; 10]), licences: sale().licences }
}

fn counterparty() -> Counterparty {
    Counterparty {
        reseller: ResellerRefid::new(&prefix("RS-"), [5; 10]),
        entry: EntryRefid::new(&prefix("PV-"), [6; 10]),
    }
}

fn with_parts(kind: EntryType, sold: bool, refunds: bool, transfers: bool) -> Entry {
    let movement = Movement {
        sale: sold.then(sale),
        refund: refunds.then(refund),
        counterparty: transfers.then(counterparty),
        ..Movement::new(kind, Credits::new(980))
    };
    let posting = wallet(5_000, 500).post(movement, particulars(3), at(1_000));
    posting.unwrap().entry
}

/// What the audit reports about an entry without its predecessors, apart from its balances.
fn problems(entry: &Entry) -> Vec<&'static str> {
    let mut audit = Audit::of(&entry.reseller, None);
    audit.entry(entry, false);
    let found = audit.finish(entry.balance_after, entry.sequence, entry.hash);
    let unrelated = "the balance before it is not the balance after the previous entry";
    let amounts = "the balance after it does not follow from its amount";
    let problems = found.iter().map(|it| it.problem);
    problems.filter(|it| ![unrelated, amounts].contains(it)).collect()
}

#[test]
fn each_type_has_its_own_parts_and_no_other() {
    use EntryType::{Credit, Debit, Refund, TransferIn, TransferOut};
    let all = [false, true];
    let every = all.iter().flat_map(|a| all.iter().flat_map(move |b| all.map(|c| (*a, *b, c))));
    for parts in every {
        for (kind, allowed) in [
            (Credit, [(false, false, false)].as_slice()),
            (Debit, &[(false, false, false), (true, false, false)]),
            (Refund, &[(false, true, false)]),
            (TransferIn, &[(false, false, true)]),
            (TransferOut, &[(false, false, true)]),
        ] {
            let entry = with_parts(kind, parts.0, parts.1, parts.2);
            let expected: &[&str] = if allowed.contains(&parts) { &[] } else { &[PARTS] };
            assert_eq!(problems(&entry), expected, "{kind:?} {parts:?}");
        }
    }
}

const PARTS: &str = "its parts do not fit its type";

#[test]
fn a_transfer_does_not_pass_for_a_refund_of_the_same_ids() {
    let sent = with_parts(EntryType::TransferOut, false, false, true);
    let Counterparty { reseller, entry } = counterparty();
    let forged = Entry {
        refund: Some(Refund {
            provision: EntryRefid::parse(reseller.as_str()).unwrap(),
            licences: vec![LicenceRefid::parse(entry.as_str()).unwrap()],
        }),
        counterparty: None,
        ..sent
    };
    let changed = "the entry was changed after it was written";
    assert_eq!(problems(&forged), [changed, PARTS]);
}

proptest! {
    /// The hash concatenates the two lists, so an id that moves from one list to the other must still be detected.
    #[test]
    fn a_client_does_not_pass_for_a_licence(clients in 1_usize..=32, each in 1_usize..=2, cut in 0_usize..=96) {
        let mut sale = sale();
        let ids = |count: usize| (0..count).map(|n| [u8::try_from(n).unwrap(); 10]);
        sale.clients = ids(clients).map(|bits| ClientRefid::new(&prefix("CL-"), bits)).collect();
        let count = clients * each;
        sale.licences = ids(count).map(|bits| LicenceRefid::new(&prefix("LI-"), bits)).collect();
        sale.quantity = u32::try_from(count).unwrap();
        let honest = debit(Some(sale.clone()));
        prop_assert!(problems(&honest).is_empty());

        let mut lists: Vec<String> = sale.clients.iter().map(ToString::to_string).collect();
        lists.extend(sale.licences.iter().map(ToString::to_string));
        let cut = cut.min(lists.len());
        prop_assume!(cut != clients);
        let forged = Sale {
            clients: lists[..cut].iter().map(|it| ClientRefid::parse(it).unwrap()).collect(),
            licences: lists[cut..].iter().map(|it| LicenceRefid::parse(it).unwrap()).collect(),
            ..sale
        };
        let forged = Entry { sale: Some(forged), ..honest };
        prop_assert_eq!(forged.computed_hash(), forged.hash);
        prop_assert_eq!(problems(&forged), vec![PARTS]);
    }
}

#[test]
fn a_sale_of_other_quantities_than_licences_shows() {
    let clients =
        |count: u8| -> Vec<ClientRefid> { (0..count).map(|n| ClientRefid::new(&prefix("CL-"), [n; 10])).collect() };
    for (quantity, clients, fits) in [
        (2, clients(1), true),
        (2, clients(2), true),
        (2, clients(0), false),
        (2, clients(3), false),
        (1, clients(1), false),
        (3, clients(1), false),
    ] {
        let of = clients.len();
        let sale = Sale { quantity, clients, ..sale() };
        let found = problems(&debit(Some(sale)));
        assert_eq!(found.is_empty(), fits, "{quantity} for {of}: {found:?}");
    }
}

#[test]
fn what_a_refund_and_a_transfer_are_about_is_covered_by_their_hash() {
    let plain = debit(None);
    let (refund, counterparty) = (refund(), counterparty());
    let mut refunds = [refund.clone(), refund.clone(), refund];
    refunds[1].licences.pop();
    refunds[2].provision = EntryRefid::new(&prefix("PV-"), [5; 10]);
    let mut others = [counterparty.clone(), counterparty.clone(), counterparty];
    others[1].reseller = ResellerRefid::new(&prefix("RS-"), [4; 10]);
    others[2].entry = EntryRefid::new(&prefix("PV-"), [5; 10]);
    let mut hashes = vec![plain.hash];
    hashes.extend(refunds.map(|refund| {
        let refund = Some(refund);
        let entry = Entry { refund, ..plain.clone() };
        entry.computed_hash()
    }));
    hashes.extend(others.map(|other| {
        let counterparty = Some(other);
        let entry = Entry { counterparty, ..plain.clone() };
        entry.computed_hash()
    }));
    let distinct: std::collections::HashSet<String> = hashes.iter().map(ToString::to_string).collect();
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
        assert_eq!(kind.applied(balance, amount), Ok(Credits::new(after)), "{kind:?}");
        let adds = after > 10;
        let too_far = if adds { Credits::MAX_BALANCE } else { Credits::new(11) };
        let refused = if adds {
            Refusal::BalanceTooLarge { most: Credits::MAX_BALANCE }
        } else {
            Refusal::InsufficientCredits { balance, required: too_far }
        };
        assert_eq!(kind.applied(balance, too_far), Err(refused), "{kind:?}");
    }
}
