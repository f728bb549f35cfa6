//! Renders figures: tables as CSV, trends as SVG charts.

pub mod table;
pub mod trend;

/// A failure to render. It is always a bug in Purser, because any figures can be rendered.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct ChartError(String);

impl ChartError {
    fn of(error: impl std::fmt::Display) -> Self {
        Self(error.to_string())
    }
}
