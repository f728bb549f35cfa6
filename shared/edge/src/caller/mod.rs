//! Who calls: keys and sessions, passwords, and whether it is a person.

mod authenticate;
pub mod call;
pub mod captcha;
pub mod input;
pub mod passwords;
