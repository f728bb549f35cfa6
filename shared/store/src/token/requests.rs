//! What requests for links come to: a login that is new, a token, or nothing (SPEC D1, D3).
//!
//! Invariant: whoever asked has been answered before; here, and nowhere else, it matters whose an address is.

use purser_domain::attempts::Counted;
use purser_domain::credentials::Credentials;
use purser_domain::email::EmailAddress;
use purser_domain::password::PasswordHash;
use purser_domain::refid::UserRefid;
use purser_domain::session::Seen;
use purser_domain::time::Time;
use purser_domain::token::{Asks, LinkRequest, Purpose, Token};
use purser_domain::user::User;

use super::{Link, NewToken};
use crate::account::{self, Account, AccountChange};
use crate::answer::Answer;
use crate::attempts::Count;
use crate::command::{CommandWrite, Decision};
use crate::item::Stamp;
use crate::loaded::Loaded;
use crate::{Store, StoreError, user};

impl Store {
    /// Makes what a request asked for, as far as there is something to make: a login that nobody can sign in as yet
    /// (unless addresses need no confirmation), and a token.
    pub async fn answer_link_request(
        &self,
        asked: &LinkRequest,
        confirms: bool,
        stamp: &Stamp,
        now: Time,
    ) -> Result<Link, StoreError> {
        let new = NewToken::draw()?;
        let email = match &asked.asks {
            Asks::Register { email, .. }
            | Asks::Resend { email }
            | Asks::Reset { email }
            | Asks::ChangeEmail { email, .. } => email,
        };
        let mailed = Count::of(&self.secrets, Counted::Mail, &[&email.folded()]);
        let mut keys = vec![user::address_key(email), mailed.key.clone()];
        if let Asks::ChangeEmail { user, .. } = &asked.asks {
            keys.extend(account::keys(user));
        }
        // Drawn from the request, so that a second delivery makes no second user.
        let fresh = UserRefid::new(
            &self.prefixes.user,
            self.secrets.bits("registered user", &[&asked.id]),
        );
        let mut link = Link::None;
        let decide = |loaded: &Loaded| {
            let found = user::with_address(loaded, email)?;
            let unread = loaded.unread(found.iter().flat_map(account::keys));
            if !unread.is_empty() {
                return Ok(Decision::Read(unread));
            }
            let known = match &found {
                Some(refid) => account::read(loaded, refid, now)?,
                None => None,
            };
            let answered = match &asked.asks {
                Asks::Register { name, password, .. } => {
                    let fresh = User::new(fresh.clone(), email.clone(), name.clone(), now);
                    registered(known, fresh, password, confirms, now)
                }
                Asks::Resend { .. } => known.and_then(resent),
                Asks::Reset { .. } => known.and_then(reset),
                Asks::ChangeEmail { user, .. } => account::read(loaded, user, now)?
                    .filter(|_| known.is_none())
                    .map(|account| Answered::link(account, change_to(email))),
            };
            let soon = mailed.must_be_ready(loaded, now).is_err();
            let Some(answered) = answered.filter(|it| !(soon && it.mails())) else {
                link = Link::None;
                return Ok(Decision::Unchanged(Answer::first(Vec::new())));
            };
            let mut writes = answered.writes(stamp, now)?;
            if answered.mails() {
                writes.push(mailed.failure(loaded, stamp, now)?);
            }
            link = match answered.mail {
                Mailed::Nothing => Link::None,
                Mailed::Link {
                    purpose,
                    has_account,
                } => {
                    let user = answered.account.user;
                    let token = Token::mint(&user, purpose.clone(), now);
                    writes.push(new.write(&token, stamp)?);
                    Link::Token {
                        user,
                        purpose,
                        has_account,
                        token: new.0.clone(),
                        to: email.clone(),
                    }
                }
            };
            Ok(Decision::Commit {
                writes,
                answer: Answer::first(Vec::new()),
            })
        };
        self.command(&stamp.request, None, &keys, decide).await?;
        Ok(link)
    }
}

/// What a request for a link comes to.
struct Answered {
    account: Account,
    change: AccountChange,
    is_new: bool,
    mail: Mailed,
}

/// What is mailed then.
enum Mailed {
    Nothing,
    Link { purpose: Purpose, has_account: bool },
}

impl Mailed {
    fn link(purpose: Purpose) -> Self {
        Self::Link {
            purpose,
            has_account: false,
        }
    }
}

impl Answered {
    fn link(account: Account, purpose: Purpose) -> Self {
        Self {
            account,
            change: AccountChange::default(),
            is_new: false,
            mail: Mailed::link(purpose),
        }
    }

    /// Whoever asks for what is there already is helped in, unless nobody may sign in there.
    fn has_account(account: Account) -> Option<Self> {
        let mail = Mailed::Link {
            purpose: Purpose::Reset,
            has_account: true,
        };
        let may = account.user.may_sign_in();
        may.then(|| Self {
            account,
            change: AccountChange::default(),
            is_new: false,
            mail,
        })
    }

    fn mails(&self) -> bool {
        !matches!(self.mail, Mailed::Nothing)
    }

    fn writes(&self, stamp: &Stamp, now: Time) -> Result<Vec<CommandWrite>, StoreError> {
        let mut writes = Vec::new();
        if self.is_new {
            writes.extend(user::creation(&self.account.user, stamp)?);
        }
        let change = AccountChange {
            user: self.change.user.clone(),
            credentials: self.change.credentials.clone(),
            sessions: None,
        };
        writes.extend(change.writes(&self.account, stamp, now)?);
        Ok(writes)
    }
}

fn change_to(email: &EmailAddress) -> Purpose {
    let email = email.clone();
    Purpose::ChangeEmail { email }
}

/// A registration: a login that is new, or not confirmed yet, gets a link; whoever has one is told so (SPEC D3).
fn registered(
    known: Option<Account>,
    fresh: User,
    password: &PasswordHash,
    confirms: bool,
    now: Time,
) -> Option<Answered> {
    let is_new = known.is_none();
    let account = known.unwrap_or_else(|| Account {
        credentials: Credentials::none(&fresh.refid, now),
        user: fresh,
        sessions: None,
        seen: Seen::new(),
    });
    let taken = account.user.confirmed_at.is_some() || account.credentials.password.is_some();
    if taken || !account.user.may_sign_in() {
        return Answered::has_account(account);
    }
    let (credentials, mail) = if confirms {
        let confirm = Purpose::Confirm {
            password: Some(password.clone()),
        };
        let waiting = account.credentials.registered(password.clone(), now);
        (waiting, Mailed::link(confirm))
    } else {
        let set = account.credentials.with_password(password.clone(), now);
        (set, Mailed::Nothing)
    };
    let change = AccountChange {
        credentials: Some(credentials),
        ..AccountChange::default()
    };
    Some(Answered {
        account,
        change,
        is_new,
        mail,
    })
}

/// The confirmation once more. Where nobody registered, or several did, the link asks for a password.
fn resent(account: Account) -> Option<Answered> {
    if account.user.confirmed_at.is_some() || !account.user.may_sign_in() {
        return Answered::has_account(account);
    }
    let purpose = match account.credentials.confirmable() {
        Some(password) => Purpose::Confirm {
            password: Some(password.clone()),
        },
        // Signed in already, as addresses need no confirmation: what is confirmed then is the address alone.
        None if account.credentials.password.is_some() => Purpose::Confirm { password: None },
        None => Purpose::SetPassword,
    };
    Some(Answered::link(account, purpose))
}

fn reset(account: Account) -> Option<Answered> {
    let may = account.user.may_sign_in();
    may.then(|| Answered::link(account, Purpose::Reset))
}
