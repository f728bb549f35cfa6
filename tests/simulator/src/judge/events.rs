//! Judges events: each change told all that follows from it, and nothing else was told.
//!
//! Invariant: what should be told is derived from the items before and after each commit, and from nothing that Purser
//! says.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde_json::Value;

use crate::cloud::Change;
use crate::judge::checks::{id_of, wrong};
use crate::run::record::{Problem, Record, doc, kind, number, text};

/// Checks that every event was published, and that none was published that did not happen.
pub(super) fn judge(record: &Record) -> Result<(), Problem> {
    let changes = record.commits.iter().flat_map(|commit| &commit.changes);
    let (mut happened, mut twice) = (BTreeSet::new(), Vec::new());
    for id in changes.flat_map(events_of) {
        // A stranger's request whose answer was lost may be put again after it was answered, and is the same one.
        if !happened.insert(id.clone()) && !id.ends_with(":LinkRequested") {
            twice.push(id);
        }
    }
    let told = record.deployment.cloud.told(0);
    let told: BTreeSet<String> = told.iter().map(|it| id_of(&it.event).to_owned()).collect();
    let names = |ids: Vec<&String>| ids.iter().map(|id| id.rsplit(':').next().unwrap_or_default().to_owned()).collect();
    let lost: Vec<String> = names(happened.difference(&told).collect());
    let made_up: Vec<String> = names(told.difference(&happened).collect());
    if !twice.is_empty() {
        return wrong(format!("several changes have events with one id: {:?}", names(twice.iter().collect())));
    }
    if !lost.is_empty() {
        return wrong(format!("events that were never published: {lost:?}"));
    }
    if !made_up.is_empty() {
        return wrong(format!("events that were published but never happened: {made_up:?}"));
    }
    Ok(())
}

fn events_of(change: &Change) -> Vec<String> {
    let Some(new) = &change.new else {
        return Vec::new();
    };
    let (new_doc, old_doc) = (doc(new), change.old.as_deref().map(doc));
    let version = if kind(new) == "entry" { 1 } else { number(new_doc, "version") };
    let id = |name: &str| format!("{}:{version}:{name}", text(new_doc, "refid"));
    if let Some((at, due)) = fell_due(change) {
        if due == "erasure" {
            return vec![format!("{}:2:ErasureDue", subject_of(new_doc))];
        }
        let told = |name: &str| vec![format!("{}:{}:{name}", text(new_doc, "refid"), at.as_second())];
        match due.as_str() {
            "licence_expired" => return told("LicenceExpired"),
            ends if ends.starts_with("licence_ends") => return told("LicenceExpiring"),
            _ => {}
        }
        let (of, version) = if due == "client_notice" { ("client", at.as_second()) } else { ("refid", 1) };
        let name = match due.as_str() {
            "client_notice" => "ClientNoticeFellDue",
            "api_key_expired" => "ApiKeyExpired",
            _ => "ApiKeyExpiresSoon",
        };
        return vec![format!("{}:{version}:{name}", text(new_doc, of))];
    }
    let differs = |member: &str| old_doc.is_some_and(|old| old[member] != new_doc[member]);
    let fitting = |noun: &str, created: &str, other: &str| match old_doc {
        None => id(created),
        Some(_) if differs("status") => id(&format!("{noun}StatusChanged")),
        Some(_) if noun == "Client" && differs("reseller") => id("ClientTransferred"),
        Some(_) => id(other),
    };
    match kind(new) {
        // An entry is written once; its answer may be erased.
        "entry" if old_doc.is_none() => {
            let name = match text(new_doc, "type") {
                "credit" => "CreditsAdded",
                "debit" => "CreditsProvisioned",
                "refund" => "CreditsRefunded",
                "transfer_in" => "CreditsTransferredIn",
                _ => "CreditsTransferredOut",
            };
            let threshold = number(new_doc, "threshold");
            let low = number(new_doc, "balance_before") >= threshold && number(new_doc, "balance_after") < threshold;
            let low = low.then(|| id("CreditsRanLow"));
            std::iter::once(id(name)).chain(low).collect()
        }
        "client" => vec![fitting("Client", "ClientCreated", "ClientChanged")],
        "deleted_client" => vec![id("ClientDeleted")],
        "erasure" => vec![format!("{}:1:ErasureDue", subject_of(new_doc))],
        "reseller" => {
            let moved = differs("email").then(|| id("ResellerEmailChanged"));
            std::iter::once(fitting("Reseller", "ResellerOnboarded", "ResellerChanged")).chain(moved).collect()
        }
        "licence" => licence_events(new_doc, old_doc).into_iter().map(id).collect(),
        "activation" if old_doc.is_none() => vec![id("InstallationActivated")],
        "ended_activation" if old_doc.is_none() || differs("version") => vec![id("InstallationDeactivated")],
        "api_key" if old_doc.is_none() => vec![id("ApiKeyCreated")],
        "api_key" if change.old.as_deref().is_some_and(|old| old["seen"]["S"] == "never") => {
            vec![id("ApiKeyFirstUsed")]
        }
        _ => events_of_accounts(kind(new), new_doc, old_doc),
    }
}

/// The names of the events that follow from the change of a licence.
fn licence_events(new: &Value, old: Option<&Value>) -> Vec<&'static str> {
    let Some(old) = old else { return vec!["LicenceMinted"] };
    let renewals = |doc: &Value| doc["renewals"]["N"].as_str().map_or(0, |it| it.parse::<u64>().expect("a number"));
    let renewed = (renewals(new) > renewals(old)).then_some("LicenceRenewed");
    let suspended = (new["suspended_by"] != old["suspended_by"] && text(new, "status") == "suspended")
        .then_some("LicenceSuspended");
    let rotated = (new["rotations"] != old["rotations"]).then_some("LicenceKeyRotated");
    let stepped = match (text(old, "status"), text(new, "status")) {
        ("pending", "active") => Some("LicenceActivated"),
        ("suspended", "active") => Some("LicenceReinstated"),
        (old, "revoked") if old != "revoked" => Some("LicenceRevoked"),
        _ => None,
    };
    [rotated, renewed, suspended, stepped].into_iter().flatten().collect()
}

/// What an item met by this change, and when.
pub(super) fn fell_due(change: &Change) -> Option<(Timestamp, String)> {
    let met = |item: &Value| item["fell_due"]["S"].as_str().map(str::to_owned);
    let (new, old) = (change.new.as_deref().and_then(met)?, change.old.as_deref().and_then(met));
    let (at, due) = new.split_once('#').expect("an appointment");
    (old.as_deref() != Some(new.as_str())).then(|| (at.parse().expect("a time"), due.to_owned()))
}

fn subject_of(erasure: &Value) -> &str {
    let subject = &erasure["subject"]["M"];
    subject["client"]["S"].as_str().or(subject["user"]["S"].as_str()).unwrap_or_default()
}

fn events_of_accounts(kind: &str, new: &Value, old: Option<&Value>) -> Vec<String> {
    let id = |of: &str, name: &str| format!("{}:{}:{name}", text(new, of), number(new, "version"));
    let is_some = |doc: &Value, member: &str| doc[member]["S"].is_string();
    let mut events = Vec::new();
    match (kind, old) {
        ("user", None) if new["invited"]["BOOL"] == true => events.push(id("refid", "UserInvited")),
        ("user", Some(old)) => {
            if is_some(new, "confirmed_at") && !is_some(old, "confirmed_at") {
                events.push(id("refid", "UserConfirmed"));
            }
            if is_some(new, "confirmed_at") && new["email"] != old["email"] {
                events.push(id("refid", "EmailChanged"));
            }
            let replaced = "password_replaced_at";
            if is_some(new, replaced) && old[replaced] != new[replaced] {
                events.push(id("refid", "PasswordChanged"));
            }
        }
        ("login", None) if new["new_device"]["BOOL"] == true => {
            events.push(id("id", "SignedInFromNewDevice"));
        }
        ("link_request", None) => {
            events.push(id("id", "LinkRequested"));
            let moves = new["asks"]["M"]["change_email"].is_object();
            events.extend(moves.then(|| id("id", "EmailChangeRequested")));
        }
        _ => {}
    }
    events
}
