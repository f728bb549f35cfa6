//! What every function needs at its edge: the caller, problems, extractors, answers, the bus and mail.
//!
//! Invariant: headers, status codes and wire shapes end here; below are only the types of the domain.

pub mod caller;
pub mod events;
pub mod http;
pub mod process;
pub mod shapes;

pub use caller::call::Call;
pub use caller::input::Input;
pub use http::problem::Problem;
pub use process::app::App;
