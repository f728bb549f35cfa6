//! API keys: how machines authenticate.
//!
//! Invariant: the secret half of a key is never stored, only its SHA-256. A key has at most the rights that its owner
//! has, and ends when its owner loses one of them (docs/rules.md, "Credentials").

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

use crate::basic::refid::{ApiKeyRefid, ResellerRefid, UserRefid};
use crate::basic::text::Name;
use crate::basic::time::Time;
use crate::people::caller::scope::Scopes;
use crate::people::caller::{Actor, Role};
use crate::people::user::User;
use crate::refusal::Refusal;

/// The most keys that a user may own, so that one commit can end all of them.
pub const MOST_OF_ONE_OWNER: usize = 20;
/// How long a key lasts unless its maker says otherwise.
pub const LASTS: SignedDuration = SignedDuration::from_hours(365 * 24);
/// How long a key may last.
pub const LASTS_AT_MOST: SignedDuration = SignedDuration::from_hours(5 * 365 * 24);
/// The least time between two records of a key's use.
pub const NOTED_EVERY: SignedDuration = SignedDuration::from_mins(5);

/// Whose a key is. It is written like an [`Actor`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Actor", into = "Actor")]
pub enum KeyOwner {
    /// The deployment, whose first key made it.
    Deployment,
    User(UserRefid),
    /// Another key: only keys that were made before keys had owners.
    Key(ApiKeyRefid),
}

impl From<Actor> for KeyOwner {
    fn from(actor: Actor) -> Self {
        let name = actor.as_str();
        let key = || ApiKeyRefid::parse(name).filter(|_| name.starts_with("AK-")).map(Self::Key);
        let user = || UserRefid::parse(name).filter(|_| name.starts_with("US-")).map(Self::User);
        key().or_else(user).unwrap_or(Self::Deployment)
    }
}

impl From<KeyOwner> for Actor {
    fn from(owner: KeyOwner) -> Self {
        match owner {
            KeyOwner::Deployment => Self::new(Self::DEPLOYMENT),
            KeyOwner::User(user) => Self::new(user.as_str()),
            KeyOwner::Key(key) => Self::new(key.as_str()),
        }
    }
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ApiKey {
    pub refid: ApiKeyRefid,
    pub name: Name,
    pub role: Role,
    pub owner: KeyOwner,
    pub scopes: Scopes,
    pub expires_at: Time,
    /// The SHA-256 of the secret half, in hexadecimal.
    pub secret_sha256: String,
    pub created_at: Time,
    /// Always 1: a key is created and revoked, but never changed.
    pub version: u64,
}

/// A key as it is stored. Those from before keys had owners lack some members.
#[derive(Debug, Deserialize)]
pub struct StoredApiKey {
    refid: ApiKeyRefid,
    name: Name,
    role: Role,
    owner: Option<KeyOwner>,
    scopes: Option<Scopes>,
    expires_at: Option<Time>,
    secret_sha256: String,
    created_at: Time,
    version: u64,
}

impl StoredApiKey {
    /// Whether the key was made before keys had owners.
    pub fn is_from_before(&self) -> bool {
        self.owner.is_none()
    }

    /// The key, which `maker` made. A key from before belongs to its maker, and has all scopes of its role for a year.
    #[must_use]
    pub fn made_by(self, maker: Actor) -> ApiKey {
        ApiKey {
            owner: self.owner.unwrap_or_else(|| maker.into()),
            scopes: self.scopes.unwrap_or_else(Scopes::all),
            expires_at: self.expires_at.unwrap_or_else(|| self.created_at.plus(LASTS)),
            refid: self.refid,
            name: self.name,
            role: self.role,
            secret_sha256: self.secret_sha256,
            created_at: self.created_at,
            version: self.version,
        }
    }
}

impl ApiKey {
    pub fn reseller(&self) -> Option<&ResellerRefid> {
        self.role.reseller()
    }

    /// Whether the use of the key at `now` is worth noting, if `seen` is when it was last noted.
    pub fn is_worth_noting(seen: Option<Time>, now: Time) -> bool {
        seen.is_none_or(|seen| seen.plus(NOTED_EVERY) <= now)
    }
}

/// What remains of a key that was revoked or ended with its owner, for the records and e-mails that name it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EndedApiKey {
    #[serde(flatten)]
    pub key: OwnedKey,
    pub owner: KeyOwner,
    pub ended_at: Time,
    /// Always 2: that of the key, plus 1.
    pub version: u64,
}

/// A key as the keyring of its owner knows it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OwnedKey {
    pub refid: ApiKeyRefid,
    pub name: Name,
    pub role: Role,
    pub scopes: Scopes,
    pub expires_at: Time,
}

impl From<&ApiKey> for OwnedKey {
    fn from(key: &ApiKey) -> Self {
        Self {
            refid: key.refid.clone(),
            name: key.name.clone(),
            role: key.role.clone(),
            scopes: key.scopes.clone(),
            expires_at: key.expires_at,
        }
    }
}

/// All keys of one owner, so that they end in the commit that ends the owner's rights. A keyring is never empty.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Keyring {
    pub owner: KeyOwner,
    pub keys: Vec<OwnedKey>,
    pub created_at: Time,
    pub version: u64,
}

impl Keyring {
    /// An owner's keyring with one more key, and the keys that are left out of it because they have expired.
    pub fn with(before: Option<&Self>, key: &ApiKey, now: Time) -> Result<(Self, Vec<OwnedKey>), Refusal> {
        let keys = before.map_or(&[][..], |it| &it.keys);
        let (mut keys, expired): (Vec<_>, Vec<_>) = keys.iter().cloned().partition(|it| it.expires_at > now);
        if keys.len() >= MOST_OF_ONE_OWNER {
            return Err(Refusal::TooManyApiKeys { most: MOST_OF_ONE_OWNER });
        }
        keys.push(key.into());
        Ok((Self::after(before, key.owner.clone(), keys, now), expired))
    }

    /// The next version of the keyring, with these keys.
    pub fn after(before: Option<&Self>, owner: KeyOwner, keys: Vec<OwnedKey>, now: Time) -> Self {
        Self {
            owner,
            keys,
            created_at: before.map_or(now, |it| it.created_at),
            version: before.map_or(1, |it| it.version + 1),
        }
    }
}

impl User {
    /// Whether the user has all rights of a key with this role and these scopes, and so may own it.
    pub fn may_lend(&self, role: &Role, scopes: &Scopes) -> bool {
        let own = match role {
            _ if !self.may_sign_in() => None,
            _ if self.operator => Some(self.operator_scopes()),
            Role::Reseller(reseller) if self.reseller.as_ref() == Some(reseller) => Some(self.reseller_role.scopes()),
            Role::Reseller(_) | Role::Operator | Role::Customer => None,
        };
        own.is_some_and(|own| scopes.are_within(&own))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::people::caller::scope::{ResellerRole, Scope};
    use crate::people::user::UserStatus;

    fn at(days: i64) -> Time {
        let start = Time::try_from("2026-01-01T00:00:00.000Z".to_owned()).unwrap();
        start.plus(SignedDuration::from_hours(24 * days))
    }

    fn key(n: usize, days: i64) -> ApiKey {
        let stored = serde_json::json!({
            "refid": format!("AK-{n:016}"), "name": "Shop", "role": "operator", "secret_sha256": "",
            "created_at": at(0), "version": 1, "expires_at": at(days),
        });
        let stored: StoredApiKey = serde_json::from_value(stored).unwrap();
        stored.made_by(Actor::new("US-0123456789ABCDEF"))
    }

    #[test]
    fn a_key_from_before_belongs_to_its_maker_for_a_year() {
        let key: StoredApiKey = serde_json::from_str(
            r#"{"refid":"AK-0123456789ABCDEF","name":"Shop","role":"operator","secret_sha256":"",
                "created_at":"2026-01-01T00:00:00.000Z","version":1}"#,
        )
        .unwrap();
        assert!(key.is_from_before());
        let key = key.made_by(Actor::new("US-0123456789ABCDEF"));
        assert_eq!(key.owner, KeyOwner::User(UserRefid::parse("US-0123456789ABCDEF").unwrap()));
        assert_eq!((key.scopes, key.expires_at), (Scopes::all(), at(365)));
        for (maker, is) in [("operator", KeyOwner::Deployment), ("anybody", KeyOwner::Deployment)] {
            assert_eq!(KeyOwner::from(Actor::new(maker)), is);
        }
        let refid = ApiKeyRefid::parse("AK-0123456789ABCDEF").unwrap();
        assert_eq!(KeyOwner::from(Actor::new(refid.as_str())), KeyOwner::Key(refid));
    }

    #[test]
    fn an_owner_has_a_limited_number_of_keys_that_last() {
        let mut ring = None;
        for n in 0..MOST_OF_ONE_OWNER {
            let (next, expired) = Keyring::with(ring.as_ref(), &key(n, 10 + i64::try_from(n).unwrap()), at(1)).unwrap();
            assert_eq!((next.keys.len(), expired.len()), (n + 1, 0));
            ring = Some(next);
        }
        let full = Refusal::TooManyApiKeys { most: MOST_OF_ONE_OWNER };
        assert_eq!(Keyring::with(ring.as_ref(), &key(99, 100), at(9)), Err(full));
        let (next, expired) = Keyring::with(ring.as_ref(), &key(99, 100), at(11)).unwrap();
        assert_eq!((next.keys.len(), expired.len(), next.version), (19, 2, 21));
    }

    #[test]
    fn nobody_lends_a_right_that_they_lack() {
        let [own, other] = ["RS-0000000000000000", "RS-1111111111111111"].map(|it| ResellerRefid::parse(it).unwrap());
        let refid = UserRefid::parse("US-0123456789ABCDEF").unwrap();
        let email = "a@example.com".to_owned().try_into().unwrap();
        let plain = User::new(refid, email, "A".to_owned().try_into().unwrap(), at(0));
        let member = |reseller_role| User { reseller: Some(own.clone()), reseller_role, ..plain.clone() };
        let operator = |scopes| User { operator: true, scopes, ..plain.clone() };
        let suspended = |user| User { status: UserStatus::Suspended, ..user };
        let (all, read) = (Scopes::all(), Scopes::of(&[Scope::Read]));
        for (user, of_operator, of_own, of_other) in [
            (plain.clone(), "", "", ""),
            (member(ResellerRole::Viewer), "", "read", ""),
            (member(ResellerRole::Owner), "", "all", ""),
            (operator(None), "all", "all", "all"),
            (operator(Some(read.clone())), "read", "read", "read"),
            (suspended(operator(None)), "", "", ""),
            (suspended(member(ResellerRole::Owner)), "", "", ""),
        ] {
            for (role, lends) in [
                (Role::Operator, of_operator),
                (Role::Reseller(own.clone()), of_own),
                (Role::Reseller(other.clone()), of_other),
                (Role::Customer, if user.operator { of_operator } else { "" }),
            ] {
                assert_eq!(user.may_lend(&role, &read), !lends.is_empty(), "{user:?} {role:?}");
                assert_eq!(user.may_lend(&role, &all), lends == "all", "{user:?} {role:?}");
            }
        }
    }
}
