//! What every function needs at its edge: the caller, problems, extractors, answers, the bus and mail.
//!
//! Invariant: headers, status codes and wire shapes end here; below are only the types of the domain.

pub mod answer;
pub mod app;
mod authenticate;
pub mod avatar;
pub mod bus;
pub mod call;
pub mod captcha;
pub mod client_body;
pub mod clock;
pub mod config;
pub mod consumer;
pub mod extract;
pub mod json;
pub mod lambda;
pub mod limits;
pub mod logs;
pub mod mail;
pub mod metrics;
pub mod negotiation;
pub mod passwords;
pub mod problem;
pub mod records;
pub mod sdk;
pub mod serve;
pub mod shapes;
pub mod table;
pub mod trend;

pub use app::App;
pub use call::Call;
pub use problem::Problem;
