//! Draws commands of every kind, but about few things, so that they collide.
//!
//! Invariant: what is drawn depends only on the seed and on what was drawn before.

use crate::cloud::Cloud;

use crate::workload::command::{Action, Buyer, Command, Party};
use crate::workload::market::{PRODUCTS, WALLETS};

const ADDRESSES: usize = 14;
const CLIENTS: usize = 24;

#[derive(Debug)]
pub struct Generator {
    cloud: Cloud,
    drawn: Vec<Command>,
}

impl Generator {
    pub fn new(cloud: Cloud) -> Self {
        let drawn = Vec::new();
        Self { cloud, drawn }
    }

    pub fn drawn(&self) -> &[Command] {
        &self.drawn
    }

    pub fn next(&mut self) -> Command {
        let id = u32::try_from(self.drawn.len()).expect("few commands");
        let (by, action) = self.action();
        let keyed = match &action {
            Action::TopUp { .. }
            | Action::Spend { .. }
            | Action::Buy { .. }
            | Action::BuyForMany { .. }
            | Action::Refund { .. }
            | Action::Renew { .. }
            | Action::Transfer { .. } => true,
            Action::CreateClient { .. } => self.one_in(2),
            _ => false,
        };
        let mut command = Command { id, by, key: keyed.then(|| format!("k{id}")), action };
        // Sometimes a caller reuses an idempotency key for a different command.
        if keyed && self.one_in(12) {
            let scope = |it: &Command| it.scope().map(|_| std::mem::discriminant(&it.action));
            let alike: Vec<&Command> =
                self.drawn.iter().filter(|it| it.by == by && scope(it) == scope(&command)).collect();
            if !alike.is_empty() {
                let place = self.below(alike.len());
                command.key = alike.get(place).and_then(|it| it.key.clone());
            }
        }
        self.drawn.push(command.clone());
        command
    }

    fn below(&self, most: usize) -> usize {
        self.cloud.draw(|rng| rng.usize(0..most))
    }

    fn one_in(&self, times: usize) -> bool {
        self.below(times) == 0
    }

    fn wallet(&self) -> usize {
        // Half of the commands concern the first wallet.
        self.below(WALLETS.len() + 1).saturating_sub(1)
    }

    fn email(&self) -> String {
        format!("e{}@example.com", self.below(ADDRESSES))
    }

    fn label(&self) -> String {
        format!("client-{}", self.below(CLIENTS))
    }

    fn amount(&self, most: u64) -> u64 {
        self.cloud.draw(|rng| rng.u64(1..=most))
    }

    fn buyers(&self, wallet: usize, count: usize) -> Vec<Buyer> {
        let (mut buyers, mut emails) = (Vec::<Buyer>::new(), Vec::new());
        while buyers.len() < count {
            let (label, email) = (self.label(), self.email());
            let named = |it: &Buyer| matches!(it, Buyer::Existing(other) | Buyer::New(other, _) if *other == label);
            // A request that names a client or an address twice would be rejected as malformed.
            if buyers.iter().any(named) || emails.contains(&email) {
                continue;
            }
            let known = self.drawn.iter().any(|it| it.names(wallet, &label));
            buyers.push(if known && !self.one_in(8) {
                Buyer::Existing(label)
            } else {
                emails.push(email.clone());
                Buyer::New(label, email)
            });
        }
        buyers
    }

    fn action(&self) -> (Party, Action) {
        let wallet = self.wallet();
        let owner = if self.one_in(3) { Party::Operator } else { Party::Reseller(wallet) };
        match self.below(100) {
            0..14 => (Party::Operator, self.top_up(wallet)),
            14..26 => (owner, Action::Spend { wallet, cost: self.amount(600) }),
            26..42 => (owner, self.purchase(wallet)),
            42..48 => self.renewal(owner),
            48..58 => (Party::Operator, self.refund()),
            58..66 => self.transfer(wallet),
            66..88 => self.client(wallet, owner),
            88..96 => (Party::Operator, self.setting(wallet)),
            96..98 => (owner, Action::ReadWallet { wallet }),
            _ => (owner, Action::Verify { wallet }),
        }
    }

    fn top_up(&self, wallet: usize) -> Action {
        let reference = self.one_in(2).then(|| format!("INV-{}", self.below(6)));
        let amount = [200, 400, 1_000][self.below(3)];
        Action::TopUp { wallet, amount, reference }
    }

    fn purchase(&self, wallet: usize) -> Action {
        let product = self.below(PRODUCTS.len());
        if self.one_in(4) {
            let buyers = self.buyers(wallet, 2 + self.below(3));
            return Action::BuyForMany { wallet, product, buyers };
        }
        let quantity = [1, 1, 2, 3][self.below(4)];
        let buyer = self.buyers(wallet, 1).remove(0);
        Action::Buy { wallet, product, quantity, buyer }
    }

    fn client(&self, wallet: usize, by: Party) -> (Party, Action) {
        let client = self.label();
        let action = match self.below(22) {
            0..7 => {
                let standalone = by == Party::Operator && self.one_in(3);
                let owner = (!standalone).then_some(wallet);
                Action::CreateClient { owner, client, email: self.email() }
            }
            7..13 => {
                let to = ["activate", "suspend", "deactivate"][self.below(3)];
                Action::SetStatus { client, to }
            }
            13..17 => Action::ChangeAddress { client, email: self.email() },
            17..19 => return (Party::Operator, Action::DeleteClient { client: self.leaving().unwrap_or(client) }),
            _ => {
                let to = (!self.one_in(4)).then_some(wallet);
                return (Party::Operator, Action::MoveClient { client, to });
            }
        };
        (by, action)
    }

    /// A client for whom something was bought just now, perhaps while it is deleted.
    fn leaving(&self) -> Option<String> {
        let last = self.drawn.iter().rev().take(4).find_map(|it| it.buyers().first());
        last.filter(|_| !self.one_in(3)).map(|buyer| buyer.label().to_owned())
    }

    /// A refund, probably of a recent purchase or of one that is being refunded already.
    fn refund(&self) -> Action {
        let last = self.drawn.iter().rev().find(|it| matches!(it.action, Action::Refund { .. }));
        let places = self.one_in(3).then(|| vec![self.below(3)]);
        if let Some(Action::Refund { wallet, purchase, .. }) = last.map(|it| &it.action)
            && self.one_in(2)
        {
            let (wallet, purchase) = (*wallet, purchase.clone());
            return Action::Refund { wallet, purchase, places };
        }
        let purchases: Vec<_> = self.drawn.iter().rev().filter_map(Command::purchased).take(12).collect();
        let purchase = purchases.get(self.below(purchases.len().max(1))).cloned();
        purchase.map_or(Action::ReadWallet { wallet: 0 }, |(wallet, purchase)| Action::Refund {
            wallet,
            purchase,
            places,
        })
    }

    /// A renewal of a licence that was bought lately, often of the one that was renewed last.
    fn renewal(&self, by: Party) -> (Party, Action) {
        let last = self.drawn.iter().rev().find(|it| matches!(it.action, Action::Renew { .. }));
        if let Some(last) = last
            && self.one_in(2)
        {
            let by = if self.one_in(2) { Party::Operator } else { last.by };
            return (by, last.action.clone());
        }
        let bought = |it: &&Command| matches!(it.action, Action::Buy { .. } | Action::BuyForMany { .. });
        let purchases: Vec<_> = self.drawn.iter().rev().filter(bought).filter_map(Command::purchased).take(6).collect();
        let Some((wallet, purchase)) = purchases.get(self.below(purchases.len().max(1))).cloned() else {
            return (Party::Operator, Action::ReadWallet { wallet: 0 });
        };
        let by = if by == Party::Operator { by } else { Party::Reseller(wallet) };
        (by, Action::Renew { wallet, purchase, place: self.below(2) })
    }

    fn transfer(&self, from: usize) -> (Party, Action) {
        let to = (from + 1 + self.below(WALLETS.len() - 1)) % WALLETS.len();
        let amount = self.amount(900);
        let by = if self.one_in(2) { Party::Reseller(from) } else { Party::Operator };
        (by, Action::Transfer { from, to, amount })
    }

    fn setting(&self, wallet: usize) -> Action {
        let product = self.below(PRODUCTS.len());
        match self.below(7) {
            0 => Action::SetTier { wallet, tier: self.below(3) },
            1 => Action::SetHold { wallet, hold: self.one_in(3) },
            2 => Action::SetThreshold { wallet, threshold: [0, 500, 1_500][self.below(3)] },
            // A suspended reseller can do little, so most are active.
            3 | 4 => Action::SetResellerStatus { wallet, status: usize::from(self.one_in(3)) },
            5 => Action::SetPrice { product, price: [70, 90, 100, 333][self.below(4)] },
            _ => Action::SetActive { product, active: !self.one_in(3) },
        }
    }
}

impl Command {
    /// Whether this command makes the wallet's reseller own that client.
    fn names(&self, wallet: usize, label: &str) -> bool {
        match &self.action {
            Action::CreateClient { owner, client, .. } => *owner == Some(wallet) && client == label,
            Action::MoveClient { client, to } => *to == Some(wallet) && client == label,
            Action::Buy { wallet: of, buyer: Buyer::New(client, _), .. } => *of == wallet && client == label,
            Action::BuyForMany { wallet: of, buyers, .. } => {
                let named = |it: &Buyer| matches!(it, Buyer::New(client, _) if client == label);
                *of == wallet && buyers.iter().any(named)
            }
            _ => false,
        }
    }
}
