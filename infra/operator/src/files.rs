//! The files that checkpoints and entries are kept in.
//!
//! Invariant: a file holds what the API answers, or one item of it, in the API's own JSON; nothing else is taken.

use std::path::{Path, PathBuf};
use std::str::FromStr;

use purser_domain::basic::refid::ResellerRefid;
use purser_domain::money::checkpoint::Part;
use purser_domain::money::checkpoint::history::Link;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use thiserror::Error;

/// Why a file is of no use.
#[derive(Debug, Error)]
pub enum FileError {
    /// It can't be read or written.
    #[error("{}: {error}", path.display())]
    Io {
        /// Which.
        path: PathBuf,
        /// Why.
        error: std::io::Error,
    },
    /// It holds something else.
    #[error("{}: this is not what GET {from} answers: {error}", path.display())]
    Content {
        /// Which.
        path: PathBuf,
        /// What it should be from.
        from: &'static str,
        /// What is wrong.
        error: serde_json::Error,
    },
    /// A line of it is none that was saved.
    #[error("{}, line {line}: this is not what `accounts` saves: {error}", path.display())]
    Line {
        /// Which.
        path: PathBuf,
        /// Which line, from 1.
        line: usize,
        /// What is wrong.
        error: serde_json::Error,
    },
    /// A folder without files.
    #[error("{}: there is no .json in this folder", .0.display())]
    Empty(PathBuf),
    /// Files that hold nothing.
    #[error("there is no checkpoint in what was given")]
    NoCheckpoint,
}

/// A wallet, and a file with entries of it: `RS-…=FILE`.
#[derive(Debug, Clone)]
pub struct EntryFile {
    /// Whose wallet.
    pub reseller: ResellerRefid,
    /// The file.
    pub path: PathBuf,
}

/// An argument that names no wallet and file.
#[derive(Debug, Clone, Copy, Error)]
#[error("must be a wallet and a file, like RS-7ZK3M9QWX2ABCDEF=entries.json")]
pub struct EntryFileError;

impl FromStr for EntryFile {
    type Err = EntryFileError;
    fn from_str(text: &str) -> Result<Self, EntryFileError> {
        let (refid, path) = text.split_once('=').ok_or(EntryFileError)?;
        Ok(Self { reseller: ResellerRefid::parse(refid).ok_or(EntryFileError)?, path: path.into() })
    }
}

/// What the API answers to a list.
#[derive(Deserialize)]
struct Answer<T> {
    data: Vec<T>,
}

/// Every part in these files, or in the files of these folders; none at all would prove nothing.
pub fn parts(paths: &[PathBuf]) -> Result<Vec<Part>, FileError> {
    let mut parts = Vec::new();
    for path in paths {
        for path in files_of(path)? {
            parts.extend(items(&path, "/v1/checkpoints")?);
        }
    }
    match parts.as_slice() {
        [] => Err(FileError::NoCheckpoint),
        _ => Ok(parts),
    }
}

/// The entries in a file.
pub fn links(path: &Path) -> Result<Vec<Link>, FileError> {
    items(path, "/v1/resellers/{refid}/entries")
}

/// A file itself, or all of a folder that end in .json.
fn files_of(path: &Path) -> Result<Vec<PathBuf>, FileError> {
    if !path.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let io = |error| FileError::Io { path: path.to_owned(), error };
    let mut files = Vec::new();
    for entry in std::fs::read_dir(path).map_err(io)? {
        files.push(entry.map_err(io)?.path());
    }
    files.retain(|file| file.extension().is_some_and(|it| it == "json"));
    files.sort();
    match files.as_slice() {
        [] => Err(FileError::Empty(path.to_owned())),
        _ => Ok(files),
    }
}

/// The items of a list that was saved, or the one item.
fn items<T: DeserializeOwned>(path: &Path, from: &'static str) -> Result<Vec<T>, FileError> {
    let bytes = std::fs::read(path).map_err(|error| FileError::Io { path: path.to_owned(), error })?;
    let list = serde_json::from_slice::<Answer<T>>(&bytes).map(|answer| answer.data);
    // A file is told to be wrong as what it seems to be.
    let is_list = || serde_json::from_slice::<Answer<serde_json::Value>>(&bytes).is_ok();
    let read = match list {
        Err(_) if !is_list() => serde_json::from_slice(&bytes).map(|item| vec![item]),
        read => read,
    };
    read.map_err(|error| FileError::Content { path: path.to_owned(), from, error })
}
