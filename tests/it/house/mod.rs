//! The rules of the house.

mod cycles;
mod tidy;
