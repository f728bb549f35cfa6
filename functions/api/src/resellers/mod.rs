//! Resellers: the companies that sell licences and pay with credits.

pub mod onboard;
pub mod read;
pub mod sign_up;
pub mod update;
pub mod view;

use crate::Function;
use purser_store::engine::secrets::Purpose::{Captcha, Ids, Passes, Records};

pub const FUNCTIONS: &[Function] = &[
    Function::http("onboard-reseller", onboard::routes).with(&[Ids, Passes, Records]),
    Function::public("sign-up-reseller", sign_up::routes).with(&[Ids, Passes, Captcha]),
    Function::http("read-resellers", read::routes).with(&[Passes, Records]),
    Function::http("update-reseller", update::routes).with(&[Passes, Records]),
];
