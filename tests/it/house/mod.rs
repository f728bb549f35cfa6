//! The rules of the house.

mod cycles;
mod rules;
mod tidy;
