//! What every function needs at its edge: the caller, problems, extractors, answers, the bus and mail.
//!
//! Invariant: headers and status codes end here; below are only the types of the domain. What a resource shows, its room
//! in the API says.

pub mod caller;
pub mod events;
pub mod http;
pub mod process;

pub use caller::call::Call;
pub use caller::input::Input;
pub use http::problem::Problem;
pub use process::app::App;
