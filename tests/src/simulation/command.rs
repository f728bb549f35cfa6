//! What simulated callers ask for, and how it goes over the wire.
//!
//! Invariant: a command names things by their place or label, so that it reads the same in each run of a seed.

use serde_json::{Value, json};

use super::deployment::Names;
use super::model::{RESELLER_STATUSES, TIERS};

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

/// A command as it goes over the wire.
#[derive(Debug, Clone)]
pub struct Request {
    /// The method.
    pub method: &'static str,
    /// The path.
    pub path: String,
    /// The body.
    pub body: Option<Value>,
}

impl Request {
    fn post(path: String, body: Value) -> Self {
        Self {
            method: "POST",
            path,
            body: Some(body),
        }
    }

    fn patch(path: String, body: Value) -> Self {
        Self {
            method: "PATCH",
            path,
            body: Some(body),
        }
    }

    fn plain(method: &'static str, path: String) -> Self {
        Self {
            method,
            path,
            body: None,
        }
    }
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
            Action::Spend { wallet, .. }
            | Action::Buy { wallet, .. }
            | Action::BuyForMany { wallet, .. } => {
                format!("provision {wallet}")
            }
            Action::Refund { wallet, .. } => format!("refund {wallet}"),
            Action::Transfer { from, .. } => format!("transfer {from}"),
            _ => format!("{:?}", self.by),
        };
        Some(format!("{space} {key}"))
    }

    /// The request it is.
    pub fn request(&self, names: &Names) -> Request {
        let client = |label: &str| format!("/v1/clients/{}", names.client(label));
        let reseller = |wallet: usize| format!("/v1/resellers/{}", names.wallet(wallet));
        let product = |place: usize| format!("/v1/products/{}", names.product(place));
        match &self.action {
            Action::TopUp {
                wallet,
                amount,
                reference,
            } => Request::post(
                format!("{}/credits", reseller(*wallet)),
                json!({"amount": amount, "reference": reference}),
            ),
            Action::Spend { wallet, cost } => self.purchase(
                names,
                *wallet,
                json!({"cost": cost, "description": "simulated"}),
            ),
            Action::Buy {
                wallet,
                product,
                quantity,
                buyer,
            } => {
                let product = names.product(*product);
                let body =
                    json!({"product": product, "quantity": quantity, "client": names.buyer(buyer)});
                self.purchase(names, *wallet, body)
            }
            Action::BuyForMany {
                wallet,
                product,
                buyers,
            } => {
                let clients: Vec<Value> = buyers.iter().map(|it| names.buyer(it)).collect();
                let body = json!({"product": names.product(*product), "clients": clients});
                let mut request = self.purchase(names, *wallet, body);
                request.path = "/v1/provisions/bulk".to_owned();
                request
            }
            Action::Refund {
                wallet,
                purchase,
                places,
            } => {
                let refid = names.purchase(*wallet, purchase);
                let body = places.as_ref().map(|places| names.licences(&refid, places));
                let body = body.map_or_else(|| json!({}), |licences| json!({"licences": licences}));
                Request::post(format!("/v1/provisions/{refid}/refund"), body)
            }
            Action::Transfer { from, to, amount } => Request::post(
                format!("{}/transfers", reseller(*from)),
                json!({"to": names.wallet(*to), "amount": amount}),
            ),
            Action::CreateClient {
                owner,
                client,
                email,
            } => {
                let mut body = json!({"name": client, "email": email, "client_id": client});
                if self.by == Party::Operator {
                    body["reseller"] = json!(owner.map(|it| names.wallet(it)));
                }
                Request::post("/v1/clients".to_owned(), body)
            }
            Action::ChangeAddress {
                client: label,
                email,
            } => Request::patch(client(label), json!({"email": email})),
            Action::SetStatus { client: label, to } => {
                Request::plain("POST", format!("{}/{to}", client(label)))
            }
            Action::DeleteClient { client: label } => Request::plain("DELETE", client(label)),
            Action::MoveClient { client: label, to } => Request::post(
                format!("{}/transfer", client(label)),
                json!({"reseller": to.map(|it| names.wallet(it))}),
            ),
            Action::SetTier { wallet, tier } => {
                Request::patch(reseller(*wallet), json!({"tier": TIERS[*tier]}))
            }
            Action::SetHold { wallet, hold } => {
                Request::patch(reseller(*wallet), json!({"hold_provisioning": hold}))
            }
            Action::SetThreshold { wallet, threshold } => Request::patch(
                reseller(*wallet),
                json!({"low_credit_threshold": threshold}),
            ),
            Action::SetResellerStatus { wallet, status } => {
                let verb =
                    ["activate", "suspend"][usize::from(RESELLER_STATUSES[*status] == "suspended")];
                Request::plain("POST", format!("{}/{verb}", reseller(*wallet)))
            }
            Action::SetPrice {
                product: place,
                price,
            } => Request::patch(product(*place), json!({"price": price})),
            Action::SetActive {
                product: place,
                active,
            } => Request::patch(product(*place), json!({"active": active})),
            Action::ReadWallet { wallet } => {
                Request::plain("GET", format!("{}/wallet", reseller(*wallet)))
            }
            Action::Verify { wallet } => {
                Request::plain("GET", format!("{}/verify", reseller(*wallet)))
            }
        }
    }

    fn purchase(&self, names: &Names, wallet: usize, mut body: Value) -> Request {
        if self.by == Party::Operator {
            body["reseller"] = json!(names.wallet(wallet));
        }
        Request::post("/v1/provisions".to_owned(), body)
    }
}

impl Command {
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
            Action::Buy { .. }
                | Action::BuyForMany { .. }
                | Action::CreateClient { .. }
                | Action::MoveClient { .. }
        )
    }

    /// The clients that it is for and does not create.
    pub fn existing_buyers(&self) -> Vec<&str> {
        let buyers = match &self.action {
            Action::Buy { buyer, .. } => std::slice::from_ref(buyer),
            Action::BuyForMany { buyers, .. } => buyers,
            _ => &[],
        };
        let existing = |it| match it {
            &Buyer::Existing(ref label) => Some(label.as_str()),
            &Buyer::New(..) => None,
        };
        buyers.iter().filter_map(existing).collect()
    }
}
