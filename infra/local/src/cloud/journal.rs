//! A file of JSON lines that only its owner can read: sent e-mails and dead letters.
//!
//! Invariant: a line is either complete or ignored. A process that is killed while writing a line loses that line
//! only, never the file.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde::de::DeserializeOwned;

#[derive(Debug)]
pub struct Journal {
    path: PathBuf,
    file: File,
}

impl Journal {
    /// Opens or creates the file, and reads its newest `keep` lines, oldest first.
    ///
    /// A file with more lines is cut down to these, so that it cannot grow for ever.
    pub fn open<T: Serialize + DeserializeOwned>(path: &Path, keep: usize) -> io::Result<(Self, Vec<T>)> {
        let mut lines = Vec::new();
        let mut rewrite = false;
        if path.exists() {
            let text = std::fs::read(path)?;
            // The last line can be valid and still lack its newline; the next line must not be appended to it.
            rewrite = text.last().is_some_and(|last| *last != b'\n');
            for line in text.split(|byte| *byte == b'\n').filter(|it| !it.is_empty()) {
                match serde_json::from_slice(line) {
                    Ok(entry) => lines.push(entry),
                    Err(error) => {
                        rewrite = true;
                        tracing::warn!(path = %path.display(), %error, "skipped an incomplete line");
                    }
                }
            }
        }
        if lines.len() > keep {
            rewrite = true;
            lines.drain(..lines.len() - keep);
        }
        let mut journal = Self::append_to(path, false)?;
        if rewrite {
            journal.rewrite(&lines)?;
        }
        Ok((journal, lines))
    }

    /// Replaces the whole file with `lines`. A process that is killed meanwhile leaves the old file.
    pub fn rewrite<T: Serialize>(&mut self, lines: &[T]) -> io::Result<()> {
        let fresh = self.path.with_extension("jsonl.new");
        let mut journal = Self::append_to(&fresh, true)?;
        for line in lines {
            journal.append(line)?;
        }
        std::fs::rename(&fresh, &self.path)?;
        self.file = journal.file;
        Ok(())
    }

    /// Appends one line. It survives the end of the process, but perhaps not a power failure.
    pub fn append<T: Serialize>(&mut self, entry: &T) -> io::Result<()> {
        let mut line = serde_json::to_vec(entry)?;
        line.push(b'\n');
        let length = self.file.metadata()?.len();
        self.file.write_all(&line).inspect_err(|_| {
            // The next line must not continue a half-written one. If even this fails, reading skips the broken line.
            let _cut = self.file.set_len(length);
        })
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    fn append_to(path: &Path, empty: bool) -> io::Result<Self> {
        if empty && path.exists() {
            std::fs::remove_file(path)?;
        }
        let file = OpenOptions::new().create(true).append(true).mode(0o600).open(path)?;
        Ok(Self { path: path.to_path_buf(), file })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;

    #[test]
    fn what_was_appended_is_read_again_up_to_the_limit() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("numbers.jsonl");
        let (mut journal, before) = Journal::open::<u32>(&path, 3).unwrap();
        assert!(before.is_empty());
        for number in 0..5 {
            journal.append(&number).unwrap();
        }
        let (_, read) = Journal::open::<u32>(&path, 3).unwrap();
        assert_eq!(read, [2, 3, 4]);
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "2\n3\n4\n");
    }

    #[test]
    fn a_torn_last_line_costs_nothing_but_itself() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("words.jsonl");
        for (torn, kept) in [("\"one\"\n\"tw", "one"), ("\"one\"", "one")] {
            std::fs::write(&path, torn).unwrap();
            let (mut journal, read) = Journal::open::<String>(&path, 9).unwrap();
            assert_eq!(read, [kept]);
            journal.append(&"two").unwrap();
            let (_, read) = Journal::open::<String>(&path, 9).unwrap();
            assert_eq!(read, [kept, "two"]);
        }
    }

    #[test]
    fn what_is_left_out_of_a_rewrite_is_gone_and_appending_goes_on() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("numbers.jsonl");
        let (mut journal, _) = Journal::open::<u32>(&path, 9).unwrap();
        for number in 0..3 {
            journal.append(&number).unwrap();
        }
        journal.rewrite(&[1]).unwrap();
        journal.append(&7).unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "1\n7\n");
        let (_, read) = Journal::open::<u32>(&path, 9).unwrap();
        assert_eq!(read, [1, 7]);
    }

    #[test]
    fn only_the_owner_can_read_it() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret.jsonl");
        let (mut journal, _) = Journal::open::<u32>(&path, 1).unwrap();
        for _ in 0..2 {
            let mode = std::fs::metadata(&path).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
            journal.rewrite(&[1]).unwrap();
        }
    }
}
