//! Empty tables in memory, created once per process and then copied.
//!
//! Invariant: a copy has the same stream index and expiry as a table in a file. The database hides the connection of
//! a table in memory, so the index can't be created on it directly. It can be created on a named database in memory,
//! from which the table is then restored.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use dynoxide::Database;
use rusqlite::Connection;

use super::{DynamoError, STREAM_INDEX, create, enable_ttl};
use crate::template::TableSpec;

/// A named database in memory, which exists only while a connection to it is open.
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
    // Copying under the lock costs other threads a millisecond at worst, and keeps them from reading the shared cache
    // at the same time.
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
