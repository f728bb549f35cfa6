//! The budgets: what operations may cost, and what they do cost, measured over HTTP from what the table reports.
//!
//! Invariant: a budget is stated once, here. The test asserts it, and `make bench` prints it.

mod accounts;
pub mod analytics;
mod licences;

use purser_tests::prelude::*;

/// A measured operation and its bounds: pairs of the cost and the budget. Except for strangers' requests, the costs
/// exclude the call that authenticates.
#[derive(Debug, Clone, PartialEq)]
pub struct Budget {
    pub operation: &'static str,
    /// Round trips to the table.
    pub calls: (u32, u32),
    /// Read capacity units.
    pub rcu: (f64, f64),
    /// Write capacity units.
    pub wcu: (f64, f64),
    /// Password hashes: the cost must equal the budget.
    pub hashes: (u32, u32),
}

impl Budget {
    pub fn is_kept(&self) -> bool {
        let units = self.rcu.0 <= self.rcu.1 && self.wcu.0 <= self.wcu.1;
        self.calls.0 <= self.calls.1 && units && self.hashes.0 == self.hashes.1
    }
}

/// The cost of an answer to an operator with its budget, without the call and the unit that authenticated the request.
fn budget(operation: &'static str, reply: &Reply, calls: u32, rcu: f64, wcu: f64) -> Budget {
    within(operation, reply, (1, 1.0), (calls, rcu, wcu))
}

/// The same for an answer to a reseller, whose wallet is read with the key: its standing costs another unit.
fn by_reseller(operation: &'static str, reply: &Reply, calls: u32, rcu: f64, wcu: f64) -> Budget {
    within(operation, reply, (1, 2.0), (calls, rcu, wcu))
}

/// The same for an answer to anybody, whom nothing authenticates.
fn by_anybody(operation: &'static str, reply: &Reply, calls: u32, rcu: f64, wcu: f64) -> Budget {
    within(operation, reply, (0, 0.0), (calls, rcu, wcu))
}

fn within(operation: &'static str, reply: &Reply, authenticated: (u32, f64), most: (u32, f64, f64)) -> Budget {
    assert!(reply.status < 300, "{operation}: {reply:?}");
    let (spent, (calls, rcu, wcu)) = (reply.cost(), most);
    Budget {
        operation,
        calls: (spent.0 - authenticated.0, calls),
        rcu: (spent.1 - authenticated.1, rcu),
        wcu: (spent.2, wcu),
        hashes: (reply.hashes(), 0),
    }
}

pub async fn measure() -> Vec<Budget> {
    let world = World::new().await;
    let partner = world.partner("gold", 100_000).await;
    let product = world.product(700).await;
    let client = world.client(&partner).await;
    // An operator's API key in the table, so that it is authenticated like others.
    let made = world.operator.post("/v1/api-keys", &json!({"name": "bench"})).await.expect(201);
    let operator = world.operator.with_key(Some(made.text("key")));
    // The first use of a key is noted, as is the next one in five minutes.
    let _noted = operator.get("/v1/products").await.expect(200);
    let mut budgets = writes(&world, &operator, &partner.caller, &partner.refid, &product, &client).await;
    budgets.extend(changes(&world, &operator, &partner).await);
    budgets.extend(bulk(&world, &operator, &partner, &product).await);
    budgets.extend(returns(&world, &operator, &partner, &product).await);
    budgets.extend(licences::measure(&world, &operator, &partner, &product).await);
    budgets.extend(reads(&world, &operator, &partner).await);
    budgets.extend(accounts::measure().await);
    budgets
}

/// The budget per thing, for an answer about `count` things. The round trips are those of the whole answer.
fn each(whole: &Budget, count: u32) -> Budget {
    let share = |(spent, most)| (spent / f64::from(count), most / f64::from(count));
    Budget { rcu: share(whole.rcu), wcu: share(whole.wcu), ..whole.clone() }
}

async fn changes(world: &World, operator: &Caller, partner: &Partner) -> Vec<Budget> {
    let path = format!("/v1/clients/{}", world.client(partner).await);
    let own = &partner.caller;
    let renamed = own.patch(&path, &json!({"name": "Another name"})).await;
    let address = own.patch(&path, &json!({"email": "new@acme.example"})).await;
    let status = own.act(&format!("{path}/activate")).await;
    let again = own.act(&format!("{path}/activate")).await;
    let other = json!({"reseller": world.partner("standard", 0).await.refid});
    let moved = operator.post(&format!("{path}/transfer"), &other).await;
    let deleted = operator.delete(&path).await;
    let mut many = Vec::new();
    for _ in 0..25 {
        many.push(world.client(partner).await);
    }
    let many = json!({"clients": many});
    let many = operator.post("/v1/clients/bulk-delete", &many).await;
    vec![
        by_reseller("change a client", &renamed, 3, 2.0, 5.0),
        // The client is new, so the change is charged as a guess.
        by_reseller("change a client's address", &address, 4, 2.0, 10.0),
        by_reseller("change a client's status", &status, 2, 1.0, 7.0),
        by_reseller("set the status a client already has", &again, 2, 2.0, 0.0),
        budget("move a client to a reseller", &moved, 4, 3.0, 6.0),
        budget("delete a client", &deleted, 2, 1.0, 12.0),
        each(&budget("delete 25 clients, each", &many, 50, 25.0, 300.0), 25),
    ]
}

async fn bulk(world: &World, operator: &Caller, partner: &Partner, product: &str) -> Vec<Budget> {
    world.top_up(&partner.refid, 100_000).await;
    let (mut existing, mut new) = (Vec::new(), Vec::new());
    for _ in 0..25 {
        existing.push(json!(world.client(partner).await));
        new.push(world.new_client());
    }
    let path = "/v1/provisions/bulk";
    let own = &partner.caller;
    let existing = json!({"product": product, "clients": existing});
    let existing = own.post_once(path, "bench-bulk", &existing).await;
    let new = json!({"product": product, "clients": new});
    let new = own.post_once(path, "bench-bulk-new", &new).await;
    let found = format!("/v1/provisions/{}", existing.text("refid"));
    let found = operator.get(&found).await;
    vec![
        each(&budget("bulk provision, 25 existing clients, each", &existing, 2, 25.0, 150.0), 25),
        each(&budget("bulk provision, 25 new clients, each", &new, 2, 25.0, 325.0), 25),
        budget("read a provision of 25", &found, 2, 60.0, 0.0),
    ]
}

async fn returns(world: &World, operator: &Caller, partner: &Partner, product: &str) -> Vec<Budget> {
    world.top_up(&partner.refid, 100_000).await;
    let client = world.client(partner).await;
    let own = &partner.caller;
    let buy = async |quantity: u32| {
        let order = json!({"product": product, "client": client, "quantity": quantity});
        let once = format!("bench-buy-{quantity}");
        let bought = own.post_once("/v1/provisions", &once, &order).await;
        bought.expect(201)
    };
    let refund = async |provision: &Reply, once: &str, body: Value| {
        let path = format!("/v1/provisions/{}/refund", provision.text("refid"));
        operator.post_once(&path, once, &body).await
    };
    let (one, many) = (buy(1).await, buy(51).await);
    let bare = json!({"cost": 20, "description": "Set-up"});
    let bare = own.post_once("/v1/provisions", "bench-bare-2", &bare).await;
    let single = refund(&one, "bench-one", json!({})).await;
    let part = json!({"licences": [many.json["licences"][0]["refid"]]});
    let part = refund(&many, "bench-part", part).await;
    let rest = refund(&many, "bench-rest", json!({})).await;
    let cost = refund(&bare, "bench-cost", json!({})).await;
    let path = format!("/v1/resellers/{}/transfers", partner.refid);
    let to = json!({"to": world.partner("standard", 0).await.refid, "amount": 10});
    let moved = operator.post_once(&path, "bench-transfer", &to).await;
    vec![
        budget("refund a bare cost", &cost, 3, 3.0, 7.0),
        budget("refund one licence", &single, 3, 4.0, 14.0),
        budget("refund one licence of 51", &part, 3, 30.0, 20.0),
        each(&budget("refund the other 50, each", &rest, 4, 50.0, 275.0), 50),
        budget("transfer credits", &moved, 2, 1.5, 10.0),
    ]
}

async fn writes(
    world: &World,
    operator: &Caller,
    reseller: &Caller,
    refid: &str,
    product: &str,
    client: &str,
) -> Vec<Budget> {
    // Ordinary data: two members of metadata, a description of 40 characters, and UUIDs as idempotency keys.
    let mut ordinary = world.new_client();
    ordinary["metadata"] = json!({"segment": "Enterprise", "region": "Northern Europe"});
    let created = reseller.post_once("/v1/clients", "0190a2f4-6b1c-7c3d-8e4f-5a6b7c8d9e01", &ordinary).await;
    let description = "Licences for the accounting department 1";
    let existing = json!({"product": product, "client": client, "description": description});
    let existing = reseller.post_once("/v1/provisions", "0190a2f4-6b1c-7c3d-8e4f-5a6b7c8d9e02", &existing).await;
    let mut ordinary = world.new_client();
    ordinary["metadata"] = json!({"segment": "Enterprise", "region": "Northern Europe"});
    let new = json!({"product": product, "client": ordinary, "description": description});
    let new = reseller.post_once("/v1/provisions", "0190a2f4-6b1c-7c3d-8e4f-5a6b7c8d9e03", &new).await;
    let bare = json!({"cost": 20, "description": description});
    let bare = reseller.post_once("/v1/provisions", "bench-bare", &bare).await;
    let credits = format!("/v1/resellers/{refid}/credits");
    let plain = operator.post_once(&credits, "bench-credits", &json!({"amount": 500})).await;
    let named = json!({"amount": 500, "reference": "INV-1", "description": "Invoice 1"});
    let named = operator.post_once(&credits, "bench-named", &named).await;
    let repeated = operator.post_once(&credits, "bench-credits", &json!({"amount": 500})).await;
    vec![
        by_reseller("create client (with idempotency key)", &created, 2, 1.5, 9.0),
        by_reseller("provision one licence, existing client", &existing, 2, 2.0, 12.0),
        by_reseller("provision one licence, new client", &new, 2, 2.0, 19.0),
        by_reseller("provision a bare cost", &bare, 2, 1.0, 5.0),
        budget("add credits", &plain, 2, 1.0, 6.0),
        budget("add credits with a reference", &named, 2, 1.5, 7.0),
        budget("repeat an earlier command", &repeated, 1, 1.0, 0.0),
    ]
}

/// Of the first three pages, the one with the fewest calls. About one page in forty needs a second round of queries,
/// because one shard happens to hold much of it; that all three do is very unlikely.
async fn usual_page(operator: &Caller, list: &str) -> Reply {
    let mut pages = vec![operator.get(list).await];
    for _ in 0..2 {
        let cursor = pages.last().map(|page| page.text("next_cursor"));
        let next = format!("{list}?cursor={}", cursor.unwrap_or_default());
        pages.push(operator.get(&next).await);
    }
    pages.into_iter().min_by_key(|page| page.cost().0).expect("three pages")
}

async fn reads(world: &World, operator: &Caller, partner: &Partner) -> Vec<Budget> {
    for _ in 0..75 {
        let _client = world.client(partner).await;
    }
    let own = partner.caller.get("/v1/clients").await;
    let all = usual_page(operator, "/v1/clients").await;
    world.system().settle().await;
    let own_found = partner.caller.get("/v1/clients?q=client").await;
    let all_found = operator.get("/v1/clients?q=client").await;
    let wallet = partner.caller.get(&format!("/v1/resellers/{}/wallet", partner.refid)).await;
    let entries = partner.caller.get(&format!("/v1/resellers/{}/entries", partner.refid)).await;
    // A request that a reseller may never make is refused after reading its API key and wallet only.
    let refused = partner.caller.post("/v1/resellers", &json!({})).await.refused(403, "forbidden");
    let (calls, rcu, wcu) = refused.cost();
    let authenticated = Budget {
        operation: "authenticate a request, with its standing",
        calls: (calls, 1),
        rcu: (rcu, 2.0),
        wcu: (wcu, 0.0),
        hashes: (refused.hashes(), 0),
    };
    vec![
        authenticated,
        by_reseller("a wallet", &wallet, 1, 1.0, 0.0),
        by_reseller("a reseller's page of 25 clients", &own, 1, 4.0, 0.0),
        budget("an operator's page of 25 clients", &all, 8, 32.0, 0.0),
        by_reseller("a reseller's page of 25 clients, searched", &own_found, 4, 17.0, 0.0),
        budget("an operator's page of 25 clients, searched", &all_found, 26, 36.0, 0.0),
        by_reseller("a page of a wallet's entries", &entries, 1, 4.0, 0.0),
    ]
}
