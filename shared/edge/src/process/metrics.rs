//! Purser's own metrics, which CloudWatch extracts from the log (embedded metric format).
//!
//! Invariants: every metric that an alarm in template.yaml watches is one of [`Metric`] (a test emits each); a metric
//! is a number and contains no personal data.

use std::io::Write;

use serde_json::{Value, json};
use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::Context;

use crate::process::clock::Clock;

pub const NAMESPACE: &str = "Purser";
/// The target that marks a log event as a metric.
pub(crate) const TARGET: &str = "metric";

/// Errors that operators must learn about: no caller waits for an answer, or the answer alone is not enough.
#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::IntoStaticStr, strum::VariantArray)]
#[strum(const_into_str)]
pub enum Metric {
    /// A wallet's history does not add up to its balance, or a checkpoint was not signed by this deployment.
    LedgerBroken,
    /// The bus did not accept events. The stream delivers them again.
    EventRefused,
    /// A stream record could not be read. After the last attempt it is kept in the bucket of failed records.
    RecordUnreadable,
    /// SES did not accept an e-mail. The event that caused it is delivered again.
    MailRefused,
    /// An e-mail was not sent, because its address bounced or complained, or has had its day's e-mails.
    MailWithheld,
    /// A sign-in, or a proof of who one is, was refused for a wrong password or code, or came too soon after others.
    SignInRefused,
    /// A request had credentials that are none: a token that was guessed, or one that has ended.
    CallerRefused,
    /// A request was refused because its caller or network address had sent too many.
    RequestsLimited,
    /// Somebody became an operator.
    OperatorMade,
    /// The deployment's first key was used.
    FirstKeyUsed,
    /// A stored figure differs from the sum of what it counts.
    FigureDiffers,
    /// Data of a person who was deleted was still stored when its erasure should long have ended.
    ErasureMissed,
    /// By how many seconds what was due is late, if at all. Each run of `run-due-work` says so.
    DueWorkLate,
    /// A function could not read its secrets again. It goes on with those it has.
    SecretsUnread,
}

pub fn count(metric: Metric) {
    put(metric.into_str(), 1);
}

/// Counts events that were sent to the bus, by name.
pub fn told(event: &'static str, times: u64) {
    put(event, times);
}

/// Says how much of something there is.
pub fn measure(metric: Metric, amount: u64) {
    put(metric.into_str(), amount);
}

fn put(name: &'static str, times: u64) {
    tracing::info!(target: TARGET, name, times);
}

pub(crate) struct Embedded<W> {
    writer: W,
    stack: String,
    clock: Clock,
}

impl<W> Embedded<W> {
    pub(crate) fn new(writer: W, stack: String, clock: Clock) -> Self {
        Self { writer, stack, clock }
    }

    fn line(&self, counted: &Counted) -> Value {
        let Counted { name, times } = counted;
        json!({
            "_aws": {
                "Timestamp": self.clock.timestamp().as_millisecond(),
                "CloudWatchMetrics": [{
                    "Namespace": NAMESPACE,
                    "Dimensions": [["Stack"]],
                    "Metrics": [{"Name": name, "Unit": "Count"}],
                }],
            },
            "Stack": self.stack,
            (name): times,
        })
    }
}

impl<S: Subscriber, W: for<'a> MakeWriter<'a> + 'static> Layer<S> for Embedded<W> {
    fn on_event(&self, event: &Event<'_>, _context: Context<'_, S>) {
        let mut counted = Counted::default();
        event.record(&mut counted);
        let line = format!("{}\n", self.line(&counted));
        // If standard output can't be written to, there is nowhere to report the error.
        let _written = self.writer.make_writer().write_all(line.as_bytes());
    }
}

#[derive(Default)]
struct Counted {
    name: String,
    times: u64,
}

impl Visit for Counted {
    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == "name" {
            value.clone_into(&mut self.name);
        }
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        if field.name() == "times" {
            self.times = value;
        }
    }

    fn record_debug(&mut self, _field: &Field, _value: &dyn std::fmt::Debug) {}
}
