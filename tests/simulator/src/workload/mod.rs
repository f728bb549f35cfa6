//! The workload: commands and people's requests, drawn from the seed.

pub mod command;
pub mod generator;
pub mod market;
pub mod people;
pub mod programs;
pub mod request;
