//! What every function needs to talk to the outside: callers, extractors, answers, problems, the bus and e-mail.
//!
//! Invariant: HTTP headers and status codes are known to this crate and the functions, never to the store or the
//! domain. The JSON view of a resource is defined in the function that serves it, not here.

pub mod caller;
pub mod events;
pub mod http;
pub mod prelude;
pub mod process;

pub use caller::call::Call;
pub use caller::input::Input;
pub use http::problem::Problem;
pub use process::app::App;
// For `undescribed_routes`, which other crates expand.
#[doc(hidden)]
pub use utoipa_axum;
