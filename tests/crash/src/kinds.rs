//! The kinds of commands that callers send. A new kind needs only a line in this table.
//!
//! Invariant: the right answer to each command depends only on what its own caller knows, and on the balance. So the
//! answer can be checked.
#![expect(
    clippy::unnecessary_wraps,
    reason = "all kinds share one signature, although some of them can always be drafted"
)]

use serde_json::{Value, json};

use super::author::Author;
use super::history::{By, Wanted};
use super::purchase::Purchase;

pub struct Kind {
    pub name: &'static str,
    pub weight: u32,
    /// Drafts a command. `None` if nothing exists yet that it could be about.
    pub draft: fn(&mut Author, id: &str) -> Option<Draft>,
}

/// A command without its id and kind.
pub struct Draft {
    pub by: By,
    pub method: &'static str,
    pub path: String,
    /// Whether the request carries an idempotency key.
    pub keyed: bool,
    pub body: Value,
    pub wanted: Wanted,
}

pub const POOR: (u16, &str) = (402, "insufficient_credits");

/// The kind of a refund of a purchase whose answer was lost. It is not in the table, because only a kill loses an
/// answer.
pub const UNSEEN: &str = "refund of an unseen purchase";

pub const KINDS: &[Kind] = &[
    kind("credit", 4, credit),
    kind("credit with a reference", 4, credit_with_reference),
    kind("repeated reference", 2, reference_again),
    kind("reference with another amount", 1, reference_reused),
    kind("bare cost", 5, bare_cost),
    kind("cost beyond the balance", 2, too_dear),
    kind("product for a new client", 5, for_new_client),
    kind("product for a client", 5, for_client),
    kind("product for a taken address", 2, for_taken_address),
    kind("bulk", 4, bulk),
    kind("refund", 3, refund),
    kind("refund of licences", 4, refund_of_licences),
    kind("repeated refund", 2, refund_again),
    kind("refund of an unknown purchase", 1, refund_of_nothing),
    kind("transfer", 4, transfer),
    kind("transfer to a child", 4, transfer_below),
    kind("transfer to a reseller that is no child", 1, transfer_elsewhere),
    kind("transfer beyond the balance", 1, transfer_of_too_much),
    kind("new client", 4, new_client),
    kind("renamed client", 4, renamed),
    kind("next status of a client", 4, next_status),
];

const fn kind(name: &'static str, weight: u32, draft: fn(&mut Author, id: &str) -> Option<Draft>) -> Kind {
    Kind { name, weight, draft }
}

fn credits(author: &Author, body: Value, wanted: Wanted) -> Draft {
    Draft {
        by: By::Operator,
        method: "POST",
        path: format!("/v1/resellers/{}/credits", author.partner.refid),
        keyed: true,
        body,
        wanted,
    }
}

fn purchase(path: &str, body: Value, wanted: Wanted) -> Draft {
    Draft { by: By::Reseller, method: "POST", path: path.to_owned(), keyed: true, body, wanted }
}

fn credit(author: &mut Author, id: &str) -> Option<Draft> {
    let amount = author.random.u64(200..=1_200);
    let body = json!({"amount": amount, "description": id});
    Some(credits(author, body, Wanted::Entry))
}

fn credit_with_reference(author: &mut Author, id: &str) -> Option<Draft> {
    let amount = author.random.u64(200..=1_200);
    let body = json!({"amount": amount, "reference": format!("INV-{id}"), "description": id});
    Some(credits(author, body, Wanted::Entry))
}

fn reference_again(author: &mut Author, _id: &str) -> Option<Draft> {
    let (first, body) = author.a_top_up()?;
    Some(credits(author, body, Wanted::EntryOf(first)))
}

fn reference_reused(author: &mut Author, id: &str) -> Option<Draft> {
    let (_, mut body) = author.a_top_up()?;
    body["amount"] = json!(body["amount"].as_u64()? + 1);
    body["description"] = json!(id);
    let refused = Wanted::Refusal(&[(409, "reference_reused")]);
    Some(credits(author, body, refused))
}

fn bare_cost(author: &mut Author, id: &str) -> Option<Draft> {
    let cost = author.random.u64(10..=400);
    let body = json!({"cost": cost, "description": id});
    Some(purchase("/v1/provisions", body, Wanted::Entry))
}

fn too_dear(_author: &mut Author, id: &str) -> Option<Draft> {
    let body = json!({"cost": 1_000_000_000_000_u64, "description": id});
    let refused = Wanted::Refusal(&[POOR]);
    Some(purchase("/v1/provisions", body, refused))
}

fn for_new_client(author: &mut Author, id: &str) -> Option<Draft> {
    let quantity = author.random.u64(1..=3);
    let client = author.stranger(id, 0);
    let body = json!({"product": author.product, "quantity": quantity, "client": client, "description": id});
    Some(purchase("/v1/provisions", body, Wanted::Entry))
}

fn for_client(author: &mut Author, id: &str) -> Option<Draft> {
    let client = author.a_client()?.refid;
    let body = json!({"product": author.product, "client": client, "description": id});
    Some(purchase("/v1/provisions", body, Wanted::Entry))
}

fn for_taken_address(author: &mut Author, id: &str) -> Option<Draft> {
    let mut client = author.stranger(id, 0);
    client["email"] = json!(author.a_client()?.email);
    let body = json!({"product": author.product, "client": client, "description": id});
    let refused = Wanted::Refusal(&[(409, "duplicate_email"), POOR]);
    Some(purchase("/v1/provisions", body, refused))
}

fn bulk(author: &mut Author, id: &str) -> Option<Draft> {
    let known = author.some_clients(3);
    let known = known.into_iter().map(|client| json!(client.refid));
    let strangers = (0..author.random.usize(1..=3)).map(|place| author.stranger(id, place));
    let clients: Vec<Value> = known.chain(strangers).collect();
    let body = json!({"product": author.product, "clients": clients, "description": id});
    Some(purchase("/v1/provisions/bulk", body, Wanted::Entry))
}

/// The refund of everything that is left of a purchase.
pub fn refund_of(purchase: &Purchase, id: &str) -> Draft {
    let body = json!({"description": id});
    let wanted = Wanted::Refund(purchase.rest());
    give_back(&purchase.refid, body, wanted)
}

fn give_back(purchase: &str, body: Value, wanted: Wanted) -> Draft {
    Draft {
        by: By::Operator,
        method: "POST",
        path: format!("/v1/provisions/{purchase}/refund"),
        keyed: true,
        body,
        wanted,
    }
}

fn refund(author: &mut Author, id: &str) -> Option<Draft> {
    let purchase = author.a_purchase(|it| it.left > 0)?;
    Some(refund_of(&purchase, id))
}

fn refund_of_licences(author: &mut Author, id: &str) -> Option<Draft> {
    let purchase = author.a_purchase(|it| !it.open.is_empty())?;
    let count = author.random.usize(1..=purchase.open.len());
    let open = purchase.open.iter().cloned();
    let licences = author.random.choose_multiple(open, count);
    let body = json!({"licences": licences, "description": id});
    let refund = purchase.part(licences);
    Some(give_back(&purchase.refid, body, Wanted::Refund(refund)))
}

/// Refunds a whole purchase again if nothing is left of it. Otherwise, refunds all that is left and one refunded
/// licence again.
fn refund_again(author: &mut Author, id: &str) -> Option<Draft> {
    let purchase = author.a_purchase(|it| it.left == 0 || !it.ended.is_empty())?;
    let mut body = json!({"description": id});
    if purchase.left > 0 {
        let again = author.random.choice(&purchase.ended);
        body["licences"] = purchase.open.iter().chain(again).cloned().collect();
    }
    let refused = Wanted::Refusal(&[(409, "already_refunded")]);
    Some(give_back(&purchase.refid, body, refused))
}

fn refund_of_nothing(_author: &mut Author, id: &str) -> Option<Draft> {
    let body = json!({"description": id});
    let refused = Wanted::Refusal(&[(404, "not_found")]);
    Some(give_back("PV-0000000000000000", body, refused))
}

fn send(author: &Author, by: By, body: Value, wanted: Wanted) -> Draft {
    Draft {
        by,
        method: "POST",
        path: format!("/v1/resellers/{}/transfers", author.partner.refid),
        keyed: true,
        body,
        wanted,
    }
}

fn transfer(author: &mut Author, id: &str) -> Option<Draft> {
    let to = author.a_neighbour(|_| true)?;
    let amount = author.random.u64(10..=400);
    let body = json!({"to": to, "amount": amount, "description": id});
    Some(send(author, By::Operator, body, Wanted::TransferTo(to)))
}

fn transfer_below(author: &mut Author, id: &str) -> Option<Draft> {
    let to = author.a_neighbour(|it| it.below)?;
    let amount = author.random.u64(10..=400);
    let body = json!({"to": to, "amount": amount, "description": id});
    Some(send(author, By::Reseller, body, Wanted::TransferTo(to)))
}

fn transfer_elsewhere(author: &mut Author, id: &str) -> Option<Draft> {
    let to = author.a_neighbour(|it| !it.below)?;
    let body = json!({"to": to, "amount": 1, "description": id});
    let refused = Wanted::Refusal(&[(422, "invalid_reseller")]);
    Some(send(author, By::Reseller, body, refused))
}

fn transfer_of_too_much(author: &mut Author, id: &str) -> Option<Draft> {
    let to = author.a_neighbour(|_| true)?;
    let body = json!({"to": to, "amount": 1_000_000_000_000_u64, "description": id});
    let refused = Wanted::Refusal(&[POOR]);
    Some(send(author, By::Operator, body, refused))
}

fn new_client(author: &mut Author, id: &str) -> Option<Draft> {
    let body = author.stranger(id, 0);
    Some(purchase("/v1/clients", body, Wanted::Client))
}

fn renamed(author: &mut Author, id: &str) -> Option<Draft> {
    let client = author.a_client()?.refid;
    Some(Draft {
        by: By::Reseller,
        method: "PATCH",
        path: format!("/v1/clients/{client}"),
        keyed: false,
        body: json!({"name": id, "metadata": {"by": id}}),
        wanted: Wanted::Change,
    })
}

/// Activates a client once and suspends it once, so that no two e-mails about its status are alike.
fn next_status(author: &mut Author, _id: &str) -> Option<Draft> {
    let client = author.a_client()?;
    let action = match client.status.as_str() {
        "pending" => "activate",
        "active" => "suspend",
        _ => return None,
    };
    Some(Draft {
        by: By::Reseller,
        method: "POST",
        path: format!("/v1/clients/{}/{action}", client.refid),
        keyed: false,
        body: Value::Null,
        wanted: Wanted::Change,
    })
}
