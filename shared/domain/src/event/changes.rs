//! Derives the events that follow from a change of one item.
//!
//! Invariant: the events depend on nothing except the item before and after the change.

use super::due::{Appointment, Due};
use super::{AboutLicence, Event, Occurrence};
use crate::basic::refid::ClientRefid;
use crate::basic::time::Time;
use crate::licences::{Activation, Ended, Licence, LicenceStatus};
use crate::money::entry::{Entry, EntryType};
use crate::parties::client::{Client, DeletedClient};
use crate::parties::reseller::Reseller;
use crate::people::caller::api_key::{ApiKey, EndedApiKey};
use crate::people::erasure::{Erasure, Subject};
use crate::people::session::Login;
use crate::people::token::LinkRequest;
use crate::people::user::User;

/// The change of one stored item, decoded. If a variant has two values, they are the item before the change (`None`
/// for a new item) and after it.
#[derive(Debug, Clone, PartialEq)]
pub enum Change {
    Client(Option<Client>, Client),
    ClientDeleted(Option<Client>, DeletedClient),
    Reseller(Option<Reseller>, Reseller),
    Entry(Entry),
    Licence(Option<Box<Licence>>, Box<Licence>),
    /// The licence met this appointment.
    LicenceFellDue(Box<Licence>, Appointment),
    InstallationActivated(Box<Activation>),
    /// The installation lost its seat in this way.
    InstallationDeactivated(Box<Activation>, Ended),
    User(Option<User>, User),
    Login(Login),
    LinkRequest(LinkRequest),
    ApiKeyCreated(ApiKey),
    /// The key was used for the first time, at this time.
    ApiKeyFirstUsed(ApiKey, Time),
    ApiKeyEnded(EndedApiKey),
    /// The key met this appointment.
    ApiKeyFellDue(ApiKey, Appointment),
    /// The notice to this client met this appointment.
    NoticeFellDue(ClientRefid, Appointment),
    /// A client or a user was deleted. `Some`: the erasure met this appointment.
    Erasure(Erasure, Option<Appointment>),
}

/// The events of a change, in the order in which they happened.
pub fn events_of(change: &Change) -> Vec<Occurrence> {
    match change {
        Change::Client(old, new) => {
            let at = |event| occurrence(new.refid.as_str(), new.version, new.updated_at, event);
            client_event(old.as_ref(), new).map(at).into_iter().collect()
        }
        Change::ClientDeleted(_, it) => {
            let event = Event::ClientDeleted { client: it.refid.clone(), reseller: it.reseller.clone() };
            vec![occurrence(it.refid.as_str(), it.version, it.deleted_at, event)]
        }
        Change::Reseller(old, new) => {
            let at = |event| occurrence(new.refid.as_str(), new.version, new.updated_at, event);
            let moved = old.as_ref().filter(|old| old.email.folded() != new.email.folded());
            let moved = moved.map(|_| Event::ResellerEmailChanged { reseller: new.refid.clone() });
            reseller_event(old.as_ref(), new).into_iter().chain(moved).map(at).collect()
        }
        Change::Entry(entry) => {
            let at = |event| occurrence(entry.refid.as_str(), 1, entry.created_at, event);
            entry_events(entry).map(at).collect()
        }
        Change::Licence(old, new) => {
            let at = |(time, event)| occurrence(new.refid.as_str(), new.version, time, event);
            licence_events(old.as_deref(), new).into_iter().map(at).collect()
        }
        Change::LicenceFellDue(it, met) => licence_fell_due(it, *met).into_iter().collect(),
        Change::InstallationActivated(it) => vec![installation_event(it, None)],
        Change::InstallationDeactivated(it, ended) => vec![installation_event(it, Some(*ended))],
        Change::User(old, new) => {
            let at = |(time, event)| occurrence(new.refid.as_str(), new.version, time, event);
            user_events(old.as_ref(), new).map(at).collect()
        }
        Change::Login(login) if login.new_device => {
            let event = Event::SignedInFromNewDevice { user: login.user.clone(), login: login.id.clone() };
            vec![occurrence(&login.id, 1, login.created_at, event)]
        }
        Change::Login(_) => Vec::new(),
        Change::LinkRequest(asked) => {
            let requested = Event::LinkRequested { request: asked.id.clone() };
            let user = asked.asks.user().cloned();
            let moves = user.map(|user| Event::EmailChangeRequested { user });
            let at = |event| occurrence(&asked.id, 1, asked.created_at, event);
            std::iter::once(requested).chain(moves).map(at).collect()
        }
        Change::ApiKeyCreated(it) => {
            let (key, reseller, owner) = (it.refid.clone(), it.reseller().cloned(), it.owner.clone());
            let event = Event::ApiKeyCreated { key, reseller, owner };
            vec![occurrence(it.refid.as_str(), it.version, it.created_at, event)]
        }
        Change::ApiKeyFirstUsed(it, at) => {
            let (key, reseller, owner) = (it.refid.clone(), it.reseller().cloned(), it.owner.clone());
            let event = Event::ApiKeyFirstUsed { key, reseller, owner };
            vec![occurrence(it.refid.as_str(), it.version, *at, event)]
        }
        Change::ApiKeyEnded(it) => {
            let (key, reseller, owner) = (it.key.refid.clone(), it.key.role.reseller().cloned(), it.owner.clone());
            let event = Event::ApiKeyEnded { key, reseller, owner };
            vec![occurrence(it.key.refid.as_str(), it.version, it.ended_at, event)]
        }
        Change::ApiKeyFellDue(it, Appointment { at, due }) => {
            let event = key_event(it, *due).map(|event| occurrence(it.refid.as_str(), it.version, *at, event));
            event.into_iter().collect()
        }
        Change::NoticeFellDue(client, Appointment { at, .. }) => {
            let event = Event::ClientNoticeFellDue { client: client.clone() };
            // Notices to one client are apart by more than a second.
            vec![occurrence(client.as_str(), at.unix_seconds().unsigned_abs(), *at, event)]
        }
        Change::Erasure(it, met) => vec![erasure_event(it, *met)],
    }
}

fn occurrence(refid: &str, version: u64, time: Time, event: Event) -> Occurrence {
    Occurrence { id: format!("{refid}:{version}:{}", event.name()), time, event }
}

/// The event says of the licence what was so when the installation took its seat.
fn installation_event(it: &Activation, ended: Option<Ended>) -> Occurrence {
    let (activation, licence, product) = (it.refid.clone(), it.licence.clone(), it.product.clone());
    let about = AboutLicence { licence, product, client: it.client.clone(), reseller: it.reseller.clone() };
    let (at, event) = match ended {
        None => (it.created_at, Event::InstallationActivated { about, activation }),
        Some(Ended { at, why }) => (at, Event::InstallationDeactivated { about, activation, why }),
    };
    occurrence(it.refid.as_str(), it.version, at, event)
}

fn client_event(old: Option<&Client>, new: &Client) -> Option<Event> {
    let (client, reseller) = (new.refid.clone(), new.reseller.clone());
    Some(match old {
        None => Event::ClientCreated { client, reseller, status: new.status },
        Some(old) if old.status != new.status => {
            Event::ClientStatusChanged { client, reseller, from: old.status, to: new.status }
        }
        Some(old) if old.reseller != new.reseller => {
            Event::ClientTransferred { client, from: old.reseller.clone(), to: reseller }
        }
        Some(old) if old.version != new.version => Event::ClientChanged { client, reseller },
        Some(_) => return None,
    })
}

fn erasure_event(it: &Erasure, met: Option<Appointment>) -> Occurrence {
    let (client, user) = match it.subject.clone() {
        Subject::Client(client) => (Some(client), None),
        Subject::User(user) => (None, Some(user)),
    };
    let (round, at) = met.map_or((1, it.created_at), |met| (2, met.at));
    occurrence(it.subject.refid(), round, at, Event::ErasureDue { client, user })
}

fn key_event(it: &ApiKey, due: Due) -> Option<Event> {
    let (key, reseller, owner) = (it.refid.clone(), it.reseller().cloned(), it.owner.clone());
    match due {
        Due::ApiKeyExpiresSoon => Some(Event::ApiKeyExpiresSoon { key, reseller, owner }),
        Due::ApiKeyExpired => Some(Event::ApiKeyExpired { key, reseller, owner }),
        _ => None,
    }
}

/// Warnings of one end are days apart, and none is told twice.
fn licence_fell_due(it: &Licence, met: Appointment) -> Option<Occurrence> {
    let (about, expires_at) = (about(it), it.expires_at?);
    let event = match met.due {
        Due::LicenceEndsIn30Days => Event::LicenceExpiring { about, expires_at, days: 30 },
        Due::LicenceEndsIn7Days => Event::LicenceExpiring { about, expires_at, days: 7 },
        Due::LicenceEndsInADay => Event::LicenceExpiring { about, expires_at, days: 1 },
        Due::LicenceExpired => Event::LicenceExpired { about, expires_at },
        _ => return None,
    };
    Some(occurrence(it.refid.as_str(), met.at.unix_seconds().unsigned_abs(), met.at, event))
}

fn reseller_event(old: Option<&Reseller>, new: &Reseller) -> Option<Event> {
    let (reseller, tier) = (new.refid.clone(), new.tier);
    Some(match old {
        None => Event::ResellerOnboarded { reseller, tier, status: new.status, parent: new.parent.clone() },
        Some(old) if old.status != new.status => {
            Event::ResellerStatusChanged { reseller, from: old.status, to: new.status }
        }
        Some(old) if old.version != new.version => Event::ResellerChanged { reseller, tier },
        Some(_) => return None,
    })
}

/// Events about credits follow only from the insertion of an entry: a changed threshold is not a crossing (rule B9).
fn entry_events(entry: &Entry) -> impl Iterator<Item = Event> {
    let Entry { amount, balance_after: balance, sequence, threshold, .. } = *entry;
    let reseller = entry.reseller.clone();
    let other = entry.counterparty.as_ref().map(|other| other.reseller.clone());
    let low = entry.ran_low().then(|| Event::CreditsRanLow { reseller: reseller.clone(), balance, threshold });
    let moved = match entry.kind {
        EntryType::Credit => Event::CreditsAdded { reseller, amount, balance, sequence },
        EntryType::Debit => Event::CreditsProvisioned {
            reseller,
            provision: entry.refid.clone(),
            cost: amount,
            balance,
            sequence,
            product: entry.sale.as_ref().map(|sale| sale.product.clone()),
            clients: entry.sale.as_ref().map_or_else(Vec::new, |sale| sale.clients.clone()),
        },
        EntryType::Refund => {
            Event::CreditsRefunded { reseller, provision: entry.provision().cloned(), amount, balance, sequence }
        }
        EntryType::TransferOut => Event::CreditsTransferredOut { reseller, to: other, amount, balance, sequence },
        EntryType::TransferIn => Event::CreditsTransferredIn { reseller, from: other, amount, balance, sequence },
    };
    std::iter::once(moved).chain(low)
}

fn about(it: &Licence) -> AboutLicence {
    AboutLicence {
        licence: it.refid.clone(),
        product: it.product.clone(),
        client: it.client.clone(),
        reseller: it.reseller.clone(),
    }
}

fn licence_events(old: Option<&Licence>, new: &Licence) -> Vec<(Time, Event)> {
    let about = || about(new);
    let expires_at = new.expires_at;
    let Some(old) = old else {
        return vec![(new.created_at, Event::LicenceMinted { about: about() })];
    };
    let mut events = Vec::new();
    if old.client != new.client {
        events.push(Event::LicenceTransferred { about: about(), from: old.client.clone() });
    }
    if old.rotations != new.rotations {
        events.push(Event::LicenceKeyRotated { about: about() });
    }
    if new.renewals > old.renewals {
        events.push(Event::LicenceRenewed { about: about(), expires_at });
    }
    let suspended = new.suspended_by.difference(&old.suspended_by);
    events.extend(suspended.map(|by| Event::LicenceSuspended { about: about(), by: *by }));
    match (old.status, new.status) {
        (LicenceStatus::Pending, LicenceStatus::Active) => {
            events.push(Event::LicenceActivated { about: about(), expires_at });
        }
        (LicenceStatus::Suspended, LicenceStatus::Active) => events.push(Event::LicenceReinstated { about: about() }),
        (old, LicenceStatus::Revoked) if old != LicenceStatus::Revoked => {
            events.push(Event::LicenceRevoked { about: about() });
        }
        _ => {}
    }
    events.into_iter().map(|event| (new.updated_at, event)).collect()
}

fn user_events(old: Option<&User>, new: &User) -> impl Iterator<Item = (Time, Event)> {
    let user = || new.refid.clone();
    let invited = (old.is_none() && new.invited).then(|| (new.created_at, Event::UserInvited { user: user() }));
    let changed = |changed: fn(&User, &User) -> bool| old.is_some_and(|old| changed(old, new));
    let confirmed = new.confirmed_at.filter(|_| changed(|old, _| old.confirmed_at.is_none()));
    let moved = new.confirmed_at.filter(|_| changed(|old, new| old.email != new.email));
    let confirmed = confirmed.map(|time| (time, Event::UserConfirmed { user: user() }));
    let moved = moved.map(|time| (time, Event::EmailChanged { user: user() }));
    let replaced = changed(|old, new| old.password_replaced_at != new.password_replaced_at);
    let replaced = new.password_replaced_at.filter(|_| replaced);
    let replaced = replaced.map(|time| (time, Event::PasswordChanged { user: user() }));
    let switched = changed(|old, new| old.second_factor != new.second_factor);
    let switched = new.second_factor_changed_at.filter(|_| switched);
    let switched = switched.map(|time| (time, Event::SecondFactorChanged { user: user(), on: new.second_factor }));
    invited.into_iter().chain(confirmed).chain(moved).chain(replaced).chain(switched)
}
