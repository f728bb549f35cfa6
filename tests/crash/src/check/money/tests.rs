//! Tests of the check on made-up refunds and transfers: everything that can be wrong, one thing at a time.

use super::super::tests::{Harm, RESELLER, entry, told, wallet};
use super::super::{Wallet, check};
use super::*;
use crate::history::Refund;

const OTHER: &str = "RS-2";

/// The purchase, after the refund of one of its licences, or before it if `refunds` is empty.
fn provision(refunds: &[Value]) -> Value {
    let status = if refunds.is_empty() { "pending" } else { "revoked" };
    let licences = json!([{"refid": "LI-1", "status": status}, {"refid": "LI-2", "status": "pending"}]);
    json!({
        "refid": "EN-2", "entry": entry(2, "debit", 200, 800, "buy"), "client": null, "licences": licences,
        "refunded": 100 * refunds.len(), "refunds": refunds,
    })
}

fn refund() -> Value {
    let mut refund = entry(3, "refund", 100, 900, "back");
    refund["provision"] = json!("EN-2");
    refund
}

fn half(mut half: Value, refid: &str, reseller: &str, other: &str) -> Value {
    half["refid"] = json!(refid);
    half["counterparty"] = json!({"reseller": reseller, "entry": other});
    half
}

fn sent() -> Value {
    let out = entry(4, "transfer_out", 300, 600, "send");
    half(out, "EN-4", OTHER, "EN-5")
}

fn arrived() -> Value {
    let into = entry(1, "transfer_in", 300, 300, "send");
    half(into, "EN-5", RESELLER, "EN-4")
}

/// A top-up, a purchase, a refund of half of it, a refused refund, a transfer, and a refused transfer.
fn history() -> Vec<Reported> {
    let credit = entry(1, "credit", 1_000, 1_000, "credit");
    let bought = json!({"product": "P", "quantity": 2, "client": "CL-1"});
    let back = Wanted::Refund(Refund { provision: "EN-2".into(), licences: vec!["LI-1".into()], amount: 100 });
    let again = Wanted::Refusal(&[(409, "already_refunded")]);
    let to = || Wanted::TransferTo(OTHER.into());
    let (one, done) = (json!({"licences": ["LI-1"]}), json!({"code": "already_refunded"}));
    let (amount, poor) = (json!({"amount": 300}), json!({"code": "insufficient_credits"}));
    vec![
        told("credit", Wanted::Entry, json!({"amount": 1_000}), 201, credit),
        told("buy", Wanted::Entry, bought, 201, provision(&[])),
        told("back", back, one.clone(), 200, provision(&[refund()])),
        told("again", again, one, 409, done),
        told("send", to(), amount.clone(), 201, sent()),
        told("poor", to(), amount, 402, poor),
    ]
}

fn found(history: &[Reported]) -> Found {
    let answers = history.iter().filter_map(|told| {
        let answer = told.done()?;
        Some((told.command.id.clone(), answer.clone()))
    });
    let holding = |balance: u64, entries: Vec<Value>| Wallet {
        balance,
        verified: json!({"intact": true, "entries": entries.len(), "breaks": []}),
        entries,
        ..Wallet::default()
    };
    let own = vec![entry(1, "credit", 1_000, 1_000, "credit"), entry(2, "debit", 200, 800, "buy"), refund(), sent()];
    let read = |id: &str| (id.to_owned(), provision(&[refund()]));
    Found {
        wallets: BTreeMap::from([
            (RESELLER.to_owned(), holding(600, own)),
            (OTHER.to_owned(), holding(300, vec![arrived()])),
        ]),
        provisions: BTreeMap::from([read("buy"), read("back")]),
        repeats: answers.collect(),
        ..Found::default()
    }
}

fn other(found: &mut Found) -> &mut Wallet {
    found.wallets.get_mut(OTHER).unwrap()
}

/// Removes the last entry.
fn undo(wallet: &mut Wallet) {
    wallet.entries.pop();
    let last = wallet.entries.last();
    wallet.balance = last.map_or(0, |last| last["balance_after"].as_u64().unwrap());
    wallet.verified["entries"] = json!(wallet.entries.len());
}

/// Appends an entry that fits the ones before it.
fn follow(wallet: &mut Wallet, kind: &str, amount: u64, after: u64, id: &str) {
    let place = wallet.entries.len() as u64 + 1;
    wallet.entries.push(entry(place, kind, amount, after, id));
    wallet.balance = after;
    wallet.verified["entries"] = json!(place);
}

fn answer(told: &mut Reported) -> &mut Value {
    &mut told.answer.as_mut().unwrap().json
}

#[test]
fn refunds_and_transfers_that_kept_their_word_are_right() {
    let history = history();
    assert_eq!(check(&history, &found(&history)), []);
}

/// Everything that can be wrong: the beginnings of the messages that report it, and what causes it.
const HARMS: [(&[&str], Harm); 17] = [
    (
        &[
            "send: the transfer was sent, but did not arrive",
            ": credits and refunds minus debits are 900, but the wallets hold 600",
        ],
        |_, found| undo(other(found)),
    ),
    (
        &[
            "send: the command was acknowledged, but its entry is missing",
            ": credits and refunds minus debits are 900, but the wallets hold 1200",
        ],
        |_, found| undo(wallet(found)),
    ),
    (&["send: the transfer arrived 2 times", ": credits and refunds minus"], |_, found| {
        follow(other(found), "transfer_in", 300, 600, "send");
    }),
    (&["send: the transfer arrived at RS-2 as"], |_, found| {
        other(found).entries[0]["counterparty"]["entry"] = json!("EN-1");
    }),
    (&["send: the transfer arrived at RS-2 as", ": RS-2: entry 1 does not continue"], |_, found| {
        other(found).entries[0]["amount"] = json!(299);
    }),
    (&["send: the transfer arrived at RS-2 as"], |_, found| {
        other(found).entries[0]["type"] = json!("credit");
    }),
    (&["send: the transfer arrived at RS-3 as"], |_, found| {
        let arrived = found.wallets.remove(OTHER).unwrap();
        found.wallets.insert("RS-3".into(), arrived);
    }),
    (&["poor: the command has 1 entries in other wallets", ": credits and refunds minus"], |_, found| {
        follow(other(found), "transfer_in", 300, 600, "poor");
    }),
    (&["send: the answer is wrong"], |told, _| {
        told[4].command.body["amount"] = json!(301);
    }),
    (&["back: the command has 2 entries", ": credits and refunds minus"], |_, found| {
        follow(wallet(found), "refund", 100, 700, "back");
    }),
    (&["again: the command was refused, but has 1 entries", ": credits and refunds minus"], |_, found| {
        follow(wallet(found), "refund", 100, 700, "again");
    }),
    (&["back: its refunds are"], |_, found| {
        found.provisions.get_mut("back").unwrap()["refunds"] = json!([refund(), refund()]);
    }),
    (&["back: 100 credits were refunded, but the provision says 200"], |_, found| {
        found.provisions.get_mut("back").unwrap()["refunded"] = json!(200);
    }),
    (&["buy: the licences {\"LI-1\"} were refunded, but {} are revoked"], |_, found| {
        found.provisions.get_mut("buy").unwrap()["licences"][0]["status"] = json!("pending");
    }),
    (&["buy: the licences {\"LI-1\"} were refunded, but {\"LI-1\", \"LI-2\"} are revoked"], |_, found| {
        found.provisions.get_mut("buy").unwrap()["licences"][1]["status"] = json!("revoked");
    }),
    (&["back: the answer is wrong"], |told, _| {
        answer(&mut told[2])["licences"][0]["status"] = json!("pending");
    }),
    (&["back: the answer is wrong", "back: its entry is", ": credits and refunds minus"], |told, _| {
        answer(&mut told[2])["refunds"][0]["amount"] = json!(99);
    }),
];

#[test]
fn half_a_transfer_and_a_refund_too_much_or_too_little_are_said() {
    for (said, harm) in HARMS {
        let mut history = history();
        let mut found = found(&history);
        harm(&mut history, &mut found);
        let line = |wrong: Wrong| format!("{}: {}", wrong.command.unwrap_or_default(), wrong.what);
        let wrong: Vec<String> = check(&history, &found).into_iter().map(line).collect();
        for said in said {
            let found = wrong.iter().any(|wrong| wrong.starts_with(said));
            assert!(found, "{said}: {wrong:#?}");
        }
    }
}
