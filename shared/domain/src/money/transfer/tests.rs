//! Tests of transfers: examples, and random histories of three wallets.

use proptest::prelude::*;

use super::*;
use crate::basic::refid::ResellerRefid;
use crate::money::credits::Credits;
use crate::money::entry::{Audit, Entry};
use crate::money::refund::{self, Part};
use crate::money::wallet::tests::{at, particulars, prefix, wallet};
use crate::parties::reseller::ResellerStatus;

fn refid(n: u8) -> ResellerRefid {
    ResellerRefid::new(&prefix("RS-"), [n; 10])
}

fn purse(n: u8, balance: u64) -> Wallet {
    Wallet { reseller: refid(n), ..wallet(balance, 500) }
}

fn end(wallet: &Wallet, n: u8) -> End<'_> {
    End { wallet, particulars: particulars(n) }
}

fn amount(count: u64) -> Amount {
    Amount::try_from(count).unwrap()
}

#[test]
fn two_entries_name_each_other_and_the_exact_balance_is_enough() {
    let (from, to) = (purse(1, 600), purse(2, 5));
    let made = decide(end(&from, 1), end(&to, 2), amount(600), at(9)).unwrap();
    let (sent, received) = (&made.sent, &made.received);
    assert_eq!((sent.wallet.balance, received.wallet.balance), (Credits::ZERO, Credits::new(605)));
    assert_eq!((sent.entry.kind, received.entry.kind), (EntryType::TransferOut, EntryType::TransferIn));
    for (one, other) in [(sent, received), (received, sent)] {
        let named = one.entry.counterparty.as_ref().unwrap();
        assert_eq!((&named.reseller, &named.entry), (&other.entry.reseller, &other.entry.refid));
        assert_eq!(one.entry.provision(), None);
    }
    assert!(sent.entry.ran_low() && !received.entry.ran_low());
    let refused = decide(end(&from, 1), end(&to, 2), amount(601), at(9));
    let (balance, required) = (Credits::new(600), Credits::new(601));
    assert_eq!(refused, Err(Refusal::InsufficientCredits { balance, required }));
}

#[test]
fn a_wallet_can_be_too_full_and_is_not_its_own_counterparty() {
    let (from, full) = (purse(1, 600), purse(2, Credits::MAX_BALANCE.get()));
    let refused = decide(end(&from, 1), end(&full, 2), amount(1), at(9));
    assert_eq!(refused, Err(Refusal::BalanceTooLarge { most: Credits::MAX_BALANCE }));
    let refused = decide(end(&from, 1), end(&from, 2), amount(1), at(9));
    assert_eq!(refused, Err(Refusal::InvalidRecipient));
}

proptest! {
    /// Makes top-ups, purchases, refunds and transfers among three wallets, in any order.
    #[test]
    fn any_history_proves_itself_and_transfers_conserve_the_sum(
        moves in prop::collection::vec((0..4_u8, 0..3_usize, 0..3_usize, 1_u64..1_000), 1..60),
    ) {
        let mut wallets = [purse(1, 0), purse(2, 0), purse(3, 0)];
        let mut histories: [Vec<Entry>; 3] = Default::default();
        let (mut added, mut taken) = (0, 0);
        for (n, (what, one, other, count)) in moves.into_iter().enumerate() {
            let now = at(i64::try_from(n).unwrap());
            let says = || particulars(u8::try_from(n).unwrap());
            match what {
                0 => {
                    let posting = wallets[one].credit(amount(count), says(), now).unwrap();
                    added += count;
                    wallets[one] = posting.wallet;
                    histories[one].push(posting.entry);
                }
                1 => {
                    let debit = wallets[one].debit(Credits::new(count), None, says(), now);
                    let Ok(posting) = debit else { continue };
                    taken += count;
                    wallets[one] = posting.wallet;
                    histories[one].push(posting.entry);
                }
                2 => {
                    let mut bought = histories[one].iter().rev();
                    let Some(purchase) = bought.find(|entry| entry.is_provision()) else { continue };
                    let made = refund::decide(&wallets[one], purchase, None, &Part::Rest, says(), now).unwrap();
                    added += made.posting.entry.amount.get();
                    wallets[one] = made.posting.wallet;
                    histories[one].push(made.posting.entry);
                }
                _ => {
                    let before: u64 = wallets.iter().map(|it| it.balance.get()).sum();
                    let moved = decide(
                        End { wallet: &wallets[one], particulars: says() },
                        End { wallet: &wallets[other], particulars: particulars(200) },
                        amount(count),
                        now,
                    );
                    prop_assert!(one != other || moved == Err(Refusal::InvalidRecipient));
                    let Ok(made) = moved else { continue };
                    wallets[one] = made.sent.wallet;
                    wallets[other] = made.received.wallet;
                    histories[one].push(made.sent.entry);
                    histories[other].push(made.received.entry);
                    let after: u64 = wallets.iter().map(|it| it.balance.get()).sum();
                    prop_assert_eq!(before, after);
                }
            }
        }
        let sum: u64 = wallets.iter().map(|it| it.balance.get()).sum();
        prop_assert_eq!(sum, added - taken);
        for (wallet, history) in wallets.iter().zip(&histories) {
            let mut audit = Audit::of(&wallet.reseller, None);
            for entry in history {
                audit.entry(entry, false);
            }
            prop_assert_eq!(audit.finish(wallet.balance, wallet.sequence, wallet.head), vec![]);
        }
    }
}

#[test]
fn a_reseller_sends_one_level_down_and_only_while_it_may_trade() {
    for (parent, status, expected) in [
        (Some(1), ResellerStatus::Active, Ok(())),
        (Some(1), ResellerStatus::Suspended, Err(Refusal::ResellerSuspended)),
        (Some(1), ResellerStatus::Pending, Err(Refusal::ResellerPending)),
        (Some(9), ResellerStatus::Active, Err(Refusal::InvalidRecipient)),
        (Some(9), ResellerStatus::Suspended, Err(Refusal::InvalidRecipient)),
        (None, ResellerStatus::Active, Err(Refusal::InvalidRecipient)),
    ] {
        let from = Wallet { status, hold_provisioning: true, ..purse(1, 10) };
        let to = receiver(parent.map(refid));
        assert_eq!(must_send(&from, Some(&to)), expected, "{parent:?} {status:?}");
    }
    assert_eq!(must_send(&purse(1, 10), None), Err(Refusal::InvalidRecipient));
}

fn receiver(parent: Option<ResellerRefid>) -> Reseller {
    use crate::basic::email::EmailAddress;
    use crate::basic::refid::UserRefid;
    use crate::basic::text::Name;
    use crate::money::tier::Tier;
    use crate::parties::metadata::Metadata;
    use crate::parties::reseller::NewReseller;
    let new = NewReseller {
        company_name: Name::try_from("Below".to_owned()).unwrap(),
        email: EmailAddress::try_from("below@example.com".to_owned()).unwrap(),
        tier: Tier::Standard,
        status: ResellerStatus::Suspended,
        low_credit_threshold: Credits::ZERO,
        metadata: Metadata::default(),
    };
    let user = UserRefid::new(&prefix("US-"), [1; 10]);
    let reseller = Reseller::onboard(new, refid(2), user, None, at(0)).unwrap();
    Reseller { parent, ..reseller }
}
