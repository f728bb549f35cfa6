//! How anything is stored: keys, items, conditions, transactions, pages. The engine knows none of the product's
//! nouns.

pub mod command;
pub mod cursor;
pub mod error;
pub mod item;
pub mod keys;
pub mod loaded;
pub mod page;
pub mod secrets;
pub mod table;
