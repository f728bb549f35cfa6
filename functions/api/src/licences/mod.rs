//! Licences: the keys that clients own and type into a product.

pub mod activate;
pub mod activations;
pub mod body;
pub mod change;
pub mod keys;
pub mod mint;
pub mod read;
pub mod renew;
pub mod signing_keys;
pub mod validate;
pub mod validation;
pub mod view;

use crate::Function;
use purser_store::engine::secrets::Purpose::{Answers, Ids, Licences, Passes, Published, Records};

pub const FUNCTIONS: &[Function] = &[
    Function::http("mint-licence", mint::routes).with(&[Ids, Passes, Records, Licences]),
    Function::http("read-licences", read::routes).with(&[Passes, Records]),
    Function::http("change-licence", change::routes).with(&[Passes, Records]),
    Function::http("renew-licence", renew::routes).with(&[Ids, Passes, Records]),
    Function::public("validate-licence", validate::routes).with(&[Ids, Answers]),
    Function::public("activate-installation", activate::routes).with(&[Ids, Answers]),
    Function::http("licence-activations", activations::routes).with(&[Passes, Records]),
    Function::public("read-signing-keys", signing_keys::routes).with(&[Published]),
    Function::http("licence-keys", keys::routes).with(&[Ids, Passes, Records, Licences]),
];
