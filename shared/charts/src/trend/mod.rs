//! Trends as pictures: figures over periods.

mod axis;
mod chart;

pub use axis::grouped;

use crate::ChartError;

/// The figures of one period, one or two.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bucket<const SERIES: usize> {
    /// The day, month or year: `2023-01-31`, `2023-01` or `2023`.
    pub period: String,
    /// Its figures. Any number, also a negative one.
    pub figures: [i64; SERIES],
}

/// The trend as a picture, a whole SVG document: what it is called, what the figures are called in the legend, and the
/// buckets, oldest first. Any text, and any number of buckets.
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
