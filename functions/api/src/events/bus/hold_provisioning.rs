//! `hold-provisioning`: stops a reseller that ran low on credits from buying until it has enough again (rule B9).
//!
//! Invariant: an event only triggers a check. The decision is made on the current wallet, in the commit that applies
//! it, so events may arrive late, twice or in any order. While the rule is off, it puts no reseller on hold, but still
//! releases those that it held before.

use aws_lambda_events::eventbridge::EventBridgeEvent;
use purser_domain::Refusal;
use purser_domain::basic::ResellerRefid;
use purser_domain::event::{Event, EventName};
use purser_domain::money::Wallet;
use purser_domain::parties::Reseller;
use purser_edge::App;
use purser_edge::events::consumer::Delivery;
use purser_store::StoreError;
use purser_store::engine::NoView;
use serde_json::Value;

pub const TAKES: &[EventName] =
    &[EventName::CreditsRanLow, EventName::CreditsAdded, EventName::CreditsRefunded, EventName::CreditsTransferredIn];

pub async fn hold_provisioning(app: App, event: EventBridgeEvent<Value>) -> Result<(), String> {
    let (delivery, occurrence) = Delivery::of("hold-provisioning", event)?;
    match occurrence.event {
        // Claimed, so that a late repeat doesn't hold a reseller that an operator has released since.
        Event::CreditsRanLow { reseller, .. } if app.config.hold_on_low_credit => {
            let hold = |it: &Reseller, wallet: &Wallet| it.held(wallet.balance, app.clock.now());
            let change = Box::pin(change(&app, &delivery, &reseller, hold));
            delivery.once(&app, change).await
        }
        Event::CreditsRanLow { .. } => Ok(()),
        Event::CreditsAdded { reseller, .. }
        | Event::CreditsRefunded { reseller, .. }
        | Event::CreditsTransferredIn { reseller, .. } => {
            let release = |it: &Reseller, wallet: &Wallet| it.released(wallet.balance, app.clock.now());
            change(&app, &delivery, &reseller, release).await
        }
        other => Err(delivery.not_taken(other.name())),
    }
}

async fn change(
    app: &App,
    delivery: &Delivery,
    reseller: &ResellerRefid,
    rule: impl Fn(&Reseller, &Wallet) -> Option<Reseller> + Send + Sync,
) -> Result<(), String> {
    let rule = |reseller: &Reseller, wallet: &Wallet| Ok(rule(reseller, wallet));
    let request = delivery.request(app.clock.now());
    let changed = app.store.change_reseller::<NoView>(reseller, &request, rule).await;
    match changed {
        Ok(_) | Err(StoreError::Refused(Refusal::NotFound(_))) => Ok(()),
        Err(error) => Err(error.to_string()),
    }
}
