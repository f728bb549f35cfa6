//! Verifying finds every way of tampering with a history (rule B11).

use purser_domain::basic::{EntryRefid, LicenceRefid};
use purser_domain::money::{Credits, Entry, EntryHash, EntryType, Refund, Wallet};
use purser_tests::prelude::*;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// The items of a reseller's entries, in DynamoDB's JSON, oldest first.
fn entries_of(world: &World, reseller: &str) -> Vec<Value> {
    let of = |item: &Value| item["kind"]["S"] == "entry" && item["doc"]["M"]["reseller"]["S"] == reseller;
    let mut items = world.items();
    items.retain(of);
    items.sort_by_key(|item| entry(item).sequence);
    items
}

fn doc<T: DeserializeOwned>(item: &Value) -> T {
    let doc: serde_dynamo::AttributeValue = serde_json::from_value(item["doc"].clone()).unwrap();
    serde_dynamo::from_attribute_value(doc).unwrap()
}

fn entry(item: &Value) -> Entry {
    doc(item)
}

/// The item with `doc` in place of its own.
fn holding(item: &Value, doc: &impl Serialize) -> Value {
    let doc: serde_dynamo::AttributeValue = serde_dynamo::to_attribute_value(doc).unwrap();
    let mut item = item.clone();
    item["doc"] = serde_json::to_value(doc).unwrap();
    item
}

/// A copy with another refid and a hash that fits, so that both items can be in the table.
fn renamed(item: &Value, refid: &str) -> Value {
    let mut entry = entry(item);
    entry.refid = EntryRefid::parse(refid).unwrap();
    entry.hash = entry.computed_hash();
    let mut item = holding(item, &entry);
    item["pk"]["S"] = json!(format!("EN#{refid}"));
    item
}

/// The sort key, in a wallet's list, of the entry numbered `sequence` and made at `time`.
fn place(time: &str, sequence: u64) -> Value {
    json!({"S": format!("{time}#{sequence:012}")})
}

async fn with_history(world: &World) -> Partner {
    let partner = world.partner("standard", 1_000).await;
    for n in 0..5 {
        let bare = json!({"cost": 10, "description": "x"});
        let key = format!("k{n}");
        let made = partner.caller.post_once("/v1/provisions", &key, &bare);
        let _made = made.await.expect(201);
    }
    world.assert_intact(&partner.refid, 6).await;
    partner
}

/// What verifying reports: the sequence of the first break, or 0, and all problems.
async fn breaks(world: &World, reseller: &str, query: &str) -> (u64, Vec<String>) {
    let path = format!("/v1/resellers/{reseller}/verify{query}");
    let found = world.operator.get(&path).await.expect(200).json;
    let breaks = found["breaks"].as_array().unwrap();
    assert_eq!(found["intact"], breaks.is_empty());
    let problems = breaks.iter().map(|it| it["problem"].as_str().unwrap());
    let first = breaks.first().and_then(|it| it["sequence"].as_u64());
    (first.unwrap_or(0), problems.map(ToOwned::to_owned).collect())
}

/// Changes a new history; returns what verifying then reports.
async fn tampered(change: impl AsyncFnOnce(&World, &str, Vec<Value>)) -> (u64, Vec<String>) {
    let world = World::new().await;
    let refid = with_history(&world).await.refid;
    change(&world, &refid, entries_of(&world, &refid)).await;
    breaks(&world, &refid, "").await
}

#[tokio::test]
async fn a_changed_entry_shows() {
    for (member, value) in [
        ("amount", json!({"N": "9"})),
        ("balance_before", json!({"N": "1"})),
        ("balance_after", json!({"N": "1"})),
        ("threshold", json!({"N": "1"})),
        ("actor", json!({"S": "somebody"})),
        ("type", json!({"S": "credit"})),
        ("created_at", json!({"S": "2026-01-01T00:00:00.000Z"})),
        ("sequence", json!({"N": "3"})),
        ("amount", json!({"S": "what no entry holds"})),
    ] {
        let found = tampered(async |world, _, entries| {
            let pk = entries[3]["pk"]["S"].as_str().unwrap();
            world.tamper(pk, member, &value);
        });
        let (first, problems) = found.await;
        let place = if member == "sequence" { 3 } else { 4 };
        assert_eq!(first, place, "{member} {value}: {problems:?}");
    }
}

/// The hash covers an entry's fields as lines without names, so it may stay the same if a value moves to another list.
/// Verifying still finds that.
#[tokio::test]
async fn parts_that_changed_places_show() {
    let world = World::new().await;
    let (from, to) = (world.partner("standard", 1_000).await, world.partner("standard", 0).await);
    let order = json!({"product": world.product(100).await, "clients": [world.new_client(), world.new_client()]});
    let bought = from.caller.post_once("/v1/provisions/bulk", "k", &order);
    let _bought = bought.await.expect(201);
    let path = format!("/v1/resellers/{}/transfers", from.refid);
    let body = json!({"to": to.refid, "amount": 1});
    let sent = world.operator.post_once(&path, "k", &body);
    let _sent = sent.await.expect(201);
    world.assert_intact(&from.refid, 3).await;
    let items = entries_of(&world, &from.refid);

    let (mut resold, parts) = (entry(&items[1]), "its parts do not fit its type");
    let sale = resold.sale.as_mut().unwrap();
    let client = sale.clients.pop().unwrap();
    let licence = LicenceRefid::parse(client.as_str()).unwrap();
    sale.licences.insert(0, licence);
    assert_eq!(resold.computed_hash(), resold.hash);
    world.put_all(&[holding(&items[1], &resold)]);
    let found = breaks(&world, &from.refid, "").await;
    assert_eq!(found, (2, vec![parts.to_owned()]));
    world.put_all(&items);

    let mut returned = entry(&items[2]);
    let other = returned.counterparty.take().unwrap();
    returned.refund = Some(Refund {
        provision: EntryRefid::parse(other.reseller.as_str()).unwrap(),
        licences: vec![LicenceRefid::parse(other.entry.as_str()).unwrap()],
    });
    world.put_all(&[holding(&items[2], &returned)]);
    let changed = "the entry was changed after it was written";
    let found = breaks(&world, &from.refid, "").await;
    assert_eq!(found, (3, vec![changed.to_owned(), parts.to_owned()]));
}

#[tokio::test]
async fn a_deleted_entry_shows() {
    for (which, place) in [(0, 2), (2, 4), (5, 6)] {
        let found = tampered(async |world, _, entries| world.remove(&entries[which]));
        assert_eq!(found.await.0, place, "entry {}", which + 1);
    }
}

#[tokio::test]
async fn an_entry_taken_out_of_the_list_shows() {
    let found = tampered(async |world, _, entries| {
        let mut hidden = entries[2].clone();
        hidden.as_object_mut().unwrap().remove("gsi1pk");
        world.put_all(&[hidden]);
    });
    assert_eq!(found.await.0, 4);
}

#[tokio::test]
async fn an_inserted_entry_shows_wherever_it_stands() {
    const FIRST: &str = "PV-0000000000000000";
    const LAST: &str = "PV-ZZZZZZZZZZZZZZZZ";
    // Before the first entry, after another, and at the sort key of an existing one (in front of it and behind it).
    for (refid, at, sequence) in [(FIRST, 0, 0), (FIRST, 2, 3), (FIRST, 2, 2), (LAST, 2, 2), (LAST, 5, 5)] {
        let found = tampered(async |world, _, entries| {
            let mut made_up = renamed(&entries[2], refid);
            let time = entry(&entries[at]).created_at.to_string();
            made_up["gsi1sk"] = place(&time, sequence + 1);
            world.put_all(&[made_up]);
        });
        let (_, problems) = found.await;
        assert!(!problems.is_empty(), "{refid} {at} {sequence}");
    }
    let beyond = tampered(async |world, _, entries| {
        let last = entry(&entries[5]);
        let next = Entry { sequence: 7, balance_before: last.balance_after, previous_hash: last.hash, ..last.clone() };
        let mut made_up = renamed(&holding(&entries[5], &next), FIRST);
        made_up["gsi1sk"] = place(&last.created_at.to_string(), 7);
        world.put_all(&[made_up]);
    });
    let expected = vec!["the wallet does not count this entry".to_owned()];
    assert_eq!(beyond.await, (7, expected));
}

#[tokio::test]
async fn two_entries_that_changed_places_show() {
    let found = tampered(async |world, _, mut entries| {
        let place = entries[2]["gsi1sk"].take();
        entries[2]["gsi1sk"] = entries[3]["gsi1sk"].take();
        entries[3]["gsi1sk"] = place;
        world.put_all(&entries);
    });
    assert_eq!(found.await.0, 4);
    // With their numbers and times exchanged too, so that the list looks right.
    let found = tampered(async |world, _, mut entries| {
        let (third, fourth) = (entry(&entries[2]), entry(&entries[3]));
        for (n, here, there) in [(2, &third, &fourth), (3, &fourth, &third)] {
            let mut moved = Entry { sequence: there.sequence, created_at: there.created_at, ..here.clone() };
            moved.hash = moved.computed_hash();
            entries[n] = holding(&entries[n], &moved);
        }
        let place = entries[2]["gsi1sk"].take();
        entries[2]["gsi1sk"] = entries[3]["gsi1sk"].take();
        entries[3]["gsi1sk"] = place;
        world.put_all(&entries);
    });
    assert_eq!(found.await.0, 3);
}

#[tokio::test]
async fn a_history_that_belongs_to_somebody_else_shows() {
    let world = World::new().await;
    let (own, other) = (with_history(&world).await, with_history(&world).await);
    let mut others = entries_of(&world, &other.refid);
    for item in entries_of(&world, &own.refid) {
        world.remove(&item);
    }
    for item in &mut others {
        item["gsi1pk"] = json!({"S": format!("EN@{}", own.refid)});
    }
    world.put_all(&others);
    let items = world.items();
    let wallet = |reseller: &str| {
        let mut found = items.iter().filter(|item| item["kind"]["S"] == "wallet");
        let found = found.find(|item| item["doc"]["M"]["reseller"]["S"] == reseller);
        found.unwrap().clone()
    };
    let theirs: Wallet = doc(&wallet(&other.refid));
    let mine = Wallet { reseller: doc::<Wallet>(&wallet(&own.refid)).reseller, ..theirs };
    world.put_all(&[holding(&wallet(&own.refid), &mine)]);
    let (first, problems) = breaks(&world, &own.refid, "").await;
    assert_eq!(first, 1);
    let foreign = "the entry belongs to another wallet".to_owned();
    assert!(problems.contains(&foreign), "{problems:?}");
}

/// Rewrites a history from the index `first` on: other amounts, with hashes, balances and a wallet that fit them.
fn rewrite(world: &World, reseller: &str, first: usize) {
    let mut items = entries_of(world, reseller);
    let before = first.checked_sub(1).map(|n| entry(&items[n]));
    let (mut hash, mut balance) = before.map_or((EntryHash::START, Credits::ZERO), |it| (it.hash, it.balance_after));
    for item in &mut items[first..] {
        let mut forged = entry(item);
        forged.amount = Credits::new(forged.amount.get() + 1);
        forged.balance_before = balance;
        let after = if forged.kind == EntryType::Credit {
            balance.checked_add(forged.amount)
        } else {
            balance.checked_sub(forged.amount)
        };
        forged.balance_after = after.unwrap();
        forged.previous_hash = hash;
        forged.hash = forged.computed_hash();
        (hash, balance) = (forged.hash, forged.balance_after);
        *item = holding(item, &forged);
    }
    let mut wallets = world.items();
    wallets.retain(|item| item["pk"]["S"] == format!("WA#{reseller}"));
    let mut wallet: Wallet = doc(&wallets[0]);
    (wallet.head, wallet.balance) = (hash, balance);
    items.push(holding(&wallets[0], &wallet));
    world.put_all(&items);
}

#[tokio::test]
async fn a_history_rewritten_whole_shows_by_a_checkpoint_alone() {
    let world = World::new().await;
    let refid = with_history(&world).await.refid;
    world.run_schedule("checkpoint-ledger").await;
    let parts = world.operator.get("/v1/checkpoints").await.expect(200).json;
    let head = &parts["data"][0]["wallets"][0];
    assert_eq!((&head["reseller"], &head["sequence"]), (&json!(refid), &json!(6)));
    let through = |sequence: u64, hash: &Value| format!("?sequence={sequence}&head={}", hash.as_str().unwrap());
    let checkpoint = through(6, &head["head"]);
    let entries = world.entries(&refid).await;
    let zeros = json!("0".repeat(64));
    for (sequence, hash) in [(6, &head["head"]), (3, &entries[2]["hash"]), (0, &zeros)] {
        let found = breaks(&world, &refid, &through(sequence, hash)).await;
        assert_eq!(found, (0, vec![]), "{sequence}");
    }
    let another = vec!["the history is not the one in the checkpoint".to_owned()];
    for (sequence, hash) in [(5, &head["head"]), (7, &head["head"]), (0, &head["head"])] {
        let found = breaks(&world, &refid, &through(sequence, hash)).await;
        assert_eq!(found, (sequence, another.clone()));
    }
    rewrite(&world, &refid, 2);
    assert_eq!(breaks(&world, &refid, "").await, (0, vec![]));
    assert_eq!(breaks(&world, &refid, &checkpoint).await, (6, another));
    let untouched = through(2, &entries[1]["hash"]);
    assert_eq!(breaks(&world, &refid, &untouched).await, (0, vec![]));
    for half in ["?sequence=6", "?head=00", &format!("?head={}", "0".repeat(64))] {
        let path = format!("/v1/resellers/{refid}/verify{half}");
        let _refused = world.operator.get(&path).await.refused(400, "malformed_request");
    }
}
