//! HTTP: requests as valid values, answers and problems, limits, and the way to and from Lambda.

pub mod answer;
pub mod extract;
pub mod json;
pub mod lambda;
pub mod limits;
pub mod negotiation;
pub mod problem;
pub mod serve;
