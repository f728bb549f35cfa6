//! The HTTP requests of commands.
//!
//! Invariant: repeating a command sends the same request.

use serde_json::{Value, json};

use crate::run::deployment::Names;
use crate::workload::command::{Action, Command, Party};
use crate::workload::market::{RESELLER_STATUSES, TIERS};

#[derive(Debug, Clone)]
pub struct Request {
    pub method: &'static str,
    pub path: String,
    pub body: Option<Value>,
}

impl Request {
    pub fn post(path: String, body: Value) -> Self {
        let (method, body) = ("POST", Some(body));
        Self { method, path, body }
    }

    pub fn patch(path: String, body: Value) -> Self {
        let (method, body) = ("PATCH", Some(body));
        Self { method, path, body }
    }

    pub fn plain(method: &'static str, path: String) -> Self {
        let body = None;
        Self { method, path, body }
    }
}

impl Command {
    pub fn request(&self, names: &Names) -> Request {
        let moved = self.movement(names);
        let moved = moved.or_else(|| self.change_of_client(names));
        moved.unwrap_or_else(|| self.setting(names))
    }

    fn movement(&self, names: &Names) -> Option<Request> {
        let request = match &self.action {
            Action::TopUp { wallet, amount, reference } => Request::post(
                format!("/v1/resellers/{}/credits", names.wallet(*wallet)),
                json!({"amount": amount, "reference": reference}),
            ),
            Action::Spend { wallet, cost } => {
                let body = json!({"cost": cost, "description": "simulated"});
                self.purchase(names, "/v1/provisions", *wallet, body)
            }
            Action::Buy { wallet, product, quantity, buyer } => {
                let product = names.product(*product);
                let body = json!({"product": product, "quantity": quantity, "client": names.buyer(buyer)});
                self.purchase(names, "/v1/provisions", *wallet, body)
            }
            Action::BuyForMany { wallet, product, buyers } => {
                let clients: Vec<Value> = buyers.iter().map(|it| names.buyer(it)).collect();
                let body = json!({"product": names.product(*product), "clients": clients});
                self.purchase(names, "/v1/provisions/bulk", *wallet, body)
            }
            Action::Refund { wallet, purchase, places } => {
                let refid = names.purchase(*wallet, purchase);
                let body = places.as_ref().map(|places| names.licences(&refid, places));
                let body = body.map_or_else(|| json!({}), |licences| json!({"licences": licences}));
                Request::post(format!("/v1/provisions/{refid}/refund"), body)
            }
            Action::Renew { wallet, purchase, place } => {
                let refid = names.purchase(*wallet, purchase);
                let licences = names.licences(&refid, &[*place]);
                Request::plain("POST", format!("/v1/licences/{}/renew", licences[0]))
            }
            Action::Transfer { from, to, amount } => Request::post(
                format!("/v1/resellers/{}/transfers", names.wallet(*from)),
                json!({"to": names.wallet(*to), "amount": amount}),
            ),
            _ => return None,
        };
        Some(request)
    }

    fn purchase(&self, names: &Names, path: &str, wallet: usize, mut body: Value) -> Request {
        if self.by == Party::Operator {
            body["reseller"] = json!(names.wallet(wallet));
        }
        Request::post(path.to_owned(), body)
    }

    fn change_of_client(&self, names: &Names) -> Option<Request> {
        let at = |label: &str| format!("/v1/clients/{}", names.client(label));
        let request = match &self.action {
            Action::CreateClient { owner, client, email } => {
                let mut body = json!({"name": client, "email": email, "client_id": client});
                if self.by == Party::Operator {
                    body["reseller"] = json!(owner.map(|it| names.wallet(it)));
                }
                Request::post("/v1/clients".to_owned(), body)
            }
            Action::ChangeAddress { client, email } => Request::patch(at(client), json!({"email": email})),
            Action::SetStatus { client, to } => Request::plain("POST", format!("{}/{to}", at(client))),
            Action::DeleteClient { client } => Request::plain("DELETE", at(client)),
            Action::MoveClient { client, to } => {
                Request::post(format!("{}/transfer", at(client)), json!({"reseller": to.map(|it| names.wallet(it))}))
            }
            _ => return None,
        };
        Some(request)
    }

    fn setting(&self, names: &Names) -> Request {
        let reseller = |wallet: usize| format!("/v1/resellers/{}", names.wallet(wallet));
        let product = |place: usize| format!("/v1/products/{}", names.product(place));
        match self.action {
            Action::SetTier { wallet, tier } => Request::patch(reseller(wallet), json!({"tier": TIERS[tier]})),
            Action::SetHold { wallet, hold } => Request::patch(reseller(wallet), json!({"hold_provisioning": hold})),
            Action::SetThreshold { wallet, threshold } => {
                Request::patch(reseller(wallet), json!({"low_credit_threshold": threshold}))
            }
            Action::SetResellerStatus { wallet, status } => {
                let suspended = RESELLER_STATUSES[status] == "suspended";
                let verb = if suspended { "suspend" } else { "activate" };
                Request::plain("POST", format!("{}/{verb}", reseller(wallet)))
            }
            Action::SetPrice { product: place, price } => Request::patch(product(place), json!({"price": price})),
            Action::SetActive { product: place, active } => Request::patch(product(place), json!({"active": active})),
            Action::ReadWallet { wallet } => Request::plain("GET", format!("{}/wallet", reseller(wallet))),
            Action::Verify { wallet } => Request::plain("GET", format!("{}/verify", reseller(wallet))),
            ref other => panic!("{other:?} is not a setting"),
        }
    }
}
