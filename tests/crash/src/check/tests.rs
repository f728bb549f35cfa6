//! Tests of the check on made-up histories and systems: everything that can be wrong, one thing at a time.

use serde_json::json;

use super::super::history::{By, Command};
use super::*;

pub(super) const RESELLER: &str = "RS-1";

pub(super) fn told(id: &str, wanted: Wanted, body: Value, status: u16, json: Value) -> Reported {
    let command = Command {
        id: id.to_owned(),
        kind: "made up",
        reseller: RESELLER.to_owned(),
        by: By::Reseller,
        method: "POST",
        path: String::new(),
        keyed: true,
        body,
        wanted,
    };
    let answer = Answer { status, bytes: json.to_string().into_bytes(), json };
    Reported { command, tries: Vec::new(), answer: Some(answer) }
}

pub(super) fn entry(sequence: u64, kind: &str, amount: u64, after: u64, id: &str) -> Value {
    let before = if sequence == 1 { "0".repeat(64) } else { format!("hash {}", sequence - 1) };
    json!({
        "sequence": sequence, "type": kind, "amount": amount, "balance_after": after, "description": id,
        "previous_hash": before, "hash": format!("hash {sequence}"),
    })
}

fn client(version: u64, name: &str, status: &str) -> Value {
    json!({
        "refid": "CL-1", "version": version, "name": name, "email": "a@client.example", "status": status,
    })
}

/// A top-up, a purchase for a new client that crosses the threshold, a refusal, a change, and a repeated reference.
fn history() -> Vec<Reported> {
    let credit = entry(1, "credit", 600, 600, "credit");
    let licences = json!([{"refid": "LI-1"}, {"refid": "LI-2"}]);
    let sold = json!({
        "refid": "EN-2", "entry": entry(2, "debit", 200, 400, "buy"), "client": client(1, "A", "pending"),
        "licences": licences, "refunded": 0, "refunds": [],
    });
    let bought = json!({"product": "P", "quantity": 2, "client": {"name": "A", "email": "a@client.example"}});
    let poor = json!({"code": "insufficient_credits"});
    let dear = json!({"cost": 1_000});
    vec![
        told("credit", Wanted::Entry, json!({"amount": 600}), 201, credit.clone()),
        told("buy", Wanted::Entry, bought, 201, sold),
        told("dear", Wanted::Refusal(&[POOR]), dear, 402, poor),
        told("on", Wanted::Change, Value::Null, 200, client(2, "A", "active")),
        told("again", Wanted::EntryOf("credit".into()), json!({}), 201, credit),
    ]
}

fn found(history: &[Reported]) -> Found {
    let answers = history.iter().filter_map(|told| {
        let answer = told.done()?;
        Some((told.command.id.clone(), answer.clone()))
    });
    let wallet = Wallet {
        email: "partner@reseller.example".into(),
        threshold: 500,
        balance: 400,
        entries: vec![entry(1, "credit", 600, 600, "credit"), entry(2, "debit", 200, 400, "buy")],
        verified: json!({"intact": true, "entries": 2, "breaks": []}),
        clients: vec![client(2, "A", "active")],
    };
    let mail = |to: &str, subject: &str| (to.to_owned(), subject.to_owned());
    Found {
        wallets: BTreeMap::from([(RESELLER.to_owned(), wallet)]),
        provisions: BTreeMap::from([("buy".to_owned(), history[1].done().unwrap().json.clone())]),
        repeats: answers.collect(),
        mails: Some(vec![
            mail("a@client.example", "Welcome to Partner"),
            mail("partner@reseller.example", "Your credit is low: 400 credits left"),
        ]),
        dead_letters: 0,
    }
}

pub(super) fn wallet(found: &mut Found) -> &mut Wallet {
    found.wallets.get_mut(RESELLER).unwrap()
}

#[test]
fn a_system_that_kept_its_word_is_right() {
    let history = history();
    assert_eq!(check(&history, &found(&history)), []);
}

pub(super) type Harm = fn(&mut Vec<Reported>, &mut Found);

/// Everything that can be wrong: a part of the message that reports it, and what causes it.
const HARMS: [(&str, Harm); 19] = [
    ("its entry is missing", |_, found| {
        drop(wallet(found).entries.remove(1));
    }),
    ("the command has 2 entries", |_, found| {
        wallet(found).entries.push(entry(3, "debit", 200, 200, "buy"));
    }),
    ("the command was refused, but has 1 entries", |_, found| {
        wallet(found).entries.push(entry(3, "debit", 200, 200, "dear"));
    }),
    ("no command ordered {", |_, found| {
        wallet(found).entries.push(entry(3, "debit", 200, 200, "?"));
    }),
    ("its entry is {", |_, found| {
        wallet(found).entries[1]["amount"] = json!(199);
    }),
    ("entry 2 does not continue a balance of 600", |_, found| {
        wallet(found).entries[1]["previous_hash"] = json!("hash 7");
    }),
    ("entry 2 does not continue a balance of 600", |_, found| {
        wallet(found).entries[1]["sequence"] = json!(3);
    }),
    ("add up to 400, but the balance is 401", |_, found| {
        wallet(found).balance = 401;
    }),
    ("the wallet's verification says", |_, found| {
        wallet(found).verified["intact"] = json!(false);
    }),
    ("the command paid for 3 licences, but the answer lists 2", |told, _| {
        told[1].command.body["quantity"] = json!(3);
    }),
    ("its provision is", |_, found| {
        found.provisions.get_mut("buy").unwrap()["licences"] = json!([{"refid": "LI-1"}]);
    }),
    ("a repeat was answered with 201 other bytes", |_, found| {
        found.repeats.get_mut("buy").unwrap().bytes = b"other bytes".to_vec();
    }),
    ("500 internal_error is not a valid answer to the command", |told, _| {
        let answer = told[2].answer.as_mut().unwrap();
        (answer.status, answer.json) = (500, json!({"code": "internal_error"}));
    }),
    ("201  is not a valid answer to the command", |told, _| {
        told[4].answer.as_mut().unwrap().bytes = b"another entry".to_vec();
    }),
    ("the command has no final answer", |told, _| told[2].answer = None),
    ("its client \"CL-1\" is missing", |_, found| {
        wallet(found).clients.clear();
    }),
    ("its client is {", |_, found| {
        wallet(found).clients[0]["version"] = json!(3);
    }),
    ("exists twice", |_, found| {
        let mut other = client(1, "B", "pending");
        other["refid"] = json!("CL-2");
        wallet(found).clients.push(other);
    }),
    ("1 dead letters", |_, found| found.dead_letters = 1),
];

#[test]
fn whatever_is_lost_doubled_or_changed_is_said() {
    for (said, harm) in HARMS {
        let mut history = history();
        let mut found = found(&history);
        harm(&mut history, &mut found);
        let wrong = check(&history, &found);
        assert!(wrong.iter().any(|wrong| wrong.what.contains(said)), "{said}: {wrong:?}");
    }
}

#[test]
fn each_mail_that_is_missing_is_said() {
    let history = history();
    for (place, said) in
        [(0, "no welcome e-mail was sent to a@client.example"), (1, "1 falls below its threshold to 400, 0 warnings")]
    {
        let mut found = found(&history);
        found.mails.as_mut().unwrap().remove(place);
        let wrong = check(&history, &found);
        assert!(matches!(wrong.as_slice(), [wrong] if wrong.what.contains(said)), "{wrong:?}");
    }
}
