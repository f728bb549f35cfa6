//! HTTP: extractors, answers, problems, rate limits, content negotiation, and the adapter to Lambda.

pub mod answer;
pub mod extract;
pub mod faults;
pub mod json;
pub mod lambda;
pub mod limits;
pub mod negotiation;
pub mod numbers;
pub mod problem;
pub mod serve;
mod words;
