//! `sample-figures`: recounts some figures once a day, and raises an alarm if they differ (rules A11, B13, C6).
//!
//! Invariant: it writes nothing. Every run checks yesterday and a random day up to then. So a fault that makes
//! figures wrong shows the next day, and older errors are found in the end.

use aws_lambda_events::eventbridge::EventBridgeEvent;
use purser_domain::analytics::period::{Interval, Period};
use purser_domain::basic::Day;
use purser_edge::App;
use purser_edge::events::consumer::Delivery;
use purser_edge::process::metrics::{self, Metric};
use purser_store::StoreError;
use serde_json::Value;

/// How many differences of each period are logged.
const NAMED: usize = 10;

/// Recounts a sample of all figures. An error asks for another run.
pub async fn sample_figures(app: App, event: EventBridgeEvent<Value>) -> Result<(), String> {
    let _delivery = Delivery::of_timetable("sample-figures", &event)?;
    let mut figures = 0;
    for period in sample(&app).await? {
        figures += look(&app, period).await?;
    }
    tracing::info!(figures, "recounted a sample of the figures");
    Ok(())
}

/// The periods to check: yesterday and a random day up to then, and the months, the years and all time that they add
/// to.
async fn sample(app: &App) -> Result<Vec<Period>, StoreError> {
    let Some(first) = app.store.first_day().await? else {
        return Ok(Vec::new());
    };
    let yesterday = app.clock.now().day().minus_days(1);
    let mut periods = Vec::new();
    for day in [yesterday, any_day(first, yesterday)] {
        for interval in [Interval::Daily, Interval::Monthly, Interval::Yearly] {
            periods.push(interval.bucket(day));
        }
    }
    periods.push(Period::All);
    periods.sort_unstable();
    periods.dedup();
    Ok(periods)
}

/// A random day. It need not be hard to guess, so a fast generator is enough.
fn any_day(first: Day, last: Day) -> Day {
    let days = first.until(last).max(0);
    last.minus_days(fastrand::i32(0..=days))
}

/// Recounts a period and logs the differences. Returns how many figures were compared.
async fn look(app: &App, period: Period) -> Result<usize, StoreError> {
    let recount = app.store.recount(period, app.clock.now()).await?;
    let differing = recount.differences.len();
    if differing > 0 {
        for difference in recount.differences.iter().take(NAMED) {
            tracing::error!(?difference, "a stored figure differs from its recount");
        }
        metrics::count(Metric::FigureDiffers);
    }
    let (figures, under_way) = (recount.figures, recount.under_way);
    tracing::info!(period = period.label(), figures, under_way, differing, "recounted a period");
    Ok(figures)
}
