//! What simulated callers ask for.
//!
//! Invariant: a command names things by their place or label, so that it reads the same in each run of a seed.

/// Who asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Party {
    /// An operator.
    Operator,
    /// Whoever has the key of this wallet's reseller.
    Reseller(usize),
}

/// Whom a purchase is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Buyer {
    /// A client that may exist.
    Existing(String),
    /// A client to create, with this address.
    New(String, String),
}

/// What is asked for. Wallets and products go by their place, clients by their external id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    TopUp {
        wallet: usize,
        amount: u64,
        reference: Option<String>,
    },
    Spend {
        wallet: usize,
        cost: u64,
    },
    Buy {
        wallet: usize,
        product: usize,
        quantity: u32,
        buyer: Buyer,
    },
    BuyForMany {
        wallet: usize,
        product: usize,
        buyers: Vec<Buyer>,
    },
    /// Of the purchase under that key from that wallet: all of it, or its licences at these places.
    Refund {
        wallet: usize,
        purchase: String,
        places: Option<Vec<usize>>,
    },
    Transfer {
        from: usize,
        to: usize,
        amount: u64,
    },
    CreateClient {
        owner: Option<usize>,
        client: String,
        email: String,
    },
    ChangeAddress {
        client: String,
        email: String,
    },
    SetStatus {
        client: String,
        to: &'static str,
    },
    DeleteClient {
        client: String,
    },
    MoveClient {
        client: String,
        to: Option<usize>,
    },
    SetTier {
        wallet: usize,
        tier: usize,
    },
    SetHold {
        wallet: usize,
        hold: bool,
    },
    SetThreshold {
        wallet: usize,
        threshold: u64,
    },
    SetResellerStatus {
        wallet: usize,
        status: usize,
    },
    SetPrice {
        product: usize,
        price: u64,
    },
    SetActive {
        product: usize,
        active: bool,
    },
    ReadWallet {
        wallet: usize,
    },
    Verify {
        wallet: usize,
    },
}

/// A command of a caller.
#[derive(Debug, Clone)]
pub struct Command {
    /// Its place among all commands.
    pub id: u32,
    /// Who asks.
    pub by: Party,
    /// Under which idempotency key, where one is taken.
    pub key: Option<String>,
    /// For what.
    pub action: Action,
}

impl Command {
    /// What a repeat must equal to be a repeat.
    pub fn print(&self) -> String {
        format!("{:?} {:?}", self.by, self.action)
    }

    /// The name space of its key, where it carries one.
    pub fn scope(&self) -> Option<String> {
        let key = self.key.as_ref()?;
        let space = match &self.action {
            Action::TopUp { wallet, .. } => format!("credit {wallet}"),
            Action::Spend { wallet, .. } | Action::Buy { wallet, .. } | Action::BuyForMany { wallet, .. } => {
                format!("provision {wallet}")
            }
            Action::Refund { wallet, .. } => format!("refund {wallet}"),
            Action::Transfer { from, .. } => format!("transfer {from}"),
            _ => format!("{:?}", self.by),
        };
        Some(format!("{space} {key}"))
    }

    /// The wallet it takes credits from, or adds them to.
    pub fn payer(&self) -> Option<usize> {
        match self.action {
            Action::TopUp { wallet, .. }
            | Action::Spend { wallet, .. }
            | Action::Buy { wallet, .. }
            | Action::BuyForMany { wallet, .. }
            | Action::Refund { wallet, .. }
            | Action::Transfer { from: wallet, .. } => Some(wallet),
            _ => None,
        }
    }

    /// Whether it rests on something that its commit does not write: a purchase on its product and on clients that are
    /// there, a new or moved client on where its reseller stands.
    pub fn only_reads_some(&self) -> bool {
        matches!(
            self.action,
            Action::Buy { .. } | Action::BuyForMany { .. } | Action::CreateClient { .. } | Action::MoveClient { .. }
        )
    }

    /// The clients that it is for and does not create.
    pub fn existing_buyers(&self) -> Vec<&str> {
        let buyers = match &self.action {
            Action::Buy { buyer, .. } => std::slice::from_ref(buyer),
            Action::BuyForMany { buyers, .. } => buyers,
            _ => &[],
        };
        let existing = buyers.iter().map(|it| match it {
            Buyer::Existing(label) => Some(label.as_str()),
            Buyer::New(..) => None,
        });
        existing.flatten().collect()
    }
}
