//! Logs: one JSON object per line, as Lambda and CloudWatch expect, interleaved with metrics.
//!
//! Invariant: only Purser's own debug messages are logged. Those of the SDK contain requests, with names and addresses;
//! those of the Lambda runtime, events.

use std::str::FromStr;

use tracing::Subscriber;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::Layer;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt;

use crate::process::clock::Clock;
use crate::process::metrics::{Embedded, TARGET};

/// Starts logging to standard output, at the level that is configured in Lambda. Metrics get the dimension `stack`.
pub fn start(stack: String) {
    let level = std::env::var("AWS_LAMBDA_LOG_LEVEL").unwrap_or_default();
    let logs = subscriber(std::io::stdout, &level, stack, Clock::default());
    // This fails only if the process already has a logger, which it keeps.
    let _first = tracing::subscriber::set_global_default(logs);
}

/// The subscriber that writes log lines and metrics to `writer`. A level that Lambda does not define counts as
/// `INFO`.
pub fn subscriber<W>(writer: W, level: &str, stack: String, clock: Clock) -> impl Subscriber
where
    W: for<'a> MakeWriter<'a> + Clone + Send + Sync + 'static,
{
    let level = match level {
        "FATAL" => LevelFilter::ERROR,
        "" => LevelFilter::INFO,
        level => LevelFilter::from_str(level).unwrap_or(LevelFilter::INFO),
    };
    let ours = Targets::new()
        .with_default(level.min(LevelFilter::WARN))
        .with_target("purser", level)
        // The runtime's span carries the request id, but below `INFO` the runtime logs the events it receives.
        .with_target("lambda_runtime", level.min(LevelFilter::INFO))
        .with_target("Lambda runtime invoke", LevelFilter::INFO)
        .with_target(TARGET, LevelFilter::OFF);
    let lines = tracing_subscriber::fmt::layer()
        .json()
        .flatten_event(true)
        .with_span_list(false)
        .with_writer(writer.clone())
        .with_filter(ours);
    let metrics =
        Embedded::new(writer, stack, clock).with_filter(Targets::new().with_target(TARGET, LevelFilter::INFO));
    tracing_subscriber::registry().with(lines).with(metrics)
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::{Arc, Mutex};

    use serde_json::Value;

    use super::*;
    use crate::process::metrics::{Metric, count, told};

    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn logged(level: &str, say: impl FnOnce()) -> Vec<Value> {
        let lines = Lines::default();
        let writer = lines.clone();
        let logs = subscriber(move || writer.clone(), level, "stack".into(), Clock::default());
        tracing::subscriber::with_default(logs, say);
        let bytes = lines.0.lock().unwrap().clone();
        let text = String::from_utf8(bytes).unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    fn everybody_talks() {
        tracing::debug!("ours, in detail");
        tracing::info!("ours");
        tracing::trace!(target: "lambda_runtime", "a whole event");
        tracing::info!(target: "lambda_runtime", "theirs");
        tracing::debug!(target: "aws_smithy_runtime::client", "a whole request");
        tracing::info!(target: "hyper", "theirs");
        tracing::warn!(target: "hyper", "a warning");
    }

    #[test]
    fn a_level_never_lets_others_say_what_they_were_sent() {
        let messages = |level| {
            let said = |line: &Value| line["message"].as_str().unwrap().to_owned();
            logged(level, everybody_talks).iter().map(said).collect::<Vec<_>>()
        };
        let all = ["ours, in detail", "ours", "theirs", "a warning"];
        assert_eq!(messages("TRACE"), all);
        assert_eq!(messages("DEBUG"), all);
        assert_eq!(messages("INFO"), ["ours", "theirs", "a warning"]);
        assert_eq!(messages(""), ["ours", "theirs", "a warning"]);
        assert_eq!(messages("WARN"), ["a warning"]);
        assert_eq!(messages("FATAL"), Vec::<String>::new());
    }

    #[test]
    fn a_line_has_what_lambda_looks_for() {
        let lines = logged("INFO", || {
            let span = tracing::info_span!(target: "lambda_runtime", "Lambda runtime invoke", requestId = "r-1");
            span.in_scope(|| tracing::info!(status = 200, "answered"));
        });
        let [line] = lines.as_slice() else { panic!("{lines:?}") };
        assert_eq!((&line["level"], &line["message"]), (&"INFO".into(), &"answered".into()));
        assert_eq!((&line["status"], &line["span"]["requestId"]), (&200.into(), &"r-1".into()));
        assert!(line["timestamp"].as_str().unwrap().parse::<jiff::Timestamp>().is_ok());
    }

    #[test]
    fn metrics_are_lines_of_their_own_at_any_level() {
        for level in ["TRACE", "FATAL"] {
            let lines = logged(level, || {
                count(Metric::LedgerBroken);
                told("ClientCreated", 7);
            });
            let [one, other] = lines.as_slice() else { panic!("{lines:?}") };
            let described = &one["_aws"]["CloudWatchMetrics"][0];
            assert_eq!(described["Namespace"], "Purser");
            assert_eq!(described["Dimensions"], serde_json::json!([["Stack"]]));
            assert_eq!(described["Metrics"][0]["Name"], "LedgerBroken");
            assert_eq!((&one["Stack"], &one["LedgerBroken"]), (&"stack".into(), &1.into()));
            assert!(one["_aws"]["Timestamp"].as_i64().unwrap() > 1_700_000_000_000);
            assert_eq!(other["ClientCreated"], 7);
        }
    }
}
