//! `check`: judges saved checkpoints without network and without secrets.
//!
//! Invariant: nothing is trusted except the public key, which the operator supplies.

use std::collections::BTreeMap;
use std::path::PathBuf;

use purser_domain::basic::ResellerRefid;
use purser_domain::money::PublicKey;
use purser_domain::money::checkpoint::history::{Chronicle, Link};

use crate::files::{self, EntryFile, FileError};
use crate::progress::{counted, say};
use crate::{Failure, Outcome};

pub fn chronicle(paths: &[PathBuf], key: &PublicKey) -> Result<Chronicle, FileError> {
    Ok(Chronicle::of(files::parts(paths)?, key))
}

/// Prints what is wrong with saved checkpoints, and with saved entries compared with them.
pub fn check(paths: &[PathBuf], key: &PublicKey, entries: &[EntryFile]) -> Result<Outcome, Failure> {
    let chronicle = chronicle(paths, key)?;
    let mut histories: BTreeMap<&ResellerRefid, Vec<Link>> = BTreeMap::new();
    for EntryFile { reseller, path } in entries {
        let history = histories.entry(reseller).or_default();
        history.extend(files::links(path)?);
    }
    let followed = histories.values().map(|it| count(it.len())).sum();
    let of_entries = histories.into_iter().flat_map(|(reseller, links)| chronicle.follow(reseller, links));
    let mut found = chronicle.discrepancies.clone();
    found.extend(chronicle.gaps());
    found.extend(of_entries);
    for discrepancy in &found {
        say(&discrepancy.to_string());
    }
    let days = counted(count(chronicle.days.len()), "day");
    let wallets = counted(count(chronicle.heads.len()), "wallet");
    let entries = counted(followed, "entry");
    let verdict = match found.len() {
        0 => "in order".to_owned(),
        problems => counted(count(problems), "problem"),
    };
    say(&format!("{days}, {wallets}, {entries}: {verdict}"));
    Ok(Outcome::of(!found.is_empty(), true))
}

pub fn count(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}
