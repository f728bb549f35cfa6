//! How the template hands the table's stream to a function.
//!
//! Invariant: a setting that is left out takes Lambda's default, not a value that would suit the laptop.

use serde_json::Value;

use super::part;
use crate::cloud::pattern::Pattern;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamSpec {
    /// The most records in one call, at least 1.
    pub batch_size: usize,
    /// Whether a failed batch is split in two, so that a bad record ends up alone.
    pub bisects: bool,
    /// How often a failed batch is retried before it is given up on; none means until it succeeds.
    pub retries: Option<u32>,
    /// Whether the function reports which record of a batch failed first.
    pub reports: bool,
    /// Only records that match one of these are handed over; an empty list matches all.
    pub filters: Vec<Pattern>,
}

impl StreamSpec {
    pub fn takes(&self, record: &Value) -> bool {
        self.filters.is_empty() || self.filters.iter().any(|it| it.matches(record))
    }

    /// Reads an event's `Properties`; the error is the name of a setting and what it must be.
    pub(super) fn read(settings: &Value) -> Result<Self, (&'static str, &'static str)> {
        let batch_size = match part(settings, "BatchSize") {
            Value::Null => Some(100),
            size => size.as_u64().and_then(|it| usize::try_from(it).ok()),
        };
        let retries = match part(settings, "MaximumRetryAttempts") {
            Value::Null => Some(-1),
            retries => retries.as_i64(),
        };
        Ok(Self {
            batch_size: batch_size
                .filter(|it| (1..=10_000).contains(it))
                .ok_or(("BatchSize", "a number from 1 to 10000"))?,
            bisects: match part(settings, "BisectBatchOnFunctionError") {
                Value::Null => false,
                bisects => bisects.as_bool().ok_or(("BisectBatchOnFunctionError", "true or false"))?,
            },
            retries: retries
                .filter(|it| (-1..=10_000).contains(it))
                .map(|it| u32::try_from(it).ok())
                .ok_or(("MaximumRetryAttempts", "a number from -1 to 10000"))?,
            reports: match part(settings, "FunctionResponseTypes") {
                Value::Null => false,
                Value::Array(types) => types.iter().any(|it| it == "ReportBatchItemFailures"),
                _ => return Err(("FunctionResponseTypes", "a list")),
            },
            filters: match part(settings, "FilterCriteria") {
                Value::Null => Vec::new(),
                criteria => {
                    let wrong = ("FilterCriteria", "a list of Filters, each with a Pattern in JSON");
                    filters(criteria).filter(|it| !it.is_empty()).ok_or(wrong)?
                }
            },
        })
    }
}

/// The patterns of a `FilterCriteria`, each of which is JSON in a string.
fn filters(criteria: &Value) -> Option<Vec<Pattern>> {
    let filters = part(criteria, "Filters").as_array()?.iter();
    let pattern = |filter| {
        let pattern = serde_json::from_str(part(filter, "Pattern").as_str()?).ok()?;
        Pattern::parse(&pattern).ok()
    };
    filters.map(pattern).collect()
}
