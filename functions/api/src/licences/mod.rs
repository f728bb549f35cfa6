//! Licences: the keys that clients own and type into a product.

pub mod activations;
pub mod body;
pub mod change;
pub mod keys;
pub mod mint;
pub mod programs;
pub mod read;
pub mod renew;
pub mod view;

use crate::Function;
use purser_store::engine::secrets::Purpose::{Answers, Ids, Licences, Passes, Published, Records};

pub const FUNCTIONS: &[Function] = &[
    Function::http("mint-licence", mint::routes).with(&[Ids, Passes, Records, Licences]),
    Function::http("read-licences", read::routes).with(&[Passes, Records]),
    Function::http("change-licence", change::routes).with(&[Passes, Records]),
    Function::http("renew-licence", renew::routes).with(&[Ids, Passes, Records]),
    Function::public("validate-licence", programs::validate::routes).with(&[Ids, Answers]),
    Function::public("activate-installation", programs::activate::routes).with(&[Ids, Answers]),
    Function::http("licence-activations", activations::routes).with(&[Passes, Records]),
    Function::public("read-signing-keys", programs::signing_keys::routes).with(&[Published]),
    Function::http("licence-keys", keys::routes).with(&[Ids, Passes, Records, Licences]),
];
