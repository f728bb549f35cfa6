//! Devices that have signed in to an account before, as they show it: the user, the device, and until when, with a MAC.
//!
//! Invariant: a device is known only in the epoch of the user in which it signed in, and not for ever. So a new
//! password ends the trust in all devices, also in those of somebody who knew the old one.

use jiff::SignedDuration;
use purser_domain::basic::{Time, UserRefid};
use purser_domain::people::User;

use crate::StoreError;
use crate::engine::Secrets;

/// How long a device is known after its last sign-in.
const KNOWN: SignedDuration = SignedDuration::from_hours(180 * 24);

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Device {
    pub(crate) user: UserRefid,
    /// The device's random name, which stays the same from one sign-in to the next.
    pub(crate) name: String,
    epoch: u64,
    /// In seconds since 1970.
    pub(crate) until: i64,
}

impl Device {
    pub(crate) fn of(user: &User, name: String, now: Time) -> Self {
        Self { user: user.refid.clone(), name, epoch: user.epoch, until: now.plus(KNOWN).unix_seconds() }
    }

    pub(crate) fn text(&self, secrets: &Secrets) -> Result<String, StoreError> {
        let Self { user, name, epoch, until } = self;
        secrets.vouch(&format!("{user}.{name}.{epoch}.{until}"))
    }

    /// The device that `text` shows; `None` if it is not a text that this deployment gave out.
    pub(crate) fn read(secrets: &Secrets, text: &str) -> Result<Option<Self>, StoreError> {
        Ok(secrets.vouched(text)?.and_then(Self::parse))
    }

    fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split('.');
        let (user, name) = (UserRefid::parse(parts.next()?)?, parts.next()?.to_owned());
        let (epoch, until) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
        Some(Self { user, name, epoch, until })
    }

    /// Whether the device signed in to this account, and nothing has ended the user's sessions since.
    pub(crate) fn is_of(&self, user: &User) -> bool {
        self.user == user.refid && self.epoch == user.epoch
    }
}
