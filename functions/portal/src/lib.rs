//! The portal: HTML pages for people. Their routes are registered like the API's, so template.yaml and the function
//! `front` know them, but they are not part of the API's document.

pub mod customer;
pub mod kit;

use purser_api::Function;
use purser_store::engine::secrets::Purpose::Ids;

pub const FUNCTIONS: &[Function] = &[Function::pages("customer-pages", customer::routes).with(&[Ids])];
