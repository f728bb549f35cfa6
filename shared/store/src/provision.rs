//! Provisions: debit, licences and client in one commit (SPEC B5, B6).
//!
//! Invariant: entry, wallet, licences and, for a new client, the client and its address are one transaction; a
//! provision's record is its entry.

use purser_domain::Refusal;
use purser_domain::client::{Client, ClientStatus, NewClient};
use purser_domain::credits::Amount;
use purser_domain::entry::Entry;
use purser_domain::licence::LicenceKey;
use purser_domain::product::ProductReference;
use purser_domain::provision::{self, Order, Quantity};
use purser_domain::refid::{ClientRefid, EntryRefid, LicenceRefid, ResellerRefid};
use purser_domain::refusal::What;
use purser_domain::text::Description;
use purser_domain::tier::Discounts;
use purser_domain::time::Time;
use purser_domain::wallet::{Particulars, Posting, Wallet};

use crate::answer::Answer;
use crate::command::{CommandWrite, Decision, Loaded};
use crate::entry::Class;
use crate::idempotency::{Fingerprint, Record};
use crate::item::Stamp;
use crate::keys::Key;
use crate::licence::{KeyedLicence, new_key};
use crate::table::Consistency;
use crate::{Store, StoreError, client, licence, product, wallet};

/// Whom a product is bought for.
#[derive(Debug, Clone, PartialEq)]
pub enum Buyer {
    /// A client of the reseller.
    Existing(ClientRefid),
    /// A client that is created by the same commit, in this status.
    New(Box<NewClient>, ClientStatus),
}

/// What is bought.
#[derive(Debug, Clone, PartialEq)]
pub enum Purchase {
    /// A bare cost: a debit and nothing else.
    Cost(Amount),
    /// Units of a product for a client.
    Product {
        /// Which product.
        product: ProductReference,
        /// How many units.
        quantity: Quantity,
        /// For whom.
        buyer: Buyer,
    },
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
    /// The client; none for a bare cost.
    pub client: Option<Client>,
    /// The licences; empty for a bare cost.
    pub licences: Vec<KeyedLicence>,
}

/// How a provision is answered.
pub type RenderProvision<'a> =
    &'a (dyn Fn(&Provision) -> Result<Vec<u8>, StoreError> + Send + Sync);

/// The licences a provision mints: drawn once a command, so that every try mints the same ones.
type Keys = Vec<(LicenceRefid, LicenceKey)>;

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
        let record = Record {
            key: crate::entry::key(&refid),
            fingerprint: command.fingerprint,
        };
        let mut keys = vec![wallet::key(command.reseller)];
        let mut licence_keys = Keys::new();
        if let Purchase::Product {
            product,
            quantity,
            buyer,
        } = &command.purchase
        {
            keys.push(product::key(product));
            if let Buyer::Existing(client) = buyer {
                keys.push(client::key(client));
            }
            licence_keys = self.licence_keys(*quantity);
        }
        self.command(&stamp.request, Some(&record), &keys, |loaded| {
            let wallet_key = wallet::key(command.reseller);
            let wallet = wallet::read(loaded, &wallet_key)?.ok_or(Refusal::InvalidReseller)?;
            let particulars = Particulars {
                refid: refid.clone(),
                reference: None,
                description: command.description.clone(),
                actor: stamp.actor.clone(),
            };
            let (after, made, new_client) =
                self.decide(command, loaded, &wallet, &licence_keys, particulars, now)?;
            let answer = render(&made)?;
            let mut writes = vec![
                crate::entry::write(self, &made.entry, &record, &answer, stamp)?,
                wallet::write(&after, Some(wallet.version), stamp)?,
            ];
            for keyed in &made.licences {
                writes.push(CommandWrite::fresh(licence::write(
                    keyed,
                    &self.secrets,
                    stamp,
                )?));
            }
            if let (true, Some(client)) = (new_client, &made.client) {
                writes.extend(self.client_writes(client, stamp)?);
            }
            Ok(Decision::Commit {
                writes,
                answer: Answer::first(answer),
            })
        })
        .await
    }

    /// Asks the domain. Gives the wallet as it will be, the provision, and whether its client is new.
    fn decide(
        &self,
        command: &ProvisionCommand<'_>,
        loaded: &Loaded,
        wallet: &Wallet,
        keys: &Keys,
        particulars: Particulars,
        now: Time,
    ) -> Result<(Wallet, Provision, bool), StoreError> {
        let (product, quantity, buyer) = match &command.purchase {
            Purchase::Cost(cost) => {
                let Posting {
                    wallet: after,
                    entry,
                } = provision::decide_cost(wallet, *cost, particulars, now)?;
                let made = Provision {
                    entry,
                    client: None,
                    licences: Vec::new(),
                };
                return Ok((after, made, false));
            }
            Purchase::Product {
                product,
                quantity,
                buyer,
            } => (product, *quantity, buyer),
        };
        let (client, is_new) = self.buyer(command, buyer, loaded, now)?;
        let product =
            product::read_loaded(loaded, product)?.ok_or(Refusal::NotFound(What::Product))?;
        let refids: Vec<LicenceRefid> = keys.iter().map(|(refid, _)| refid.clone()).collect();
        let order = Order {
            product: &product,
            client: &client,
            licences: &refids,
            quantity,
        };
        let decision = provision::decide(wallet, order, &command.discounts, particulars, now)?;
        // One licence for each key, in their order.
        let keyed = decision.licences.into_iter().zip(keys);
        let licences = keyed
            .map(|(licence, (_, key))| KeyedLicence {
                licence,
                key: key.clone(),
            })
            .collect();
        let Posting {
            wallet: after,
            entry,
        } = decision.posting;
        Ok((
            after,
            Provision {
                entry,
                client: Some(client),
                licences,
            },
            is_new,
        ))
    }

    /// The client a product is bought for, and whether the commit creates it. Someone else's client is no client.
    fn buyer(
        &self,
        command: &ProvisionCommand<'_>,
        buyer: &Buyer,
        loaded: &Loaded,
        now: Time,
    ) -> Result<(Client, bool), StoreError> {
        match buyer {
            Buyer::Existing(refid) => {
                let found = client::read_loaded(loaded, refid, &self.secrets)?;
                let owned =
                    found.filter(|client| client.reseller.as_ref() == Some(command.reseller));
                Ok((owned.ok_or(Refusal::NotFound(What::Client))?, false))
            }
            Buyer::New(new, status) => {
                let refid = self.client_refid(&new.client_id);
                let reseller = Some(command.reseller.clone());
                let client = Client::create((**new).clone(), refid, reseller, *status, now);
                Ok((client, true))
            }
        }
    }

    fn licence_keys(&self, quantity: Quantity) -> Keys {
        let draw = |_| {
            let key = new_key();
            (self.licence_refid(&key), key)
        };
        (0..quantity.get()).map(draw).collect()
    }

    /// A provision as it stands now: the entry as it was made, client and licences as they are.
    pub async fn find_provision(
        &self,
        refid: &EntryRefid,
    ) -> Result<Option<Provision>, StoreError> {
        let Some(entry) = self
            .entry(refid)
            .await?
            .filter(|entry| entry.provision().is_some())
        else {
            return Ok(None);
        };
        let Some(sale) = entry.sale.clone() else {
            return Ok(Some(Provision {
                entry,
                client: None,
                licences: Vec::new(),
            }));
        };
        let mut keys: Vec<Key> = sale.licences.iter().map(licence::key).collect();
        keys.push(client::key(&sale.client));
        let found = self.table.get_all(&keys, Consistency::Strong).await?;
        let client = client::read_loaded(&found, &sale.client, &self.secrets)?;
        let licences = sale
            .licences
            .iter()
            .filter_map(|refid| found.get(&licence::key(refid)))
            .map(|item| licence::read(item, &self.secrets))
            .collect::<Result<_, _>>()?;
        Ok(Some(Provision {
            entry,
            client,
            licences,
        }))
    }
}
