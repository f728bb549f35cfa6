//! How anything is kept: keys, items, conditions, transactions, pages. It knows no noun of the product.

pub mod command;
pub mod cursor;
pub mod error;
pub mod item;
pub mod keys;
pub mod loaded;
pub mod page;
pub mod secrets;
pub mod table;
