//! `accounts` and `delete-accounts`: lists the users whom nobody needs any more, and deletes them (rule D6).
//!
//! Invariant: a user is deleted only if it is in a file that an operator could review first, and only in the version
//! that the file names. The file holds refids and no personal data.

use std::collections::BTreeMap;
use std::io::{BufRead, Write};
use std::path::Path;

use purser_domain::basic::{Time, UserRefid};
use purser_domain::people::clean_up::Reason;
use serde::{Deserialize, Serialize};

use crate::api::{Api, ApiError, Deletion};
use crate::check::count;
use crate::files::FileError;
use crate::progress::{Progress, counted, grouped, say};
use crate::{Failure, Outcome};

/// A user in the API's list, reduced to what is saved: one line of the file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Stale {
    refid: UserRefid,
    version: u64,
    reason: Reason,
    since: Time,
}

/// Saves the list, whole or not at all.
pub async fn save(api: &Api, path: &Path) -> Result<Outcome, Failure> {
    let progress = Progress::begin("accounts found", None);
    let draft = path.with_extension("draft");
    let io = |error| FileError::Io { path: path.to_owned(), error };
    let mut file = std::io::BufWriter::new(std::fs::File::create(&draft).map_err(io)?);
    let mut reasons = Reasons::default();
    let mut cursor = None;
    loop {
        let page = api.page::<Stale>("/v1/stale-users", cursor.as_deref()).await?;
        for stale in &page.data {
            let line = serde_json::to_string(stale)?;
            writeln!(file, "{line}").map_err(io)?;
            reasons.add(stale);
        }
        progress.done(count(page.data.len()));
        cursor = page.next_cursor;
        if cursor.is_none() {
            break;
        }
    }
    file.flush().map_err(io)?;
    std::fs::rename(&draft, path).map_err(io)?;
    drop(progress);
    say(&format!("{}: {reasons}", path.display()));
    Ok(Outcome::Intact)
}

/// Deletes the users in a file one after another.
pub async fn delete(api: &Api, url: &str, path: &Path, yes: bool) -> Result<Outcome, Failure> {
    let all = read(path)?;
    let mut reasons = Reasons::default();
    for stale in &all {
        reasons.add(stale);
    }
    if all.is_empty() {
        say(&format!("{}: {reasons}", path.display()));
        return Ok(Outcome::Intact);
    }
    say(&format!("About to delete permanently at {url}: {reasons}"));
    if !yes && !asked()? {
        say("Nothing was deleted");
        return Ok(Outcome::Broken);
    }
    let progress = Progress::begin("accounts looked at", Some(count(all.len())));
    let mut results: BTreeMap<Deletion, u64> = BTreeMap::new();
    let mut failed = 0_u64;
    for stale in &all {
        let path = format!("/v1/users/{}", stale.refid);
        match api.delete(&path, stale.version).await {
            Ok(result) => *results.entry(result).or_default() += 1,
            // A refused key would be refused for every other user, too.
            Err(error @ ApiError::Key(_)) => return Err(error.into()),
            Err(error) => {
                failed += 1;
                progress.warn(&format!("{}: {error}", stale.refid));
            }
        }
        progress.done(1);
    }
    drop(progress);
    let mut left = 0;
    for (result, times) in results {
        let became = match result {
            Deletion::Done => "deleted",
            Deletion::Gone => "already gone",
            Deletion::Changed => "changed since, and kept",
            Deletion::InUse => "in use, and kept",
        };
        if matches!(result, Deletion::Changed | Deletion::InUse) {
            left += times;
        }
        say(&format!("{} {became}", counted(times, "account")));
    }
    if failed > 0 {
        let failed = counted(failed, "account");
        say(&format!("{failed} could not be deleted"));
    }
    Ok(Outcome::of(left > 0, failed == 0))
}

/// Asks for confirmation; the end of the input means no.
fn asked() -> Result<bool, Failure> {
    let mut error = std::io::stderr();
    write!(error, "Type yes to continue: ")?;
    error.flush()?;
    let mut answer = String::new();
    std::io::stdin().lock().read_line(&mut answer)?;
    Ok(answer.trim() == "yes")
}

fn read(path: &Path) -> Result<Vec<Stale>, FileError> {
    let text = std::fs::read_to_string(path).map_err(|error| FileError::Io { path: path.to_owned(), error })?;
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    lines
        .map(|(number, line)| {
            serde_json::from_str(line).map_err(|error| FileError::Line {
                path: path.to_owned(),
                line: number + 1,
                error,
            })
        })
        .collect()
}

/// How many users there are for each reason, and the earliest `since` among them.
#[derive(Default)]
struct Reasons {
    counts: BTreeMap<Reason, u64>,
    since: Option<Time>,
}

impl Reasons {
    fn add(&mut self, stale: &Stale) {
        *self.counts.entry(stale.reason).or_default() += 1;
        let earlier = self.since.is_none_or(|since| stale.since < since);
        if earlier {
            self.since = Some(stale.since);
        }
    }
}

impl std::fmt::Display for Reasons {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let all = counted(self.counts.values().sum(), "account");
        let Some(since) = self.since else {
            return out.write_str(&all);
        };
        let each = self.counts.iter();
        let each = each.map(|(reason, times)| format!("{} {}", grouped(*times), reason.into_str()));
        let each: Vec<String> = each.collect();
        write!(out, "{all}, {}; the longest since {}", each.join(" and "), since.day())
    }
}
