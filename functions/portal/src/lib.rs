//! Pages for people. They have routes like everything else, so template.yaml and `front` know them, and are no part of
//! the API's document.

pub mod customer;
pub mod kit;

use purser_api::Function;

/// The functions that answer with pages.
pub const FUNCTIONS: &[Function] = &[Function::pages("customer-pages", customer::routes)];
