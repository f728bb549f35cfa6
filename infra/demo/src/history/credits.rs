//! The money side of a history: when and from where resellers add credits.

use http::Method;
use jiff::tz::TimeZone;
use serde_json::json;

use super::market::Act;
use super::{History, HistoryError, number};

impl History {
    /// Adds the reseller's usual amount of credits, or `least` rounded up to the next 500 if that is more. The parent
    /// reseller transfers them if it may trade and has more than twice as many; otherwise an operator adds them.
    pub(super) async fn top_up(&mut self, place: usize, least: u64) -> Result<(), HistoryError> {
        let Some(partner) = self.partners.get_mut(place) else {
            return Ok(());
        };
        partner.waits = false;
        let Some(account) = partner.account.clone() else {
            return Ok(());
        };
        let amount = partner.top_up.max(least.div_ceil(500) * 500);
        let parent = partner.parent;
        let rich = |place: &usize| {
            let parent = self.partners.get(*place);
            parent.is_some_and(|it| it.trades().is_some() && it.balance > 2 * amount)
        };
        if let Some(parent) = parent.filter(rich) {
            return self.hand_down(parent, place, amount).await;
        }
        self.invoices += 1;
        let year = self.door.now().to_zoned(TimeZone::UTC).year();
        let path = format!("/v1/resellers/{}/credits", account.refid);
        let body = json!({"amount": amount, "reference": format!("INV-{year}-{:05}", self.invoices)});
        let entry = self.door.operate(Method::POST, &path, &body).await?;
        self.stands_at(place, number(&entry, "/balance_after")?);
        Ok(())
    }

    async fn hand_down(&mut self, from: usize, to: usize, amount: u64) -> Result<(), HistoryError> {
        let account = |place: usize| self.partners.get(place)?.account.clone();
        let (Some(giver), Some(taker)) = (account(from), account(to)) else {
            return Ok(());
        };
        let path = format!("/v1/resellers/{}/transfers", giver.refid);
        let body = json!({"to": taker.refid, "amount": amount, "description": "For the next weeks"});
        let entry = self.door.ask(&giver.key, Method::POST, &path, &body).await?;
        self.stands_at(from, number(&entry, "/balance_after")?);
        if let Some(taker) = self.partners.get_mut(to) {
            taker.balance += amount;
        }
        Ok(())
    }

    /// Records a reseller's balance, and schedules a top-up when the balance has fallen below its reserve.
    pub(super) fn stands_at(&mut self, place: usize, balance: u64) {
        let Some(partner) = self.partners.get_mut(place) else {
            return;
        };
        partner.balance = balance;
        if balance < partner.reserve && !partner.waits {
            partner.waits = true;
            let slow = partner.slow;
            self.after(0..=slow, Act::TopUp(place));
        }
    }
}
