//! Accounts: how people and programs sign in, what users see and change of their own account, and who manages the
//! accounts of others.

pub mod api_keys;
pub mod auth;
pub mod me;
pub mod users;
pub mod view;

use crate::Function;
use purser_store::engine::secrets::Purpose::{Captcha, Factors, Ids, Passes, Records};

pub const FUNCTIONS: &[Function] = &[
    Function::public("customer-auth", auth::routes).with(&[Ids, Passes, Factors, Captcha]),
    Function::http("manage-account", me::routes).with(&[Ids, Passes, Factors]),
    Function::http("manage-users", users::routes).with(&[Ids, Passes, Records]),
    Function::http("api-keys", api_keys::routes).with(&[Ids, Passes, Records]),
];
