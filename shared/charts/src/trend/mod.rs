//! Trends: figures over periods, as a table and as a picture.
//!
//! Invariant: a trend has as many figures in each bucket as it has series, one or two.

mod axis;
mod chart;

pub use axis::grouped;

use crate::ChartError;
use crate::table::{Cell, csv};

/// Figures of `SERIES` kinds, one or two, over periods.
#[derive(Debug, Clone, Copy)]
pub struct Trend<'a, const SERIES: usize> {
    /// What it is about, for people: `Credits distributed and spent`. Any text.
    pub title: &'a str,
    /// What the figures of a bucket are, in their order.
    pub series: [Series<'a>; SERIES],
    /// The buckets, oldest first; there may be none.
    pub buckets: &'a [Bucket<SERIES>],
}

/// One kind of figures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Series<'a> {
    /// Its name for programs, the head of a column: `value`.
    pub column: &'a str,
    /// Its name for people, for the legend: `Distributed`.
    pub label: &'a str,
}

/// The figures of one period.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bucket<const SERIES: usize> {
    /// The day, month or year: `2023-01-31`, `2023-01` or `2023`.
    pub period: String,
    /// Its figures. Any number, also a negative one.
    pub figures: [i64; SERIES],
}

impl<const SERIES: usize> Trend<'_, SERIES> {
    /// The trend as a table: `period`, then a column for each series.
    pub fn csv(&self) -> Result<Vec<u8>, ChartError> {
        let columns = self.series.iter().map(|it| it.column);
        let header: Vec<_> = std::iter::once("period").chain(columns).collect();
        let rows = self.buckets.iter().map(|bucket| {
            let figures = bucket.figures.into_iter().map(Cell::Number);
            std::iter::once(Cell::Text(&bucket.period)).chain(figures)
        });
        csv(&header, rows)
    }

    /// The trend as a picture, a whole SVG document.
    pub fn svg(&self) -> Result<Vec<u8>, ChartError> {
        const { assert!(SERIES == 1 || SERIES == 2) };
        let drawn = chart::svg(self.title, self.series.map(|it| it.label), self.buckets);
        drawn.map(String::into_bytes).map_err(ChartError::of)
    }
}

#[cfg(test)]
mod tests;
