//! Clients: who licences are for.
//!
//! Invariant: a status changes only along the transitions of rule A4, and a change to the present status does
//! nothing. What remains of a deleted client identifies nobody (rule A9).

use serde::{Deserialize, Serialize};
use strum::{IntoStaticStr, VariantArray};

use crate::basic::email::EmailAddress;
use crate::basic::refid::{ClientRefid, RecordCode, ResellerRefid, UserRefid};
use crate::basic::text::{ClientId, Name, Phone};
use crate::basic::time::Time;
use crate::parties::metadata::Metadata;
use crate::refusal::Refusal;

/// The status of a client.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, IntoStaticStr, VariantArray)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "snake_case", const_into_str)]
pub enum ClientStatus {
    /// The client is new; this is the default.
    #[default]
    Pending,
    /// The client is in good standing.
    Active,
    /// The client is barred for the time being.
    Suspended,
    /// The client has left and may come back.
    Inactive,
}

impl ClientStatus {
    /// The statuses that a client can change to from this one (rule A4).
    pub const fn next(self) -> &'static [Self] {
        match self {
            Self::Pending | Self::Suspended => &[Self::Active, Self::Inactive],
            Self::Active => &[Self::Suspended, Self::Inactive],
            Self::Inactive => &[Self::Active],
        }
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Client {
    pub refid: ClientRefid,
    /// The id that other systems know the client by. It never changes.
    pub client_id: ClientId,
    pub name: Name,
    /// The e-mail address, which no other client has.
    pub email: EmailAddress,
    pub phone: Option<Phone>,
    pub status: ClientStatus,
    /// The reseller that the client belongs to; `None` for a standalone client.
    pub reseller: Option<ResellerRefid>,
    pub user: Option<UserRefid>,
    /// Free data of the callers. The store seals it (rule A6), so it is not part of the document.
    #[serde(skip)]
    pub metadata: Metadata,
    /// The record of the command that created the client. `None` if that is a ledger entry or there is none, and for
    /// clients from before this was noted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub record: Option<RecordCode>,
    pub created_at: Time,
    pub updated_at: Time,
    pub version: u64,
}

#[derive(Debug, Clone, PartialEq)]
pub struct NewClient {
    pub name: Name,
    pub email: EmailAddress,
    pub phone: Option<Phone>,
    pub metadata: Metadata,
    /// The external id in its one spelling: the caller's, or a generated one if the caller gave none.
    pub client_id: ClientId,
    /// Other spellings under which a client with this id may be stored.
    pub older_ids: Vec<ClientId>,
}

/// The changes to make to a client; `None` leaves a field as it is.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ClientChange {
    pub name: Option<Name>,
    pub email: Option<EmailAddress>,
    /// `Some(None)` removes the telephone number.
    pub phone: Option<Option<Phone>>,
    /// The whole metadata, after the merge.
    pub metadata: Option<Metadata>,
    /// Binds the client to this user; `Some(None)` ends the binding.
    pub user: Option<Option<UserRefid>>,
}

/// What remains of a deleted client, so that figures still count it (rule A9). It holds no personal data.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DeletedClient {
    /// The client's id, which licences and ledger entries still name.
    pub refid: ClientRefid,
    pub status: ClientStatus,
    pub reseller: Option<ResellerRefid>,
    pub created_at: Time,
    pub deleted_at: Time,
    pub version: u64,
}

impl Client {
    /// A new client that is not bound to a user.
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
            record: None,
            created_at: now,
            updated_at: now,
            version: 1,
        }
    }

    /// The client in the status `to`; `None` if that is its status already.
    pub fn in_status(&self, to: ClientStatus, now: Time) -> Result<Option<Self>, Refusal> {
        if self.status == to {
            return Ok(None);
        }
        if !self.status.next().contains(&to) {
            let allowed = self.status.next().iter().map(ClientStatus::into_str).collect();
            return Err(Refusal::StatusTransitionDenied { from: self.status.into_str(), to: to.into_str(), allowed });
        }
        Ok(Some(Self { status: to, ..self.next_version(now) }))
    }

    /// The client with `change` applied; `None` if that changes nothing. Binding a bound client to another user is
    /// refused (rule A7).
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

    /// The client moved to `reseller`, or made standalone (rule A5); `None` if that changes nothing.
    pub fn transferred(&self, reseller: Option<ResellerRefid>, now: Time) -> Option<Self> {
        self.unless_same(Self { reseller, ..self.next_version(now) })
    }

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

    /// Returns `next` if it differs from this client in more than `version` and `updated_at`.
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
            older_ids: Vec::new(),
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

    /// The table of rule A4: a row per present status and a column per requested status, in the order of `ALL`.
    #[test]
    fn the_status_table() {
        let steps = [
            [true, true, false, true],
            [false, true, true, true],
            [false, true, true, true],
            [false, true, false, true],
        ];
        for (from, row) in ClientStatus::VARIANTS.iter().zip(steps) {
            for (to, possible) in ClientStatus::VARIANTS.iter().zip(row) {
                assert_eq!(from == to || from.next().contains(to), possible, "{from:?} → {to:?}");
            }
        }
    }
}
