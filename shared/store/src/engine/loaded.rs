//! What a command has read so far.
//!
//! Invariant: a key that was read and found empty is different from a key that was not read, so a command never takes
//! an item that it has not read for absent.

use std::collections::HashMap;

use crate::engine::item::Item;
use crate::engine::keys::Key;

/// Items by key. `None` means that the key was read and no item was found.
#[derive(Debug, Clone, Default)]
pub struct Loaded(HashMap<Key, Option<Item>>);

impl Loaded {
    pub fn of(keys: &[Key], found: HashMap<Key, Item>) -> Self {
        let some = |(key, item)| (key, Some(item));
        let mut read: HashMap<Key, Option<Item>> = found.into_iter().map(some).collect();
        for key in keys {
            read.entry(key.clone()).or_default();
        }
        Self(read)
    }

    pub fn get(&self, key: &Key) -> Option<&Item> {
        self.0.get(key)?.as_ref()
    }

    pub fn has(&self, key: &Key) -> bool {
        self.get(key).is_some()
    }

    pub fn unread(&self, keys: impl IntoIterator<Item = Key>) -> Vec<Key> {
        keys.into_iter().filter(|key| !self.0.contains_key(key)).collect()
    }

    pub(crate) fn note(&mut self, key: Key, item: Option<Item>) {
        self.0.insert(key, item);
    }

    pub(crate) fn extend(&mut self, more: Self) {
        self.0.extend(more.0);
    }
}
