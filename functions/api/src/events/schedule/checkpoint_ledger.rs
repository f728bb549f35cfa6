//! `checkpoint-ledger`: signs, once a day, where the history of every wallet stands (rule B11).
//!
//! Invariant: a day's parts are numbered without gaps, the last part is marked as the last, and no wallet is in two
//! parts, even if runs overlap or crash. A run never replaces an existing part, and does not repeat its wallets in
//! later parts. So each run that finishes leaves a complete day. An existing part counts only if this deployment signed
//! it, for this day and number. Otherwise somebody who can write to the table could make us skip a day. A new key signs
//! only after a checkpoint of an earlier day has announced it.

use std::collections::HashSet;

use aws_lambda_events::eventbridge::EventBridgeEvent;
use ed25519_dalek::SigningKey;
use purser_domain::basic::{Day, ResellerRefid, Time};
use purser_domain::money::checkpoint::chain::Successor;
use purser_domain::money::checkpoint::{MOST_WALLETS, Part};
use purser_domain::money::{PublicKey, WalletHead};
use purser_edge::App;
use purser_edge::events::consumer::Delivery;
use purser_edge::process::metrics::{self, Metric};
use purser_store::StoreError;
use serde_json::Value;

/// Writes the missing parts of today's checkpoint. An error asks for another run, which continues where this one
/// ended.
pub async fn checkpoint_ledger(app: App, event: EventBridgeEvent<Value>) -> Result<(), String> {
    let delivery = Delivery::of_timetable("checkpoint-ledger", &event)?;
    // The date comes from the clock and not from the event, so a late run doesn't sign for an earlier day.
    let date = app.clock.now().day();
    let run = async {
        let signer = Signer::of(&app, date).await?;
        let run = Run { date, app: &app, delivery: &delivery, signer, covered: HashSet::new(), written: 0 };
        run.finish().await
    };
    run.await.map_err(|error| {
        if let StoreError::Unreadable(_) = error {
            metrics::count(Metric::LedgerBroken);
        }
        error.to_string()
    })
}

/// The key that signs a day, and the announcement of the one that will follow it.
struct Signer {
    key: SigningKey,
    successor: Option<Successor>,
}

impl Signer {
    /// The key that signed the newest checkpoint before `date`, or the one that this checkpoint announced.
    async fn of(app: &App, date: Day) -> Result<Self, StoreError> {
        let mut keys = app.store.secrets().signing()?;
        if keys.len() > 1
            && let Some(part) = app.store.checkpoint_before(date).await?
        {
            let signed = keys.iter().position(|key| part.verify(&key.into()).is_ok());
            let other = || StoreError::Unreadable(format!("the checkpoint of {}: we did not sign it", part.date));
            keys.drain(..signed.ok_or_else(other)?);
            if let [now, next, ..] = keys.as_slice()
                && part.successor == Some(Successor::announce(next, now))
            {
                keys.remove(0);
            }
        }
        let mut keys = keys.into_iter();
        let key = keys.next().ok_or_else(|| StoreError::Failed("there is no key that signs checkpoints".into()))?;
        let successor = keys.next().map(|next| Successor::announce(&next, &key));
        Ok(Self { key, successor })
    }

    fn sign(&self, part: (Day, u32, bool), wallets: Vec<WalletHead>, now: Time) -> Part {
        Part { successor: self.successor.clone(), ..Part::sign(part, wallets, now, &self.key) }
    }
}

struct Run<'a> {
    app: &'a App,
    delivery: &'a Delivery,
    date: Day,
    signer: Signer,
    covered: HashSet<ResellerRefid>,
    /// The number of the last part so far.
    written: u32,
}

impl Run<'_> {
    async fn finish(mut self) -> Result<(), StoreError> {
        let App { store, .. } = self.app;
        while let Some(part) = store.checkpoint(self.date, self.written + 1).await? {
            if self.take(part)? {
                return Ok(());
            }
        }
        let mut waiting: Vec<ResellerRefid> = Vec::new();
        let mut position = None;
        loop {
            let page = store.reseller_refids(MOST_WALLETS, position).await?;
            position = page.position;
            waiting.extend(page.items);
            waiting.retain(|it| !self.covered.contains(it));
            let ended = position.is_none();
            // The last part is written only when no other wallet can follow.
            while waiting.len() > MOST_WALLETS || ended {
                let most = waiting.len().min(MOST_WALLETS);
                let last = ended && waiting.len() == most;
                let whole = self.part(waiting.get(..most).unwrap_or_default(), last);
                if whole.await? {
                    return Ok(());
                }
                waiting.retain(|it| !self.covered.contains(it));
            }
        }
    }

    /// Writes the next part, or takes the existing one. Returns whether it is the day's last part.
    async fn part(&mut self, resellers: &[ResellerRefid], last: bool) -> Result<bool, StoreError> {
        let App { store, clock, .. } = self.app;
        let wallets = store.wallets(resellers).await?;
        let lost = resellers.len() - wallets.len();
        if lost > 0 {
            // A reseller is created together with its wallet, and neither is ever deleted.
            tracing::error!(lost, "resellers have no wallet");
            metrics::count(Metric::LedgerBroken);
        }
        let number = self.written + 1;
        let heads = wallets.iter().map(WalletHead::from).collect();
        let part = self.signer.sign((self.date, number, last), heads, clock.now());
        let there = store.put_checkpoint(&part, self.delivery.stamp()).await?;
        if let Some(there) = there {
            return self.take(there);
        }
        let (date, wallets) = (self.date, part.wallets.len());
        tracing::info!(%date, part = number, last, wallets, "signed a part of the checkpoint");
        self.written = number;
        // Resellers without a wallet are included; otherwise the run would never end.
        self.covered.extend(resellers.iter().cloned());
        Ok(last)
    }

    /// Takes an existing part as the next one, if this deployment signed it for this day and number. Returns whether
    /// it is the day's last part.
    fn take(&mut self, part: Part) -> Result<bool, StoreError> {
        let (date, number) = (self.date, self.written + 1);
        let ours = PublicKey::from(&self.signer.key);
        let forged = match part.verify(&ours) {
            Ok(()) if (part.date, part.part) == (date, number) => None,
            Ok(()) => Some(format!("it is part {} of {}", part.part, part.date)),
            Err(why) => Some(why.to_string()),
        };
        if let Some(why) = forged {
            let what = format!("part {number} of the checkpoint of {date}: {why}");
            return Err(StoreError::Unreadable(what));
        }
        let wallets = part.wallets.len();
        tracing::info!(%date, part = number, last = part.last, wallets, "a part of the checkpoint already exists");
        self.written = number;
        let there = part.wallets.into_iter().map(|it| it.reseller);
        self.covered.extend(there);
        Ok(part.last)
    }
}
