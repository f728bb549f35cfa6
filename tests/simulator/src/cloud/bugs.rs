//! Bugs that a simulation must find. They are planted by altering requests and answers on the wire, so that they look
//! as if buggy code had produced them.
//!
//! Invariant: Purser's code has no switch for these bugs. Each variant is named after the mistake it imitates.

use serde_json::{Value, json};

#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::VariantArray)]
pub enum Bug {
    /// A wallet is replaced without a check of its version.
    WalletUnconditioned,
    /// An entry is put without a check that it does not exist yet.
    EntryUnconditioned,
    /// A client's e-mail address is claimed without a check that it is free.
    AddressUnconditioned,
    /// A client is replaced without a check of its version.
    ClientUnconditioned,
    /// A licence is changed without a check of its version, so that of two renewals at once one is lost.
    LicenceUnconditioned,
    /// A refund is recorded even if there already is one, and licences are revoked without a check of their version.
    RefundUnconditioned,
    LicencesNotRevoked,
    /// A transfer writes only the sender's half.
    HalfATransfer,
    ConflictSwallowed,
    UnknownTakenForDone,
    RefusedOnStaleReads,
    /// Each write of a command is a commit of its own.
    TwoCommits,
    /// Events are published before the commit they are about.
    ToldOutsideTheCommit,
    /// An idempotency key is recognised even if its request differs from the first.
    FingerprintSkipped,
    BusRefusalSwallowed,
    /// A batch of the stream is acknowledged before it has been processed.
    AcknowledgedBeforeTheBus,
    /// An event is marked as handled before it has been handled.
    SettledBeforeActing,
    /// Every delivery of an event acts on it, even if another one has already claimed it.
    ClaimUnconditioned,
    /// An item falls due even if another run has let it fall due.
    DueUnconditioned,
    /// What is left of a deleted client is erased at once, and not looked for again.
    ErasedOnlyAtOnce,
    /// The answers to the refunds of a deleted client's purchases are not erased.
    RefundsNotErased,
    /// The sign-ins and links of a deleted user are not erased.
    TracesNotErased,
    /// A user gets an e-mail address without a check that no other user has it.
    LoginAddressUnconditioned,
    /// A sign-in succeeds even if the user or its sessions have changed since they were read.
    SignInUnconditioned,
    /// A change of password does not end the user's sessions.
    SessionsNotEnded,
    /// A token is consumed without a check that it still exists and that its account is unchanged.
    TokenUnconditioned,
    /// A token stays valid after it has been used.
    TokenKept,
    /// Counting a failed sign-in overwrites what was counted in the meantime.
    AttemptsUnconditioned,
    /// A batch of the stream is acknowledged before its hours have been marked.
    AcknowledgedBeforeTheMarks,
    /// A timeline is written without a check of its version.
    TimelineUnconditioned,
    /// Marking an hour again does not raise the generation of its mark.
    GenerationNotRaised,
    /// A mark is removed even if it has changed since it was read.
    MarkUnconditioned,
    /// A figure is written without a check of which run wrote the stored one.
    FigureUnconditioned,
    /// A seat is taken without a check that one is free, or that the licence is in use.
    SeatUnconditioned,
    /// Whoever held a seat that another one takes over keeps it.
    SeatKept,
    /// A change of a licence puts back how many seats were taken when it was read.
    SeatTakenBack,
    /// A program is told what may be stale.
    ValidatedOnStaleReads,
    /// Figures are declared complete up to the end of a run, even if the run left some marks uncounted.
    LeftoversOverlooked,
}

const CONDITION: &str = "ConditionExpression";
const CONFLICT: &str = "TransactionConflict";

impl Bug {
    /// Changes a request into the one that code with this bug would have sent.
    pub(super) fn sends(self, operation: &str, body: &mut Value) {
        match (self, operation) {
            (Self::WalletUnconditioned, "TransactWriteItems") => strip(body, &["WA#"]),
            (Self::EntryUnconditioned, "TransactWriteItems") => strip(body, &["EN#"]),
            (Self::AddressUnconditioned, "TransactWriteItems") => strip(body, &["EC#"]),
            (Self::ClientUnconditioned, "TransactWriteItems") => strip(body, &["CL#"]),
            (Self::RefundUnconditioned, "TransactWriteItems") => strip(body, &["RD#", "LI#"]),
            (Self::LicenceUnconditioned, "TransactWriteItems") => strip(body, &["LI#"]),
            (Self::LicencesNotRevoked, "TransactWriteItems") => {
                let revokes = |values: &Value| {
                    let mut values = values.as_object().into_iter().flatten();
                    values.any(|(_, value)| value["M"]["status"]["S"] == "revoked")
                };
                if let Some(writes) = body["TransactItems"].as_array_mut() {
                    let values = |write: &Value| revokes(&write["Update"]["ExpressionAttributeValues"]);
                    writes.retain(|write| !(is_of(&write["Update"]["Key"], &["LI#"]) && values(write)));
                }
            }
            (Self::HalfATransfer, "TransactWriteItems") => {
                let receivers = receivers(body);
                drop_writes(body, |item| {
                    receivers.contains(&item["doc"]["M"]["reseller"]["S"])
                        && ["entry", "wallet"].iter().any(|kind| item["kind"]["S"] == **kind)
                });
            }
            (Self::ErasedOnlyAtOnce, "TransactWriteItems") => {
                for write in body["TransactItems"].as_array_mut().into_iter().flatten() {
                    if is_of(&write["Put"]["Item"], &["ER#"]) {
                        let item = write["Put"]["Item"].as_object_mut().expect("an item");
                        item.retain(|name, _| !name.starts_with("gsi4"));
                    }
                }
            }
            (Self::TracesNotErased, "Query") => {
                for (_, value) in body["ExpressionAttributeValues"].as_object_mut().into_iter().flatten() {
                    if ["LH@", "TK@"].iter().any(|list| value["S"].as_str().is_some_and(|it| it.starts_with(list))) {
                        *value = json!({"S": "elsewhere"});
                    }
                }
            }
            (Self::RefundsNotErased, "BatchGetItem") => look_elsewhere(body, "RD#"),
            (Self::RefusedOnStaleReads, "BatchGetItem") => read_stale(body, |_| true),
            // Looking up the owner of an API key never refuses a command.
            (Self::RefusedOnStaleReads, "GetItem") if !is_of(&body["Key"], &["AK#"]) => {
                body["ConsistentRead"] = json!(false);
            }
            (Self::SettledBeforeActing, "UpdateItem") if is_of(&body["Key"], &["EV#"]) => {
                let values = body["ExpressionAttributeValues"].as_object_mut();
                for (_, value) in values.into_iter().flatten().filter(|(_, value)| value["M"]["state"].is_object()) {
                    value["M"]["state"] = json!({"S": "done"});
                }
            }
            (Self::ClaimUnconditioned, "UpdateItem") if is_of(&body["Key"], &["EV#"]) => always(body),
            (Self::DueUnconditioned, "UpdateItem") if is_of(&body["Key"], &["NO#"]) && meets(body) => always(body),
            (Self::ValidatedOnStaleReads, "BatchGetItem") => {
                // Whoever takes a seat also reads the last one of the same name.
                read_stale(body, |keys| keys.len() == 2 && keys.iter().any(is_seat));
            }
            (_, "TransactWriteItems") => {
                self.sends_of_seats(body);
                self.sends_of_accounts(body);
                self.sends_of_rollups(operation, body);
            }
            (_, "PutItem" | "UpdateItem") => self.sends_of_rollups(operation, body),
            _ => {}
        }
    }

    fn sends_of_seats(self, body: &mut Value) {
        match self {
            Self::SeatUnconditioned => {
                for write in body["TransactItems"].as_array_mut().into_iter().flatten() {
                    let update = &mut write["Update"];
                    if is_of(&update["Key"], &["LI#"]) && text(update, "UpdateExpression").contains("ADD") {
                        always(update);
                    }
                }
            }
            Self::SeatKept => {
                if let Some(writes) = body["TransactItems"].as_array_mut() {
                    let replaces = writes.iter().any(|write| is_seat(&write["Put"]["Item"]));
                    writes.retain(|write| !(replaces && is_seat(&write["Delete"]["Key"])));
                }
            }
            Self::SeatTakenBack => {
                for write in body["TransactItems"].as_array_mut().into_iter().flatten() {
                    let update = &mut write["Update"];
                    let set = text(update, "UpdateExpression").to_owned();
                    if is_of(&update["Key"], &["LI#"]) && set.starts_with("SET") && !set.contains("ADD") {
                        update["UpdateExpression"] = json!(set.replacen("SET ", "SET seats = :then, ", 1));
                        update["ExpressionAttributeValues"][":then"] = json!({"N": "0"});
                    }
                }
            }
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

    /// Changes an answer into the one that code with this bug would believe it received.
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

/// Whether an item's partition key begins with one of these prefixes.
fn is_of(item: &Value, prefixes: &[&str]) -> bool {
    let pk = item["pk"]["S"].as_str().unwrap_or_default();
    prefixes.iter().any(|prefix| pk.starts_with(prefix))
}

/// Whether this is the item, or the key, of an installation that holds a seat.
fn is_seat(item: &Value) -> bool {
    is_of(item, &["AC#"])
}

fn text<'a>(body: &'a Value, member: &str) -> &'a str {
    body[member].as_str().unwrap_or_default()
}

/// Lets an update's condition hold always. It still names everything that it names, which DynamoDB asks for.
fn always(body: &mut Value) {
    body[CONDITION] = json!(format!("({}) OR attribute_exists(pk) OR attribute_not_exists(pk)", text(body, CONDITION)));
}

/// Lets a read of such keys be one that may be stale.
fn read_stale(body: &mut Value, such: impl Fn(&[Value]) -> bool) {
    for (_, table) in body["RequestItems"].as_object_mut().into_iter().flatten() {
        if table["Keys"].as_array().is_some_and(|keys| such(keys)) {
            table["ConsistentRead"] = json!(false);
        }
    }
}

/// Lets a read of items of only this kind find none of them.
fn look_elsewhere(body: &mut Value, prefix: &str) {
    for (_, table) in body["RequestItems"].as_object_mut().into_iter().flatten() {
        let keys = table["Keys"].as_array_mut().expect("keys");
        if keys.iter().all(|key| is_of(key, &[prefix])) {
            for key in keys {
                key["sk"] = json!({"S": "elsewhere"});
            }
        }
    }
}

/// Whether an update notes what an item met.
fn meets(body: &Value) -> bool {
    body["ExpressionAttributeNames"].as_object().into_iter().flatten().any(|(_, name)| name == "fell_due")
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

/// Removes the conditions from the writes of items whose partition key begins with one of these prefixes.
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
        if is_of(&write["Update"]["Key"], prefixes) {
            always(&mut write["Update"]);
        }
    }
}

fn drop_writes(body: &mut Value, is_dropped: impl Fn(&Value) -> bool) {
    if let Some(writes) = body["TransactItems"].as_array_mut() {
        writes.retain(|write| !is_dropped(&write["Put"]["Item"]));
    }
}

/// Drops the actions of one kind (`Delete`, `ConditionCheck`) on items whose partition key begins with this prefix.
fn drop_keys(body: &mut Value, action: &str, prefix: &str) {
    if let Some(writes) = body["TransactItems"].as_array_mut() {
        writes.retain(|write| !is_of(&write[action]["Key"], &[prefix]));
    }
}

/// The resellers that a transaction transfers credits to.
fn receivers(body: &Value) -> Vec<Value> {
    let items = body["TransactItems"].as_array().into_iter().flatten();
    let entries = items.map(|write| &write["Put"]["Item"]["doc"]["M"]);
    let receiving = entries.filter(|entry| entry["type"]["S"] == "transfer_in");
    receiving.map(|entry| entry["reseller"]["S"].clone()).collect()
}
