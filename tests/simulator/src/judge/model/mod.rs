//! The model: what Purser is meant to do, written a second time, in a small and sequential form.
//!
//! Invariant: the model knows nothing of versions, table keys, retries or time. It judges commands one after another on
//! plain numbers. If several things are wrong with a command, any of them is a valid reason to refuse it.

use std::collections::{BTreeMap, BTreeSet};

use crate::workload::command::{Action, Command, Party};
use crate::workload::market::{OPENING, PRODUCTS, TIERS, WALLETS};

mod rules;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wallet {
    pub balance: u64,
    pub sequence: u64,
    pub tier: usize,
    pub status: usize,
    pub hold: bool,
    pub held_by_rule: bool,
    pub threshold: u64,
    pub parent: Option<usize>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Client {
    pub email: String,
    pub owner: Option<usize>,
    pub status: &'static str,
    pub deleted: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Product {
    pub price: u64,
    pub tiers: Option<Vec<usize>>,
    pub active: bool,
}

/// A purchase; [`Model::purchases`] has its wallet and key.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Purchase {
    pub cost: u64,
    pub units: usize,
    /// The product of the units; none for a bare cost.
    pub product: Option<usize>,
    /// For each licence that was minted, how many terms it has.
    pub terms: Vec<u32>,
    /// The licence that was renewed, if it was a renewal: its purchase, and its index there.
    pub renews: Option<(String, usize)>,
    /// The labels of the clients that it was for.
    pub buyers: Vec<String>,
    /// The indexes of the licences that were refunded. A purchase of a bare cost has a single unit, 0.
    pub refunded: BTreeSet<usize>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Model {
    pub wallets: Vec<Wallet>,
    pub clients: BTreeMap<String, Client>,
    pub products: Vec<Product>,
    pub purchases: BTreeMap<(usize, String), Purchase>,
    pub references: BTreeMap<(usize, String), u64>,
    pub keys: BTreeMap<String, String>,
}

/// What a consistent reader of a state would do about a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// The command was carried out before: repeat that answer.
    Replay,
    Unchanged,
    /// Refuse the command, for one of these reasons.
    Refused(BTreeSet<&'static str>),
    /// Carry the command out, which leads to this state.
    Done(Box<Model>),
}

impl Model {
    pub fn at_the_start() -> Self {
        let tier = |name: &str| TIERS.iter().position(|it| *it == name).expect("a tier");
        let wallet = |(name, parent): &(&str, Option<usize>)| Wallet {
            balance: OPENING,
            sequence: 1,
            tier: tier(name),
            status: 0,
            hold: false,
            held_by_rule: false,
            threshold: 500,
            parent: *parent,
        };
        let product = |(price, tiers): &(u64, Option<&[&str]>)| Product {
            price: *price,
            tiers: tiers.map(|tiers| tiers.iter().map(|it| tier(it)).collect()),
            active: true,
        };
        Self {
            wallets: WALLETS.iter().map(wallet).collect(),
            clients: BTreeMap::new(),
            products: PRODUCTS.iter().map(product).collect(),
            purchases: BTreeMap::new(),
            references: BTreeMap::new(),
            keys: BTreeMap::new(),
        }
    }

    pub fn judge(&self, command: &Command) -> Verdict {
        if let Some(scope) = command.scope()
            && let Some(print) = self.keys.get(&scope)
        {
            if *print == command.print() {
                return Verdict::Replay;
            }
            let mut refused = BTreeSet::from(["idempotency_key_reused"]);
            // The handler looks up the resource in the path before it looks up the idempotency key.
            let named = match &command.action {
                Action::Refund { wallet, purchase, .. } => Some((*wallet, purchase, 0)),
                Action::Renew { wallet, purchase, place } => Some((*wallet, purchase, *place)),
                _ => None,
            };
            if let Some((wallet, purchase, place)) = named
                && self.purchases.get(&(wallet, purchase.clone())).is_none_or(|it| it.units.max(1) <= place)
            {
                refused.insert("not_found");
            }
            return Verdict::Refused(refused);
        }
        let mut next = self.clone();
        let mut refused = BTreeSet::new();
        next.act(command, &mut refused);
        if !refused.is_empty() {
            return Verdict::Refused(refused);
        }
        if next == *self {
            return Verdict::Unchanged;
        }
        if let Some(scope) = command.scope() {
            next.keys.insert(scope, command.print());
        }
        Verdict::Done(Box::new(next))
    }

    /// This state, except that everything `command` reads without writing is as it was `then`.
    pub fn with_what_is_read(&self, command: &Command, then: &Self) -> Self {
        let mut seen = self.clone();
        if !command.only_reads_some() {
            return seen;
        }
        seen.products.clone_from(&then.products);
        for label in command.existing_buyers() {
            if let Some(client) = then.clients.get(label) {
                seen.clients.insert(label.to_owned(), client.clone());
            }
        }
        if command.payer().is_none() {
            for (seen, then) in seen.wallets.iter_mut().zip(&then.wallets) {
                seen.status = then.status;
            }
        }
        seen
    }

    /// This state, which a command produced from `seen`, except that everything the command left unchanged is as it
    /// is `now`.
    #[must_use]
    pub fn without_what_was_read(mut self, seen: &Self, now: &Self) -> Self {
        if self.products == seen.products {
            self.products.clone_from(&now.products);
        }
        for (label, client) in &now.clients {
            if self.clients.get(label) == seen.clients.get(label) {
                self.clients.insert(label.clone(), client.clone());
            }
        }
        for ((own, seen), now) in self.wallets.iter_mut().zip(&seen.wallets).zip(&now.wallets) {
            if own == seen {
                own.clone_from(now);
            }
        }
        self
    }

    /// The state after the rule that holds resellers with few credits has run for a wallet. `None` if it changes
    /// nothing.
    pub fn hold_by_rule(&self, wallet: usize) -> Option<Self> {
        let mut next = self.clone();
        let it = &mut next.wallets[wallet];
        let low = it.balance < it.threshold;
        if low && !it.hold {
            (it.hold, it.held_by_rule) = (true, true);
        } else if !low && it.held_by_rule {
            (it.hold, it.held_by_rule) = (false, false);
        } else {
            return None;
        }
        Some(next)
    }

    /// The number of ledger entries.
    pub fn posted(&self) -> usize {
        let sequences = self.wallets.iter().map(|it| it.sequence);
        usize::try_from(sequences.sum::<u64>()).expect("few entries")
    }

    /// Whether the answer to a command that was carried out names a client who has been deleted since.
    pub fn answer_may_be_erased(&self, command: &Command) -> bool {
        let bought = |wallet: usize, key: &str| self.purchases.get(&(wallet, key.to_owned()));
        let named = match &command.action {
            Action::CreateClient { client, .. } => vec![client.clone()],
            Action::Refund { wallet, purchase, .. } => bought(*wallet, purchase).map_or(vec![], |it| it.buyers.clone()),
            Action::Buy { wallet, .. } | Action::BuyForMany { wallet, .. } => {
                let key = command.key.as_deref().unwrap_or_default();
                bought(*wallet, key).map_or(vec![], |it| it.buyers.clone())
            }
            // Its answer names nobody, but an erasure takes what was answered to purchases for a client.
            Action::Renew { wallet, purchase, place } => {
                let bought = bought(*wallet, purchase).filter(|it| it.units > *place);
                bought.map_or(vec![], |it| it.buyers.clone())
            }
            _ => return false,
        };
        named.iter().any(|label| self.clients.get(label).is_some_and(|client| client.deleted))
    }

    pub fn is_suspended(&self, by: Party) -> bool {
        match by {
            Party::Operator => false,
            Party::Reseller(own) => self.wallets[own].status != 0,
        }
    }

    pub fn minted(&self) -> usize {
        self.purchases.values().map(|it| it.terms.len()).sum()
    }

    /// How many licences were revoked by refunds.
    pub fn revoked(&self) -> usize {
        let of_licences = self.purchases.values().filter(|it| !it.terms.is_empty());
        of_licences.map(|it| it.refunded.len()).sum()
    }

    fn act(&mut self, command: &Command, refused: &mut BTreeSet<&'static str>) {
        let key = command.key.clone().unwrap_or_default();
        match &command.action {
            Action::TopUp { wallet, amount, reference } => {
                self.top_up(*wallet, *amount, reference.as_deref(), refused);
                // The idempotency key is recorded even if a known reference prevents the effect.
                self.keys.extend(command.scope().map(|it| (it, command.print())));
            }
            Action::Spend { wallet, cost } => {
                self.wallets[*wallet].must_buy(refused);
                self.pay(*wallet, *cost, Purchase::default(), key, refused);
            }
            Action::Buy { wallet, product, quantity, buyer } => {
                let buyers = std::slice::from_ref(buyer);
                self.buy((*wallet, *product), *quantity, buyers, key, refused);
            }
            Action::BuyForMany { wallet, product, buyers } => {
                self.buy((*wallet, *product), 1, buyers, key, refused);
            }
            Action::Refund { wallet, purchase, places } => {
                self.refund(*wallet, purchase, places.as_ref(), refused);
            }
            Action::Renew { wallet, purchase, place } => {
                self.renew(command.by, (*wallet, purchase, *place), &key, refused);
            }
            Action::Transfer { from, to, amount } => {
                self.transfer(command.by, (*from, *to), *amount, refused);
            }
            Action::CreateClient { owner, client, email } => {
                if owner.is_some_and(|it| self.wallets[it].status != 0) {
                    refused.insert("reseller_suspended");
                }
                self.create(*owner, client, email, refused);
            }
            Action::ChangeAddress { client, .. }
            | Action::SetStatus { client, .. }
            | Action::DeleteClient { client }
            | Action::MoveClient { client, .. } => self.change_client(command, client, refused),
            setting => self.set(setting),
        }
    }
}
