//! The rules, each on plain numbers.
//!
//! Invariant: a rule may change the state even if it refuses the command; the caller discards a state with a refusal.

use std::collections::BTreeSet;

use super::{Client, Model, Purchase, Wallet};
use crate::workload::command::{Action, Buyer, Command, Party, RENEWAL};

/// What each tier pays, in per cent of the price.
const PAYS: [u64; 3] = [100, 85, 70];

impl Model {
    pub(super) fn top_up(
        &mut self,
        wallet: usize,
        amount: u64,
        reference: Option<&str>,
        refused: &mut BTreeSet<&'static str>,
    ) {
        let named = reference.map(|it| (wallet, it.to_owned()));
        match named.as_ref().and_then(|it| self.references.get(it)) {
            Some(first) if *first != amount => drop(refused.insert("reference_reused")),
            Some(_) => {}
            None => {
                self.references.extend(named.map(|it| (it, amount)));
                self.wallets[wallet].add(amount);
            }
        }
    }

    /// Applies a setting. Actions that only read set nothing.
    pub(super) fn set(&mut self, setting: &Action) {
        match *setting {
            Action::SetTier { wallet, tier } => self.wallets[wallet].tier = tier,
            Action::SetHold { wallet, hold } => {
                self.wallets[wallet].hold = hold;
                self.wallets[wallet].held_by_rule = false;
            }
            Action::SetThreshold { wallet, threshold } => {
                self.wallets[wallet].threshold = threshold;
            }
            Action::SetResellerStatus { wallet, status } => self.wallets[wallet].status = status,
            Action::SetPrice { product, price } => self.products[product].price = price,
            Action::SetActive { product, active } => self.products[product].active = active,
            _ => {}
        }
    }

    pub(super) fn pay(
        &mut self,
        wallet: usize,
        cost: u64,
        purchase: Purchase,
        key: String,
        refused: &mut BTreeSet<&'static str>,
    ) {
        self.wallets[wallet].take(cost, refused);
        self.purchases.insert((wallet, key), Purchase { cost, ..purchase });
    }

    /// What a unit of a product costs a wallet's reseller, who may be refused it.
    fn unit(&self, wallet: usize, product: usize, refused: &mut BTreeSet<&'static str>) -> u64 {
        let (payer, product) = (&self.wallets[wallet], &self.products[product]);
        payer.must_buy(refused);
        if product.tiers.as_ref().is_some_and(|tiers| !tiers.contains(&payer.tier)) {
            refused.insert("tier_not_allowed");
        }
        if !product.active {
            refused.insert("product_inactive");
        }
        product.price * PAYS[payer.tier] / 100
    }

    pub(super) fn renew(
        &mut self,
        by: Party,
        (wallet, purchase, place): (usize, &str, usize),
        key: &str,
        refused: &mut BTreeSet<&'static str>,
    ) {
        let named = (wallet, purchase.to_owned());
        let found = self.purchases.get_mut(&named).filter(|it| it.terms.len() > place);
        let Some(found) = found else {
            refused.insert("not_found");
            return;
        };
        if found.refunded.contains(&place) {
            refused.insert("licence_revoked");
        }
        found.terms[place] += 1;
        let (product, buyers) = (found.product, found.buyers.clone());
        if let (Party::Reseller(_), Some(of)) = (by, product) {
            let cost = self.unit(wallet, of, refused);
            let renews = Some((purchase.to_owned(), place));
            let renewal = Purchase { units: 1, product, buyers, renews, ..Purchase::default() };
            self.pay(wallet, cost, renewal, format!("{RENEWAL}{key}"), refused);
        }
    }

    pub(super) fn buy(
        &mut self,
        (wallet, product): (usize, usize),
        quantity: u32,
        buyers: &[Buyer],
        key: String,
        refused: &mut BTreeSet<&'static str>,
    ) {
        let unit = self.unit(wallet, product, refused);
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
        let buyers = buyers.iter().map(|buyer| buyer.label().to_owned()).collect();
        let product = Some(product);
        let bought = Purchase { units, product, buyers, terms: vec![1; units], ..Purchase::default() };
        self.pay(wallet, unit * units as u64, bought, key, refused);
    }

    pub(super) fn create(
        &mut self,
        owner: Option<usize>,
        label: &str,
        email: &str,
        refused: &mut BTreeSet<&'static str>,
    ) {
        if self.clients.contains_key(label) {
            refused.insert("duplicate_client_id");
        }
        if self.clients.values().any(|it| !it.deleted && it.email == email) {
            refused.insert("duplicate_email");
        }
        let (email, status) = (email.to_owned(), "pending");
        let client = Client { email, owner, status, deleted: false };
        self.clients.insert(label.to_owned(), client);
    }

    pub(super) fn refund(
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
            None => all.difference(&purchase.refunded).copied().collect::<BTreeSet<_>>(),
        };
        if places.is_some() && (purchase.units == 0 || !named.is_subset(&all)) {
            refused.insert("not_found");
        }
        if named.is_empty() || !named.is_disjoint(&purchase.refunded) {
            refused.insert("already_refunded");
        }
        let each = purchase.cost / purchase.units.max(1) as u64;
        purchase.refunded.extend(&named);
        let renewed = purchase.renews.clone();
        self.wallets[wallet].add(each * named.len() as u64);
        if let Some((of, place)) = renewed
            && let Some(renewed) = self.purchases.get_mut(&(wallet, of))
        {
            renewed.terms[place] -= 1;
        }
    }

    pub(super) fn transfer(
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

    pub(super) fn change_client(&mut self, command: &Command, label: &str, refused: &mut BTreeSet<&'static str>) {
        let reaches = |it: &Client| match command.by {
            Party::Operator => true,
            Party::Reseller(own) => it.owner == Some(own),
        };
        let Some(found) = self.clients.get(label).filter(|it| !it.deleted && reaches(it)).cloned() else {
            refused.insert("not_found");
            return;
        };
        let mut next = found.clone();
        match &command.action {
            Action::ChangeAddress { email, .. } => {
                let others = self.clients.iter().filter(|(other, it)| *other != label && !it.deleted);
                if others.into_iter().any(|(_, it)| it.email == *email) {
                    refused.insert("duplicate_email");
                }
                next.email.clone_from(email);
            }
            Action::SetStatus { to, .. } => match (found.status, *to) {
                ("pending" | "suspended" | "inactive" | "active", "activate") => {
                    next.status = "active";
                }
                ("active" | "suspended", "suspend") => next.status = "suspended",
                ("pending" | "active" | "suspended" | "inactive", "deactivate") => {
                    next.status = "inactive";
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
            other => panic!("{other:?} concerns no client"),
        }
        self.clients.insert(label.to_owned(), next);
    }
}

impl Wallet {
    pub(super) fn add(&mut self, amount: u64) {
        self.balance += amount;
        self.sequence += 1;
    }

    pub(super) fn take(&mut self, amount: u64, refused: &mut BTreeSet<&'static str>) {
        match self.balance.checked_sub(amount) {
            Some(left) => self.balance = left,
            None => drop(refused.insert("insufficient_credits")),
        }
        self.sequence += 1;
    }

    pub(super) fn must_buy(&self, refused: &mut BTreeSet<&'static str>) {
        if self.status != 0 {
            refused.insert("reseller_suspended");
        }
        if self.hold {
            refused.insert("provisioning_held");
        }
    }
}
