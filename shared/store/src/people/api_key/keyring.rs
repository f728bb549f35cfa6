//! The keyrings of owners, `KR#owner`: which API keys an owner has.
//!
//! Invariant: a key is made and ended in the transaction that puts it on its owner's keyring or takes it off. So the
//! commit that takes rights from a user also ends each key that had them. The deployment's keys are on no keyring,
//! because the deployment loses no rights.

use purser_domain::basic::Time;
use purser_domain::people::{EndedApiKey, KeyOwner, Keyring, OwnedKey, User};

use crate::StoreError;
use crate::engine::item::{doc, item as stored};
use crate::engine::{CommandWrite, Condition, Key, Loaded, Stamp, Write};
use crate::people::api_key::item;

/// The most keys that one commit ends, together with what else it writes.
pub(crate) const ENDED_AT_ONCE: usize = 80;

/// The keyring of an owner; `None` for the deployment.
pub(crate) fn key(owner: &KeyOwner) -> Option<Key> {
    match owner {
        KeyOwner::Deployment => None,
        KeyOwner::User(user) => Some(Key::alone("KR", user)),
        KeyOwner::Key(key) => Some(Key::alone("KR", key)),
    }
}

pub(crate) fn read(loaded: &Loaded, owner: &KeyOwner) -> Result<Option<Keyring>, StoreError> {
    let found = key(owner).and_then(|key| loaded.get(&key));
    found.map(doc).transpose()
}

/// The write that replaces the keyring as it was read. An empty keyring is deleted; if none was read, there must still
/// be none, so that no key is made meanwhile.
pub(crate) fn replacement(
    owner: &KeyOwner,
    before: Option<&Keyring>,
    keys: Vec<OwnedKey>,
    stamp: &Stamp,
    now: Time,
) -> Result<Option<CommandWrite>, StoreError> {
    let Some(key) = key(owner) else { return Ok(None) };
    let version = before.map(|it| it.version);
    let write = match (keys.is_empty(), version) {
        (false, _) => {
            let keyring = Keyring::after(before, owner.clone(), keys, now);
            Write::Put(stored(&key, "keyring", &keyring, stamp)?, Condition::of(version))
        }
        (true, Some(version)) => Write::Delete(key, Condition::Version(version)),
        (true, None) => Write::Check(key, Condition::Absent),
    };
    Ok(Some(CommandWrite::fresh(write)))
}

/// The writes that end `keys` of an owner, each of which has been on the keyring.
pub(crate) fn ends(
    owner: &KeyOwner,
    keys: &[OwnedKey],
    stamp: &Stamp,
    now: Time,
) -> Result<Vec<CommandWrite>, StoreError> {
    let end = |key: &OwnedKey| {
        let ended = EndedApiKey { key: key.clone(), owner: owner.clone(), ended_at: now, version: 2 };
        item::end(&ended, stamp)
    };
    keys.iter().map(end).collect()
}

/// The writes that leave a user only the keys that `keeps` keeps. With more than [`ENDED_AT_ONCE`] keys to end, they
/// end only that many, and the second value is true: then the command must be run again.
pub(crate) fn shortened(
    loaded: &Loaded,
    user: &User,
    keeps: impl Fn(&OwnedKey) -> bool,
    stamp: &Stamp,
    now: Time,
) -> Result<(Vec<CommandWrite>, bool), StoreError> {
    let owner = KeyOwner::User(user.refid.clone());
    let before = read(loaded, &owner)?;
    let keys = before.as_ref().map_or(&[][..], |it| &it.keys);
    let (mut kept, mut ended): (Vec<_>, Vec<_>) = keys.iter().cloned().partition(keeps);
    let too_many = ended.len() > ENDED_AT_ONCE;
    if too_many {
        kept.extend(ended.split_off(ENDED_AT_ONCE));
    }
    let mut writes = ends(&owner, &ended, stamp, now)?;
    writes.extend(replacement(&owner, before.as_ref(), kept, stamp, now)?);
    Ok((writes, too_many))
}
