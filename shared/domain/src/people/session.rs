//! Sessions: how people stay signed in.
//!
//! Invariant: one record holds all sessions of a user and what they permit, so one read identifies the caller. A change
//! of the user that ends the sessions does so in the same commit. The secret half of a session's token is never stored,
//! only its SHA-256. All sessions are of the user's current epoch.

use std::collections::BTreeMap;

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

use crate::basic::refid::{ResellerRefid, UserRefid};
use crate::basic::time::Time;
use crate::people::caller::scope::Scopes;
use crate::people::user::User;

/// The most sessions of one user; opening another one ends the oldest. This keeps the record small enough for one
/// read unit.
pub const MOST: usize = 10;
/// The longest stored name of a browser or program, in characters.
pub const AGENT: usize = 60;
/// The least time between two records of a session's use.
pub const NOTED_EVERY: SignedDuration = SignedDuration::from_mins(5);
/// How long a proof of who the user is counts as recent.
pub const PROOF_LASTS: SignedDuration = SignedDuration::from_mins(15);

/// How long sessions last (rule D2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SessionLimits {
    /// How long a session lasts without being used.
    pub idle: SignedDuration,
    /// How long a session lasts even if it is used.
    pub absolute: SignedDuration,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    pub id: String,
    /// The SHA-256 of the secret half of the session's token, in hexadecimal.
    pub secret_sha256: String,
    pub created_at: Time,
    pub expires_at: Time,
    /// The network address that the user signed in from.
    pub address: Option<String>,
    pub agent: Option<String>,
    /// Until when the user counts as having just proven who they are.
    #[serde(default)]
    pub proved_until: Option<Time>,
}

/// When each session was last used, by the id of the session. Uses are recorded only from time to time.
pub type Seen = BTreeMap<String, Time>;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sessions {
    pub user: UserRefid,
    /// The user's epoch; see [`User`].
    pub epoch: u64,
    pub operator: bool,
    pub reseller: Option<ResellerRefid>,
    /// What the user may do in the most powerful of their roles. `None` in records from before there were scopes, and
    /// for a user without such a role.
    #[serde(default)]
    pub scopes: Option<Scopes>,
    pub second_factor: bool,
    /// The sessions, oldest first.
    pub sessions: Vec<Session>,
    pub created_at: Time,
    /// Counts the changes of the record from 1. Recording the use of a session is not a change.
    pub version: u64,
}

impl Sessions {
    /// The next version of the record after a change of the user. The sessions continue if the user's epoch is the
    /// same as before, and end otherwise.
    pub fn following(before: Option<&Self>, user: &User, now: Time) -> Self {
        let same = before.filter(|before| before.epoch == user.epoch);
        Self {
            user: user.refid.clone(),
            epoch: user.epoch,
            operator: user.operator,
            reseller: user.reseller.clone(),
            scopes: user.rights(),
            second_factor: user.second_factor,
            sessions: same.map_or_else(Vec::new, |before| before.sessions.clone()),
            created_at: before.map_or(now, |before| before.created_at),
            version: before.map_or(1, |before| before.version + 1),
        }
    }

    /// The next version of the same record. What the sessions permit is copied from this record, whatever else was
    /// read about the user.
    #[must_use]
    pub fn next(&self) -> Self {
        Self { version: self.version + 1, ..self.clone() }
    }

    /// Adds a session. Sessions that have ended are removed, and so is the oldest one if there would be too many.
    #[must_use]
    pub fn opening(mut self, session: Session, seen: &Seen, limits: SessionLimits, now: Time) -> Self {
        self.sessions.retain(|it| it.lasts(seen.get(&it.id), limits, now));
        let over = (self.sessions.len() + 1).saturating_sub(MOST);
        self.sessions.drain(..over);
        self.sessions.push(session);
        self
    }

    /// Notes that the user of a session has just proven who they are.
    #[must_use]
    pub fn proven(mut self, id: &str, until: Time) -> Self {
        for session in self.sessions.iter_mut().filter(|it| it.id == id) {
            session.proved_until = Some(until);
        }
        self
    }

    #[must_use]
    pub fn ending(mut self, id: &str) -> Self {
        self.sessions.retain(|session| session.id != id);
        self
    }

    pub fn lasting(&self, seen: &Seen, limits: SessionLimits, now: Time) -> impl Iterator<Item = &Session> {
        let lasts = move |session: &&Session| session.lasts(seen.get(&session.id), limits, now);
        self.sessions.iter().filter(lasts)
    }
}

impl Session {
    /// When the session was last used, as far as that was recorded.
    pub fn last_used(&self, seen: Option<&Time>) -> Time {
        seen.map_or(self.created_at, |seen| *seen.max(&self.created_at))
    }

    /// Whether the session is still within its limits.
    pub fn lasts(&self, seen: Option<&Time>, limits: SessionLimits, now: Time) -> bool {
        let idle_until = self.last_used(seen).plus(limits.idle);
        self.expires_at > now && idle_until > now
    }

    /// Whether the last recorded use is old enough to record another one.
    pub fn is_worth_noting(&self, seen: Option<&Time>, now: Time) -> bool {
        self.last_used(seen).plus(NOTED_EVERY) <= now
    }
}

/// What a browser or program calls itself, reduced to at most [`AGENT`] characters of printable ASCII.
pub fn agent(text: &str) -> Option<String> {
    let plain = |c: &char| c.is_ascii_graphic() || *c == ' ';
    let kept: String = text.chars().filter(plain).take(AGENT).collect();
    Some(kept.trim().to_owned()).filter(|kept| !kept.is_empty())
}

/// A sign-in, as the history of its user keeps it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Login {
    pub id: String,
    pub user: UserRefid,
    /// The network address that the user signed in from.
    pub address: Option<String>,
    pub agent: Option<String>,
    /// Whether it was the first sign-in from this device, although not the user's first.
    pub new_device: bool,
    pub created_at: Time,
    /// Always 1: a sign-in is recorded and never changed.
    pub version: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: SessionLimits =
        SessionLimits { idle: SignedDuration::from_mins(30), absolute: SignedDuration::from_hours(12) };

    fn at(minutes: i64) -> Time {
        let start = Time::try_from("2026-01-01T00:00:00.000Z".to_owned()).unwrap();
        start.plus(SignedDuration::from_mins(minutes))
    }

    fn session(id: usize, minutes: i64) -> Session {
        Session {
            id: id.to_string(),
            secret_sha256: String::new(),
            created_at: at(minutes),
            expires_at: at(minutes).plus(LIMITS.absolute),
            address: None,
            agent: None,
            proved_until: None,
        }
    }

    fn user() -> User {
        let refid = UserRefid::parse("US-0123456789ABCDEF").unwrap();
        let email = "a@example.com".to_owned().try_into().unwrap();
        User::new(refid, email, "A".to_owned().try_into().unwrap(), at(0))
    }

    #[test]
    fn a_session_ends_unused_and_ends_anyway() {
        let session = session(0, 0);
        for (seen, now, lasts) in [
            (None, 29, true),
            (None, 30, false),
            (Some(20), 49, true),
            (Some(20), 50, false),
            (Some(719), 719, true),
            (Some(719), 720, false),
        ] {
            let seen = seen.map(at);
            assert_eq!(session.lasts(seen.as_ref(), LIMITS, at(now)), lasts, "{now}");
        }
        assert!(!session.is_worth_noting(None, at(4)));
        assert!(session.is_worth_noting(None, at(5)));
        assert!(!session.is_worth_noting(Some(&at(5)), at(9)));
    }

    #[test]
    fn the_oldest_of_too_many_ends_and_all_end_with_the_epoch() {
        let seen = Seen::new();
        let mut sessions = Sessions::following(None, &user(), at(0));
        for id in 0..MOST + 2 {
            sessions = sessions.opening(session(id, 0), &seen, LIMITS, at(0));
        }
        let ids: Vec<&str> = sessions.sessions.iter().map(|it| it.id.as_str()).collect();
        assert_eq!(ids.first(), Some(&"2"));
        assert_eq!(ids.len(), MOST);
        let same = Sessions::following(Some(&sessions), &user().next(), at(1));
        assert_eq!(same.sessions, sessions.sessions);
        assert_eq!(same.ending("5").sessions.len(), MOST - 1);
        let next = Sessions::following(Some(&sessions), &user().next_epoch(), at(1));
        assert!(next.sessions.is_empty());
        assert_eq!(next.version, sessions.version + 1);
    }

    #[test]
    fn an_agent_is_short_and_plain() {
        assert_eq!(agent("curl/8\r\nX: y"), Some("curl/8X: y".to_owned()));
        assert_eq!(agent(" \u{202e}é"), None);
        assert_eq!(agent(&"x".repeat(500)).unwrap().len(), AGENT);
    }
}
