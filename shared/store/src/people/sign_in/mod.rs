//! Signing in (rules D1, D2): two reads, a proof in between, one commit.
//!
//! Invariant: an unknown address takes the same calls as a known one. For it, a non-existent account is read, and the
//! failure is counted like any other. The commit rests on the state that the proof was checked against, or on a later
//! state in which the password is still the same.

pub(crate) mod attempts;
mod device;
mod proof;

use purser_domain::Refusal;
use purser_domain::basic::refid::code;
use purser_domain::basic::{EmailAddress, Time, UserRefid};
use purser_domain::people::attempts::Counted;
use purser_domain::people::{Actor, Credentials, Login, PasswordHash, Session, SessionLimits, Sessions, User};

use crate::engine::secrets::sha256_hex;
use crate::engine::{Answer, CommandWrite, Consistency, Decision, Key, Loaded, Request, Secrets, Stamp};
use crate::people::account::{self, Account, AccountChange};
use crate::people::sign_in::attempts::Count;
use crate::people::sign_in::device::Device;
use crate::people::{session, user};
use crate::{Store, StoreError};

pub use proof::Place;

#[derive(Debug, Clone)]
pub struct SignIn {
    pub email: EmailAddress,
    /// The device's claim that it has signed in before, not yet verified.
    pub device: Option<String>,
    /// The network address.
    pub address: Option<String>,
    pub agent: Option<String>,
    /// Whether the answer to a CAPTCHA has shown that it comes from a person.
    pub person: bool,
}

/// A sign-in that waits for its proof.
#[derive(Debug)]
pub struct Begun {
    /// The user; for an unknown address, one that nobody is.
    pub user: UserRefid,
    counts: Vec<Count>,
    codes: Count,
    /// The device, if it has signed in to this account before.
    device: Option<Device>,
    loaded: Loaded,
    /// The hash to check the password against. If it is `None`, any password is wrong.
    pub password: Option<PasswordHash>,
}

/// The result of checking the password.
#[derive(Debug, Clone)]
pub enum Proof {
    Right,
    /// The password is right. From now on, this stronger hash of it is stored.
    Stronger(PasswordHash),
    Wrong,
}

#[derive(Debug, Clone)]
pub struct OpenedSession {
    pub user: User,
    /// The session's token, which is shown only now.
    pub token: String,
    pub expires_at: Time,
    /// What the device shows at its next sign-in, to be recognised.
    pub device: String,
}

/// The random parts of a session that is about to begin.
#[derive(Debug)]
pub(crate) struct NewSession {
    id: String,
    secret: String,
}

impl NewSession {
    pub(crate) fn draw(secrets: &Secrets) -> Result<Self, StoreError> {
        let secret: [u8; 32] = secrets.random()?;
        Ok(Self { id: code(secrets.random()?), secret: data_encoding::BASE64URL_NOPAD.encode(&secret) })
    }

    /// The session's token. It names the user's reseller, so that the reseller's standing is read with the session.
    pub(crate) fn token(&self, user: &User) -> String {
        let tenant = user.reseller.as_ref().map(|reseller| format!("{reseller}.")).unwrap_or_default();
        format!("{}.{tenant}{}", user.refid, self.secret)
    }

    pub(crate) fn session(
        &self,
        from: (Option<&String>, Option<&String>),
        limits: SessionLimits,
        now: Time,
    ) -> Session {
        Session {
            id: self.id.clone(),
            secret_sha256: sha256_hex(self.secret.as_bytes()),
            created_at: now,
            expires_at: now.plus(limits.absolute),
            address: from.0.cloned(),
            agent: from.1.cloned(),
            proved_until: None,
        }
    }
}

impl Store {
    /// Reads the counts of failed attempts and the account for a sign-in. Refuses an attempt that comes too soon, or
    /// without a CAPTCHA where there were many failures.
    pub async fn begin_sign_in(&self, sign_in: &SignIn, now: Time) -> Result<Begun, StoreError> {
        let address = user::address_key(&sign_in.email);
        let device = sign_in.device.as_deref().map(|it| Device::read(&self.secrets, it)).transpose()?;
        let device = device.flatten().filter(|it| it.until > now.unix_seconds());
        let of = |counted, whose: &[&str]| Count::of(&self.secrets, counted, whose);
        let by_account = of(Counted::Account, &[&sign_in.email.folded()])?;
        let network = sign_in.address.as_deref();
        let network = network.map(|it| of(Counted::Address, &[it])).transpose()?;
        let own = device.as_ref().map(|it| of(Counted::Device, &[it.user.as_str(), &it.name])).transpose()?;
        let counts = [Some(&by_account), network.as_ref(), own.as_ref()];
        let mut keys = vec![address];
        keys.extend(counts.into_iter().flatten().map(|count| count.key.clone()));
        let mut loaded = self.read_now(&keys).await?;
        let found = user::with_address(&loaded, &sign_in.email)?;
        let nobody = self.nobody(&sign_in.email)?;
        let user = found.unwrap_or(nobody);
        let codes = of(Counted::Code, &[user.as_str()])?;
        let mut keys = account::keys(&user).to_vec();
        keys.push(codes.key.clone());
        loaded.extend(self.read_now(&keys).await?);
        let account = account::read(&loaded, &user, now)?;
        // A device of the account's owner is delayed only by failures on that device, not by what others do.
        let is_known = |it: &Device| account.as_ref().is_some_and(|account| it.is_of(&account.user));
        let device = device.filter(is_known);
        let counts: Vec<Count> = match own.filter(|_| device.is_some()) {
            Some(own) => vec![own],
            None => [Some(by_account), network].into_iter().flatten().collect(),
        };
        for count in &counts {
            count.must_be_a_person(sign_in.person, &loaded, now)?;
            count.must_be_ready(&loaded, now)?;
        }
        Ok(Begun {
            password: account.and_then(|account| account.credentials.password),
            user,
            counts,
            codes,
            device,
            loaded,
        })
    }

    /// Signs the user in if the proof holds. Otherwise counts the failure and refuses.
    pub async fn finish_sign_in(
        &self,
        begun: Begun,
        proof: &Proof,
        code: Option<&str>,
        sign_in: &SignIn,
        limits: SessionLimits,
        request: &Request,
    ) -> Result<OpenedSession, StoreError> {
        let new = NewSession::draw(&self.secrets)?;
        let (now, known) = (request.now, begun.device.is_some());
        let device = begun.device.map_or_else(|| self.device_name(), |it| Ok(it.name))?;
        let mut keys: Vec<Key> = begun.counts.iter().map(|it| it.key.clone()).collect();
        keys.extend(account::keys(&begun.user));
        keys.push(begun.codes.key.clone());
        let codes = begun.codes;
        let (checked, counts, user) = (begun.password, begun.counts, begun.user);
        let mut outcome = Err(Refusal::InvalidCredentials);
        let id = &request.stamp.request;
        let decide = |loaded: &Loaded| {
            for count in &counts {
                count.must_be_a_person(sign_in.person, loaded, now)?;
                count.must_be_ready(loaded, now)?;
            }
            let account = account::read(loaded, &user, now)?;
            let proven = match account {
                // The proof holds only if the password has not changed since it was checked.
                Some(account) if account.credentials.password == checked => {
                    let ready = || codes.must_be_ready(loaded, now);
                    proven(self, account, proof, code.map(|code| (code, ready)), now)
                }
                _ => Err(Refusal::InvalidCredentials.into()),
            };
            let (account, credentials) = match proven {
                Ok(proven) => proven,
                Err(StoreError::Refused(refusal)) => {
                    outcome = Err(refusal.clone());
                    return counted(&refusal, (&counts, &codes), loaded, request);
                }
                Err(error) => return Err(error),
            };
            let opening = Opening { new: &new, sign_in, limits, known };
            let (signed_in, more) = opening.writes(&account, credentials, request)?;
            let mut writes = Vec::new();
            for count in &counts {
                writes.extend(count.signed_in(account.user.last_login_at, loaded, &request.stamp, now)?);
            }
            if account.credentials.second_factor.is_some() {
                writes.push(codes.success(loaded)?);
            }
            writes.extend(more);
            outcome = Ok(signed_in);
            Ok(Decision::Commit { writes, answer: Answer::first(Vec::new()) })
        };
        self.command_on(Some(begun.loaded), id, None, &keys, decide).await?;
        let user = outcome?;
        let device = Device::of(&user, device, now).text(&self.secrets)?;
        Ok(OpenedSession { token: new.token(&user), expires_at: now.plus(limits.absolute), user, device })
    }

    async fn read_now(&self, keys: &[Key]) -> Result<Loaded, StoreError> {
        let found = self.table.get_all(keys, Consistency::Strong).await?;
        Ok(Loaded::of(keys, found))
    }

    /// The refid of an account that does not exist, which is read in place of an unknown address's account.
    fn nobody(&self, email: &EmailAddress) -> Result<UserRefid, StoreError> {
        let bits = self.secrets.bits("nobody", &[&email.folded()])?;
        Ok(UserRefid::new(&self.prefixes.user, bits))
    }

    fn device_name(&self) -> Result<String, StoreError> {
        Ok(code(self.secrets.random()?))
    }

    /// What a new device of `user` shows at its next sign-in, to be recognised.
    pub fn new_device(&self, user: &User, now: Time) -> Result<String, StoreError> {
        Device::of(user, self.device_name()?, now).text(&self.secrets)
    }
}

/// A session that a sign-in is about to begin.
struct Opening<'a> {
    new: &'a NewSession,
    sign_in: &'a SignIn,
    limits: SessionLimits,
    /// Whether the device has signed in to this account before.
    known: bool,
}

impl Opening<'_> {
    fn writes(
        &self,
        account: &Account,
        credentials: Option<Credentials>,
        request: &Request,
    ) -> Result<(User, Vec<CommandWrite>), StoreError> {
        let (now, user) = (request.now, &account.user);
        let stamp = Stamp { actor: Actor::new(user.refid.as_str()), ..request.stamp.clone() };
        let signed_in = User { last_login_at: Some(now), ..user.next() };
        let from = (self.sign_in.address.as_ref(), self.sign_in.agent.as_ref());
        let opened = self.new.session(from, self.limits, now);
        let login = Login {
            id: opened.id.clone(),
            user: user.refid.clone(),
            address: opened.address.clone(),
            agent: opened.agent.clone(),
            new_device: !self.known && user.last_login_at.is_some(),
            created_at: now,
            version: 1,
        };
        let sessions = Sessions::following(account.sessions.as_ref(), &signed_in, now);
        let change = AccountChange {
            user: Some(signed_in.clone()),
            credentials,
            sessions: Some(sessions.opening(opened, &account.seen, self.limits, now)),
        };
        // The items of one batch read may be from different moments, and after a lost race items are refreshed one by
        // one: the user may be current and the credentials outdated. So if the credentials are not written, their
        // version is checked.
        let unchanged = change.credentials.is_none();
        let unchanged = unchanged.then(|| account::credentials_check(account));
        let mut writes = change.writes(account, &stamp, now)?;
        writes.extend(unchanged);
        writes.push(session::history(&login, &stamp)?);
        Ok((signed_in, writes))
    }
}

/// What is committed before a refusal is returned. Wrong passwords and wrong codes are counted. A refusal because a
/// code is missing or comes too soon reveals a right password, so its commit checks the counts.
fn counted(
    refusal: &Refusal,
    (counts, codes): (&[Count], &Count),
    loaded: &Loaded,
    request: &Request,
) -> Result<Decision, StoreError> {
    let failed = |count: &Count| count.failure(loaded, &request.stamp, request.now);
    let fails = matches!(refusal, Refusal::InvalidCredentials | Refusal::InvalidCode);
    let told = |count: &Count| {
        if fails { failed(count) } else { count.unchanged(loaded) }
    };
    let mut writes = counts.iter().map(told).collect::<Result<Vec<_>, _>>()?;
    if *refusal == Refusal::InvalidCode {
        writes.push(failed(codes)?);
    }
    Ok(Decision::Commit { writes, answer: Answer::first(Vec::new()) })
}

/// The account, if the proof shows that the caller owns it, and new credentials, if they change.
fn proven(
    store: &Store,
    account: Account,
    proof: &Proof,
    code: Option<(&str, impl Fn() -> Result<(), StoreError>)>,
    now: Time,
) -> Result<(Account, Option<Credentials>), StoreError> {
    let kept = match proof {
        Proof::Wrong => return Err(Refusal::InvalidCredentials.into()),
        Proof::Right => None,
        Proof::Stronger(hash) => Some(hash.clone()),
    };
    if !account.user.may_sign_in() || account.user.awaits_proof() {
        return Err(Refusal::InvalidCredentials.into());
    }
    let factor = match &account.credentials.second_factor {
        None => None,
        Some(factor) => {
            let (code, ready) = code.ok_or(Refusal::SecondFactorRequired)?;
            ready()?;
            Some(store.use_second_factor(&account.user.refid, factor, code, now)?)
        }
    };
    if kept.is_none() && factor.is_none() {
        return Ok((account, None));
    }
    let mut credentials = account.credentials.next(now);
    credentials.password = kept.or(credentials.password);
    credentials.second_factor = factor.or(credentials.second_factor);
    Ok((account, Some(credentials)))
}
