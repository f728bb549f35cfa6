//! Wallets in the table: `WA#refid`.
//!
//! Invariant: a wallet is only ever replaced under the condition that it is the version that was read, in one
//! transaction with the entry that says why.

use purser_domain::Refusal;
use purser_domain::basic::refid::ResellerRefid;
use purser_domain::money::entry::{Audit, Break, Entry, Waypoint};
use purser_domain::money::wallet::Wallet;

use crate::engine::command::CommandWrite;
use crate::engine::item::{Item, Stamp, doc, item, key_of};
use crate::engine::keys::{Index, Key};
use crate::engine::loaded::Loaded;
use crate::engine::table::{Condition, Consistency, Range, Write};
use crate::{Store, StoreError};

const NOUN: &str = "WA";

/// The key of a reseller's wallet.
pub(crate) fn key(reseller: &ResellerRefid) -> Key {
    Key::alone(NOUN, reseller)
}

/// Whether a key is some wallet's.
pub(crate) fn is_key(key: &Key) -> bool {
    matches!(key.pk.split_once('#'), Some((NOUN, _)))
}

/// The wallet among what a command loaded.
pub(crate) fn read(loaded: &Loaded, key: &Key) -> Result<Option<Wallet>, StoreError> {
    loaded.get(key).map(doc).transpose()
}

/// Refuses a reseller that does not exist, or may not trade, to whoever names it in a body (rule A3).
pub(crate) fn must_trade(loaded: &Loaded, key: &Key) -> Result<(), StoreError> {
    let wallet = read(loaded, key)?.ok_or(Refusal::InvalidReseller)?;
    Ok(wallet.status.must_trade()?)
}

/// The write that opens a wallet, or replaces the version it was decided on.
pub(crate) fn write(wallet: &Wallet, replaces: Option<u64>, stamp: &Stamp) -> Result<CommandWrite, StoreError> {
    let condition = replaces.map_or(Condition::Absent, Condition::Version);
    Ok(CommandWrite::fresh(Write::Put(item(&key(&wallet.reseller), "wallet", wallet, stamp)?, condition)))
}

/// What verifying a wallet found.
#[derive(Debug)]
pub struct Verification {
    /// How many entries were read.
    pub entries: u64,
    /// Where the history breaks.
    pub breaks: Vec<Break>,
}

/// How many entries one read of a verification takes.
const STRIDE: i32 = 500;
/// How often a verification starts again because the index of entries was behind the wallet.
const TRIES: u32 = 8;

impl Store {
    /// A wallet, as of now.
    pub async fn wallet(&self, reseller: &ResellerRefid) -> Result<Option<Wallet>, StoreError> {
        let item = self.table.get(&key(reseller), Consistency::Strong).await?;
        item.as_ref().map(doc).transpose()
    }

    /// Proves a wallet against its history, which must pass `through` there (rule B11); `None` when there is no such
    /// wallet.
    ///
    /// The index is read item by item, not as a list: two items in one place would be one line of that.
    /// The index that orders entries lags behind the table, so a history that ends before the wallet's count is
    /// read again before it is called broken. One that goes on beyond it is in order only if the wallet has moved on.
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

    /// Reads the history up to what the wallet counts, and notes what goes beyond.
    async fn history(&self, wallet: &Wallet, through: Option<Waypoint>) -> Result<History, StoreError> {
        let mut range = Range {
            index: Index::Tenant,
            pk: crate::money::entry::list_key(&wallet.reseller),
            beyond: None,
            after: None,
            ascending: true,
            limit: STRIDE,
            filters: Vec::new(),
        };
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

/// What was read of a wallet's history.
struct History {
    audit: Audit,
    entries: u64,
    beyond: Option<u64>,
}

impl History {
    /// Takes an item of the index, in a wallet that counts so many entries.
    fn take(&mut self, item: &Item, counted: u64) {
        let Ok(entry) = doc::<Entry>(item) else {
            // Nothing of ours writes such a thing.
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
