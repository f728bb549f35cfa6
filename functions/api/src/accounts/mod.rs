//! Accounts: how people get in, what they see and change of themselves, and who sees and changes others.

pub mod api_keys;
pub mod auth;
pub mod me;
pub mod users;
pub mod view;

use crate::Function;

/// The functions of this room.
pub const FUNCTIONS: &[Function] = &[
    Function::public("customer-auth", auth::routes),
    Function::http("manage-account", me::routes),
    Function::http("manage-users", users::routes),
    Function::http("api-keys", api_keys::routes),
];
