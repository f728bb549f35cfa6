//! Metrics of the product's own, which CloudWatch reads out of the log (embedded metric format).
//!
//! Invariants: a metric that an alarm of template.yaml watches is one of [`Metric`] (a test emits each); a metric
//! counts, and names nobody.

use std::io::Write;

use serde_json::{Value, json};
use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::Context;

use crate::process::clock::Clock;

/// The namespace of all metrics.
pub const NAMESPACE: &str = "Purser";
/// What marks an event of the log as a metric.
pub(crate) const TARGET: &str = "metric";

/// What went wrong where nobody waits for an answer, or where an answer alone would not be enough.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Metric {
    /// A wallet's history does not prove its balance, or what stands for a checkpoint is none that we signed.
    LedgerBroken,
    /// The bus did not take events; the stream delivers them again.
    EventRefused,
    /// A stream record could not be read; it is kept after its last try.
    RecordUnreadable,
    /// SES did not take a mail; the event is delivered again.
    MailRefused,
    /// A mail was not sent, because its address bounced or complained.
    MailWithheld,
    /// A figure is not the sum of what it counts.
    FigureDiffers,
}

impl Metric {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::LedgerBroken,
        Self::EventRefused,
        Self::RecordUnreadable,
        Self::MailRefused,
        Self::MailWithheld,
        Self::FigureDiffers,
    ];

    /// Its name in CloudWatch.
    pub const fn name(self) -> &'static str {
        match self {
            Self::LedgerBroken => "LedgerBroken",
            Self::EventRefused => "EventRefused",
            Self::RecordUnreadable => "RecordUnreadable",
            Self::MailRefused => "MailRefused",
            Self::MailWithheld => "MailWithheld",
            Self::FigureDiffers => "FigureDiffers",
        }
    }
}

/// Counts one of `metric`.
pub fn count(metric: Metric) {
    put(metric.name(), 1);
}

/// Counts events that the bus was told, by their name.
pub fn told(event: &'static str, times: u64) {
    put(event, times);
}

fn put(name: &'static str, times: u64) {
    tracing::info!(target: TARGET, name, times);
}

/// Writes metrics as CloudWatch's embedded format wants them.
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
        // A log that can't be written to has nobody to tell.
        let _written = self.writer.make_writer().write_all(line.as_bytes());
    }
}

/// A metric's name and count, read from an event of the log.
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
