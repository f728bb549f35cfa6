//! `sample-figures`: once a day counts some figures again, and raises the alarm when they differ (rules A11, B13, C6).
//!
//! Invariant: it writes nothing. Yesterday is always looked at, and a day of before that another run would not choose;
//! so whatever makes figures wrong shows the next day, and what was wrong for long shows in the end.

use aws_lambda_events::eventbridge::EventBridgeEvent;
use purser_domain::analytics::period::{Interval, Period};
use purser_domain::basic::time::Day;
use purser_edge::App;
use purser_edge::events::consumer::Delivery;
use purser_edge::process::metrics::{self, Metric};
use purser_store::StoreError;
use serde_json::Value;

/// How many differences of a period the log names.
const NAMED: usize = 10;

/// Counts a sample of all figures again. An error asks for another run.
pub async fn sample_figures(app: App, event: EventBridgeEvent<Value>) -> Result<(), String> {
    let _delivery = Delivery::of_timetable("sample-figures", &event)?;
    let mut figures = 0;
    for period in sample(&app).await? {
        figures += look(&app, period).await?;
    }
    tracing::info!(figures, "counted figures again");
    Ok(())
}

/// What to look at: yesterday and a day of before, with whatever they are summed up in.
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

/// A day that is drawn by chance, which need not be hard to guess.
fn any_day(first: Day, last: Day) -> Day {
    let days = first.until(last).max(0);
    last.minus_days(fastrand::i32(0..=days))
}

/// Looks at a period; says how many figures were compared.
async fn look(app: &App, period: Period) -> Result<usize, StoreError> {
    let recount = app.store.recount(period, app.clock.now()).await?;
    let differing = recount.differences.len();
    if differing > 0 {
        for difference in recount.differences.iter().take(NAMED) {
            tracing::error!(?difference, "a figure differs from what it counts");
        }
        metrics::count(Metric::FigureDiffers);
    }
    let (figures, under_way) = (recount.figures, recount.under_way);
    tracing::info!(period = period.label(), figures, under_way, differing, "counted a period again");
    Ok(figures)
}
