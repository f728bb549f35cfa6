//! Resellers: the companies that sell licences and pay with credits.

pub mod onboard;
pub mod read;
pub mod sign_up;
pub mod update;
pub mod view;

use crate::Function;

pub const FUNCTIONS: &[Function] = &[
    Function::http("onboard-reseller", onboard::routes),
    Function::public("sign-up-reseller", sign_up::routes),
    Function::http("read-resellers", read::routes),
    Function::http("update-reseller", update::routes),
];
