//! Reads the files that hold saved checkpoints and entries.
//!
//! Invariant: a file holds a list from an answer of the API, or one item of such a list, in the API's own JSON. All
//! else is an error.

use std::path::{Path, PathBuf};
use std::str::FromStr;

use purser_domain::basic::ResellerRefid;
use purser_domain::money::checkpoint::Part;
use purser_domain::money::checkpoint::history::Link;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use thiserror::Error;

#[derive(Debug, Error)]
pub enum FileError {
    #[error("{}: {error}", path.display())]
    Io { path: PathBuf, error: std::io::Error },
    #[error("{}: this is not what GET {from} answers: {error}", path.display())]
    Content {
        path: PathBuf,
        /// The route whose answer the file should hold.
        from: &'static str,
        error: serde_json::Error,
    },
    #[error("{}, line {line}: this is not what `accounts` saves: {error}", path.display())]
    Line {
        path: PathBuf,
        /// The number of the line, from 1.
        line: usize,
        error: serde_json::Error,
    },
    #[error("{}: there is no .json file in this folder", .0.display())]
    Empty(PathBuf),
    #[error("there is no checkpoint in what was given")]
    NoCheckpoint,
}

/// A wallet and the file that holds entries of it: the argument `RS-…=FILE`.
#[derive(Debug, Clone)]
pub struct EntryFile {
    pub reseller: ResellerRefid,
    pub path: PathBuf,
}

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

#[derive(Deserialize)]
struct Answer<T> {
    data: Vec<T>,
}

/// Reads the checkpoint parts in all files and folders. Finding none is an error, because it would prove nothing.
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

pub fn links(path: &Path) -> Result<Vec<Link>, FileError> {
    items(path, "/v1/resellers/{refid}/entries")
}

/// The file itself, or all .json files of a folder.
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

/// The items of a saved list, or a single saved item.
fn items<T: DeserializeOwned>(path: &Path, from: &'static str) -> Result<Vec<T>, FileError> {
    let bytes = std::fs::read(path).map_err(|error| FileError::Io { path: path.to_owned(), error })?;
    let list = serde_json::from_slice::<Answer<T>>(&bytes).map(|answer| answer.data);
    // The error for a broken list is about the list, not about a single item.
    let is_list = || serde_json::from_slice::<Answer<serde_json::Value>>(&bytes).is_ok();
    let read = match list {
        Err(_) if !is_list() => serde_json::from_slice(&bytes).map(|item| vec![item]),
        read => read,
    };
    read.map_err(|error| FileError::Content { path: path.to_owned(), from, error })
}
