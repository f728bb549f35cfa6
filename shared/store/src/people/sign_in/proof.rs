//! Proving one's identity again in a session, and changing credentials.
//!
//! Invariant: wrong passwords are counted for each session or link, so somebody who stole one can't keep guessing, and
//! nobody else is delayed. New credentials begin a new epoch, in which one new session replaces all others.

use purser_domain::Refusal;
use purser_domain::basic::{Time, UserRefid};
use purser_domain::people::attempts::Counted;
use purser_domain::people::session::Seen;
use purser_domain::people::{Credentials, SessionLimits, Sessions};

use crate::engine::secrets::sha256_hex;
use crate::engine::{Answer, Consistency, Decision, Loaded, Request};
use crate::people::account::{self, Account, AccountChange};
use crate::people::sign_in::attempts::Count;
use crate::people::sign_in::device::Device;
use crate::people::sign_in::{NewSession, OpenedSession};
use crate::{Store, StoreError};

/// Where somebody proves who they are.
#[derive(Debug, Clone, Copy)]
pub enum Place<'a> {
    /// In the session with this id.
    Session(&'a str),
    /// At the link with this token.
    Link(&'a str),
}

impl Place<'_> {
    /// The id under which failures are counted.
    fn id(self) -> String {
        match self {
            Self::Session(id) => id.to_owned(),
            Self::Link(token) => sha256_hex(token.as_bytes()),
        }
    }

    /// What somebody is told whose account was deleted meanwhile.
    fn gone(self) -> Refusal {
        match self {
            Self::Session(_) => Refusal::SessionEnded,
            Self::Link(_) => Refusal::InvalidToken,
        }
    }
}

impl Store {
    /// The account whose owner is to prove who they are. Refuses if there were too many failures at this place lately.
    pub async fn begin_proof(&self, user: &UserRefid, place: Place<'_>, now: Time) -> Result<Account, StoreError> {
        let count = self.count_at(place)?;
        let mut keys = account::keys(user).to_vec();
        keys.push(count.key.clone());
        let found = self.table.get_all(&keys, Consistency::Strong).await?;
        let loaded = Loaded::of(&keys, found);
        count.must_be_ready(&loaded, now)?;
        let account = account::read(&loaded, user, now)?;
        account.ok_or_else(|| place.gone().into())
    }

    /// Counts the outcome of a proof. The outcome is revealed only afterwards, so only a few of many
    /// concurrent guesses get one.
    pub async fn count_proof(&self, place: Place<'_>, right: bool, request: &Request) -> Result<(), StoreError> {
        let count = self.count_at(place)?;
        let keys = [count.key.clone()];
        let counted = self.command(&request.stamp.request, None, &keys, |loaded| {
            count.must_be_ready(loaded, request.now)?;
            let counted =
                if right { count.success(loaded)? } else { count.failure(loaded, &request.stamp, request.now)? };
            Ok(Decision::Commit { writes: vec![counted], answer: Answer::first(Vec::new()) })
        });
        counted.await.map(|_| ())
    }

    fn count_at(&self, place: Place<'_>) -> Result<Count, StoreError> {
        Count::of(&self.secrets, Counted::Session, &[&place.id()])
    }

    /// Gives the user of `proven` new credentials, made by `change`, and a new session that replaces all others.
    /// Refused if the password has changed since it was proven, or if the session in which it was proven has ended.
    pub async fn change_credentials(
        &self,
        proven: &Account,
        session: &str,
        from: (Option<&String>, Option<&String>),
        limits: SessionLimits,
        request: &Request,
        change: impl Fn(&Account) -> Result<Credentials, StoreError> + Send + Sync,
    ) -> Result<OpenedSession, StoreError> {
        let (refid, now) = (&proven.user.refid, request.now);
        let new = NewSession::draw(&self.secrets)?;
        let name = self.device_name()?;
        let mut changed = proven.user.clone();
        let decide = |loaded: &Loaded| {
            let account = account::read(loaded, refid, now)?;
            let account = account.ok_or(Refusal::SessionEnded)?;
            account.must_be_in(session)?;
            if account.credentials.password != proven.credentials.password {
                return Err(Refusal::WrongPassword.into());
            }
            let credentials = change(&account)?;
            let mut user = account.user.next_epoch();
            user.second_factor = credentials.second_factor.is_some();
            changed = user.clone();
            let sessions = Sessions::following(account.sessions.as_ref(), &user, now);
            let opened = new.session(from, limits, now);
            let change = AccountChange {
                user: Some(user),
                credentials: Some(credentials),
                sessions: Some(sessions.opening(opened, &Seen::new(), limits, now)),
            };
            Ok(Decision::Commit {
                writes: change.writes(&account, &request.stamp, now)?,
                answer: Answer::first(Vec::new()),
            })
        };
        let keys = account::keys(refid);
        self.command(&request.stamp.request, None, &keys, decide).await?;
        let device = Device::of(&changed, name, now).text(&self.secrets)?;
        Ok(OpenedSession { token: new.token(&changed), expires_at: now.plus(limits.absolute), user: changed, device })
    }
}
