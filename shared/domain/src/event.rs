//! Events: what everybody else is told of a change.
//!
//! Invariant: an event is a pure function of one item's change, so nothing is written twice and nothing is
//! forgotten; it carries refids and figures, never a licence key, an address or an image of the item.

use serde_json::{Value, json};

use crate::basic::time::Time;
use crate::licences::licence::{Licence, LicenceStatus};
use crate::money::entry::{Entry, EntryType};
use crate::parties::client::{Client, DeletedClient};
use crate::parties::reseller::Reseller;
use crate::people::credentials::Credentials;
use crate::people::session::Login;
use crate::people::token::LinkRequest;
use crate::people::user::User;

/// The change of one item, decoded.
#[derive(Debug, Clone, PartialEq)]
pub enum Change {
    /// A client appeared or changed.
    Client(Option<Client>, Client),
    /// A client was deleted.
    ClientDeleted(DeletedClient),
    /// A reseller appeared or changed.
    Reseller(Option<Reseller>, Reseller),
    /// An entry was appended.
    Entry(Entry),
    /// A licence was minted or changed.
    Licence(Option<Licence>, Licence),
    /// A login appeared or changed.
    User(Option<User>, User),
    /// What a user proves itself with changed.
    Credentials(Option<Credentials>, Credentials),
    /// Somebody signed in.
    Login(Login),
    /// Somebody asked for a link by mail.
    LinkRequest(LinkRequest),
}

/// One event, ready for the bus.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// refid : version : name; consumers claim it before they act.
    pub id: String,
    /// What happened, in the past tense.
    pub name: &'static str,
    /// When.
    pub time: Time,
    /// What consumers need to look further.
    pub detail: Value,
}

fn event(refid: &str, version: u64, name: &'static str, time: Time, detail: Value) -> Event {
    Event { id: format!("{refid}:{version}:{name}"), name, time, detail }
}

/// The events of a change, in the order they are told.
pub fn events_of(change: &Change) -> Vec<Event> {
    match change {
        Change::Client(old, new) => client_events(old.as_ref(), new),
        Change::ClientDeleted(client) => vec![event(
            client.refid.as_str(),
            client.version,
            "ClientDeleted",
            client.deleted_at,
            json!({"client": client.refid, "reseller": client.reseller}),
        )],
        Change::Reseller(old, new) => reseller_events(old.as_ref(), new),
        Change::Entry(entry) => entry_events(entry),
        Change::Licence(old, new) => licence_events(old.as_ref(), new),
        Change::User(old, new) => user_events(old.as_ref(), new),
        Change::Credentials(old, new) => credentials_events(old.as_ref(), new),
        Change::Login(login) if login.new_device => vec![event(
            &login.id,
            1,
            "SignedInFromNewDevice",
            login.created_at,
            json!({"user": login.user, "login": login.id}),
        )],
        Change::Login(_) => Vec::new(),
        Change::LinkRequest(asked) => {
            vec![event(&asked.id, 1, "LinkRequested", asked.created_at, json!({"request": asked.id}))]
        }
    }
}

fn user_events(old: Option<&User>, new: &User) -> Vec<Event> {
    let tell = |name, time| {
        let detail = json!({"user": new.refid});
        event(new.refid.as_str(), new.version, name, time, detail)
    };
    let Some(old) = old else {
        let invited = new.invited.then(|| tell("UserInvited", new.created_at));
        return invited.into_iter().collect();
    };
    let confirmed = new.confirmed_at.filter(|_| old.confirmed_at.is_none());
    let moved = new.confirmed_at.filter(|_| old.email != new.email);
    let confirmed = confirmed.map(|time| tell("UserConfirmed", time));
    let moved = moved.map(|time| tell("EmailChanged", time));
    confirmed.into_iter().chain(moved).collect()
}

/// The first password of a login is no change of it.
fn credentials_events(old: Option<&Credentials>, new: &Credentials) -> Vec<Event> {
    let tell = |name, time, detail| event(new.user.as_str(), new.version, name, time, detail);
    let mut events = Vec::new();
    let set_before = old.and_then(|old| old.password_set_at);
    if let (Some(before), Some(time)) = (set_before, new.password_set_at)
        && before != time
    {
        let detail = json!({"user": new.user});
        events.push(tell("PasswordChanged", time, detail));
    }
    let since = |it: &Credentials| it.second_factor.as_ref().map(|factor| factor.since);
    let before = old.and_then(since);
    if before != since(new) {
        let detail = json!({"user": new.user, "on": new.second_factor.is_some()});
        let time = since(new).or(new.changed_at);
        events.extend(time.map(|time| tell("SecondFactorChanged", time, detail)));
    }
    events
}

fn licence_events(old: Option<&Licence>, new: &Licence) -> Vec<Event> {
    let (name, time) = match old {
        None => ("LicenceMinted", new.created_at),
        Some(old) if old.status != new.status && new.status == LicenceStatus::Revoked => {
            ("LicenceRevoked", new.updated_at)
        }
        Some(_) => return Vec::new(),
    };
    let detail = json!({"licence": new.refid, "product": new.product, "client": new.client, "reseller": new.reseller});
    vec![event(new.refid.as_str(), new.version, name, time, detail)]
}

fn client_events(old: Option<&Client>, new: &Client) -> Vec<Event> {
    let tell = |name, detail| vec![event(new.refid.as_str(), new.version, name, new.updated_at, detail)];
    match old {
        None => tell("ClientCreated", json!({"client": new.refid, "reseller": new.reseller, "status": new.status})),
        Some(old) if old.status != new.status => tell(
            "ClientStatusChanged",
            json!({"client": new.refid, "reseller": new.reseller, "from": old.status, "to": new.status}),
        ),
        Some(old) if old.reseller != new.reseller => {
            tell("ClientTransferred", json!({"client": new.refid, "from": old.reseller, "to": new.reseller}))
        }
        Some(old) if old.version != new.version => {
            tell("ClientChanged", json!({"client": new.refid, "reseller": new.reseller}))
        }
        Some(_) => Vec::new(),
    }
}

fn reseller_events(old: Option<&Reseller>, new: &Reseller) -> Vec<Event> {
    let tell = |name, detail| vec![event(new.refid.as_str(), new.version, name, new.updated_at, detail)];
    match old {
        None => tell(
            "ResellerOnboarded",
            json!({"reseller": new.refid, "tier": new.tier, "status": new.status, "parent": new.parent}),
        ),
        Some(old) if old.status != new.status => {
            tell("ResellerStatusChanged", json!({"reseller": new.refid, "from": old.status, "to": new.status}))
        }
        Some(old) if old.version != new.version => {
            tell("ResellerChanged", json!({"reseller": new.refid, "tier": new.tier}))
        }
        Some(_) => Vec::new(),
    }
}

/// Money events come from the entry's insert alone: a changed threshold is no crossing (rule B9).
fn entry_events(entry: &Entry) -> Vec<Event> {
    let tell = |name, detail| event(entry.refid.as_str(), 1, name, entry.created_at, detail);
    let other = entry.counterparty.as_ref().map(|other| &other.reseller);
    let mut events = vec![match entry.kind {
        EntryType::Credit => tell(
            "CreditsAdded",
            json!({"reseller": entry.reseller, "amount": entry.amount, "balance": entry.balance_after,
                   "sequence": entry.sequence}),
        ),
        EntryType::Debit => tell(
            "CreditsProvisioned",
            json!({"reseller": entry.reseller, "provision": entry.refid, "cost": entry.amount,
                   "balance": entry.balance_after, "sequence": entry.sequence,
                   "product": entry.sale.as_ref().map(|sale| &sale.product),
                   "clients": entry.sale.as_ref().map_or(&[][..], |sale| &sale.clients)}),
        ),
        EntryType::Refund => tell(
            "CreditsRefunded",
            json!({"reseller": entry.reseller, "provision": entry.provision(), "amount": entry.amount,
                   "balance": entry.balance_after, "sequence": entry.sequence}),
        ),
        EntryType::TransferOut => tell(
            "CreditsTransferredOut",
            json!({"reseller": entry.reseller, "to": other, "amount": entry.amount,
                   "balance": entry.balance_after, "sequence": entry.sequence}),
        ),
        EntryType::TransferIn => tell(
            "CreditsTransferredIn",
            json!({"reseller": entry.reseller, "from": other, "amount": entry.amount,
                   "balance": entry.balance_after, "sequence": entry.sequence}),
        ),
    }];
    if entry.ran_low() {
        events.push(tell(
            "CreditsRanLow",
            json!({"reseller": entry.reseller, "balance": entry.balance_after, "threshold": entry.threshold}),
        ));
    }
    events
}
