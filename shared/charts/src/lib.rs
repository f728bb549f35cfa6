//! Figures as people and programs take them: tables as CSV, trends as pictures.

pub mod table;
pub mod trend;

/// Why figures could not be shown: an error of ours, whatever the figures are.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct ChartError(String);

impl ChartError {
    fn of(error: impl std::fmt::Display) -> Self {
        Self(error.to_string())
    }
}
