//! Trends as SVG charts: figures by period.

mod axis;
mod chart;

pub use axis::grouped;

use crate::ChartError;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bucket<const SERIES: usize> {
    /// The day, month or year: `2023-01-31`, `2023-01` or `2023`.
    pub period: String,
    /// May be negative.
    pub figures: [i64; SERIES],
}

/// The chart of a trend, as a complete SVG document. `labels` are the names of the series in the legend; `buckets`
/// are ordered from oldest to newest. Any text and any number of buckets are allowed.
pub fn svg<const SERIES: usize>(
    title: &str,
    labels: [&str; SERIES],
    buckets: &[Bucket<SERIES>],
) -> Result<Vec<u8>, ChartError> {
    const { assert!(SERIES == 1 || SERIES == 2) };
    chart::svg(title, labels, buckets).map(String::into_bytes).map_err(ChartError::of)
}

#[cfg(test)]
mod tests;
