//! What is stored stays readable: this version opens folders that earlier versions of Purser filled.
//!
//! `folder` beside this file holds them, each with every request that filled it and its answer, and the shapes of the
//! items and events that commands lead to now. A change of a stored shape that is intended is written with
//! `UPDATE_STORED=shapes`, which leaves the folders as the earlier versions filled them; `UPDATE_STORED=folder` fills
//! the newest anew. A change that is not intended fails here, because it would turn retries into 422, or lose what was
//! sold.

pub mod fill;
mod shapes;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use purser_edge::process::clock::Clock;
use purser_local::run::system::Options;
use purser_tests::World;
use purser_tests::document::{Document, Operation};
use purser_tests::seals::SEALED;
use serde_json::{Value, json};

use fill::{Exchange, Filled, NOW, fill, options};

/// The folders, oldest first: from when one secret was behind everything, and from when licences could not be used yet.
const FOLDERS: [&str; 2] = ["one_secret", NEWEST];
const NEWEST: &str = "licences_without_terms";

fn stored(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("table/stored/folder").join(name)
}

fn read(name: &str) -> String {
    std::fs::read_to_string(stored(name)).expect(name)
}

/// Every command in a new world stores items and publishes events of the stored shapes: names of members, spellings
/// of actors and states, keys, consumers' claims, and what goes over the bus.
#[tokio::test(flavor = "multi_thread")]
async fn every_command_stores_and_tells_what_it_did_before() {
    let parent = tempfile::tempdir().unwrap();
    let folder = parent.path().join("data");
    let Filled { world, exchanges } = fill(folder.clone()).await;
    let items = shapes::of_items(&world.state().await);
    let events = shapes::of_events(&world.events().await);
    let operations = Document::of(&world).await.operations();
    world.end().await;
    let updated = std::env::var("UPDATE_STORED").unwrap_or_default();
    if updated == "folder" {
        update(&folder, &exchanges);
    }
    if ["folder", "shapes"].contains(&updated.as_str()) {
        write("items.txt", items.as_bytes());
        write("events.txt", events.as_bytes());
    }
    let repeated: BTreeSet<&str> =
        exchanges.iter().filter(|it| it.key.is_some()).map(|it| it.operation.as_str()).collect();
    let takes_key = |operation: &&Operation| operation.header("Idempotency-Key").is_some();
    let lacking = operations.iter().filter(takes_key).map(Operation::name).filter(|it| !repeated.contains(it.as_str()));
    assert_eq!(lacking.collect::<Vec<_>>(), [""; 0], "the requests that fill a folder must cover each command");
    assert_eq!(differences(&read("items.txt"), &items), [""; 0], "tests/it/table/stored/folder/items.txt");
    assert_eq!(differences(&read("events.txt"), &events), [""; 0], "tests/it/table/stored/folder/events.txt");
}

/// The lines that only one of the two has: after `-` those of `before`, after `+` those of `now`.
fn differences<'a>(before: &'a str, now: &'a str) -> Vec<String> {
    let [was, is] = [before, now].map(|text| text.lines().collect::<BTreeSet<&'a str>>());
    let gone = was.difference(&is).map(|line| format!("- {line}"));
    gone.chain(is.difference(&was).map(|line| format!("+ {line}"))).collect()
}

fn write(name: &str, bytes: &[u8]) {
    std::fs::write(stored(name), bytes).expect(name);
}

fn update(folder: &Path, exchanges: &[Exchange]) {
    let table = std::fs::read(folder.join("table.sqlite")).expect("a table");
    write(&format!("{NEWEST}/table.sqlite.zst"), &zstd::bulk::compress(&table, 19).expect("compressed"));
    let lines: Vec<String> = exchanges.iter().map(|it| it.to_json().to_string()).collect();
    let requests = lines.join("\n");
    write(
        &format!("{NEWEST}/requests.ndjson.zst"),
        &zstd::bulk::compress(requests.as_bytes(), 19).expect("compressed"),
    );
    for name in ["secrets.json", "operator-key"] {
        let _bytes = std::fs::copy(folder.join(name), stored(NEWEST).join(name));
    }
}

/// Opens a copy of the stored folder; returns it with the requests that filled it.
async fn open(filled: &str, parent: &Path) -> (World, Vec<Exchange>) {
    let stored = |name: &str| stored(filled).join(name);
    let folder = parent.join("data");
    std::fs::create_dir(&folder).unwrap();
    for name in ["secret", "secrets.json", "operator-key"] {
        if stored(name).exists() {
            std::fs::copy(stored(name), folder.join(name)).unwrap();
        }
    }
    let unpacked = |name: &str| {
        let packed = std::fs::read(stored(name)).expect(name);
        zstd::stream::decode_all(packed.as_slice()).expect("unpacked")
    };
    std::fs::write(folder.join("table.sqlite"), unpacked("table.sqlite.zst")).unwrap();
    let requests = String::from_utf8(unpacked("requests.ndjson.zst")).unwrap();
    let exchanges = requests.lines().map(|line| Exchange::of_json(&serde_json::from_str(line).unwrap()));
    let clock = Clock::stopped_at(NOW.parse().unwrap());
    let world = World::start(Options { folder: Some(folder), clock, ..options() }).await;
    (world, exchanges.collect())
}

#[tokio::test(flavor = "multi_thread")]
async fn folders_filled_before_answer_every_repeat_with_the_same_bytes() {
    for filled in FOLDERS {
        let parent = tempfile::tempdir().unwrap();
        let (world, exchanges) = open(filled, parent.path()).await;
        must_repeat(&world, &exchanges).await;
    }
}

/// The seals of a folder of an earlier version name no key. New keys open them, and seal them anew.
#[tokio::test(flavor = "multi_thread")]
async fn folders_filled_before_answer_the_same_after_their_seals_were_renewed() {
    for filled in FOLDERS {
        let parent = tempfile::tempdir().unwrap();
        let (world, exchanges) = open(filled, parent.path()).await;
        world.rotate();
        world.read_secrets_again();
        for what in SEALED {
            let renewed = world.reseal(what).await;
            assert!(renewed > 0 || ["resellers", "factors"].contains(&what), "{what}");
        }
        must_repeat(&world, &exchanges).await;
    }
}

async fn must_repeat(world: &World, exchanges: &[Exchange]) {
    let commands: Vec<&Exchange> = exchanges.iter().filter(|it| it.key.is_some()).collect();
    assert!(commands.len() >= 20, "{} commands", commands.len());
    for command in commands {
        let what = format!("{} {}", command.method, command.target);
        let reply = command.send(world).await;
        if command.target == "/v1/api-keys" {
            let _shown = reply.refused(409, "key_already_shown");
            continue;
        }
        assert_eq!(reply.header("idempotency-replayed"), Some("true"), "{what}: {}", reply.json);
        assert_eq!((reply.status, &reply.bytes), (command.status, &command.answer), "{what}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn folders_filled_before_list_and_prove_what_they_did() {
    for filled in FOLDERS {
        let parent = tempfile::tempdir().unwrap();
        let (world, exchanges) = open(filled, parent.path()).await;
        // Opening the folder delivers the end of the stream again, so its hours have to be counted again first.
        world.system().settle().await;
        world.run_schedule("rollup").await;
        let reads: Vec<&Exchange> = exchanges.iter().filter(|it| it.at_the_end).collect();
        assert!(reads.len() > 200, "{} reads", reads.len());
        for read in reads {
            let what = format!("{} {}", read.method, read.target);
            let reply = read.send(&world).await;
            assert_eq!(reply.status, read.status, "{what}: {}", reply.json);
            if read.target.ends_with("/verify") {
                assert_eq!(reply.json["intact"], true, "{what}: {}", reply.json);
            }
            let before: Value = serde_json::from_slice(&read.answer).unwrap_or(Value::Null);
            holds(&reply.json, &before, &what);
        }
        let breaks = json!([]);
        let verified = world.operator.get("/v1/resellers?limit=100").await.expect(200);
        for reseller in verified.json["data"].as_array().unwrap() {
            let path = format!("/v1/resellers/{}/verify", reseller["refid"].as_str().unwrap());
            assert_eq!(world.operator.get(&path).await.expect(200).json["breaks"], breaks, "{path}");
        }
    }
}

/// Asserts that `now` says everything that `before` said; it may say more.
fn holds(now: &Value, before: &Value, what: &str) {
    match (now, before) {
        (Value::Object(now), Value::Object(before)) => {
            for (name, value) in before {
                let there = now.get(name).unwrap_or_else(|| panic!("{what}: {name} is gone"));
                // A licence's key is masked wherever it is read later (rule C9), and without a limit nothing counts its
                // installations.
                if !(["key", "activations"].contains(&name.as_str()) && there.is_null()) {
                    holds(there, value, &format!("{what} {name}"));
                }
            }
        }
        (Value::Array(now), Value::Array(before)) => {
            assert_eq!(now.len(), before.len(), "{what}: the number of items changed");
            for (now, before) in now.iter().zip(before) {
                holds(now, before, what);
            }
        }
        _ => assert_eq!(now, before, "{what}"),
    }
}
