//! What Purser is meant to do, said a second time, small and sequentially.
//!
//! Invariant: the model knows nothing of versions, keys of tables, retries or time. Commands are judged one after another
//! on plain figures; where several things are wrong, any of them is a right refusal.

use std::collections::{BTreeMap, BTreeSet};

use super::command::{Action, Buyer, Command, Party};
use super::deployment::{OPENING, PRODUCTS, WALLETS};

/// The tiers, lowest first.
pub const TIERS: [&str; 3] = ["standard", "gold", "platinum"];
/// What a tier pays, in per cent.
const PAYS: [u64; 3] = [100, 85, 70];
/// Where a reseller can stand.
pub const RESELLER_STATUSES: [&str; 2] = ["active", "suspended"];

/// A wallet.
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

/// A client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Client {
    pub email: String,
    pub owner: Option<usize>,
    pub status: &'static str,
    pub deleted: bool,
}

/// A product.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Product {
    pub price: u64,
    pub tiers: Option<Vec<usize>>,
    pub active: bool,
}

/// A purchase, by wallet and key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Purchase {
    pub cost: u64,
    pub units: usize,
    /// The places of the licences that were refunded; of a bare cost, 0.
    pub refunded: BTreeSet<usize>,
}

/// Everything.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Model {
    pub wallets: Vec<Wallet>,
    pub clients: BTreeMap<String, Client>,
    pub products: Vec<Product>,
    pub purchases: BTreeMap<(usize, String), Purchase>,
    pub references: BTreeMap<(usize, String), u64>,
    pub keys: BTreeMap<String, String>,
}

/// What a consistent reader of this state would do about a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It has happened: answer as then.
    Replay,
    /// Nothing needs to change.
    Unchanged,
    /// Refuse it, for one of these reasons.
    Refused(BTreeSet<&'static str>),
    /// Do it, which leads here.
    Done(Box<Model>),
}

impl Model {
    /// The state after the set-up.
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

    /// Judges a command.
    pub fn judge(&self, command: &Command) -> Verdict {
        if let Some(scope) = command.scope()
            && let Some(print) = self.keys.get(&scope)
        {
            if *print == command.print() {
                return Verdict::Replay;
            }
            let mut refused = BTreeSet::from(["idempotency_key_reused"]);
            // Whether what a path names is there is asked before the key is.
            if let Action::Refund {
                wallet, purchase, ..
            } = &command.action
                && !self.purchases.contains_key(&(*wallet, purchase.clone()))
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

    /// This state, but what `command` only reads is as it was `then`.
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

    /// This state, which a command made of `seen`, but what it left alone is as it is `now`.
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

    /// What the rule that holds resellers with little credit does about a wallet, where it does anything.
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

    fn act(&mut self, command: &Command, refused: &mut BTreeSet<&'static str>) {
        let key = command.key.clone().unwrap_or_default();
        match &command.action {
            Action::TopUp {
                wallet,
                amount,
                reference,
            } => {
                let named = reference.clone().map(|it| (*wallet, it));
                match named.as_ref().and_then(|it| self.references.get(it)) {
                    Some(first) if first != amount => drop(refused.insert("reference_reused")),
                    // The key is new, so something is noted; nothing moves.
                    Some(_) => {}
                    None => {
                        self.references.extend(named.map(|it| (it, *amount)));
                        self.wallets[*wallet].add(*amount);
                    }
                }
                self.keys
                    .extend(command.scope().map(|it| (it, command.print())));
            }
            Action::Spend { wallet, cost } => {
                self.wallets[*wallet].must_buy(refused);
                self.pay(*wallet, *cost, 0, key, refused);
            }
            Action::Buy {
                wallet,
                product,
                quantity,
                buyer,
            } => {
                let buyers = std::slice::from_ref(buyer);
                self.buy((*wallet, *product), *quantity, buyers, key, refused);
            }
            Action::BuyForMany {
                wallet,
                product,
                buyers,
            } => {
                self.buy((*wallet, *product), 1, buyers, key, refused);
            }
            Action::Refund {
                wallet,
                purchase,
                places,
            } => {
                self.refund(*wallet, purchase, places.as_ref(), refused);
            }
            Action::Transfer { from, to, amount } => {
                self.transfer(command.by, (*from, *to), *amount, refused)
            }
            Action::CreateClient {
                owner,
                client,
                email,
            } => {
                if owner.is_some_and(|it| self.wallets[it].status != 0) {
                    refused.insert("reseller_suspended");
                }
                self.create(*owner, client, email, refused);
            }
            Action::SetTier { wallet, tier } => self.wallets[*wallet].tier = *tier,
            Action::SetHold { wallet, hold } => {
                self.wallets[*wallet].hold = *hold;
                self.wallets[*wallet].held_by_rule = false;
            }
            Action::SetThreshold { wallet, threshold } => {
                self.wallets[*wallet].threshold = *threshold
            }
            Action::SetResellerStatus { wallet, status } => self.wallets[*wallet].status = *status,
            Action::SetPrice { product, price } => self.products[*product].price = *price,
            Action::SetActive { product, active } => self.products[*product].active = *active,
            Action::ReadWallet { .. } | Action::Verify { .. } => {}
            Action::ChangeAddress { client, .. }
            | Action::SetStatus { client, .. }
            | Action::DeleteClient { client }
            | Action::MoveClient { client, .. } => self.change_client(command, client, refused),
        }
    }

    fn pay(
        &mut self,
        wallet: usize,
        cost: u64,
        units: usize,
        key: String,
        refused: &mut BTreeSet<&'static str>,
    ) {
        self.wallets[wallet].take(cost, refused);
        let refunded = BTreeSet::new();
        self.purchases.insert(
            (wallet, key),
            Purchase {
                cost,
                units,
                refunded,
            },
        );
    }

    fn buy(
        &mut self,
        (wallet, product): (usize, usize),
        quantity: u32,
        buyers: &[Buyer],
        key: String,
        refused: &mut BTreeSet<&'static str>,
    ) {
        let payer = &self.wallets[wallet];
        payer.must_buy(refused);
        let product = &self.products[product];
        if product
            .tiers
            .as_ref()
            .is_some_and(|tiers| !tiers.contains(&payer.tier))
        {
            refused.insert("tier_not_allowed");
        }
        if !product.active {
            refused.insert("product_inactive");
        }
        let unit = product.price * PAYS[payer.tier] / 100;
        let units = u64::from(quantity) * buyers.len() as u64;
        for buyer in buyers {
            match buyer {
                Buyer::Existing(label) => {
                    let found = self.clients.get(label);
                    if found.is_none_or(|it| it.deleted || it.owner != Some(wallet)) {
                        refused.insert("not_found");
                    }
                }
                Buyer::New(label, email) => self.create(Some(wallet), label, email, refused),
            }
        }
        let units = usize::try_from(units).expect("few units");
        self.pay(wallet, unit * units as u64, units, key, refused);
    }

    fn create(
        &mut self,
        owner: Option<usize>,
        label: &str,
        email: &str,
        refused: &mut BTreeSet<&'static str>,
    ) {
        if self.clients.contains_key(label) {
            refused.insert("duplicate_client_id");
        }
        if self
            .clients
            .values()
            .any(|it| !it.deleted && it.email == email)
        {
            refused.insert("duplicate_email");
        }
        let (email, status) = (email.to_owned(), "pending");
        let client = Client {
            email,
            owner,
            status,
            deleted: false,
        };
        self.clients.insert(label.to_owned(), client);
    }

    fn refund(
        &mut self,
        wallet: usize,
        purchase: &str,
        places: Option<&Vec<usize>>,
        refused: &mut BTreeSet<&'static str>,
    ) {
        let Some(purchase) = self.purchases.get_mut(&(wallet, purchase.to_owned())) else {
            refused.insert("not_found");
            return;
        };
        let all: BTreeSet<usize> = (0..purchase.units.max(1)).collect();
        let named = match places {
            Some(places) => places.iter().copied().collect(),
            None => all
                .difference(&purchase.refunded)
                .copied()
                .collect::<BTreeSet<_>>(),
        };
        if places.is_some() && (purchase.units == 0 || !named.is_subset(&all)) {
            refused.insert("not_found");
        }
        if named.is_empty() || !named.is_disjoint(&purchase.refunded) {
            refused.insert("already_refunded");
        }
        let each = purchase.cost / purchase.units.max(1) as u64;
        purchase.refunded.extend(&named);
        self.wallets[wallet].add(each * named.len() as u64);
    }

    fn transfer(
        &mut self,
        by: Party,
        (from, to): (usize, usize),
        amount: u64,
        refused: &mut BTreeSet<&'static str>,
    ) {
        if let Party::Reseller(_) = by {
            if self.wallets[to].parent != Some(from) {
                refused.insert("invalid_reseller");
            }
            if self.wallets[from].status != 0 {
                refused.insert("reseller_suspended");
            }
        }
        self.wallets[from].take(amount, refused);
        self.wallets[to].add(amount);
    }

    fn change_client(
        &mut self,
        command: &Command,
        label: &str,
        refused: &mut BTreeSet<&'static str>,
    ) {
        let reaches = |it: &Client| match command.by {
            Party::Operator => true,
            Party::Reseller(own) => it.owner == Some(own),
        };
        let Some(found) = self
            .clients
            .get(label)
            .filter(|it| !it.deleted && reaches(it))
            .cloned()
        else {
            refused.insert("not_found");
            return;
        };
        let mut next = found.clone();
        match &command.action {
            Action::ChangeAddress { email, .. } => {
                let others = self
                    .clients
                    .iter()
                    .filter(|(other, it)| *other != label && !it.deleted);
                if others.into_iter().any(|(_, it)| it.email == *email) {
                    refused.insert("duplicate_email");
                }
                next.email.clone_from(email);
            }
            Action::SetStatus { to, .. } => match (found.status, *to) {
                ("pending" | "suspended" | "inactive" | "active", "activate") => {
                    next.status = "active"
                }
                ("active" | "suspended", "suspend") => next.status = "suspended",
                ("pending" | "active" | "suspended" | "inactive", "deactivate") => {
                    next.status = "inactive"
                }
                _ => drop(refused.insert("status_transition_denied")),
            },
            Action::DeleteClient { .. } => next.deleted = true,
            Action::MoveClient { to, .. } => {
                if let Some(to) = to
                    && found.owner != Some(*to)
                    && self.wallets[*to].status != 0
                {
                    refused.insert("reseller_suspended");
                }
                next.owner = *to;
            }
            other => panic!("{other:?} is about no client"),
        }
        self.clients.insert(label.to_owned(), next);
    }
}

impl Wallet {
    fn add(&mut self, amount: u64) {
        self.balance += amount;
        self.sequence += 1;
    }

    fn take(&mut self, amount: u64, refused: &mut BTreeSet<&'static str>) {
        match self.balance.checked_sub(amount) {
            Some(left) => self.balance = left,
            None => drop(refused.insert("insufficient_credits")),
        }
        self.sequence += 1;
    }

    fn must_buy(&self, refused: &mut BTreeSet<&'static str>) {
        if self.status != 0 {
            refused.insert("reseller_suspended");
        }
        if self.hold {
            refused.insert("provisioning_held");
        }
    }
}
