//! The resellers, clients and orders of a load test, and what must be true of them afterwards.

use purser_crash::history::licences;
use purser_tests::prelude::*;

use super::{Order, Part};

/// More credits than any load test spends.
const CREDITS: u64 = 1_000_000_000;
/// What a licence of the product costs a reseller of the standard tier, in credits.
const PRICE: u64 = 7;
/// The number of purchases whose licences are read again.
const SAMPLE: usize = 50;
pub const BULK: usize = 32;

pub struct Shop {
    operator: Caller,
    partner: Partner,
    url: String,
    clients: Vec<String>,
}

impl Shop {
    /// Creates a reseller with this many clients, and with more credits than it will spend.
    pub async fn open(operator: &Caller, url: &str, name: &str, clients: usize) -> Self {
        let body = json!({
            "company_name": name, "email": format!("{name}@reseller.example"), "tier": "standard",
        });
        let made = operator.post("/v1/resellers", &body).await.expect(201);
        let refid = made.text("refid").to_owned();
        let path = format!("/v1/resellers/{refid}/credits");
        let credit = json!({"amount": CREDITS});
        let _entry = operator.post_once(&path, name, &credit).await.expect(201);
        let body = json!({"reseller": refid, "name": "load"});
        let key = operator.post("/v1/api-keys", &body).await.expect(201);
        let partner = Partner { caller: operator.with_key(Some(key.text("key"))), refid };
        let mut shop = Self { operator: operator.clone(), partner, url: url.to_owned(), clients: Vec::new() };
        for place in 0..clients {
            let body = json!({"name": "A client", "email": format!("{name}-{place}@client.example")});
            let made = shop.partner.caller.post("/v1/clients", &body).await;
            shop.clients.push(made.expect(201).text("refid").to_owned());
        }
        shop
    }

    /// Creates the product that all shops sell.
    pub async fn stock(operator: &Caller) {
        let body = json!({"reference": "PROD-1", "name": "A product", "price": PRICE, "term": "P1Y"});
        let _product = operator.post("/v1/products", &body).await.expect(201);
    }

    /// The purchase of a licence for one of the shop's clients; `place` wraps around.
    pub fn single(&self, place: usize) -> Order {
        let client = self.clients.iter().cycle().nth(place);
        let body = json!({"product": "PROD-1", "client": client});
        self.order("/v1/provisions", &body)
    }

    pub fn bulk(&self) -> Order {
        let body = json!({"product": "PROD-1", "clients": self.clients});
        self.order("/v1/provisions/bulk", &body)
    }

    fn order(&self, path: &str, body: &Value) -> Order {
        Order {
            url: format!("{}{path}", self.url),
            key: self.partner.caller.key().unwrap_or_default().to_owned(),
            body: body.to_string(),
        }
    }

    /// The number of purchases in the ledger, and the credits spent. Fails unless the API verifies the ledger as
    /// intact.
    async fn books(&self) -> Result<(u64, u64), String> {
        let path = format!("/v1/resellers/{}", self.partner.refid);
        let verified = self.operator.get(&format!("{path}/verify")).await;
        let verified = verified.expect(200).json;
        let wallet = self.operator.get(&format!("{path}/wallet")).await;
        let wallet = wallet.expect(200);
        let entries = wallet.number("sequence");
        if verified != json!({"intact": true, "entries": entries, "breaks": []}) {
            return Err(format!("{path}/verify answered {verified}"));
        }
        // The first entry is the top-up.
        Ok((entries - 1, CREDITS - wallet.number("balance")))
    }
}

/// Checks the answers against the ledgers of all shops: each purchase has an entry, and each licence was paid for and
/// exists once. Returns the number of licences sold.
pub async fn sold(part: &Part, shops: &[Shop]) -> Result<usize, String> {
    let mut refids = BTreeSet::new();
    let (mut count, mut purchases) = (0, Vec::new());
    for heard in part.done() {
        let provision: Value = serde_json::from_slice(&heard.body).map_err(|error| error.to_string())?;
        let minted = licences(&provision);
        count += minted.len();
        refids.extend(minted.into_iter().map(ToOwned::to_owned));
        purchases.push(provision);
    }
    let (mut entries, mut spent) = (0, 0);
    for shop in shops {
        let (more, cost) = shop.books().await?;
        entries += more;
        spent += cost;
    }
    let told = (purchases.len() as u64, count as u64 * PRICE);
    // A purchase that was answered with 429 or 503 may have been done all the same, because its caller did not repeat
    // it.
    let all_told = part.by_status().keys().all(|status| *status == 201);
    let agrees = if all_told { (entries, spent) == told } else { entries >= told.0 && spent >= told.1 };
    if refids.len() != count || !agrees {
        let different = refids.len();
        return Err(format!(
            "{count} licences, of which {different} differ; by the answers, (purchases, cost) are {told:?}, but by \
            the ledgers {:?}",
            (entries, spent)
        ));
    }
    let step = purchases.len().div_ceil(SAMPLE).max(1);
    for purchase in purchases.iter().step_by(step) {
        let refid = purchase["refid"].as_str().unwrap_or_default();
        let Some(shop) = shops.first() else { break };
        let kept = shop.operator.get(&format!("/v1/provisions/{refid}")).await;
        if licences(&kept.json) != licences(purchase) {
            return Err(format!("{refid}, read again, is {}", kept.json));
        }
    }
    Ok(count)
}
