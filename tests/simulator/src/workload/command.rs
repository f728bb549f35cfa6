//! The commands that simulated callers ask for.
//!
//! Invariant: a command names things by index or label, so that it reads the same in each run of a seed.

/// Before the idempotency key of a renewal, in the name of the purchase that it is: renewals have keys of their own.
pub const RENEWAL: &str = "renewal ";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Party {
    Operator,
    /// The holder of the API key of this wallet's reseller.
    Reseller(usize),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Buyer {
    /// The label of a client that should exist, but may not.
    Existing(String),
    /// The label and the e-mail address of a client to create.
    New(String, String),
}

impl Buyer {
    pub fn label(&self) -> &str {
        match self {
            Self::Existing(label) | Self::New(label, _) => label,
        }
    }
}

/// Wallets and products are named by their index, clients by their label.
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
    /// Refunds the purchase under this idempotency key: all of it, or only its licences at these indexes.
    Refund {
        wallet: usize,
        purchase: String,
        places: Option<Vec<usize>>,
    },
    /// Renews the licence at this index of the purchase under this idempotency key. The wallet's reseller pays for it,
    /// and an operator gives it.
    Renew {
        wallet: usize,
        purchase: String,
        place: usize,
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

#[derive(Debug, Clone)]
pub struct Command {
    /// The index of the command among all commands.
    pub id: u32,
    pub by: Party,
    /// The idempotency key, if the request carries one.
    pub key: Option<String>,
    pub action: Action,
}

impl Command {
    /// The fingerprint of the command: another command under the same key is a repeat only if its fingerprint is
    /// equal.
    pub fn print(&self) -> String {
        format!("{:?} {:?}", self.by, self.action)
    }

    /// The idempotency key together with its name space.
    pub fn scope(&self) -> Option<String> {
        let key = self.key.as_ref()?;
        let space = match &self.action {
            Action::TopUp { wallet, .. } => format!("credit {wallet}"),
            Action::Spend { wallet, .. } | Action::Buy { wallet, .. } | Action::BuyForMany { wallet, .. } => {
                format!("provision {wallet}")
            }
            Action::Refund { wallet, .. } => format!("refund {wallet}"),
            Action::Transfer { from, .. } => format!("transfer {from}"),
            Action::Renew { wallet, .. } if self.by != Party::Operator => format!("renewal {wallet}"),
            _ => format!("{:?}", self.by),
        };
        Some(format!("{space} {key}"))
    }

    /// The wallet whose credits the command changes; for a transfer, the sender's.
    pub fn payer(&self) -> Option<usize> {
        match self.action {
            Action::TopUp { wallet, .. }
            | Action::Spend { wallet, .. }
            | Action::Buy { wallet, .. }
            | Action::BuyForMany { wallet, .. }
            | Action::Refund { wallet, .. }
            | Action::Transfer { from: wallet, .. } => Some(wallet),
            Action::Renew { wallet, .. } => Some(wallet).filter(|_| self.by != Party::Operator),
            _ => None,
        }
    }

    /// Whether the command depends on something that its commit does not write: a purchase or renewal depends on its
    /// product and on existing clients, a new or moved client on the status of its reseller.
    pub fn only_reads_some(&self) -> bool {
        matches!(
            self.action,
            Action::Buy { .. }
                | Action::BuyForMany { .. }
                | Action::Renew { .. }
                | Action::CreateClient { .. }
                | Action::MoveClient { .. }
        )
    }

    /// The purchase that this command makes: its wallet, and the key by which others name it.
    pub fn purchased(&self) -> Option<(usize, String)> {
        let key = self.key.as_ref()?;
        match self.action {
            Action::Spend { wallet, .. } | Action::Buy { wallet, .. } | Action::BuyForMany { wallet, .. } => {
                Some((wallet, key.clone()))
            }
            Action::Renew { wallet, .. } if self.by != Party::Operator => Some((wallet, format!("{RENEWAL}{key}"))),
            _ => None,
        }
    }

    pub fn buyers(&self) -> &[Buyer] {
        match &self.action {
            Action::Buy { buyer, .. } => std::slice::from_ref(buyer),
            Action::BuyForMany { buyers, .. } => buyers,
            _ => &[],
        }
    }

    pub fn existing_buyers(&self) -> Vec<&str> {
        let existing = self.buyers().iter().filter(|it| matches!(it, Buyer::Existing(_)));
        existing.map(Buyer::label).collect()
    }
}
