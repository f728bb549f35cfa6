//! Provisions: debit, licences and clients in one commit (rules B5–B7).
//!
//! Invariant: the entry, the wallet, the licences and every new client with its address are written in one
//! transaction. The entry is also the record of the command.

mod buyers;
mod find;

pub use buyers::{Buyer, Buyers};

use purser_domain::Refusal;
use purser_domain::basic::{Description, ResellerRefid, Time};
use purser_domain::licences::ProductReference;
use purser_domain::money::provision::{Line, NewLicence, Order};
use purser_domain::money::{Amount, Particulars, Quantity, Wallet, provision};
use purser_domain::refusal::ResourceKind;

use crate::engine::command::answer;
use crate::engine::{Answer, CommandWrite, Decision, IdempotencyKey, Loaded, Request, View};
use crate::licences::licence::ShownLicence;
use crate::licences::mint::{Draw, Drawn};
use crate::licences::product;
use crate::money::entry::{self, Class};
use crate::money::sold::{Provision, Sold};
use crate::money::wallet;
use crate::parties::guesses::Asker;
use crate::{Store, StoreError};

#[derive(Debug, Clone, PartialEq)]
pub enum Purchase {
    /// A bare cost: a debit and nothing else.
    Cost(Amount),
    Product(Units),
}

#[derive(Debug, Clone, PartialEq)]
pub struct Units {
    pub product: ProductReference,
    pub each: Quantity,
    pub buyers: Buyers,
}

#[derive(Debug)]
pub struct ProvisionCommand<'a> {
    pub reseller: &'a ResellerRefid,
    pub purchase: Purchase,
    pub description: Option<Description>,
    pub asker: Option<&'a Asker>,
}

struct Made {
    wallet: Wallet,
    provision: Provision,
    creations: Vec<CommandWrite>,
}

impl Made {
    /// The licences with their keys.
    fn licences(&self) -> impl Iterator<Item = &ShownLicence> {
        self.provision.sold.iter().flat_map(|sold| &sold.licences)
    }
}

impl Store {
    /// Debits the wallet and creates what the credits pay for.
    pub async fn provision<V: View<Provision>>(
        &self,
        command: &ProvisionCommand<'_>,
        request: &Request<IdempotencyKey>,
    ) -> Result<Answer, StoreError> {
        let stamp = &request.stamp;
        let refid = self.entry_refid(command.reseller, Class::Provision, &request.key.key)?;
        let record = entry::record(&refid, request);
        let wallet_key = wallet::key(command.reseller);
        let mut keys = vec![wallet_key.clone()];
        let mut draws = Vec::new();
        if let Purchase::Product(units) = &command.purchase {
            keys.push(product::key(&units.product));
            keys.extend(units.buyers.keys(self.policy));
            let new = units.buyers.as_slice().iter().filter_map(Buyer::creation);
            for new in new {
                keys.extend(self.older_keys(new)?);
            }
            draws = self.draws(units.buyers.as_slice().len(), units.each)?;
        }
        keys.extend(command.asker.map(|asker| asker.key(request.now)));
        self.command(&stamp.request, Some(&record), &keys, |loaded| {
            if let Some(asker) = command.asker {
                asker.must_have_left(loaded, request.now)?;
            }
            if let Purchase::Product(units) = &command.purchase {
                let unread = units.buyers.unread(self.policy, loaded)?;
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
                Purchase::Cost(cost) => bare(&wallet, *cost, particulars, request.now)?,
                Purchase::Product(units) => {
                    let drawn = (units, draws.as_slice());
                    self.order(command, drawn, loaded, &wallet, particulars, request)?
                }
            };
            let answer = answer::show::<V, _>(&made.provision)?;
            let mut writes = vec![
                entry::write(self, &made.provision.entry, &record, &answer, stamp)?,
                wallet::write(&made.wallet, Some(wallet.version), stamp)?,
            ];
            for minted in made.licences() {
                if let Some(key) = &minted.key {
                    writes.push(CommandWrite::fresh(self.mint(&minted.licence, key, stamp)?));
                }
            }
            writes.extend(made.creations);
            Ok(Decision::Commit { writes, answer: Answer::first(answer) })
        })
        .await
    }

    fn order(
        &self,
        command: &ProvisionCommand<'_>,
        (units, draws): (&Units, &[Draw]),
        loaded: &Loaded,
        wallet: &Wallet,
        particulars: Particulars,
        request: &Request<IdempotencyKey>,
    ) -> Result<Made, StoreError> {
        let buyers = self.buyers(command.reseller, &units.buyers, loaded, request)?;
        let product = product::read_loaded(loaded, &units.product)?.ok_or(Refusal::NotFound(ResourceKind::Product))?;
        let drawn = draws.iter().map(|draw| draw.key(self, &product.key_format, request.now));
        let drawn: Vec<Drawn> = drawn.collect::<Result<_, _>>()?;
        let new = |drawn: &Drawn| NewLicence { refid: drawn.refid.clone(), hint: drawn.hint.clone() };
        let new: Vec<NewLicence> = drawn.iter().map(new).collect();
        let each = units.each.get() as usize;
        let line = |(client, licences)| Line { client, licences };
        let clients = buyers.iter().map(|buyer| &buyer.client);
        let lines: Vec<Line<'_>> = clients.zip(new.chunks(each)).map(line).collect();
        let order = Order { product: &product, lines: &lines };
        let decision = provision::decide(wallet, order, &self.policy.discounts, particulars, request.now)?;
        // One licence for each key, in their order.
        let keyed = decision.licences.into_iter().zip(drawn);
        let keyed: Vec<ShownLicence> =
            keyed.map(|(licence, drawn)| ShownLicence::minted(licence, drawn.key, request.now)).collect();
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

    fn draws(&self, clients: usize, each: Quantity) -> Result<Vec<Draw>, StoreError> {
        (0..clients * each.get() as usize).map(|_| Draw::new(&self.secrets)).collect()
    }
}

fn bare(wallet: &Wallet, cost: Amount, particulars: Particulars, now: Time) -> Result<Made, StoreError> {
    let posting = provision::decide_cost(wallet, cost, particulars, now)?;
    Ok(Made {
        wallet: posting.wallet,
        provision: Provision { entry: posting.entry, sold: Vec::new(), refunds: Vec::new() },
        creations: Vec::new(),
    })
}
