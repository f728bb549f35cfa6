//! Clients: whom licences are issued to.
//!
//! Invariant: a status only ever changes along the machine of SPEC A4, and asking for the present one changes
//! nothing.

use serde::{Deserialize, Serialize};

use crate::email::EmailAddress;
use crate::metadata::Metadata;
use crate::refid::{ClientRefid, ResellerRefid, UserRefid};
use crate::refusal::Refusal;
use crate::text::{ClientId, Name, Phone};
use crate::time::Time;

/// Where a client stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
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
    /// What callers keep with it. The store seals it (SPEC A6), so it is not part of the document.
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
    /// A new telephone number, or none at all.
    pub phone: Option<Option<Phone>>,
    /// Metadata after the merge.
    pub metadata: Option<Metadata>,
}

impl Client {
    /// A new client of `reseller`.
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
            let allowed = self.status.next().to_vec();
            return Err(Refusal::StatusTransitionDenied {
                from: self.status,
                to,
                allowed,
            });
        }
        Ok(Some(Self {
            status: to,
            ..self.next_version(now)
        }))
    }

    /// The client with `change` applied; `None` when that changes nothing.
    pub fn changed(&self, change: ClientChange, now: Time) -> Option<Self> {
        let changed = Self {
            name: change.name.unwrap_or_else(|| self.name.clone()),
            phone: change.phone.unwrap_or_else(|| self.phone.clone()),
            metadata: change.metadata.unwrap_or_else(|| self.metadata.clone()),
            ..self.clone()
        };
        (changed != *self).then(|| Self {
            updated_at: self.next_version(now).updated_at,
            version: self.version + 1,
            ..changed
        })
    }

    fn next_version(&self, now: Time) -> Self {
        Self {
            updated_at: now.max(self.updated_at),
            version: self.version + 1,
            ..self.clone()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The table of SPEC A4: rows are the present status, columns the one asked for, in the order of `ALL`.
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
                assert_eq!(
                    from == to || from.next().contains(&to),
                    possible,
                    "{from:?} → {to:?}"
                );
            }
        }
    }
}
