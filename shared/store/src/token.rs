//! Tokens in the table: `TK#sha256` of what a mail carries, and `AQ#id`, requests for such a mail.
//!
//! Invariant: a token is deleted in the transaction that uses it, so of two uses at once one wins; what a mail carries
//! is never in the table. A request is one put, whatever its address is (SPEC D1).

use jiff::SignedDuration;
use purser_domain::Refusal;
use purser_domain::attempts::Counted;
use purser_domain::email::EmailAddress;
use purser_domain::password::PasswordHash;
use purser_domain::refid::{UserRefid, code};
use purser_domain::time::Time;
use purser_domain::token::{Asks, LinkRequest, Purpose, Token};
use purser_domain::user::User;

use crate::account::{self, Account, AccountChange};
use crate::answer::Answer;
use crate::attempts::Count;
use crate::command::{CommandWrite, Decision, Request};
use crate::item::{Stamp, doc, item, number};
use crate::keys::Key;
use crate::loaded::Loaded;
use crate::secrets::{Secrets, sha256_hex};
use crate::table::{Condition, Consistency, Table, TableError, Write, classify};
use crate::{Store, StoreError, user};

/// How long a request waits for whoever mails its link.
const WAITS: SignedDuration = SignedDuration::from_hours(24);

fn key(token: &str) -> Key {
    Key::alone("TK", sha256_hex(token.as_bytes()))
}

fn request_key(id: &str) -> Key {
    Key::alone("AQ", id)
}

/// What to mail somebody who asked for a link.
#[derive(Debug, Clone)]
pub enum Link {
    /// Nothing: nobody has the address, or nothing is left to do, or it was mailed often of late.
    None,
    /// A link with this token, to this address.
    Token {
        /// Whose it is.
        user: User,
        /// What it is good for.
        purpose: Purpose,
        /// Whether it goes to somebody who asked for an account and has one.
        has_account: bool,
        /// What the link carries.
        token: String,
        /// Whom it is mailed to.
        to: EmailAddress,
    },
}

/// A token about to be made.
struct NewToken(String);

impl NewToken {
    fn draw(secrets: &Secrets) -> Result<Self, StoreError> {
        let bytes: [u8; 32] = secrets.random()?;
        Ok(Self(data_encoding::BASE64URL_NOPAD.encode(&bytes)))
    }

    fn write(&self, token: &Token, stamp: &Stamp) -> Result<CommandWrite, StoreError> {
        let mut put = item(&key(&self.0), "token", token, stamp)?;
        put.insert("ttl".to_owned(), number(token.expires_at.unix_seconds()));
        Ok(CommandWrite::fresh(Write::Put(put, Condition::Absent)))
    }
}

/// The token among what a command loaded.
fn read(loaded: &Loaded, token: &str) -> Result<Token, StoreError> {
    let found: Option<Token> = loaded.get(&key(token)).map(doc).transpose()?;
    found.ok_or_else(|| Refusal::InvalidToken.into())
}

impl Store {
    /// Leaves a request for a link: one put.
    pub async fn ask_for_link(&self, asks: Asks, request: &Request) -> Result<(), StoreError> {
        let id = code(self.secrets.random()?);
        let asked = LinkRequest {
            id: id.clone(),
            asks,
            created_at: request.now,
            version: 1,
        };
        let mut put = item(&request_key(&id), "link_request", &asked, &request.stamp)?;
        let waits = request.now.plus(WAITS).unix_seconds();
        put.insert("ttl".to_owned(), number(waits));
        let put = Table::send(self.table.put(put)).await;
        put.map_err(|error| TableError::into(classify(&error)))
    }

    /// A request for a link, if it still waits.
    pub async fn link_request(&self, id: &str) -> Result<Option<LinkRequest>, StoreError> {
        let found = self
            .table
            .get(&request_key(id), Consistency::Strong)
            .await?;
        found.as_ref().map(doc).transpose()
    }

    /// Makes what a request asked for, as far as there is something to make: a login that nobody can sign in as yet
    /// (unless addresses need no confirmation), and a token.
    pub async fn answer_link_request(
        &self,
        asked: &LinkRequest,
        confirms: bool,
        stamp: &Stamp,
        now: Time,
    ) -> Result<Link, StoreError> {
        let new = NewToken::draw(&self.secrets)?;
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

    /// A token with which the owner of a login sets its first password.
    pub async fn invite(
        &self,
        refid: &UserRefid,
        stamp: &Stamp,
        now: Time,
    ) -> Result<Link, StoreError> {
        let new = NewToken::draw(&self.secrets)?;
        let mut link = Link::None;
        let decide = |loaded: &Loaded| {
            let user = user::read(loaded, refid)?.filter(User::may_sign_in);
            let Some(user) = user else {
                return Ok(Decision::Unchanged(Answer::first(Vec::new())));
            };
            let token = Token::mint(&user, Purpose::SetPassword, now);
            let writes = vec![new.write(&token, stamp)?];
            link = Link::Token {
                to: user.email.clone(),
                purpose: Purpose::SetPassword,
                has_account: false,
                token: new.0.clone(),
                user,
            };
            Ok(Decision::Commit {
                writes,
                answer: Answer::first(Vec::new()),
            })
        };
        let keys = [user::key(refid)];
        self.command(&stamp.request, None, &keys, decide).await?;
        Ok(link)
    }

    /// Whose password a token may set, as of now; what it costs to hash one is spent for good tokens only.
    pub async fn user_of_token(&self, token: &str, now: Time) -> Result<User, StoreError> {
        let token: Option<Token> = {
            let found = self.table.get(&key(token), Consistency::Strong).await?;
            found.as_ref().map(doc).transpose()?
        };
        let token = token.filter(|token| token.purpose.sets_password());
        let token = token.ok_or(Refusal::InvalidToken)?;
        let user = self.user(&token.user).await?.ok_or(Refusal::InvalidToken)?;
        token.must_be_good_for(&user, now)?;
        Ok(user)
    }

    /// Uses a token that needs nothing but itself: confirms an address.
    pub async fn confirm(&self, token: &str, request: &Request) -> Result<User, StoreError> {
        self.use_token(token, None, request).await
    }

    /// Uses a token that sets a password; what failed before is forgotten.
    pub async fn set_password(
        &self,
        token: &str,
        password: &PasswordHash,
        request: &Request,
    ) -> Result<User, StoreError> {
        self.use_token(token, Some(password), request).await
    }

    async fn use_token(
        &self,
        text: &str,
        password: Option<&PasswordHash>,
        request: &Request,
    ) -> Result<User, StoreError> {
        let mut done = Err(Refusal::InvalidToken);
        let decide = |loaded: &Loaded| {
            let token = read(loaded, text)?;
            let mut more = account::keys(&token.user).to_vec();
            let failed = Count::of(&self.secrets, Counted::Account, &[&token.email.folded()]);
            match &token.purpose {
                Purpose::ChangeEmail { email } => more.push(user::address_key(email)),
                purpose if purpose.sets_password() => more.push(failed.key.clone()),
                _ => {}
            }
            let unread = loaded.unread(more);
            if !unread.is_empty() {
                return Ok(Decision::Read(unread));
            }
            let account = account::read(loaded, &token.user, request.now)?;
            let account = account.ok_or(Refusal::InvalidToken)?;
            token.must_be_good_for(&account.user, request.now)?;
            let change = used(&token, &account, password, request.now)?;
            let user = change.user.clone().unwrap_or(account.user.clone());
            let delete = Write::Delete(key(text), Condition::Version(token.version));
            let mut writes = vec![CommandWrite::fresh(delete)];
            if let Purpose::ChangeEmail { email } = &token.purpose
                && email.folded() != account.user.email.folded()
            {
                writes.extend(user::address_swap(
                    &user,
                    &account.user.email,
                    &request.stamp,
                )?);
            }
            writes.extend(change.writes(&account, &request.stamp, request.now)?);
            if token.purpose.sets_password() {
                writes.push(failed.success(loaded)?);
            }
            done = Ok(user);
            Ok(Decision::Commit {
                writes,
                answer: Answer::first(Vec::new()),
            })
        };
        let keys = [key(text)];
        self.command(&request.stamp.request, None, &keys, decide)
            .await?;
        Ok(done?)
    }
}

/// What a token makes of its account.
fn used(
    token: &Token,
    account: &Account,
    password: Option<&PasswordHash>,
    now: Time,
) -> Result<AccountChange, Refusal> {
    let (user, credentials) = (&account.user, &account.credentials);
    Ok(match (&token.purpose, password) {
        (Purpose::Confirm { password: own }, None) => AccountChange {
            user: Some(user.next().confirmed(now)),
            credentials: own
                .clone()
                .map(|password| credentials.with_password(password, now)),
            sessions: None,
        },
        (Purpose::ChangeEmail { email }, None) => AccountChange {
            user: Some(user.moved_to(email, now)),
            ..AccountChange::default()
        },
        // Whoever reads the mail at the address has proven that it is theirs.
        (Purpose::Reset | Purpose::SetPassword, Some(password)) => AccountChange {
            user: Some(user.next_epoch().confirmed(now)),
            credentials: Some(credentials.with_password(password.clone(), now)),
            sessions: None,
        },
        _ => return Err(Refusal::InvalidToken),
    })
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
        credentials: purser_domain::credentials::Credentials::none(&fresh.refid, now),
        user: fresh,
        sessions: None,
        seen: purser_domain::session::Seen::new(),
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
