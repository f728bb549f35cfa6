//! The folder that keeps a laptop's data between runs.
//!
//! Invariants: only one process at a time has the folder open; each secret in it is created once, whole or not at
//! all, and only its owner can read it.

use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use data_encoding::BASE64URL_NOPAD;
use purser_store::StoreError;
use purser_store::engine::secrets::random;
use thiserror::Error;

const FOLDER_MODE: u32 = 0o700;

const FILE_MODE: u32 = 0o600;

const TABLE: &str = "table.sqlite";

#[derive(Debug, Error)]
pub enum FolderError {
    #[error("the folder {} is in use by another purser; choose another with --data", .0.display())]
    InUse(PathBuf),
    #[error("{} does not hold the secrets of a Purser: restore it", .0.display())]
    SecretsUnreadable(PathBuf),
    /// The table exists, but the secrets that its refids and seals are made with do not.
    #[error(
        "{} is missing, and the table beside it can't be used without it: restore it, or move the \
         folder away to start afresh",
        .0.display()
    )]
    SecretGone(PathBuf),
    #[error("{}: {error}", path.display())]
    Io { path: PathBuf, error: io::Error },
    /// The system provides no random numbers.
    #[error("{0}")]
    Random(#[from] StoreError),
}

/// An open folder, which is locked until this value is dropped.
#[derive(Debug)]
pub struct Folder {
    path: PathBuf,
    _lock: File,
}

impl Folder {
    /// Opens the folder, and creates it if necessary.
    pub fn open(path: &Path) -> Result<Self, FolderError> {
        let mut builder = DirBuilder::new();
        let made = builder.recursive(true).mode(FOLDER_MODE).create(path);
        made.map_err(|error| refused(path, error))?;
        let lock = path.join("lock");
        let file = private().create(true).truncate(false).open(&lock);
        let file = file.map_err(|error| refused(&lock, error))?;
        match file.try_lock() {
            Ok(()) => Ok(Self { path: path.to_owned(), _lock: file }),
            Err(TryLockError::WouldBlock) => Err(FolderError::InUse(path.to_owned())),
            Err(TryLockError::Error(error)) => Err(refused(&lock, error)),
        }
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    pub fn holds_table(path: &Path) -> bool {
        path.join(TABLE).exists()
    }

    /// The file that holds the table. It is created here if necessary, because SQLite would create one that others
    /// can read.
    pub fn table(&self) -> Result<PathBuf, FolderError> {
        let path = self.table_path();
        let file = private().create(true).truncate(false).open(&path);
        file.map_err(|error| refused(&path, error))?;
        Ok(path)
    }

    fn table_path(&self) -> PathBuf {
        self.path.join(TABLE)
    }

    /// The single secret of an earlier version, from which it derived all others. A table without any secret is an
    /// error: with new ones, nothing in it could be found any more.
    pub(super) fn root(&self) -> Result<Option<String>, FolderError> {
        let path = self.path.join("secret");
        if path.exists() {
            return read_private(&path).map(Some);
        }
        if self.table_path().exists() {
            return Err(FolderError::SecretGone(self.path.join("secrets.json")));
        }
        Ok(None)
    }

    pub fn operator_key(&self) -> Result<String, FolderError> {
        kept(&self.path.join("operator-key"), new_operator_key)
    }
}

pub fn new_operator_key() -> Result<String, StoreError> {
    Ok(format!("op_{}", BASE64URL_NOPAD.encode(&random::<32>()?)))
}

/// The text in a file, which is created by `make` if it does not exist.
fn kept(path: &Path, make: impl FnOnce() -> Result<String, StoreError>) -> Result<String, FolderError> {
    if !path.exists() {
        write_private(path, &make()?)?;
    }
    read_private(path)
}

pub(super) fn read_private(path: &Path) -> Result<String, FolderError> {
    let text = std::fs::read_to_string(path).map_err(|error| refused(path, error))?;
    Ok(text.trim().to_owned())
}

/// Writes a file that only its owner can read. After a crash the file is complete or absent.
pub fn write_private(path: &Path, text: &str) -> Result<(), FolderError> {
    let fresh = path.with_extension("new");
    let write = || {
        // A crash may have left this file behind.
        if fresh.exists() {
            std::fs::remove_file(&fresh)?;
        }
        let mut file = private().create_new(true).open(&fresh)?;
        file.write_all(text.as_bytes())?;
        file.write_all(b"\n")?;
        file.sync_all()?;
        std::fs::rename(&fresh, path)
    };
    write().map_err(|error| refused(path, error))
}

fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true).mode(FILE_MODE);
    options
}

fn refused(path: &Path, error: io::Error) -> FolderError {
    FolderError::Io { path: path.to_owned(), error }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn mode(path: &Path) -> u32 {
        std::fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn one_process_at_a_time_has_a_folder() {
        let parent = tempfile::tempdir().unwrap();
        let path = parent.path().join("deep/data");
        let first = Folder::open(&path).unwrap();
        let error = Folder::open(&path).unwrap_err().to_string();
        let expected = "data is in use by another purser; choose another with --data";
        assert!(error.ends_with(expected), "{error}");
        drop(first);
        assert!(Folder::open(&path).is_ok());
    }

    #[test]
    fn a_key_is_made_once_and_for_its_owner_only() {
        let parent = tempfile::tempdir().unwrap();
        let path = parent.path().join("data");
        let made = Folder::open(&path).unwrap();
        let key = made.operator_key().unwrap();
        assert_eq!(key.len(), 3 + 43);
        assert!(key.starts_with("op_"));
        made.table().unwrap();
        drop(made);
        assert_eq!(mode(&path), 0o700);
        for name in ["operator-key", "lock", "table.sqlite"] {
            assert_eq!(mode(&path.join(name)), 0o600, "{name}");
        }
        let again = Folder::open(&path).unwrap();
        assert_eq!(again.operator_key().unwrap(), key);
    }

    #[test]
    fn a_crash_while_a_secret_is_made_costs_nothing() {
        let parent = tempfile::tempdir().unwrap();
        let folder = Folder::open(parent.path()).unwrap();
        std::fs::write(parent.path().join("operator-key.new"), "abc").unwrap();
        assert_eq!(folder.operator_key().unwrap().len(), 3 + 43);
        assert!(!parent.path().join("operator-key.new").exists());
    }
}
