//! Wallets in the table: `WA#refid`.
//!
//! Invariant: a wallet is replaced only in the version that was read, and a balance changes only in one transaction
//! with the entry that explains the change.

use purser_domain::Refusal;
use purser_domain::basic::ResellerRefid;
use purser_domain::money::entry::{Audit, Break};
use purser_domain::money::{Entry, Wallet, Waypoint};

use crate::engine::item::{doc, item, key_of};
use crate::engine::table::Range;
use crate::engine::{CommandWrite, Condition, Consistency, Index, Item, Key, Loaded, Stamp, Write};
use crate::{Store, StoreError};

const NOUN: &str = "WA";

pub(crate) fn key(reseller: &ResellerRefid) -> Key {
    Key::alone(NOUN, reseller)
}

pub(crate) fn is_key(key: &Key) -> bool {
    matches!(key.pk.split_once('#'), Some((NOUN, _)))
}

pub(crate) fn read(loaded: &Loaded, key: &Key) -> Result<Option<Wallet>, StoreError> {
    loaded.get(key).map(doc).transpose()
}

/// Refuses a request whose body names a reseller that does not exist or may not trade (rule A3).
pub(crate) fn must_trade(loaded: &Loaded, key: &Key) -> Result<(), StoreError> {
    let wallet = read(loaded, key)?.ok_or(Refusal::InvalidReseller)?;
    Ok(wallet.status.must_trade()?)
}

pub(crate) fn write(wallet: &Wallet, replaces: Option<u64>, stamp: &Stamp) -> Result<CommandWrite, StoreError> {
    let condition = replaces.map_or(Condition::Absent, Condition::Version);
    Ok(CommandWrite::fresh(Write::Put(item(&key(&wallet.reseller), "wallet", wallet, stamp)?, condition)))
}

#[derive(Debug)]
pub struct Verification {
    pub entries: u64,
    pub breaks: Vec<Break>,
}

/// How many entries one query of a verification reads.
const STRIDE: i32 = 500;
/// How often a verification starts over because the index has not caught up with the wallet.
const TRIES: u32 = 8;

impl Store {
    /// A wallet, read strongly consistently.
    pub async fn wallet(&self, reseller: &ResellerRefid) -> Result<Option<Wallet>, StoreError> {
        let item = self.table.get(&key(reseller), Consistency::Strong).await?;
        item.as_ref().map(doc).transpose()
    }

    /// Checks a wallet against its history, which must pass the point `through` (rule B11). `None` if there is no such
    /// wallet.
    ///
    /// The history is not read as a [`Page`](crate::engine::page::Page), which would show only one of two items with
    /// the same sort key. The index lags behind the table, so a history that ends before the wallet's sequence is
    /// read again before it is called broken. A history that goes beyond the wallet's sequence is in order only if
    /// the wallet has moved on meanwhile.
    pub async fn verify_wallet(
        &self,
        reseller: &ResellerRefid,
        through: Option<Waypoint>,
    ) -> Result<Option<Verification>, StoreError> {
        for attempt in 1..=TRIES {
            let Some(wallet) = self.wallet(reseller).await? else {
                return Ok(None);
            };
            let read = self.history(&wallet, through).await?;
            if read.entries < wallet.sequence && attempt < TRIES {
                tokio::time::sleep(std::time::Duration::from_millis(100) * attempt).await;
                continue;
            }
            let mut breaks = read.audit.finish(wallet.balance, wallet.sequence, wallet.head);
            if let Some(sequence) = read.beyond {
                let now = self.wallet(reseller).await?.map_or(0, |wallet| wallet.sequence);
                if now < sequence {
                    breaks.push(Break { sequence, problem: "the wallet does not count this entry" });
                }
            }
            return Ok(Some(Verification { entries: read.entries, breaks }));
        }
        Err(StoreError::Busy)
    }

    /// Reads the history up to the wallet's sequence, and notes how far it goes beyond.
    async fn history(&self, wallet: &Wallet, through: Option<Waypoint>) -> Result<History, StoreError> {
        let mut range = Range::of(Index::Tenant, crate::money::entry::list_key(&wallet.reseller), STRIDE);
        let mut history = History { audit: Audit::of(&wallet.reseller, through), entries: 0, beyond: None };
        loop {
            let slice = self.table.query(&range).await?;
            for item in &slice.items {
                history.take(item, wallet.sequence);
            }
            range.after = slice.last_key;
            if range.after.is_none() {
                return Ok(history);
            }
        }
    }
}

struct History {
    audit: Audit,
    entries: u64,
    beyond: Option<u64>,
}

impl History {
    /// Adds an item of the index to the history of a wallet whose sequence is `counted`.
    fn take(&mut self, item: &Item, counted: u64) {
        let Ok(entry) = doc::<Entry>(item) else {
            // This item is no entry, but Purser writes only entries to this partition.
            self.audit.unreadable();
            self.entries += 1;
            return;
        };
        if entry.sequence <= counted {
            let misplaced = key_of(item) != Some(crate::money::entry::key(&entry.refid));
            self.audit.entry(&entry, misplaced);
            self.entries += 1;
        } else {
            self.beyond = self.beyond.max(Some(entry.sequence));
        }
    }
}
