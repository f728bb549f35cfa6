//! Provisions: debit, licences and clients in one commit (SPEC B5–B7).
//!
//! Invariant: entry, wallet, licences and every new client with its address are one transaction; a provision's record
//! is its entry.

mod buyers;

pub use buyers::{Buyer, Buyers};

use purser_domain::Refusal;
use purser_domain::basic::refid::{EntryRefid, LicenceRefid, ResellerRefid};
use purser_domain::basic::text::Description;
use purser_domain::basic::time::Time;
use purser_domain::licences::licence::LicenceKey;
use purser_domain::licences::product::ProductReference;
use purser_domain::money::credits::{Amount, Credits};
use purser_domain::money::entry::{Entry, Sale};
use purser_domain::money::provision::{self, Line, Order, Quantity};
use purser_domain::money::tier::Discounts;
use purser_domain::money::wallet::{Particulars, Wallet};
use purser_domain::parties::client::{Client, ClientStatus};
use purser_domain::refusal::What;

use crate::engine::command::answer::Answer;
use crate::engine::command::idempotency::{Fingerprint, Record};
use crate::engine::command::{CommandWrite, Decision, Request};
use crate::engine::item::Stamp;
use crate::engine::keys::Key;
use crate::engine::loaded::Loaded;
use crate::engine::table::Consistency;
use crate::licences::licence;
use crate::licences::licence::{KeyedLicence, new_key};
use crate::licences::product;
use crate::money::entry::Class;
use crate::money::refund;
use crate::money::wallet;
use crate::parties::client;
use crate::parties::client::Bind;
use crate::{Store, StoreError};

/// What is bought.
#[derive(Debug, Clone, PartialEq)]
pub enum Purchase {
    /// A bare cost: a debit and nothing else.
    Cost(Amount),
    /// Units of a product.
    Product(Units),
}

/// Units of a product to buy.
#[derive(Debug, Clone, PartialEq)]
pub struct Units {
    /// Of which product.
    pub product: ProductReference,
    /// How many for each client.
    pub each: Quantity,
    /// For whom.
    pub buyers: Buyers,
}

/// A provision to make.
#[derive(Debug)]
pub struct ProvisionCommand<'a> {
    /// Whose wallet pays.
    pub reseller: &'a ResellerRefid,
    /// What is bought.
    pub purchase: Purchase,
    /// What the entry says it is for.
    pub description: Option<Description>,
    /// The discounts in force.
    pub discounts: Discounts,
    /// The status a new client begins with.
    pub status: ClientStatus,
    /// The logins new clients are bound to.
    pub bind: Bind,
    /// The caller's idempotency key.
    pub key: &'a str,
    /// The request.
    pub fingerprint: Fingerprint,
}

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

/// How a provision is answered.
pub type RenderProvision<'a> = &'a (dyn Fn(&Provision) -> Result<Vec<u8>, StoreError> + Send + Sync);

/// A licence that a provision mints: drawn once a command, so that every try mints the same ones.
type Drawn = (LicenceRefid, LicenceKey);

/// What a provision commits.
struct Made {
    wallet: Wallet,
    provision: Provision,
    creations: Vec<CommandWrite>,
}

impl Store {
    /// Debits the wallet and mints what it pays for.
    pub async fn provision(
        &self,
        command: &ProvisionCommand<'_>,
        stamp: &Stamp,
        now: Time,
        render: RenderProvision<'_>,
    ) -> Result<Answer, StoreError> {
        let refid = self.entry_refid(command.reseller, Class::Provision, command.key);
        let record = Record { key: crate::money::entry::key(&refid), fingerprint: command.fingerprint };
        let request = Request { record: Some(record.clone()), stamp: stamp.clone(), now };
        let wallet_key = wallet::key(command.reseller);
        let mut keys = vec![wallet_key.clone()];
        let mut licence_keys = Vec::new();
        if let Purchase::Product(units) = &command.purchase {
            keys.push(product::key(&units.product));
            keys.extend(units.buyers.keys(&command.bind));
            licence_keys = self.licence_keys(units.buyers.as_slice().len(), units.each)?;
        }
        self.command(&stamp.request, Some(&record), &keys, |loaded| {
            if let Purchase::Product(units) = &command.purchase {
                let unread = units.buyers.unread(&command.bind, loaded)?;
                if !unread.is_empty() {
                    return Ok(Decision::Read(unread));
                }
            }
            let wallet = wallet::read(loaded, &wallet_key)?.ok_or(Refusal::InvalidReseller)?;
            let particulars = Particulars {
                refid: refid.clone(),
                reference: None,
                description: command.description.clone(),
                actor: stamp.actor.clone(),
            };
            let made = match &command.purchase {
                Purchase::Cost(cost) => bare(&wallet, *cost, particulars, now)?,
                Purchase::Product(units) => {
                    let drawn = (units, licence_keys.as_slice());
                    self.order(command, drawn, loaded, &wallet, particulars, &request)?
                }
            };
            let answer = render(&made.provision)?;
            let entry = &made.provision.entry;
            let mut writes = vec![
                crate::money::entry::write(self, entry, &record, &answer, stamp)?,
                wallet::write(&made.wallet, Some(wallet.version), stamp)?,
            ];
            for keyed in made.provision.sold.iter().flat_map(|sold| &sold.licences) {
                let minted = licence::write(keyed, None, &self.secrets, stamp)?;
                writes.push(CommandWrite::fresh(minted));
            }
            writes.extend(made.creations);
            Ok(Decision::Commit { writes, answer: Answer::first(answer) })
        })
        .await
    }

    /// Asks the domain about units of a product.
    fn order(
        &self,
        command: &ProvisionCommand<'_>,
        (units, keys): (&Units, &[Drawn]),
        loaded: &Loaded,
        wallet: &Wallet,
        particulars: Particulars,
        request: &Request,
    ) -> Result<Made, StoreError> {
        let buyers = self.buyers(command, &units.buyers, loaded, request)?;
        let product = product::read_loaded(loaded, &units.product)?.ok_or(Refusal::NotFound(What::Product))?;
        let refids: Vec<LicenceRefid> = keys.iter().map(|(refid, _)| refid.clone()).collect();
        let each = units.each.get() as usize;
        let line = |(client, licences)| Line { client, licences };
        let clients = buyers.iter().map(|buyer| &buyer.client);
        let lines: Vec<Line<'_>> = clients.zip(refids.chunks(each)).map(line).collect();
        let order = Order { product: &product, lines: &lines };
        let decision = provision::decide(wallet, order, &command.discounts, particulars, request.now)?;
        // One licence for each key, in their order.
        let keyed = decision.licences.into_iter().zip(keys);
        let keyed: Vec<KeyedLicence> =
            keyed.map(|(licence, (_, key))| KeyedLicence { licence, key: key.clone() }).collect();
        let mut sold = Vec::new();
        let mut creations = Vec::new();
        for (buyer, licences) in buyers.into_iter().zip(keyed.chunks(each)) {
            creations.extend(buyer.creation);
            sold.push(Sold { client: Some(buyer.client), licences: licences.to_vec() });
        }
        Ok(Made {
            wallet: decision.posting.wallet,
            provision: Provision { entry: decision.posting.entry, sold, refunds: Vec::new() },
            creations,
        })
    }

    fn licence_keys(&self, clients: usize, each: Quantity) -> Result<Vec<Drawn>, StoreError> {
        let draw = |_| {
            let key = new_key(&self.secrets)?;
            Ok((self.licence_refid(&key), key))
        };
        (0..clients * each.get() as usize).map(draw).collect()
    }

    /// The entry of a provision, as it was made.
    pub async fn purchase(&self, refid: &EntryRefid) -> Result<Option<Entry>, StoreError> {
        let entry = self.entry(refid).await?;
        Ok(entry.filter(Entry::is_provision))
    }

    /// A provision as it stands now: the entry as it was made, clients, licences and refunds as they are.
    pub async fn find_provision(&self, refid: &EntryRefid) -> Result<Option<Provision>, StoreError> {
        let Some(entry) = self.purchase(refid).await? else {
            return Ok(None);
        };
        let mut keys = vec![refund::key(refid)];
        keys.extend(sold_keys(&entry));
        let found = self.table.get_all(&keys, Consistency::Strong).await?;
        let mut found = Loaded::of(&keys, found);
        let keys = refund::entry_keys(&found, refid)?;
        let refunds = self.table.get_all(&keys, Consistency::Strong).await?;
        found.extend(Loaded::of(&keys, refunds));
        Ok(Some(Provision { sold: self.sold(&entry, &found)?, refunds: refund::entries(&found, refid)?, entry }))
    }

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

/// Asks the domain about a bare cost.
fn bare(wallet: &Wallet, cost: Amount, particulars: Particulars, now: Time) -> Result<Made, StoreError> {
    let posting = provision::decide_cost(wallet, cost, particulars, now)?;
    Ok(Made {
        wallet: posting.wallet,
        provision: Provision { entry: posting.entry, sold: Vec::new(), refunds: Vec::new() },
        creations: Vec::new(),
    })
}
