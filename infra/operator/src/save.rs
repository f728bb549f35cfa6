//! `checkpoints`: saves each signed part as a file.
//!
//! Invariant: an existing file is never overwritten. A part never changes, so the command reports a part if the
//! deployment now returns a different one.

use std::collections::BTreeSet;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use purser_domain::basic::Day;
use purser_domain::money::PublicKey;
use purser_domain::money::checkpoint::Part;

use crate::api::Api;
use crate::check::count;
use crate::files::FileError;
use crate::progress::{Progress, counted, say};
use crate::{Failure, Outcome};

enum Saved {
    New,
    /// The file exists and holds the same part.
    Known,
    /// The file exists and holds a different part.
    Differs,
}

/// Saves all parts, or those of one day. Only parts with a valid signature are saved: one made with `key`, if it is
/// given.
pub async fn save(api: &Api, folder: &Path, date: Option<Day>, key: Option<&PublicKey>) -> Result<Outcome, Failure> {
    std::fs::create_dir_all(folder).map_err(io(folder))?;
    let path = date.map_or_else(String::new, |date| format!("?date={date}"));
    let path = format!("/v1/checkpoints{path}");
    let progress = Progress::begin("parts saved", None);
    let (mut days, mut keys) = (BTreeSet::new(), BTreeSet::new());
    let (mut new, mut known, mut broken) = (0, 0, false);
    let mut cursor = None;
    loop {
        let page = api.page::<Part>(&path, cursor.as_deref()).await?;
        for part in &page.data {
            let (name, by) = (name(part), key.unwrap_or(&part.public_key));
            if let Err(why) = part.verify(by) {
                progress.say(&format!("{name}: {why}; it is not saved"));
                broken = true;
                continue;
            }
            match write(&folder.join(&name), part)? {
                Saved::New => new += 1,
                Saved::Known => known += 1,
                Saved::Differs => {
                    progress.say(&format!("{name}: the deployment now returns a different part"));
                    broken = true;
                }
            }
            days.insert(part.date);
            keys.insert(part.public_key.to_string());
        }
        progress.done(count(page.data.len()));
        cursor = page.next_cursor;
        if cursor.is_none() {
            break;
        }
    }
    drop(progress);
    if days.is_empty() && !broken {
        let which = date.map_or_else(|| "yet".to_owned(), |date| format!("of {date}"));
        return Err(format!("there is no checkpoint {which}").into());
    }
    let (days, folder) = (counted(count(days.len()), "day"), folder.display());
    say(&format!("{days} in {folder}: {} new, {known} known", counted(new, "part")));
    for key in keys {
        say(&format!("signed by {key}"));
    }
    Ok(Outcome::of(broken, true))
}

fn name(part: &Part) -> String {
    format!("{}.{:06}.json", part.date, part.part)
}

/// Writes a part, whole or not at all, unless its file exists.
fn write(path: &Path, part: &Part) -> Result<Saved, Failure> {
    match std::fs::read(path) {
        Ok(bytes) => {
            let same = serde_json::from_slice::<Part>(&bytes).is_ok_and(|there| there == *part);
            return Ok(if same { Saved::Known } else { Saved::Differs });
        }
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        Err(error) => return Err(io(path)(error).into()),
    }
    let draft = path.with_extension("draft");
    let text = serde_json::to_string_pretty(part)? + "\n";
    std::fs::write(&draft, text).map_err(io(&draft))?;
    std::fs::rename(&draft, path).map_err(io(path))?;
    Ok(Saved::New)
}

fn io(path: &Path) -> impl Fn(std::io::Error) -> FileError {
    let path: PathBuf = path.to_owned();
    move |error| FileError::Io { path: path.clone(), error }
}
