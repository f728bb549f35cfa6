//! The embedded DynamoDB: one table, made from the template, on SQLite or in memory.
//!
//! Invariants: the table is the template's or opening fails; a write that was acknowledged is in
//! the file, whatever becomes of the process; the cost of a write does not grow with the number
//! of stream records already there.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use dynoxide::storage_backend::Clock;
use dynoxide::{Database, TableMetadata};
use jiff::Timestamp;
use rusqlite::Connection;
use serde_json::{Value, json};
use thiserror::Error;

use crate::Now;
use crate::cloud::loopback::Loopback;
use crate::template::TableSpec;

mod blueprint;
mod schema;

/// The database looks for a table's last stream record with `MAX(CAST(…))`, before every write.
/// Without an index over that very expression the search reads the whole stream.
const STREAM_INDEX: &str = "CREATE INDEX IF NOT EXISTS purser_stream_by_sequence
    ON _stream_records (table_name, CAST(sequence_number AS INTEGER))";

/// How long a stream keeps a record that has been read, as in the cloud.
const STREAM_HOURS: i64 = 24;

/// Where the table lives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Storage {
    /// In an SQLite file, which keeps it between runs. Its stamps (stream records, expiry) come
    /// from the system's clock: the database offers no other for files.
    File(PathBuf),
    /// In memory, gone with the process. Its stamps come from the given clock.
    Memory,
}

/// Why the database did not open, or did not do what was asked.
#[derive(Debug, Error)]
pub enum DynamoError {
    /// The file holds a table with other keys, indexes, stream or expiry than the template's.
    #[error(
        "the table in {} is not the one in the template ({difference}): move its folder away to \
         begin with an empty table, or go back to the template it was made from",
        path.display()
    )]
    OtherTable {
        /// The file.
        path: PathBuf,
        /// What differs first.
        difference: String,
    },
    /// The table was made and is not there.
    #[error("the table {0} was made and is not there")]
    Vanished(String),
    /// A path that is not UTF-8.
    #[error("the path {} is not valid Unicode", .0.display())]
    Path(PathBuf),
    /// The database refused.
    #[error("database: {0}")]
    Database(#[from] dynoxide::DynoxideError),
    /// SQLite refused.
    #[error("database file: {0}")]
    Sqlite(#[from] rusqlite::Error),
    /// The template's table is not one that the database can make.
    #[error("the template's table: {0}")]
    Spec(#[from] serde_json::Error),
    /// The listener did not start.
    #[error("database port: {0}")]
    Listen(#[from] std::io::Error),
    /// The sweep of expired items broke off.
    #[error("sweep: {0}")]
    Sweep(#[from] tokio::task::JoinError),
}

/// A running table.
pub struct Dynamo {
    database: Database,
    table: String,
    loopback: Loopback,
}

impl Dynamo {
    /// Opens the table, creating it as `spec` states if there is none, and serves it over HTTP.
    ///
    /// In a file, stream records leave that are older than 24 hours *and* delivered, by the
    /// position that [`crate::cloud::stream`] keeps in the same folder.
    pub async fn open(storage: Storage, spec: &TableSpec, table: &str, now: Now) -> Result<Self, DynamoError> {
        let database = match storage {
            Storage::File(path) => open_file(&path, spec, table, &now)?,
            Storage::Memory => in_memory(spec, table, now)?,
        };
        let served = database.clone();
        let loopback =
            Loopback::spawn(|listener, stopped| dynoxide::server::serve_with_shutdown(listener, served, stopped))
                .await?;
        Ok(Self { database, table: table.to_owned(), loopback })
    }

    /// The address for an SDK client. Credentials and region can be any.
    pub fn endpoint(&self) -> String {
        self.loopback.endpoint()
    }

    /// The table's name.
    pub fn table(&self) -> &str {
        &self.table
    }

    /// The database itself, which the stream's reader and tests look into.
    pub fn database(&self) -> &Database {
        &self.database
    }

    /// Deletes the items whose expiry has passed, and answers how many they were. Until then
    /// they are still read, as in the cloud.
    pub async fn sweep_ttl(&self) -> Result<usize, DynamoError> {
        sweep_ttl(&self.database).await
    }

    /// Answers what has begun and stops. The file is closed with the last clone of
    /// [`Dynamo::database`].
    pub async fn shutdown(self) {
        self.loopback.shutdown().await;
    }
}

/// An empty table in memory that nobody serves: for whoever calls the database itself.
pub fn in_memory(spec: &TableSpec, table: &str, now: Now) -> Result<Database, DynamoError> {
    let database = Database::memory_with_clock(Arc::new(TurnedClock(now)))?;
    blueprint::stamp(&database, spec, table)?;
    Ok(database)
}

/// [`Dynamo::sweep_ttl`] for whoever has the database only.
pub(crate) async fn sweep_ttl(database: &Database) -> Result<usize, DynamoError> {
    // Between pages the sweep waits for other requests, so it may not hold up this thread.
    let database = database.clone();
    Ok(tokio::task::spawn_blocking(move || database.sweep_ttl()).await??)
}

fn open_file(path: &Path, spec: &TableSpec, table: &str, now: &Now) -> Result<Database, DynamoError> {
    let name = path.to_str().ok_or_else(|| DynamoError::Path(path.to_owned()))?;
    let database = Database::new(name)?;
    let present = match database.get_table_metadata(table)? {
        Some(present) => present,
        None => create(&database, spec, table)?,
    };
    if let Some(difference) = schema::difference(&present, spec) {
        return Err(DynamoError::OtherTable { path: path.to_owned(), difference });
    }
    if let (Some(attribute), false) = (&spec.ttl_attribute, present.ttl_enabled) {
        enable_ttl(&database, table, attribute)?;
    }
    // A second connection, since the database keeps its own to itself.
    let connection = Connection::open(path)?;
    connection.execute_batch(STREAM_INDEX)?;
    if let Some(read) = path.parent().and_then(crate::cloud::position::saved_position) {
        trim(&connection, now(), &read)?;
    }
    Ok(database)
}

fn create(database: &Database, spec: &TableSpec, table: &str) -> Result<TableMetadata, DynamoError> {
    let mut request = spec.create.clone();
    if let Value::Object(fields) = &mut request {
        fields.insert("TableName".to_owned(), json!(table));
    }
    database.create_table(serde_json::from_value(request)?)?;
    database.get_table_metadata(table)?.ok_or_else(|| DynamoError::Vanished(table.to_owned()))
}

fn enable_ttl(database: &Database, table: &str, attribute: &str) -> Result<(), DynamoError> {
    database.update_time_to_live(serde_json::from_value(json!({
        "TableName": table,
        "TimeToLiveSpecification": {"AttributeName": attribute, "Enabled": true},
    }))?)?;
    Ok(())
}

/// Drops what the stream no longer has to offer. A record that is old but was never delivered
/// stays: on a laptop that slept over a weekend nothing else would remember its event. So does the last
/// one delivered: the emulator numbers the next one after it, even if the clock was set back.
fn trim(connection: &Connection, now: Timestamp, read: &str) -> Result<usize, DynamoError> {
    // The file counts from zero what the stream's 21 digits count from 10^20.
    let Some(Ok(read)) = read.strip_prefix('1').map(str::parse::<i64>) else {
        return Ok(0);
    };
    Ok(connection.execute(
        "DELETE FROM _stream_records
         WHERE created_at < ?1 AND CAST(sequence_number AS INTEGER) < ?2",
        (now.as_second() - STREAM_HOURS * 3600, read),
    )?)
}

/// The database's clock, read from ours.
struct TurnedClock(Now);

impl Clock for TurnedClock {
    fn now_unix_secs(&self) -> u64 {
        u64::try_from((self.0)().as_second()).unwrap_or_default()
    }

    fn now_unix_secs_f64(&self) -> f64 {
        (self.0)().as_duration().as_secs_f64()
    }
}

#[cfg(test)]
mod tests;
