//! Clients: whom licences are issued to.
//!
//! Invariant: a status only ever changes along the machine of rule A4, and asking for the present one changes
//! nothing. What is left of a deleted client names nobody (rule A9).

use serde::{Deserialize, Serialize};

use crate::basic::email::EmailAddress;
use crate::basic::refid::{ClientRefid, ResellerRefid, UserRefid};
use crate::basic::text::{ClientId, Name, Phone};
use crate::basic::time::Time;
use crate::parties::metadata::Metadata;
use crate::refusal::Refusal;

/// Where a client stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum ClientStatus {
    /// New; the default.
    #[default]
    Pending,
    /// In good standing.
    Active,
    /// Barred for the time being.
    Suspended,
    /// Gone, may come back.
    Inactive,
}

impl ClientStatus {
    /// Every status.
    pub const ALL: [Self; 4] = [Self::Pending, Self::Active, Self::Suspended, Self::Inactive];

    /// The statuses that can follow this one.
    pub const fn next(self) -> &'static [Self] {
        match self {
            Self::Pending | Self::Suspended => &[Self::Active, Self::Inactive],
            Self::Active => &[Self::Suspended, Self::Inactive],
            Self::Inactive => &[Self::Active],
        }
    }

    /// The status's name in the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Active => "active",
            Self::Suspended => "suspended",
            Self::Inactive => "inactive",
        }
    }
}

/// A client as it is kept.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Client {
    /// Its public id.
    pub refid: ClientRefid,
    /// Its external id, never changed.
    pub client_id: ClientId,
    /// Its name.
    pub name: Name,
    /// Its address, unique among clients.
    pub email: EmailAddress,
    /// Its telephone number.
    pub phone: Option<Phone>,
    /// Where it stands.
    pub status: ClientStatus,
    /// The reseller it belongs to; none: standalone.
    pub reseller: Option<ResellerRefid>,
    /// The login it is bound to.
    pub user: Option<UserRefid>,
    /// What callers keep with it. The store seals it (rule A6), so it is not part of the document.
    #[serde(skip)]
    pub metadata: Metadata,
    /// When it was created.
    pub created_at: Time,
    /// When it last changed.
    pub updated_at: Time,
    /// Counts its changes from 1.
    pub version: u64,
}

/// What a caller gives of a new client.
#[derive(Debug, Clone, PartialEq)]
pub struct NewClient {
    /// Its name.
    pub name: Name,
    /// Its address.
    pub email: EmailAddress,
    /// Its telephone number.
    pub phone: Option<Phone>,
    /// What callers keep with it.
    pub metadata: Metadata,
    /// Its external id, already chosen when none was given.
    pub client_id: ClientId,
}

/// What a caller may change of a client; `None` leaves a field as it is.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ClientChange {
    /// A new name.
    pub name: Option<Name>,
    /// A new address.
    pub email: Option<EmailAddress>,
    /// A new telephone number, or none at all.
    pub phone: Option<Option<Phone>>,
    /// Metadata after the merge.
    pub metadata: Option<Metadata>,
    /// Bind it to this login, or to none.
    pub user: Option<Option<UserRefid>>,
}

/// What stays of a deleted client, so that it is counted where it was (rule A9): nothing about a person.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DeletedClient {
    /// Its public id, which licences and entries still name.
    pub refid: ClientRefid,
    /// Where it stood last.
    pub status: ClientStatus,
    /// The reseller it belonged to.
    pub reseller: Option<ResellerRefid>,
    /// When it was created.
    pub created_at: Time,
    /// When it was deleted.
    pub deleted_at: Time,
    /// Counts its changes from 1.
    pub version: u64,
}

impl Client {
    /// A new client of `reseller`, not bound to a login.
    pub fn create(
        new: NewClient,
        refid: ClientRefid,
        reseller: Option<ResellerRefid>,
        status: ClientStatus,
        now: Time,
    ) -> Self {
        Self {
            refid,
            client_id: new.client_id,
            name: new.name,
            email: new.email,
            phone: new.phone,
            status,
            reseller,
            user: None,
            metadata: new.metadata,
            created_at: now,
            updated_at: now,
            version: 1,
        }
    }

    /// The client in status `to`; `None` when it is there already.
    pub fn in_status(&self, to: ClientStatus, now: Time) -> Result<Option<Self>, Refusal> {
        if self.status == to {
            return Ok(None);
        }
        if !self.status.next().contains(&to) {
            let allowed = self.status.next().iter().map(|status| status.as_str()).collect();
            return Err(Refusal::StatusTransitionDenied { from: self.status.as_str(), to: to.as_str(), allowed });
        }
        Ok(Some(Self { status: to, ..self.next_version(now) }))
    }

    /// The client with `change` applied; `None` when that changes nothing. A second binding is refused (rule A7).
    pub fn changed(&self, change: ClientChange, now: Time) -> Result<Option<Self>, Refusal> {
        let user = change.user.unwrap_or_else(|| self.user.clone());
        if self.user.is_some() && user.is_some() && user != self.user {
            return Err(Refusal::ClientBound);
        }
        let next = Self {
            name: change.name.unwrap_or_else(|| self.name.clone()),
            email: change.email.unwrap_or_else(|| self.email.clone()),
            phone: change.phone.unwrap_or_else(|| self.phone.clone()),
            metadata: change.metadata.unwrap_or_else(|| self.metadata.clone()),
            user,
            ..self.next_version(now)
        };
        Ok(self.unless_same(next))
    }

    /// The client as one of `reseller`'s, or of nobody's (rule A5); `None` when it is.
    pub fn transferred(&self, reseller: Option<ResellerRefid>, now: Time) -> Option<Self> {
        self.unless_same(Self { reseller, ..self.next_version(now) })
    }

    /// What stays when the client is deleted.
    pub fn deleted(&self, now: Time) -> DeletedClient {
        let last = self.next_version(now);
        DeletedClient {
            refid: last.refid,
            status: last.status,
            reseller: last.reseller,
            created_at: last.created_at,
            deleted_at: last.updated_at,
            version: last.version,
        }
    }

    /// `next`, unless it differs from this client in nothing but the count and time of its change.
    fn unless_same(&self, next: Self) -> Option<Self> {
        let as_before = Self { updated_at: self.updated_at, version: self.version, ..next.clone() };
        (as_before != *self).then_some(next)
    }

    fn next_version(&self, now: Time) -> Self {
        Self { updated_at: now.max(self.updated_at), version: self.version + 1, ..self.clone() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::basic::refid::Prefix;
    use jiff::Timestamp;

    fn time(second: i64) -> Time {
        Time::of(Timestamp::from_second(second).unwrap())
    }

    fn client() -> Client {
        let prefix: Prefix = "CL-".parse().unwrap();
        let new = NewClient {
            name: Name::try_from("Acme".to_owned()).unwrap(),
            email: EmailAddress::try_from("ops@acme.example".to_owned()).unwrap(),
            phone: None,
            metadata: Metadata::default(),
            client_id: ClientId::try_from("C-1".to_owned()).unwrap(),
        };
        let refid = ClientRefid::new(&prefix, [1; 10]);
        Client::create(new, refid, None, ClientStatus::Pending, time(100))
    }

    fn user(n: u8) -> UserRefid {
        UserRefid::new(&"US-".parse().unwrap(), [n; 10])
    }

    #[test]
    fn a_second_binding_is_refused_and_the_same_one_changes_nothing() {
        let bind = |user| ClientChange { user: Some(user), ..ClientChange::default() };
        let bound = client().changed(bind(Some(user(1))), time(200));
        let bound = bound.unwrap().unwrap();
        assert_eq!((bound.version, bound.updated_at), (2, time(200)));
        assert_eq!(bound.changed(bind(Some(user(1))), time(300)), Ok(None));
        assert_eq!(bound.changed(bind(Some(user(2))), time(300)), Err(Refusal::ClientBound));
        let free = bound.changed(bind(None), time(50)).unwrap().unwrap();
        assert_eq!((free.user, free.updated_at), (None, time(200)));
    }

    #[test]
    fn what_stays_of_a_deleted_client_names_nobody() {
        let deleted = client().deleted(time(300));
        assert_eq!((deleted.version, deleted.deleted_at), (2, time(300)));
        let text = serde_json::to_string(&deleted).unwrap();
        for personal in ["Acme", "acme.example", "C-1"] {
            assert!(!text.contains(personal), "{text}");
        }
    }

    /// The table of rule A4: rows are the present status, columns the one asked for, in the order of `ALL`.
    #[test]
    fn the_status_table() {
        let steps = [
            [true, true, false, true],
            [false, true, true, true],
            [false, true, true, true],
            [false, true, false, true],
        ];
        for (from, row) in ClientStatus::ALL.into_iter().zip(steps) {
            for (to, possible) in ClientStatus::ALL.into_iter().zip(row) {
                assert_eq!(from == to || from.next().contains(&to), possible, "{from:?} → {to:?}");
            }
        }
    }
}
