//! The edge of every function: what is refused, to whom, and what is logged.

mod bad_input;
mod edge;
mod isolation;
mod limits;
pub mod logs;
mod openapi;
pub mod operations;
mod origins;
mod viewer;
