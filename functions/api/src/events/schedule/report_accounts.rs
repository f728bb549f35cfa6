//! `report-accounts`: tells operators, once a month, how many users nobody seems to need any more (rule D6).
//!
//! Invariant: it deletes no user, and its memory use doesn't grow with the number of users.

use aws_lambda_events::eventbridge::EventBridgeEvent;
use purser_domain::people::User;
use purser_edge::App;
use purser_edge::events::consumer::Delivery;
use purser_mails::accounts::{StaleAccounts, stale_accounts};
use purser_store::StoreError;
use serde_json::Value;

use crate::events::operators::tell_operators;

/// How many users are requested per page. A few times as many are in memory at once.
const AT_ONCE: usize = 250;

/// Counts the users that nobody seems to need, and e-mails operators about them. An error asks for another run.
pub async fn report_accounts(app: App, event: EventBridgeEvent<Value>) -> Result<(), String> {
    let delivery = Delivery::of_timetable("report-accounts", &event)?;
    let found = stale(&app).await?;
    let (unconfirmed, dormant) = (found.unconfirmed, found.dormant);
    tracing::info!(unconfirmed, dormant, "looked for users that nobody needs");
    if found.count() == 0 {
        return Ok(());
    }
    let mail = |operator: &User| stale_accounts(&app, &operator.email, &operator.name, &found);
    tell_operators(&app, &delivery, mail).await
}

async fn stale(app: &App) -> Result<StaleAccounts, StoreError> {
    let (rule, now) = (&app.config.accounts.clean_up, app.clock.now());
    let mut found = StaleAccounts::default();
    let mut position = None;
    loop {
        let page = app.store.stale_users(rule, AT_ONCE, position, now).await?;
        for (user, stale) in &page.items {
            found.add(&user.refid, *stale);
        }
        position = page.position;
        if position.is_none() {
            return Ok(found);
        }
    }
}
