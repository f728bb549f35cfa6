//! `checkpoint-ledger`: once a day signs where the history of every wallet stands (rule B11).
//!
//! Invariant: a day's parts are numbered without gaps, the last one says so, and no wallet is in two of them, however
//! often this runs, side by side or after a crash: a part that is there stays, and what it covers is left out of those
//! that follow. So each run that ends leaves a whole day. A part that is there counts only if this deployment signed it
//! for this place: whoever can write to the table must not be able to have a day left out.

use std::collections::HashSet;

use aws_lambda_events::eventbridge::EventBridgeEvent;
use purser_domain::basic::refid::ResellerRefid;
use purser_domain::basic::time::Day;
use purser_domain::money::checkpoint::{MOST_WALLETS, Part, PublicKey, WalletHead};
use purser_edge::App;
use purser_edge::events::consumer::Delivery;
use purser_edge::process::metrics::{self, Metric};
use purser_store::StoreError;
use serde_json::Value;

/// Writes what is missing of today's checkpoint. An error asks for another run, which goes on where this one ended.
pub async fn checkpoint_ledger(app: App, event: EventBridgeEvent<Value>) -> Result<(), String> {
    let delivery = Delivery::of_timetable("checkpoint-ledger", &event)?;
    // The day is the clock's: what comes late must not pass for an earlier day.
    let run = Run { date: app.clock.now().day(), app: &app, delivery: &delivery, covered: HashSet::new(), written: 0 };
    run.finish().await.map_err(|error| {
        if let StoreError::Unreadable(_) = error {
            metrics::count(Metric::LedgerBroken);
        }
        error.to_string()
    })
}

/// One run on one day.
struct Run<'a> {
    app: &'a App,
    delivery: &'a Delivery,
    date: Day,
    /// Whose wallets are in the parts so far.
    covered: HashSet<ResellerRefid>,
    /// How many parts there are so far.
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
            // The last part is written only when nobody can follow.
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

    /// Writes the next part, or takes the one that is there; says whether the day is whole with it.
    async fn part(&mut self, resellers: &[ResellerRefid], last: bool) -> Result<bool, StoreError> {
        let App { store, clock, .. } = self.app;
        let wallets = store.wallets(resellers).await?;
        let lost = resellers.len() - wallets.len();
        if lost > 0 {
            // A reseller is made with its wallet, and neither goes.
            tracing::error!(lost, "resellers have no wallet");
            metrics::count(Metric::LedgerBroken);
        }
        let number = self.written + 1;
        let heads = wallets.iter().map(WalletHead::from).collect();
        let key = store.secrets().checkpoint_key();
        let part = Part::sign((self.date, number, last), heads, clock.now(), key);
        let there = store.put_checkpoint(&part, self.delivery.stamp()).await?;
        if let Some(there) = there {
            return self.take(there);
        }
        let (date, wallets) = (self.date, part.wallets.len());
        tracing::info!(%date, part = number, last, wallets, "signed a checkpoint");
        self.written = number;
        // Those without a wallet, too, or they would be waited for.
        self.covered.extend(resellers.iter().cloned());
        Ok(last)
    }

    /// Takes the next part, which is there, if we signed it as that; says whether the day is whole with it.
    fn take(&mut self, part: Part) -> Result<bool, StoreError> {
        let (date, number) = (self.date, self.written + 1);
        let ours = PublicKey::from(self.app.store.secrets().checkpoint_key());
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
        tracing::info!(%date, part = number, last = part.last, wallets, "a checkpoint is there");
        self.written = number;
        let there = part.wallets.into_iter().map(|it| it.reseller);
        self.covered.extend(there);
        Ok(part.last)
    }
}
