//! Tokens in the table: `TK#sha256` of the token that an e-mail carries.
//!
//! Invariant: a token is deleted in the transaction that uses it, so only one of two uses succeeds. The table never
//! holds the token itself.

use purser_domain::Refusal;
use purser_domain::basic::{Name, Time, UserRefid};
use purser_domain::people::attempts::Counted;
use purser_domain::people::{KeyOwner, OwnedKey, PasswordHash, Purpose, Token, User};

use crate::engine::item::{doc, item, number};
use crate::engine::keys::by_time;
use crate::engine::secrets::sha256_hex;
use crate::engine::{
    Answer, CommandWrite, Condition, Consistency, Decision, Index, Key, Loaded, Request, Secrets, Stamp, Write,
};
use crate::people::account::{self, Account, AccountChange};
use crate::people::api_key::keyring;
use crate::people::sign_in::attempts::Count;
use crate::people::{avatar, user};
use crate::{Store, StoreError};

fn key(token: &str) -> Key {
    Key::alone("TK", sha256_hex(token.as_bytes()))
}

/// The partition of the tenant index that lists the tokens of a user.
pub(crate) fn list_key(user: &UserRefid) -> String {
    format!("TK@{user}")
}

pub(crate) struct NewToken(String);

impl NewToken {
    pub(crate) fn draw(secrets: &Secrets) -> Result<Self, StoreError> {
        let bytes: [u8; 32] = secrets.random()?;
        Ok(Self(data_encoding::BASE64URL_NOPAD.encode(&bytes)))
    }

    /// The token as the e-mail carries it.
    pub(crate) fn text(&self) -> &str {
        &self.0
    }

    pub(crate) fn write(&self, token: &Token, stamp: &Stamp) -> Result<CommandWrite, StoreError> {
        let key = key(&self.0);
        let mut put = item(&key, "token", token, stamp)?;
        Index::Tenant.place(&mut put, list_key(&token.user), by_time(token.created_at, &key.pk));
        put.insert("ttl".to_owned(), number(token.expires_at.unix_seconds()));
        Ok(CommandWrite::fresh(Write::Put(put, Condition::Absent)))
    }
}

fn read(loaded: &Loaded, token: &str) -> Result<Token, StoreError> {
    let found: Option<Token> = loaded.get(&key(token)).map(doc).transpose()?;
    found.ok_or_else(|| Refusal::InvalidToken.into())
}

impl Store {
    /// What a token is for, and its user. Callers ask this before they hash a password, so only a valid token costs
    /// that work.
    pub async fn user_of_token(&self, token: &str, now: Time) -> Result<(Purpose, User), StoreError> {
        let found = self.table.get(&key(token), Consistency::Strong).await?;
        let token: Option<Token> = found.as_ref().map(doc).transpose()?;
        let token = token.ok_or(Refusal::InvalidToken)?;
        let user = self.user(&token.user).await?.ok_or(Refusal::InvalidToken)?;
        token.must_be_good_for(&user, now)?;
        Ok((token.purpose, user))
    }

    /// Uses a token that changes an address. The user's password was checked before.
    pub async fn change_address(&self, token: &str, request: &Request) -> Result<User, StoreError> {
        self.use_token(token, None, request).await
    }

    /// Uses a token that sets a password, and forgets the failed sign-ins of the account. With the first proof of an
    /// address, whatever a stranger may have set ends, and the user gets this name.
    pub async fn set_password(
        &self,
        token: &str,
        password: &PasswordHash,
        name: Option<&Name>,
        request: &Request,
    ) -> Result<User, StoreError> {
        self.use_token(token, Some((password, name)), request).await
    }

    async fn use_token(
        &self,
        text: &str,
        chosen: Option<(&PasswordHash, Option<&Name>)>,
        request: &Request,
    ) -> Result<User, StoreError> {
        let mut done = Err(Refusal::InvalidToken);
        let decide = |loaded: &Loaded| {
            let token = read(loaded, text)?;
            let mut more = account::keys(&token.user).to_vec();
            let failed = Count::of(&self.secrets, Counted::Account, &[&token.email.folded()])?;
            match &token.purpose {
                Purpose::ChangeEmail { email } => more.push(user::address_key(email)),
                purpose if purpose.sets_password() => {
                    more.extend([failed.key.clone(), avatar::key(&token.user)]);
                    // Only a user with rights can own keys.
                    let known = user::read(loaded, &token.user)?;
                    let owner = known.filter(|user| user.confirmed_at.is_none() && user.rights().is_some());
                    more.extend(owner.and_then(|user| keyring::key(&KeyOwner::User(user.refid))));
                }
                _ => {}
            }
            let unread = loaded.unread(more);
            if !unread.is_empty() {
                return Ok(Decision::Read(unread));
            }
            let account = account::read(loaded, &token.user, request.now)?;
            let account = account.ok_or(Refusal::InvalidToken)?;
            token.must_be_good_for(&account.user, request.now)?;
            let change = used(&token, &account, chosen, request.now)?;
            let user = change.user.clone().unwrap_or(account.user.clone());
            let delete = Write::Delete(key(text), Condition::Version(token.version));
            let mut writes = vec![CommandWrite::fresh(delete)];
            if let Purpose::ChangeEmail { email } = &token.purpose
                && email.folded() != account.user.email.folded()
            {
                writes.extend(user::address_swap(&user, &account.user.email, &request.stamp)?);
            }
            writes.extend(change.writes(&account, &request.stamp, request.now)?);
            if token.purpose.sets_password() {
                writes.push(failed.success(loaded)?);
            }
            if token.purpose.sets_password() && account.user.confirmed_at.is_none() {
                let picture = avatar::key(&token.user);
                let pictured = loaded.has(&picture);
                writes.push(account::removal_of(picture, pictured.then_some(1)));
                if account.user.rights().is_some() {
                    // A user without a confirmed address owns few keys, if any.
                    let none = |_: &OwnedKey| false;
                    let (ended, _) = keyring::shortened(loaded, &user, none, &request.stamp, request.now)?;
                    writes.extend(ended);
                }
            }
            done = Ok(user);
            Ok(Decision::Commit { writes, answer: Answer::first(Vec::new()) })
        };
        let keys = [key(text)];
        self.command(&request.stamp.request, None, &keys, decide).await?;
        Ok(done?)
    }
}

/// What using a token changes in its account.
fn used(
    token: &Token,
    account: &Account,
    chosen: Option<(&PasswordHash, Option<&Name>)>,
    now: Time,
) -> Result<AccountChange, Refusal> {
    let (user, credentials) = (&account.user, &account.credentials);
    Ok(match (&token.purpose, chosen) {
        (Purpose::ChangeEmail { email }, None) => {
            AccountChange { user: Some(user.moved_to(email, now)), ..AccountChange::default() }
        }
        // Somebody who reads the e-mail has proven that the address is theirs.
        (Purpose::Confirm {} | Purpose::Reset | Purpose::SetPassword, Some((password, name))) => {
            let mut user = user.proven(name.cloned(), now);
            let mut set = credentials.with_password(password.clone(), now);
            if account.user.confirmed_at.is_none() || credentials.factor_is_released(now, token.created_at) {
                set = set.without_factor();
            }
            user.second_factor = set.second_factor.is_some();
            AccountChange { user: Some(user), credentials: Some(set), sessions: None }
        }
        _ => return Err(Refusal::InvalidToken),
    })
}
