//! Rules about the repository itself: its documents, its style, and what may depend on what.

mod cycles;
mod rules;
mod tidy;
