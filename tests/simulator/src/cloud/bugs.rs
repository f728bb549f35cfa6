//! Bugs that a simulation must find, planted in what the code sends: what arrives is what code with the bug would send.
//!
//! Invariant: the code itself has no switch for them. Each is named for what it does to the code.

use serde_json::{Value, json};

/// A planted bug.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bug {
    /// A wallet is replaced whatever version it is.
    WalletUnconditioned,
    /// An entry is put whether it is there or not.
    EntryUnconditioned,
    /// An address is claimed whether it is taken or not.
    AddressUnconditioned,
    /// A client is replaced whatever version it is.
    ClientUnconditioned,
    /// A refund is noted whether it was noted or not, and licences are revoked in any version.
    RefundUnconditioned,
    /// A refund leaves its licences as they are.
    LicencesNotRevoked,
    /// A transfer writes the sender's half alone.
    HalfATransfer,
    /// A conflict is taken for success.
    ConflictSwallowed,
    /// An unknown outcome is taken for success.
    UnknownTakenForDone,
    /// What is refused is refused on reads that may be stale.
    RefusedOnStaleReads,
    /// The writes of a command are commits of their own.
    TwoCommits,
    /// Events are told before the commit they are about.
    ToldOutsideTheCommit,
    /// A key is known whatever its request said.
    FingerprintSkipped,
    /// What the bus failed counts as told.
    BusRefusalSwallowed,
    /// A batch of the stream is acknowledged before it is worked off.
    AcknowledgedBeforeTheBus,
    /// An event is marked as handled before it is handled.
    SettledBeforeActing,
    /// Whoever gets an event acts on it.
    ClaimUnconditioned,
    /// An address is given to a login whether another one has it or not.
    LoginAddressUnconditioned,
    /// Who signs in is signed in, whatever became of the user and its sessions since they were read.
    SignInUnconditioned,
    /// Another password leaves the sessions as they are.
    SessionsNotEnded,
    /// A token is used whether it is there or not, and in any version of its account.
    TokenUnconditioned,
    /// A token that was used stays.
    TokenKept,
    /// A failed sign-in is counted over what was counted meanwhile.
    AttemptsUnconditioned,
    /// A batch of the stream is acknowledged before its hours are marked.
    AcknowledgedBeforeTheMarks,
    /// What a thing adds is written whatever version is there.
    TimelineUnconditioned,
    /// An hour that is marked again is marked as before.
    GenerationNotRaised,
    /// A mark is taken from the list whatever came in between.
    MarkUnconditioned,
    /// A figure is written whatever run wrote the one that is there.
    FigureUnconditioned,
    /// Everything is said to be counted up to the end of a run, whatever is left of it.
    LeftoversOverlooked,
}

/// Where a request says what must hold.
const CONDITION: &str = "ConditionExpression";
/// The codes by which a cancelled transaction tells of a conflict.
const CONFLICT: &str = "TransactionConflict";

impl Bug {
    /// All of them.
    pub const ALL: [Self; 29] = [
        Self::WalletUnconditioned,
        Self::EntryUnconditioned,
        Self::AddressUnconditioned,
        Self::ClientUnconditioned,
        Self::RefundUnconditioned,
        Self::LicencesNotRevoked,
        Self::HalfATransfer,
        Self::ConflictSwallowed,
        Self::UnknownTakenForDone,
        Self::RefusedOnStaleReads,
        Self::TwoCommits,
        Self::ToldOutsideTheCommit,
        Self::FingerprintSkipped,
        Self::BusRefusalSwallowed,
        Self::AcknowledgedBeforeTheBus,
        Self::SettledBeforeActing,
        Self::ClaimUnconditioned,
        Self::LoginAddressUnconditioned,
        Self::SignInUnconditioned,
        Self::SessionsNotEnded,
        Self::TokenUnconditioned,
        Self::TokenKept,
        Self::AttemptsUnconditioned,
        Self::AcknowledgedBeforeTheMarks,
        Self::TimelineUnconditioned,
        Self::GenerationNotRaised,
        Self::MarkUnconditioned,
        Self::FigureUnconditioned,
        Self::LeftoversOverlooked,
    ];

    /// What code with this bug sends.
    pub(super) fn sends(self, operation: &str, body: &mut Value) {
        match (self, operation) {
            (Self::WalletUnconditioned, "TransactWriteItems") => strip(body, &["WA#"]),
            (Self::EntryUnconditioned, "TransactWriteItems") => strip(body, &["EN#"]),
            (Self::AddressUnconditioned, "TransactWriteItems") => strip(body, &["EC#"]),
            (Self::ClientUnconditioned, "TransactWriteItems") => strip(body, &["CL#"]),
            (Self::RefundUnconditioned, "TransactWriteItems") => strip(body, &["RD#", "LI#"]),
            (Self::LicencesNotRevoked, "TransactWriteItems") => {
                drop_writes(body, |item| {
                    item["kind"]["S"] == "licence" && item["doc"]["M"]["status"]["S"] == "revoked"
                });
            }
            (Self::HalfATransfer, "TransactWriteItems") => {
                let receivers = receivers(body);
                drop_writes(body, |item| {
                    receivers.contains(&item["doc"]["M"]["reseller"]["S"])
                        && ["entry", "wallet"].iter().any(|kind| item["kind"]["S"] == **kind)
                });
            }
            (Self::RefusedOnStaleReads, "BatchGetItem") => {
                for table in body["RequestItems"].as_object_mut().into_iter().flatten() {
                    table.1["ConsistentRead"] = json!(false);
                }
            }
            // Whose key it is, is no refusal of a command.
            (Self::RefusedOnStaleReads, "GetItem") if !is_of(&body["Key"], &["AK#"]) => {
                body["ConsistentRead"] = json!(false);
            }
            (Self::SettledBeforeActing, "PutItem")
                if is_of(&body["Item"], &["EV#"]) && body["ConditionExpression"].is_string() =>
            {
                body["Item"]["doc"]["M"]["state"] = json!({"S": "done"});
            }
            (Self::ClaimUnconditioned, "PutItem") if is_of(&body["Item"], &["EV#"]) => {
                let members = body.as_object_mut().expect("a request");
                members.retain(|name, _| !name.contains("xpression"));
            }
            (_, "TransactWriteItems") => {
                self.sends_of_accounts(body);
                self.sends_of_rollups(operation, body);
            }
            (_, "PutItem" | "UpdateItem") => self.sends_of_rollups(operation, body),
            _ => {}
        }
    }

    fn sends_of_accounts(self, body: &mut Value) {
        match self {
            Self::LoginAddressUnconditioned => strip(body, &["EU#"]),
            Self::SignInUnconditioned if puts(body, "LH#") => strip(body, &["US#", "SE#"]),
            Self::SessionsNotEnded if puts(body, "PW#") && !puts(body, "LH#") => {
                drop_writes(body, |item| is_of(item, &["SE#"]));
            }
            Self::TokenUnconditioned if deletes(body, "TK#") => {
                strip(body, &["TK#", "US#", "PW#", "SE#", "EU#", "LA#"]);
            }
            Self::TokenKept => drop_keys(body, "Delete", "TK#"),
            Self::AttemptsUnconditioned => strip(body, &["LA#"]),
            _ => {}
        }
    }

    fn sends_of_rollups(self, operation: &str, body: &mut Value) {
        let item = match operation {
            "PutItem" => &body["Item"],
            _ => &body["Key"],
        };
        match self {
            Self::MarkUnconditioned => strip(body, &["DM#"]),
            Self::FigureUnconditioned if is_of(item, &["RU#"]) => {
                let members = body.as_object_mut().expect("a request");
                members.retain(|name, _| !name.contains("xpression"));
            }
            Self::TimelineUnconditioned if is_of(item, &["TL#"]) => {
                let members = body.as_object_mut().expect("a request");
                members.remove(CONDITION);
            }
            Self::LeftoversOverlooked if is_of(item, &["RL#"]) => {
                let values = &mut body["ExpressionAttributeValues"];
                if values[":doc"].is_object() {
                    values[":doc"]["M"]["as_of"] = values[":ended"].clone();
                }
            }
            Self::GenerationNotRaised if is_of(item, &["DM#"]) => {
                let update = body["UpdateExpression"].as_str().unwrap_or_default();
                let set = update.replace("ADD generation :one,", ", generation = :one ADD");
                body["UpdateExpression"] = json!(set);
            }
            _ => {}
        }
    }

    /// What code with this bug takes an answer for.
    pub(super) fn takes(self, operation: &str, (status, text): (u16, String)) -> (u16, String) {
        let done = match (self, operation) {
            (Self::ConflictSwallowed, "TransactWriteItems") => status == 400 && text.contains(CONFLICT),
            (Self::UnknownTakenForDone, "TransactWriteItems") => status == 500,
            _ => false,
        };
        if done {
            return (200, "{}".to_owned());
        }
        if self == Self::BusRefusalSwallowed && operation == "PutEvents" && status == 200 {
            let mut answer: Value = serde_json::from_str(&text).expect("JSON");
            answer["FailedEntryCount"] = json!(0);
            return (status, answer.to_string());
        }
        (status, text)
    }
}

/// Whether an item's key begins like one of these.
fn is_of(item: &Value, prefixes: &[&str]) -> bool {
    let pk = item["pk"]["S"].as_str().unwrap_or_default();
    prefixes.iter().any(|prefix| pk.starts_with(prefix))
}

fn writes(body: &Value) -> impl Iterator<Item = &Value> {
    body["TransactItems"].as_array().into_iter().flatten()
}

fn puts(body: &Value, prefix: &str) -> bool {
    writes(body).any(|write| is_of(&write["Put"]["Item"], &[prefix]))
}

fn deletes(body: &Value, prefix: &str) -> bool {
    writes(body).any(|write| is_of(&write["Delete"]["Key"], &[prefix]))
}

/// Takes the conditions off the writes of items whose key begins like this.
fn strip(body: &mut Value, prefixes: &[&str]) {
    for write in body["TransactItems"].as_array_mut().into_iter().flatten() {
        for action in ["Put", "Delete"] {
            let Some(action) = write.get_mut(action).and_then(Value::as_object_mut) else {
                continue;
            };
            let item = action.get("Item").or_else(|| action.get("Key"));
            if item.is_some_and(|item| is_of(item, prefixes)) {
                action.retain(|name, _| !name.contains("xpression") && !name.contains("OnCondition"));
            }
        }
    }
}

fn drop_writes(body: &mut Value, is_dropped: impl Fn(&Value) -> bool) {
    if let Some(writes) = body["TransactItems"].as_array_mut() {
        writes.retain(|write| !is_dropped(&write["Put"]["Item"]));
    }
}

/// Drops the deletions, or the checks, of items whose key begins like this.
fn drop_keys(body: &mut Value, action: &str, prefix: &str) {
    if let Some(writes) = body["TransactItems"].as_array_mut() {
        writes.retain(|write| !is_of(&write[action]["Key"], &[prefix]));
    }
}

/// The wallets that a transaction transfers credits to.
fn receivers(body: &Value) -> Vec<Value> {
    let items = body["TransactItems"].as_array().into_iter().flatten();
    let entries = items.map(|write| &write["Put"]["Item"]["doc"]["M"]);
    let receiving = entries.filter(|entry| entry["type"]["S"] == "transfer_in");
    receiving.map(|entry| entry["reseller"]["S"].clone()).collect()
}
