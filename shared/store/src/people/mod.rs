//! Users in the table, and everything with which they sign in and prove who they are.

pub mod account;
pub mod api_key;
pub mod avatar;
pub mod caller;
pub mod link;
pub mod second_factor;
pub mod session;
pub mod sign_in;
pub mod strangers;
pub mod token;
pub mod user;
