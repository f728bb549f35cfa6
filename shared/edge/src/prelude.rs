//! The names that operations use. The modules of the functions import all of them.

pub use axum::extract::State;
pub use axum::response::{IntoResponse, Response};
pub use purser_domain::refusal::{Refusal, ResourceKind};
pub use serde::{Deserialize, Serialize};
pub use utoipa::{IntoParams, ToSchema};
pub use utoipa_axum::router::OpenApiRouter;
#[cfg(feature = "document")]
pub use utoipa_axum::routes;

pub use crate::caller::call::Call;
pub use crate::caller::input::{
    Admin, Applicant, Ending, Found, Input, Named, Onboarding, Operator, Paying, Proven, Selling,
};
pub use crate::http::answer;
pub use crate::http::extract::{Body, IfMatch, Key, Limit, Order, PageQuery, Params, Terms};
pub use crate::http::negotiation::Accept;
pub use crate::http::problem::{Problem, refusals::*};
pub use crate::process::app::App;
#[cfg(not(feature = "document"))]
pub use crate::undescribed_routes as routes;
