//! Accounts: how people and programs sign in, what users see and change of their own account, and who manages the
//! accounts of others.

pub mod api_keys;
pub mod auth;
pub mod me;
pub mod users;
pub mod view;

use crate::Function;

pub const FUNCTIONS: &[Function] = &[
    Function::public("customer-auth", auth::routes),
    Function::http("manage-account", me::routes),
    Function::http("manage-users", users::routes),
    Function::http("api-keys", api_keys::routes),
];
