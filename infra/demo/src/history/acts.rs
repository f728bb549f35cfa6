//! What happens to clients in a history.

use http::Method;
use purser_domain::parties::ClientStatus;
use serde_json::{Value, json};

use super::market::{Act, Client};
use super::{History, HistoryError, part, text};

/// A month in days, roughly: the unit in which a client's life is scheduled.
const MONTH: u32 = 30;

impl History {
    /// Performs `act`, unless an earlier act has made it impossible.
    pub(super) async fn perform(&mut self, act: Act) -> Result<(), HistoryError> {
        match act {
            Act::Launch(offer) => self.launch(offer).await,
            Act::Reprice(offer) => self.reprice(offer).await,
            Act::Onboard(partner) => self.onboard(partner).await,
            Act::TopUp(partner) => self.top_up(partner, 0).await,
            Act::Upgrade(partner) => self.upgrade(partner).await,
            Act::Pause(partner) => self.open(partner, false).await,
            Act::Resume(partner) => self.open(partner, true).await,
            Act::Work(partner) => self.work(partner).await,
            Act::Win(count, _) => self.win(count).await,
            Act::Buy(client) => self.buy(client).await,
            Act::Refund(client) => self.refund(client).await,
            Act::Activate(client) => self.turn(client, ClientStatus::Active).await,
            Act::Suspend(client) => self.turn(client, ClientStatus::Suspended).await,
            Act::Deactivate(client) => self.turn(client, ClientStatus::Inactive).await,
            Act::Edit(client) => self.edit(client).await,
            Act::Move(client) => self.move_away(client).await,
            Act::Delete(client) => self.delete(client).await,
        }
    }

    pub(super) async fn register(&mut self, owner: Option<usize>) -> Result<usize, HistoryError> {
        let body = self.names.client(&mut self.rng);
        let account = owner.and_then(|owner| self.partners.get(owner)?.account.clone());
        let path = "/v1/clients";
        let made = match account {
            Some(account) => self.door.ask(&account.key, Method::POST, path, &body).await?,
            None => self.door.operate(Method::POST, path, &body).await?,
        };
        self.came(&made, owner, None)
    }

    /// Records a new client and schedules what will happen to it.
    pub(super) fn came(
        &mut self,
        client: &Value,
        owner: Option<usize>,
        sale: Option<(String, usize)>,
    ) -> Result<usize, HistoryError> {
        let status: ClientStatus = serde_json::from_value(part(client, "/status")?.clone())?;
        let place = self.clients.len();
        self.clients.push(Client { refid: text(client, "/refid")?, owner, status: Some(status), sale });
        match self.rng.u32(..100) {
            0..4 => {}
            4..8 => self.after(10..=40, Act::Deactivate(place)),
            _ if status == ClientStatus::Pending => self.after(0..=4, Act::Activate(place)),
            _ => {}
        }
        if self.happens(2) {
            self.after(1..=14, Act::Refund(place));
        }
        if self.happens(7) {
            self.after(MONTH..=10 * MONTH, Act::Suspend(place));
        }
        if self.happens(9) {
            self.after(2 * MONTH..=16 * MONTH, Act::Deactivate(place));
        }
        if self.happens(6) {
            self.after(3..=300, Act::Edit(place));
        }
        if self.happens(2) {
            self.after(MONTH..=14 * MONTH, Act::Move(place));
        }
        if self.happens(2) {
            self.after(MONTH..=14 * MONTH, Act::Delete(place));
        }
        Ok(place)
    }

    async fn turn(&mut self, place: usize, to: ClientStatus) -> Result<(), HistoryError> {
        let client = self.clients.get_mut(place);
        let Some((client, from)) = client.and_then(|it| it.status.map(|from| (it, from))) else {
            return Ok(());
        };
        if !from.next().contains(&to) {
            return Ok(());
        }
        client.status = Some(to);
        let act = match to {
            ClientStatus::Active => "activate",
            ClientStatus::Suspended => "suspend",
            ClientStatus::Inactive => "deactivate",
            ClientStatus::Pending => return Ok(()),
        };
        let path = format!("/v1/clients/{}/{act}", client.refid);
        self.as_owner(place, Method::POST, &path, &Value::Null).await?;
        match to {
            ClientStatus::Suspended if self.happens(70) => self.after(3..=30, Act::Activate(place)),
            ClientStatus::Suspended => self.after(20..=60, Act::Deactivate(place)),
            ClientStatus::Inactive if self.happens(10) => {
                self.after(MONTH..=6 * MONTH, Act::Activate(place));
            }
            _ => {}
        }
        Ok(())
    }

    /// Sends a request as the client's reseller if it may trade, and otherwise as an operator.
    async fn as_owner(
        &mut self,
        place: usize,
        method: Method,
        path: &str,
        body: &Value,
    ) -> Result<Value, HistoryError> {
        let owner = self.clients.get(place).and_then(|it| it.owner);
        let owner = owner.and_then(|owner| self.partners.get(owner)?.trades());
        match owner.map(|account| account.key.clone()) {
            Some(key) => self.door.ask(&key, method, path, body).await,
            None => self.door.operate(method, path, body).await,
        }
    }

    /// The client at `place`, unless it has been deleted.
    pub(super) fn present(&self, place: usize) -> Option<&Client> {
        self.clients.get(place).filter(|it| it.status.is_some())
    }

    async fn edit(&mut self, place: usize) -> Result<(), HistoryError> {
        let Some(client) = self.present(place) else {
            return Ok(());
        };
        let path = format!("/v1/clients/{}", client.refid);
        let body = if self.happens(50) {
            json!({"phone": format!("+44 113 496 0{}", self.rng.u32(100..1000))})
        } else {
            json!({"metadata": {"seats": self.rng.u32(1..400), "contact": "by e-mail"}})
        };
        self.as_owner(place, Method::PATCH, &path, &body).await?;
        Ok(())
    }

    async fn move_away(&mut self, place: usize) -> Result<(), HistoryError> {
        let Some(client) = self.present(place) else {
            return Ok(());
        };
        let path = format!("/v1/clients/{}/transfer", client.refid);
        let owner = client.owner;
        let to = if self.happens(15) { None } else { self.seller() };
        if to == owner {
            return Ok(());
        }
        let account = to.and_then(|to| self.partners.get(to)?.account.as_ref());
        let body = json!({"reseller": account.map(|account| &account.refid)});
        self.door.operate(Method::POST, &path, &body).await?;
        if let Some(client) = self.clients.get_mut(place) {
            client.owner = to;
        }
        Ok(())
    }

    async fn delete(&mut self, place: usize) -> Result<(), HistoryError> {
        let Some(client) = self.present(place) else {
            return Ok(());
        };
        let path = format!("/v1/clients/{}", client.refid);
        self.door.operate(Method::DELETE, &path, &Value::Null).await?;
        if let Some(client) = self.clients.get_mut(place) {
            client.status = None;
        }
        Ok(())
    }
}
