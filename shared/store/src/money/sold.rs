//! A provision as it is shown to callers: its entry, and what the entry paid for.

use purser_domain::basic::Time;
use purser_domain::money::{Credits, Entry, Sale};
use purser_domain::parties::Client;

use crate::engine::{Key, Loaded};
use crate::licences::licence::{self, ShownLicence};
use crate::parties::client;
use crate::{Store, StoreError};

#[derive(Debug, Clone, PartialEq)]
pub struct Provision {
    pub entry: Entry,
    /// One for each client, in the order of the purchase. Empty for a bare cost.
    pub sold: Vec<Sold>,
    /// The entries that refunded this provision, oldest first.
    pub refunds: Vec<Entry>,
}

impl Provision {
    /// The credits refunded so far; never more than the provision cost.
    pub fn refunded(&self) -> Credits {
        let amounts = self.refunds.iter().map(|entry| entry.amount.get());
        Credits::new(amounts.sum())
    }
}

#[derive(Debug, Clone, PartialEq)]
pub struct Sold {
    /// `None` if the client has been deleted since. The API also leaves out a client that the caller may no longer
    /// reach, because it has moved to another reseller.
    pub client: Option<Client>,
    pub licences: Vec<ShownLicence>,
}

impl Store {
    /// What an entry paid for, by client. A licence that is not among the items `found` is left out.
    pub(crate) fn sold(&self, entry: &Entry, found: &Loaded, now: Time) -> Result<Vec<Sold>, StoreError> {
        let mut sold = Vec::new();
        for (client, licences) in entry.sale.iter().flat_map(Sale::by_client) {
            let licences = licences
                .iter()
                .filter_map(|refid| found.get(&licence::key(refid)))
                .map(|item| licence::read(item, now))
                .collect::<Result<_, _>>()?;
            let client = client::read_loaded(found, client, &self.secrets)?;
            sold.push(Sold { client, licences });
        }
        Ok(sold)
    }
}

pub(crate) fn sold_keys(entry: &Entry) -> Vec<Key> {
    let Some(sale) = &entry.sale else {
        return Vec::new();
    };
    let licences = sale.licences.iter().map(licence::key);
    licences.chain(sale.clients.iter().map(client::key)).collect()
}
