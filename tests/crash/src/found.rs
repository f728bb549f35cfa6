//! Reads the state of the system: over HTTP, and from the file of e-mails in the data folder.

use std::collections::BTreeMap;
use std::path::Path;

use purser_tests::prelude::*;

use super::author::Author;
use super::check::{Found, Wallet};
use super::history::Reported;

/// Reads every wallet, entry and client. From the index in `since` on, also reads each author's provisions again and
/// repeats the commands.
pub async fn read(operator: &Caller, authors: &[Author], since: &[usize]) -> Result<Found, String> {
    let mut found = Found::default();
    for author in authors {
        let reseller = &author.partner.refid;
        if !found.wallets.contains_key(reseller) {
            let wallet = wallet(operator, reseller).await;
            found.wallets.insert(reseller.clone(), wallet);
        }
    }
    for (author, since) in authors.iter().zip(since) {
        for told in author.told.iter().skip(*since) {
            again(operator, author, told, &mut found).await?;
        }
    }
    let letters = operator.get("/_local/dead-letters").await.expect(200);
    found.dead_letters = letters.json["data"].as_array().map_or(0, Vec::len);
    Ok(found)
}

/// Reads the provision of a command again, and repeats the command.
async fn again(operator: &Caller, author: &Author, told: &Reported, found: &mut Found) -> Result<(), String> {
    let id = &told.command.id;
    if let Some(provision) = told.provision() {
        let path = format!("/v1/provisions/{provision}");
        let reply = operator.get(&path).await;
        found.provisions.insert(id.clone(), reply.json);
    }
    // Refusals are not stored, so a refused command may succeed when it is repeated.
    if told.command.keyed && told.done().is_some() {
        let (answer, _) = author.send(&told.command).await?;
        found.repeats.insert(id.clone(), answer);
    }
    Ok(())
}

async fn wallet(operator: &Caller, reseller: &str) -> Wallet {
    let path = format!("/v1/resellers/{reseller}");
    let profile = operator.get(&path).await.expect(200);
    let held = operator.get(&format!("{path}/wallet")).await.expect(200);
    let mut entries = pages(operator, &format!("{path}/entries?limit=100")).await;
    entries.reverse();
    let clients = format!("/v1/clients?reseller={reseller}&limit=100");
    let verified = operator.get(&format!("{path}/verify")).await.expect(200);
    Wallet {
        email: profile.text("email").to_owned(),
        threshold: held.number("low_credit_threshold"),
        balance: held.number("balance"),
        entries,
        verified: verified.json,
        clients: pages(operator, &clients).await,
    }
}

async fn pages(operator: &Caller, list: &str) -> Vec<Value> {
    let mut all = Vec::new();
    let mut path = list.to_owned();
    loop {
        let page = operator.get(&path).await.expect(200);
        all.extend(page.json["data"].as_array().cloned().unwrap_or_default());
        let Some(cursor) = page.json["next_cursor"].as_str() else {
            return all;
        };
        path = format!("{list}&cursor={cursor}");
    }
}

/// Adds the e-mails in the data folder, by their ids, skipping a line that a crash has torn. Call this before each
/// start of `purser`: it trims the file.
pub fn collect_mails(folder: &Path, mails: &mut BTreeMap<String, (String, String)>) {
    let text = std::fs::read(folder.join("mails.jsonl")).unwrap_or_default();
    for line in text.split(|byte| *byte == b'\n') {
        let Ok(mail) = serde_json::from_slice::<Value>(line) else {
            continue;
        };
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let known = (text(&mail["to"][0]), text(&mail["subject"]));
        mails.insert(text(&mail["id"]), known);
    }
}
