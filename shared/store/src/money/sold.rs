//! A provision as it is shown: its entry, and what it paid for.

use purser_domain::money::credits::Credits;
use purser_domain::money::entry::{Entry, Sale};
use purser_domain::parties::client::Client;

use crate::engine::keys::Key;
use crate::engine::loaded::Loaded;
use crate::licences::licence::{self, KeyedLicence};
use crate::parties::client;
use crate::{Store, StoreError};

/// A provision as it is shown: the entry, and what it paid for.
#[derive(Debug, Clone, PartialEq)]
pub struct Provision {
    /// The debit.
    pub entry: Entry,
    /// What it paid for, in the order of the purchase; nothing for a bare cost.
    pub sold: Vec<Sold>,
    /// What has been refunded of it, oldest first.
    pub refunds: Vec<Entry>,
}

impl Provision {
    /// The credits that have been refunded; never more than it cost.
    pub fn refunded(&self) -> Credits {
        let amounts = self.refunds.iter().map(|entry| entry.amount.get());
        Credits::new(amounts.sum())
    }
}

/// What was sold for one client.
#[derive(Debug, Clone, PartialEq)]
pub struct Sold {
    /// The client; none when it has been deleted since.
    pub client: Option<Client>,
    /// Its licences.
    pub licences: Vec<KeyedLicence>,
}

impl Store {
    /// What an entry sold, as far as it was found.
    pub(crate) fn sold(&self, entry: &Entry, found: &Loaded) -> Result<Vec<Sold>, StoreError> {
        let mut sold = Vec::new();
        for (client, licences) in entry.sale.iter().flat_map(Sale::by_client) {
            let licences = licences
                .iter()
                .filter_map(|refid| found.get(&licence::key(refid)))
                .map(|item| licence::read(item, &self.secrets))
                .collect::<Result<_, _>>()?;
            let client = client::read_loaded(found, client, &self.secrets)?;
            sold.push(Sold { client, licences });
        }
        Ok(sold)
    }
}

/// Where the licences and clients are that an entry is about.
pub(crate) fn sold_keys(entry: &Entry) -> Vec<Key> {
    let Some(sale) = &entry.sale else {
        return Vec::new();
    };
    let licences = sale.licences.iter().map(licence::key);
    licences.chain(sale.clients.iter().map(client::key)).collect()
}
