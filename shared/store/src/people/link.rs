//! Requests for links by e-mail (`AQ#id`), and the links that answer them. The password of a request that brings one
//! is an item of its own (`AP#id`), which the stream hands to nobody.
//!
//! Invariant: a request is the same puts, whether or not its address is known (rule D1). The worker that sends the
//! e-mail finds out later what there is to do. How often an address gets e-mails is limited.

use jiff::SignedDuration;
use purser_domain::basic::refid::code;
use purser_domain::basic::{EmailAddress, Time, UserRefid};
use purser_domain::people::attempts::Counted;
use purser_domain::people::session::Seen;
use purser_domain::people::token::Asks;
use purser_domain::people::{Credentials, LinkRequest, PasswordHash, Purpose, Token, User};
use serde::{Deserialize, Serialize};

use crate::engine::command::turn::patiently;
use crate::engine::item::{doc, item, number};
use crate::engine::table::classify;
use crate::engine::{Answer, CommandWrite, Consistency, Decision, Key, Loaded, Request, Stamp, Table, TableError};
use crate::events::mail_budget::{Mailing, Share, tomorrow};
use crate::people::account::{self, Account, AccountChange};
use crate::people::sign_in::attempts::Count;
use crate::people::token::NewToken;
use crate::people::user;
use crate::{Store, StoreError};

/// How long a request may wait for the worker that sends the link.
const WAITS: SignedDuration = SignedDuration::from_hours(24);

fn request_key(id: &str) -> Key {
    Key::alone("AQ", id)
}

fn password_key(id: &str) -> Key {
    Key::alone("AP", id)
}

/// The password of a registration that needs no confirmation.
#[derive(Serialize, Deserialize)]
struct ChosenPassword {
    password: PasswordHash,
    created_at: Time,
    version: u64,
}

#[derive(Debug, Clone)]
pub struct Link {
    pub user: User,
    pub purpose: Purpose,
    /// Whether the recipient asked to register, or for a confirmation, but has an account already.
    pub has_account: bool,
    pub token: String,
    pub to: EmailAddress,
    pub lasts: SignedDuration,
}

/// What became of the wish to send a link.
#[derive(Debug, Clone)]
pub enum Reply {
    Link(Box<Link>),
    /// There is nothing to send, for instance because the address is unknown or got a link just now.
    Nothing,
    /// The address has received its day's links, and the last of them still works.
    Withheld,
}

impl Store {
    /// Stores a request for a link, in one put; before it, in another, the password that it brings.
    pub async fn ask_for_link(&self, asks: Asks, request: &Request) -> Result<(), StoreError> {
        let id = code(self.secrets.random()?);
        let (asks, password) = asks.without_password();
        if let Some(password) = password {
            let chosen = ChosenPassword { password, created_at: request.now, version: 1 };
            self.put_waiting(&password_key(&id), "link_password", &chosen, request).await?;
        }
        let asked = LinkRequest { id: id.clone(), asks, created_at: request.now, version: 1 };
        self.put_waiting(&request_key(&id), "link_request", &asked, request).await
    }

    async fn put_waiting(
        &self,
        key: &Key,
        kind: &str,
        doc: &impl Serialize,
        request: &Request,
    ) -> Result<(), StoreError> {
        let mut put = item(key, kind, doc, &request.stamp)?;
        put.insert("ttl".to_owned(), number(request.now.plus(WAITS).unix_seconds()));
        let put = Table::send(self.table.put(put)).await;
        put.map_err(|error| TableError::into(classify(&error)))
    }

    /// Deletes a request for a link that needs no answer any more, with the password that it brought.
    pub async fn remove_link_request(&self, id: &str) -> Result<(), StoreError> {
        for key in [password_key(id), request_key(id)] {
            patiently(|| self.table.delete(&key)).await?;
        }
        Ok(())
    }

    /// A request for a link; `None` if it has been answered or has expired.
    pub async fn link_request(&self, id: &str) -> Result<Option<LinkRequest>, StoreError> {
        let found = self.table.get(&request_key(id), Consistency::Strong).await?;
        let mut asked: Option<LinkRequest> = found.as_ref().map(doc).transpose()?;
        // A request from before holds its password itself.
        if let Some(Asks::Register { password: password @ None, .. }) = asked.as_mut().map(|it| &mut it.asks) {
            let found = self.table.get(&password_key(id), Consistency::Strong).await?;
            let chosen: Option<ChosenPassword> = found.as_ref().map(doc).transpose()?;
            *password = chosen.map(|it| it.password);
        }
        Ok(asked)
    }

    /// Does what a request asks for, if there is anything to do: creates a user, a token or both. A new user can sign
    /// in at once only if `confirms` is false.
    pub async fn answer_link_request(
        &self,
        asked: &LinkRequest,
        confirms: bool,
        mailing: Mailing<'_>,
    ) -> Result<Reply, StoreError> {
        let Mailing { stamp, now, .. } = mailing;
        if asked.created_at.plus(WAITS) <= now {
            return Ok(Reply::Nothing);
        }
        let (new, email) = (NewToken::draw(&self.secrets)?, asked.asks.email());
        // Whoever wants an address for another account keeps no link from its owner, neither by pauses nor by counts.
        let folded = email.folded();
        let (whose, share) = match &asked.asks {
            Asks::ChangeEmail { .. } => (vec![folded.as_str(), "another account"], Share::Changes),
            _ => (vec![folded.as_str()], Share::Links),
        };
        let mailed = Count::of(&self.secrets, Counted::Mail, &whose)?;
        let postage = self.postage(mailing, email, share, None)?;
        let mut keys = vec![user::address_key(email), mailed.key.clone()];
        keys.extend(postage.keys());
        keys.extend(asked.asks.user().into_iter().flat_map(account::keys));
        // Derived from the request, so that a second delivery does not create a second user.
        let bits = self.secrets.bits("registered user", &[&asked.id])?;
        let fresh = UserRefid::new(&self.prefixes.user, bits);
        let mut reply = Reply::Nothing;
        let decide = |loaded: &Loaded| {
            reply = Reply::Nothing;
            let found = user::with_address(loaded, email)?;
            let unread = loaded.unread(found.iter().flat_map(account::keys));
            if !unread.is_empty() {
                return Ok(Decision::Read(unread));
            }
            let known = match &found {
                Some(refid) => account::read(loaded, refid, now)?,
                None => None,
            };
            let own = match asked.asks.user() {
                Some(user) => account::read(loaded, user, now)?,
                None => None,
            };
            let answered = Answered::to(&asked.asks, (known, own), &fresh, confirms, now);
            let soon = mailed.must_be_ready(loaded, now).is_err();
            let Some(answered) = answered.filter(|it| !(soon && it.mail.is_some())) else {
                return Ok(Decision::Unchanged(Answer::first(Vec::new())));
            };
            let mut writes = answered.writes(stamp, now)?;
            if let Some(mut link) = answered.link(new.text(), email) {
                let Some(paid) = postage.pay(loaded)? else {
                    reply = Reply::Withheld;
                    return Ok(Decision::Unchanged(Answer::first(Vec::new())));
                };
                let next = mailed.ready_after_failure(loaded, now)?;
                let next = if paid.is_last { next.max(tomorrow(now)) } else { next };
                let token = Token::mint(&link.user, link.purpose.clone(), now).bridging(next);
                link.lasts = token.lasts();
                writes.push(new.write(&token, stamp)?);
                writes.push(mailed.failure(loaded, stamp, now)?);
                writes.extend(paid.writes);
                reply = Reply::Link(Box::new(link));
            }
            Ok(Decision::Commit { writes, answer: Answer::first(Vec::new()) })
        };
        self.command(&stamp.request, None, &keys, decide).await?;
        Ok(reply)
    }

    /// A link with which the owner of an account sets its first password. There is none if the user does not exist or
    /// may not sign in.
    pub async fn invite(&self, refid: &UserRefid, mailing: Mailing<'_>) -> Result<Reply, StoreError> {
        let Mailing { stamp, now, .. } = mailing;
        let new = NewToken::draw(&self.secrets)?;
        let mut reply = Reply::Nothing;
        let decide = |loaded: &Loaded| {
            reply = Reply::Nothing;
            let user = user::read(loaded, refid)?.filter(User::may_sign_in);
            let Some(user) = user else {
                return Ok(Decision::Unchanged(Answer::first(Vec::new())));
            };
            let postage = self.postage(mailing, &user.email, Share::Links, user.reseller.as_ref())?;
            let unread = loaded.unread(postage.keys());
            if !unread.is_empty() {
                return Ok(Decision::Read(unread));
            }
            let Some(paid) = postage.pay(loaded)? else {
                reply = Reply::Withheld;
                return Ok(Decision::Unchanged(Answer::first(Vec::new())));
            };
            let token = Token::mint(&user, Purpose::SetPassword, now);
            let token = if paid.is_last { token.bridging(tomorrow(now)) } else { token };
            let mut writes = vec![new.write(&token, stamp)?];
            writes.extend(paid.writes);
            reply = Reply::Link(Box::new(Link {
                to: user.email.clone(),
                purpose: Purpose::SetPassword,
                has_account: false,
                token: new.text().to_owned(),
                lasts: token.lasts(),
                user,
            }));
            Ok(Decision::Commit { writes, answer: Answer::first(Vec::new()) })
        };
        let keys = [user::key(refid)];
        self.command(&stamp.request, None, &keys, decide).await?;
        Ok(reply)
    }
}

/// The outcome of a request for a link: the changed account, and the e-mail to send.
struct Answered {
    account: Account,
    change: AccountChange,
    is_new: bool,
    mail: Option<Mailed>,
}

struct Mailed {
    purpose: Purpose,
    has_account: bool,
}

impl Answered {
    /// The outcome of a request. `known` is the account that has the address; `own` is the account that asks to
    /// change its address.
    fn to(
        asks: &Asks,
        (known, own): (Option<Account>, Option<Account>),
        fresh: &UserRefid,
        confirms: bool,
        now: Time,
    ) -> Option<Self> {
        match asks {
            Asks::Register { email, name, password } => {
                let name = || name.clone().unwrap_or_else(|| email.name());
                let fresh = || User { registered: true, ..User::new(fresh.clone(), email.clone(), name(), now) };
                let password = password.as_ref().filter(|_| !confirms);
                registered(known, fresh, password, now)
            }
            Asks::Resend { .. } => known.and_then(resent),
            Asks::Reset { .. } => known.and_then(|account| Self::reset(account, false)),
            // A request from before a change of password, role or status is not carried out.
            Asks::ChangeEmail { email, epoch, .. } => {
                let email = email.clone();
                let own = own.filter(|own| known.is_none() && own.user.epoch == *epoch);
                own.map(|own| Self::linked(own, Purpose::ChangeEmail { email }))
            }
        }
    }

    fn linked(account: Account, purpose: Purpose) -> Self {
        Self {
            account,
            change: AccountChange::default(),
            is_new: false,
            mail: Some(Mailed { purpose, has_account: false }),
        }
    }

    /// A link to set a new password, unless the user may not sign in. It also goes to somebody who registers, or asks
    /// for a confirmation, but has an account already.
    fn reset(account: Account, has_account: bool) -> Option<Self> {
        let may = account.user.may_sign_in();
        let mail = Mailed { purpose: Purpose::Reset, has_account };
        may.then(|| Self { account, change: AccountChange::default(), is_new: false, mail: Some(mail) })
    }

    fn writes(&self, stamp: &Stamp, now: Time) -> Result<Vec<CommandWrite>, StoreError> {
        let mut writes = Vec::new();
        if self.is_new {
            // If somebody else takes the address meanwhile, that is no refusal: the command decides again, and treats
            // the request as one for that account.
            let creation = user::creation(&self.account.user, stamp)?;
            writes.extend(creation.map(|it| CommandWrite::fresh(it.write)));
        }
        writes.extend(self.change.clone().writes(&self.account, stamp, now)?);
        Ok(writes)
    }

    fn link(self, token: &str, to: &EmailAddress) -> Option<Link> {
        let Mailed { purpose, has_account } = self.mail?;
        // Unless the address is new, as its owner spells it, not as the request does.
        let to = match &purpose {
            Purpose::ChangeEmail { .. } => to.clone(),
            _ => self.account.user.email.clone(),
        };
        let lasts = purpose.lasts();
        Some(Link { user: self.account.user, purpose, has_account, token: token.to_owned(), to, lasts })
    }
}

/// A registration. A new or unconfirmed account gets a link to confirm the address, unless the registration brings a
/// `password` that needs no confirmation; somebody who has an account already is told so by e-mail (rule D3).
fn registered(
    known: Option<Account>,
    fresh: impl FnOnce() -> User,
    password: Option<&PasswordHash>,
    now: Time,
) -> Option<Answered> {
    let is_new = known.is_none();
    let account = known.unwrap_or_else(|| {
        let user = fresh();
        Account { credentials: Credentials::none(&user.refid, now), user, sessions: None, seen: Seen::new() }
    });
    let taken = account.user.confirmed_at.is_some() || account.credentials.password.is_some();
    if taken || !account.user.may_sign_in() {
        return Answered::reset(account, true);
    }
    // The owner was invited by e-mail already, and could mistake this link for that one.
    if !account.user.is_plain() {
        return Some(Answered::linked(account, Purpose::SetPassword));
    }
    let Some(password) = password else {
        return Some(Answered { is_new, ..Answered::linked(account, Purpose::Confirm {}) });
    };
    let credentials = account.credentials.with_password(password.clone(), now);
    let change = AccountChange { credentials: Some(credentials), ..AccountChange::default() };
    Some(Answered { account, change, is_new, mail: None })
}

/// Sends the confirmation again.
fn resent(account: Account) -> Option<Answered> {
    if account.user.confirmed_at.is_some() || !account.user.may_sign_in() {
        return Answered::reset(account, true);
    }
    let purpose = if account.user.is_plain() { Purpose::Confirm {} } else { Purpose::SetPassword };
    Some(Answered::linked(account, purpose))
}
