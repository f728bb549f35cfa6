//! Clients: the companies and people that licences are for.

pub mod body;
pub mod create;
pub mod delete;
pub mod read;
pub mod transfer;
pub mod update;
pub mod view;
mod young;

use crate::Function;
use purser_store::engine::secrets::Purpose::{Ids, Passes, Records};

pub const FUNCTIONS: &[Function] = &[
    Function::http("create-client", create::routes).with(&[Ids, Passes, Records]),
    Function::http("read-clients", read::routes).with(&[Ids, Passes, Records]),
    Function::http("update-client", update::routes).with(&[Passes, Records]),
    Function::http("transfer-client", transfer::routes).with(&[Passes, Records]),
    Function::http("delete-clients", delete::routes).with(&[Passes, Records]),
];
