//! What a laptop offers and a deployment does not: show the events and dead letters, run a scheduled function, and
//! turn the clock.
//!
//! Invariant: a response comes only when the work is finished, with all its consequences on stream and bus. Time only
//! moves forward, and only if nothing is kept on disk.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::routing::{get, post};
use axum::{Json, Router};
use dynoxide::Database;
use jiff::fmt::temporal::SpanParser;
use jiff::{SignedDuration, SpanRelativeTo};
use purser_edge::Problem;
use purser_edge::http::problem::refusals;
use purser_edge::http::serve::serve_here;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::cloud::bus::Bus;
use crate::cloud::dead_letters::DeadLetters;
use crate::cloud::dynamo::{DynamoError, sweep_ttl};
use crate::cloud::ses::{self, Mailbox};
use crate::cloud::stream::Pump;
use crate::cloud::timetable::{self, Timetables};
use crate::run::apps::Apps;
use crate::run::functions::{self, on_event, scheduled};
use crate::template::{FunctionSpec, Template};

static SPANS: SpanParser = SpanParser::new();

/// The parts of the running system that these routes use.
#[derive(Clone)]
pub struct Laptop {
    pub apps: Apps,
    pub template: Arc<Template>,
    pub pump: Pump,
    pub bus: Bus,
    pub dead_letters: DeadLetters,
    pub database: Database,
    pub timetables: Timetables,
}

impl Laptop {
    /// Resolves when everything pending on stream and bus is done.
    pub async fn settle(&self) {
        // The stream settles only while the bus is idle, so this waits for both.
        self.pump.settled().await;
    }

    pub fn start_what_is_due(&self) {
        let now = self.apps.own().clock.timestamp();
        for due in self.timetables.due(now) {
            let event = timetable::event(now, &due.rule);
            self.bus.start_function(due.function, event);
        }
    }

    /// Runs a scheduled `function` once everything pending is done, and waits for the consequences.
    pub async fn run_schedule(&self, function: &FunctionSpec) -> Result<(), String> {
        self.settle().await;
        let now = self.apps.own().clock.timestamp();
        let event = timetable::event(now, &function.logical_id);
        on_event(&self.apps, &function.handler, event).await?;
        self.settle().await;
        Ok(())
    }

    /// Moves the clock forward, deletes the items that have expired by then, and starts the functions that are due.
    /// Returns how many items were deleted.
    pub async fn advance(&self, by: SignedDuration) -> Result<usize, DynamoError> {
        self.apps.own().clock.advance(by);
        let swept = sweep_ttl(&self.database).await?;
        self.start_what_is_due();
        self.settle().await;
        Ok(swept)
    }
}

/// The routes below `/_local`; the one that turns the clock exists only if nothing is kept on disk.
#[expect(
    clippy::disallowed_methods,
    reason = "these paths exist on a laptop only; they are not part of the API or its document"
)]
pub fn routes(laptop: Laptop, mailbox: Mailbox, ephemeral: bool) -> Router {
    let mut router = Router::new()
        .route("/_local/events", get(events))
        .route("/_local/dead-letters", get(dead_letters))
        .route("/_local/dead-letters/redrive", post(redrive))
        .route("/_local/schedules/{function}/run", post(run_schedule));
    if ephemeral {
        router = router.route("/_local/clock", post(turn_clock));
    }
    let router = router.with_state(laptop).merge(ses::routes(mailbox));
    // No rate limits, because only this machine can reach these paths.
    serve_here("local", router)
}

/// `GET /_local/events`: the events that went over the bus, newest first.
async fn events(State(laptop): State<Laptop>) -> Json<Value> {
    Json(json!({"data": laptop.bus.newest_first()}))
}

/// `GET /_local/dead-letters`: the work that stream and bus gave up on, newest first.
async fn dead_letters(State(laptop): State<Laptop>) -> Json<Value> {
    let mut letters = laptop.dead_letters.all();
    letters.reverse();
    Json(json!({"data": letters}))
}

/// `POST /_local/dead-letters/redrive`: calls the functions with their dead letters again, and removes what succeeds.
async fn redrive(State(laptop): State<Laptop>) -> Json<Value> {
    laptop.settle().await;
    let again = functions::redrive(&laptop.apps);
    let redriven = laptop.dead_letters.redrive(&again).await;
    laptop.settle().await;
    Json(json!({"redriven": redriven, "left": laptop.dead_letters.all().len()}))
}

/// `POST /_local/schedules/{function}/run`: runs a scheduled function now.
async fn run_schedule(State(laptop): State<Laptop>, Path(name): Path<String>) -> Result<Json<Value>, Problem> {
    let function = scheduled(&laptop.template, &name).ok_or_else(|| Problem::not_found("function with a schedule"))?;
    let handler = &function.handler;
    let done = laptop.run_schedule(function).await;
    done.map_err(|reason| {
        let detail = format!("{handler} failed: {reason}");
        Problem::because(refusals::InternalError, detail)
    })?;
    Ok(Json(json!({"function": handler})))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Advance {
    advance: String,
}

/// `POST /_local/clock`: moves the clock forward, deletes expired items, and starts the functions that are due.
async fn turn_clock(State(laptop): State<Laptop>, body: Bytes) -> Result<Json<Value>, Problem> {
    let Advance { advance } = purser_edge::http::json::read(&body, || json!({"advance": "PT1H"}))?;
    let by = duration(&advance).ok_or_else(|| {
        Problem::invalid(
            "/advance",
            "must be an ISO 8601 duration of weeks, days, hours, minutes and seconds like P1D, \
             not negative",
        )
    })?;
    if laptop.apps.own().clock.timestamp().checked_add(by).is_err() {
        return Err(Problem::invalid("/advance", "is beyond the year 9999"));
    }
    laptop.advance(by).await.map_err(|error| {
        tracing::error!(%error, "could not delete the expired items");
        Problem::internal()
    })?;
    Ok(Json(json!({"now": laptop.apps.own().clock.now()})))
}

/// Parses a duration. A day is 24 hours; months and years are refused, because they have no fixed length.
fn duration(text: &str) -> Option<SignedDuration> {
    let span = SPANS.parse_span(text).ok()?;
    let duration = span.to_duration(SpanRelativeTo::days_are_24_hours()).ok()?;
    (!duration.is_negative()).then_some(duration)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations() {
        let hours = SignedDuration::from_hours;
        for (text, expected) in [
            ("P1D", Some(hours(24))),
            ("P2W", Some(hours(14 * 24))),
            ("PT90M", Some(SignedDuration::from_mins(90))),
            ("P1DT1H0.5S", Some(hours(25) + SignedDuration::from_millis(500))),
            ("PT0S", Some(SignedDuration::ZERO)),
            ("-P1D", None),
            ("P1M", None),
            ("P1Y", None),
            ("1 day", None),
            ("P", None),
            ("", None),
            ("P1D ", None),
            ("P99999999999999D", None),
        ] {
            assert_eq!(duration(text), expected, "{text:?}");
        }
    }
}
