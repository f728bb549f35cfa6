//! Empty tables in memory, made once per process and copied from then on.
//!
//! Invariant: a copy has the stream's index and the expiry that a file's table has. The database
//! hides the connection of a table in memory, so the index cannot be put on it directly; it can be
//! put on a database in memory that has a name, and that one be restored from.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use dynoxide::Database;
use rusqlite::Connection;

use super::{DynamoError, STREAM_INDEX, create, enable_ttl};
use crate::template::TableSpec;

/// A named database in memory lives as long as a connection to it.
struct Blueprint {
    name: String,
    _keeper: Database,
}

static BLUEPRINTS: Mutex<Option<HashMap<String, Blueprint>>> = Mutex::new(None);

/// Makes `database` an empty copy of the table.
pub(super) fn stamp(database: &Database, spec: &TableSpec, table: &str) -> Result<(), DynamoError> {
    let key = format!("{table} {:?} {}", spec.ttl_attribute, spec.create);
    let mut blueprints = BLUEPRINTS.lock().unwrap_or_else(PoisonError::into_inner);
    let blueprints = blueprints.get_or_insert_default();
    // Copying under the lock costs a millisecond of waiting at worst, and spares the shared cache
    // every question of who reads while whom.
    if let Some(blueprint) = blueprints.get(&key) {
        return Ok(database.restore_from(&blueprint.name)?);
    }
    let name = format!("file:purser-blueprint-{}?mode=memory&cache=shared", blueprints.len());
    let keeper = Database::new(&name)?;
    create(&keeper, spec, table)?;
    if let Some(attribute) = &spec.ttl_attribute {
        enable_ttl(&keeper, table, attribute)?;
    }
    Connection::open(&name)?.execute_batch(STREAM_INDEX)?;
    database.restore_from(&name)?;
    blueprints.insert(key, Blueprint { name, _keeper: keeper });
    Ok(())
}
