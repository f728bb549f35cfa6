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

pub const FUNCTIONS: &[Function] = &[
    Function::http("create-client", create::routes),
    Function::http("read-clients", read::routes),
    Function::http("update-client", update::routes),
    Function::http("transfer-client", transfer::routes),
    Function::http("delete-clients", delete::routes),
];
