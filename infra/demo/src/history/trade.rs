//! What resellers do in a history, and what they sell.

use http::Method;
use jiff::SignedDuration;
use serde_json::{Map, Value, json};

use super::door::Sale;
use super::market::{Account, Act, OF_THE_DEMO, OFFERS, Offer};
use super::names::one;
use super::{History, HistoryError, number, part, text};

/// Descriptions of purchases without a product, which pay for work.
const WORK: [&str; 4] = ["Set-up by phone", "Training, half a day", "Migration of old licences", "Workshop"];

impl History {
    /// Schedules everything that is not a consequence of something else.
    pub(super) async fn begin(&mut self) -> Result<(), HistoryError> {
        let system = self.door.system();
        let made = crate::ensure(system.app(), system.folder()).await?;
        let account = Account { refid: made.reseller.to_string(), key: made.api_key };
        let path = format!("/v1/resellers/{}/wallet", account.refid);
        let wallet = self.door.operate(Method::GET, &path, &Value::Null).await?;
        if let Some(own) = self.partners.first_mut() {
            own.balance = number(&wallet, "/balance")?;
            own.account = Some(account);
        }
        for (place, offer) in OFFERS.iter().enumerate().skip(OF_THE_DEMO) {
            let at = self.start + self.part(offer.from);
            self.agenda.insert((at, Act::Launch(place)));
        }
        let at = self.start + self.part(60);
        self.agenda.insert((at, Act::Reprice(OF_THE_DEMO)));
        for place in 1..self.partners.len() {
            // A third of the resellers come within the first twelfth of the history; the others are spread over it
            // like clients.
            let moment = if place * 3 < self.partners.len() {
                let days = self.plan.days / 12;
                let days = self.rng.u32(..=days);
                super::later(self.start, days, &mut self.rng)
            } else {
                self.calendar.moment(&mut self.rng)
            };
            self.agenda.insert((moment, Act::Onboard(place)));
        }
        let mut left = self.plan.clients;
        while left > 0 {
            // In 8 of 100 cases, 4 to 20 clients come at once: about half of all clients.
            let count = if self.happens(8) { self.rng.u32(4..=20) } else { 1 };
            let count = count.min(left);
            left -= count;
            let moment = self.calendar.moment(&mut self.rng).max(self.start);
            // The calendar's last day ends at midnight, but the history ends at `until`, which is earlier.
            let moment = moment.min(self.plan.until);
            self.agenda.insert((moment, Act::Win(count, left)));
        }
        self.prospects(0);
        Ok(())
    }

    fn part(&self, percent: u32) -> SignedDuration {
        self.plan.until.duration_since(self.start) / 100 * i32::try_from(percent).unwrap_or(100)
    }

    /// Schedules what a reseller that has just been onboarded will do later.
    fn prospects(&mut self, place: usize) {
        self.after(0..=30, Act::Work(place));
        if self.happens(30) {
            self.after(120..=420, Act::Upgrade(place));
        }
        if place > 0 && self.happens(6) {
            self.after(60..=400, Act::Pause(place));
        }
    }

    pub(super) async fn launch(&mut self, place: usize) -> Result<(), HistoryError> {
        let Some(offer) = OFFERS.get(place) else {
            return Ok(());
        };
        let body = json!({
            "reference": offer.reference, "name": offer.name, "price": offer.price, "tiers": offer.tiers,
            "term": offer.term, "parallel_uses": offer.uses,
        });
        self.door.operate(Method::POST, "/v1/products", &body).await?;
        Ok(())
    }

    /// Raises the price of an offer by a tenth.
    pub(super) async fn reprice(&mut self, place: usize) -> Result<(), HistoryError> {
        let Some(offer) = OFFERS.get(place) else {
            return Ok(());
        };
        let path = format!("/v1/products/{}", offer.reference);
        let body = json!({"price": offer.price + offer.price / 10});
        self.door.operate(Method::PATCH, &path, &body).await?;
        Ok(())
    }

    pub(super) async fn onboard(&mut self, place: usize) -> Result<(), HistoryError> {
        let (company, email) = self.names.reseller(&mut self.rng);
        let there = |it: &usize| self.partners.get(*it).is_some_and(|it| it.account.is_some());
        // A reseller whose intended parent has not been onboarded yet gets no parent.
        let parent = self.partners.get(place).and_then(|it| it.parent).filter(there);
        if let Some(partner) = self.partners.get_mut(place) {
            partner.parent = parent;
        }
        let Some(partner) = self.partners.get(place) else {
            return Ok(());
        };
        let parent = partner.parent.and_then(|it| self.partners.get(it));
        let parent = parent.and_then(|it| it.account.as_ref());
        let mut body = Map::new();
        body.insert("company_name".into(), company.into());
        body.insert("email".into(), email.into());
        body.insert("tier".into(), json!(partner.tier));
        if let Some(parent) = parent {
            body.insert("parent".into(), parent.refid.clone().into());
        }
        if partner.top_up > 20_000 {
            body.insert("low_credit_threshold".into(), 2_000.into());
        }
        let made = self.door.operate(Method::POST, "/v1/resellers", &body.into()).await?;
        let refid = text(&made, "/refid")?;
        let body = json!({"reseller": refid, "name": "Shop"});
        let made = self.door.operate(Method::POST, "/v1/api-keys", &body).await?;
        let key = text(&made, "/key")?;
        if let Some(partner) = self.partners.get_mut(place) {
            partner.account = Some(Account { refid, key });
            partner.waits = true;
        }
        self.after(0..=0, Act::TopUp(place));
        self.prospects(place);
        Ok(())
    }

    pub(super) async fn upgrade(&mut self, place: usize) -> Result<(), HistoryError> {
        let Some(partner) = self.partners.get_mut(place) else {
            return Ok(());
        };
        let Some(next) = partner.tier.above() else {
            return Ok(());
        };
        partner.tier = next;
        let Some(account) = &partner.account else {
            return Ok(());
        };
        let path = format!("/v1/resellers/{}", account.refid);
        let body = json!({"tier": next});
        self.door.operate(Method::PATCH, &path, &body).await?;
        Ok(())
    }

    /// Activates (`open`) or suspends a reseller.
    pub(super) async fn open(&mut self, place: usize, open: bool) -> Result<(), HistoryError> {
        let Some(partner) = self.partners.get_mut(place) else {
            return Ok(());
        };
        partner.open = open;
        let Some(account) = &partner.account else {
            return Ok(());
        };
        let act = if open { "activate" } else { "suspend" };
        let path = format!("/v1/resellers/{}/{act}", account.refid);
        self.door.operate(Method::POST, &path, &Value::Null).await?;
        if !open {
            self.after(7..=40, Act::Resume(place));
        }
        Ok(())
    }

    pub(super) async fn work(&mut self, place: usize) -> Result<(), HistoryError> {
        self.after(30..=120, Act::Work(place));
        let description = one(&mut self.rng, &WORK);
        let cost = self.rng.u64(2..=16) * 25;
        let body = json!({"cost": cost, "description": description});
        self.purchase(place, "/v1/provisions", &body).await?;
        Ok(())
    }

    /// Creates `count` clients, of one reseller or of none, most of them by selling them a product.
    pub(super) async fn win(&mut self, count: u32) -> Result<(), HistoryError> {
        let seller = if self.happens(14) { None } else { self.seller() };
        let Some(seller) = seller else {
            for _ in 0..count {
                Box::pin(self.register(None)).await?;
            }
            return Ok(());
        };
        if count > 1 {
            return self.sell_to_many(seller, count).await;
        }
        if self.happens(12) {
            let client = Box::pin(self.register(Some(seller))).await?;
            self.after(0..=14, Act::Buy(client));
            return Ok(());
        }
        let client = self.names.client(&mut self.rng);
        let product = self.product(seller);
        let body = json!({"product": product, "client": client});
        if let Some(sold) = self.purchase(seller, "/v1/provisions", &body).await? {
            let sale = (text(&sold, "/refid")?, seller);
            let client = self.came(part(&sold, "/client")?, Some(seller), Some(sale))?;
            self.sold_to(client);
        }
        Ok(())
    }

    async fn sell_to_many(&mut self, seller: usize, count: u32) -> Result<(), HistoryError> {
        let clients = (0..count).map(|_| self.names.client(&mut self.rng));
        let clients: Vec<Value> = clients.collect();
        let body = json!({"product": self.product(seller), "clients": clients});
        let sold = self.purchase(seller, "/v1/provisions/bulk", &body).await?;
        let results = sold.as_ref().and_then(|sold| sold.get("results")?.as_array());
        for result in results.into_iter().flatten() {
            let client = self.came(part(result, "/client")?, Some(seller), None)?;
            self.sold_to(client);
        }
        Ok(())
    }

    /// Schedules later purchases: half of the clients renew after a year, and some buy again before that.
    fn sold_to(&mut self, client: usize) {
        if self.happens(50) {
            self.after(350..=370, Act::Buy(client));
        }
        if self.happens(12) {
            self.after(10..=300, Act::Buy(client));
        }
    }

    pub(super) async fn buy(&mut self, place: usize) -> Result<(), HistoryError> {
        let Some(client) = self.present(place) else {
            return Ok(());
        };
        let (refid, Some(seller)) = (client.refid.clone(), client.owner) else {
            return Ok(());
        };
        let quantity = if self.happens(20) { self.rng.u32(2..=5) } else { 1 };
        let body = json!({"product": self.product(seller), "client": refid, "quantity": quantity});
        self.purchase(seller, "/v1/provisions", &body).await?;
        Ok(())
    }

    /// Makes a purchase as a reseller, topping up its wallet first if credits are short. None if the reseller may not
    /// trade.
    async fn purchase(&mut self, place: usize, path: &str, body: &Value) -> Result<Option<Value>, HistoryError> {
        let account = self.partners.get(place).and_then(|it| it.trades().cloned());
        let Some(Account { key, .. }) = account else {
            return Ok(None);
        };
        let sold = match self.door.buy(&key, path, body).await? {
            Sale::Made(sold) => sold,
            Sale::RanDry { required } => {
                Box::pin(self.top_up(place, required)).await?;
                // A hold is lifted by the consumer of the top-up's event, so wait until that has run.
                self.door.system().settle().await;
                self.door.ask(&key, Method::POST, path, body).await?
            }
        };
        self.stands_at(place, number(&sold, "/balance")?);
        Ok(Some(sold))
    }

    pub(super) async fn refund(&mut self, place: usize) -> Result<(), HistoryError> {
        let sale = self.clients.get_mut(place).and_then(|it| it.sale.take());
        let (Some((refid, seller)), Some(_)) = (sale, self.present(place)) else {
            return Ok(());
        };
        let path = format!("/v1/provisions/{refid}/refund");
        let body = json!({"description": "Not what was needed"});
        let answer = self.door.operate(Method::POST, &path, &body).await?;
        self.stands_at(seller, number(&answer, "/refunds/0/balance_after")?);
        Ok(())
    }

    /// Draws a reseller among those that may trade; big ones are more likely.
    pub(super) fn seller(&mut self) -> Option<usize> {
        let trading = self.partners.iter().enumerate();
        let trading = trading.filter(|(_, it)| it.trades().is_some());
        let weights: Vec<(usize, u64)> = trading.map(|(place, it)| (place, it.weight)).collect();
        self.weighed(&weights)
    }

    /// Draws the reference of a product that the reseller's tier may sell; popular ones are more likely.
    fn product(&mut self, seller: usize) -> Option<&'static str> {
        let tier = self.partners.get(seller).map(|it| it.tier);
        let gone = self.door.now().duration_since(self.start);
        let sold = |offer: &Offer| {
            let tiers = offer.tiers.zip(tier);
            gone >= self.part(offer.from) && tiers.is_none_or(|(tiers, tier)| tiers.contains(&tier))
        };
        let offers = OFFERS.iter().filter(|offer| sold(offer));
        let weights: Vec<_> = offers.map(|it| (it.reference, it.share)).collect();
        self.weighed(&weights)
    }

    fn weighed<T: Copy>(&mut self, weights: &[(T, u64)]) -> Option<T> {
        let all: u64 = weights.iter().map(|(_, weight)| weight).sum();
        let mut drawn = if all == 0 { 0 } else { self.rng.u64(..all) };
        for (one, weight) in weights {
            if drawn < *weight {
                return Some(*one);
            }
            drawn -= weight;
        }
        None
    }
}
