//! What a command has read so far.
//!
//! Invariant: a key that was read and found empty is told apart from one that nobody has read, so a command never
//! takes what it has not looked at for absent.

use std::collections::HashMap;

use crate::engine::item::Item;
use crate::engine::keys::Key;

/// Items by key; a key without an item was read and found empty.
#[derive(Debug, Clone, Default)]
pub struct Loaded(HashMap<Key, Option<Item>>);

impl Loaded {
    /// What reading `keys` found.
    pub fn of(keys: &[Key], found: HashMap<Key, Item>) -> Self {
        let some = |(key, item)| (key, Some(item));
        let mut read: HashMap<Key, Option<Item>> = found.into_iter().map(some).collect();
        for key in keys {
            read.entry(key.clone()).or_default();
        }
        Self(read)
    }

    /// The item at `key`, when there is one.
    pub fn get(&self, key: &Key) -> Option<&Item> {
        self.0.get(key)?.as_ref()
    }

    /// Whether there is an item at `key`.
    pub fn has(&self, key: &Key) -> bool {
        self.get(key).is_some()
    }

    /// Those of `keys` that nobody has read.
    pub fn unread(&self, keys: impl IntoIterator<Item = Key>) -> Vec<Key> {
        keys.into_iter().filter(|key| !self.0.contains_key(key)).collect()
    }

    /// Notes what is at `key` now.
    pub(crate) fn note(&mut self, key: Key, item: Option<Item>) {
        self.0.insert(key, item);
    }

    /// Adds what was read besides.
    pub(crate) fn extend(&mut self, more: Self) {
        self.0.extend(more.0);
    }
}
