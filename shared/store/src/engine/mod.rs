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

pub use command::Request;
pub(crate) use command::answer::View;
pub use command::answer::{Answer, NoView};
pub use command::idempotency::{Fingerprint, IdempotencyKey};
pub(crate) use command::turn::Turn;
pub(crate) use command::{CommandWrite, Decision};
pub use item::{Item, Stamp};
pub(crate) use keys::Index;
pub use keys::Key;
pub(crate) use loaded::Loaded;
pub(crate) use page::List;
pub use page::{Created, Order, Page, Paging};
pub use secrets::{Seal, Secrets};
pub(crate) use table::{Condition, Filter, TableError, Update, Write};
pub use table::{Consistency, Table};
