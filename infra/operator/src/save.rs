//! `checkpoints`: saves each signed part as a file.
//!
//! Invariant: an existing file is never overwritten. A part never changes, so the command reports a part if the
//! deployment now returns a different one. The parts that are saved already say which key followed the given one.

use std::collections::{BTreeMap, BTreeSet};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use purser_domain::basic::Day;
use purser_domain::money::PublicKey;
use purser_domain::money::checkpoint::chain::Chain;
use purser_domain::money::checkpoint::{Forged, Part};

use crate::api::Api;
use crate::check::count;
use crate::files::{self, FileError};
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
    let fetched = fetch(api, date).await?;
    let verdicts = judge(&fetched, folder, key)?;
    let (mut days, mut keys) = (BTreeSet::new(), BTreeSet::new());
    let (mut new, mut known, mut broken) = (0, 0, false);
    for (part, verdict) in fetched.iter().zip(verdicts) {
        let name = name(part);
        if let Err(why) = verdict {
            say(&format!("{name}: {why}; it is not saved"));
            broken = true;
            continue;
        }
        match write(&folder.join(&name), part)? {
            Saved::New => new += 1,
            Saved::Known => known += 1,
            Saved::Differs => {
                say(&format!("{name}: the deployment now returns a different part"));
                broken = true;
            }
        }
        days.insert(part.date);
        keys.insert(part.public_key.to_string());
    }
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

/// All parts that the deployment has, or those of one day.
async fn fetch(api: &Api, date: Option<Day>) -> Result<Vec<Part>, Failure> {
    let path = date.map_or_else(String::new, |date| format!("?date={date}"));
    let path = format!("/v1/checkpoints{path}");
    let progress = Progress::begin("parts read", None);
    let (mut fetched, mut cursor) = (Vec::new(), None);
    loop {
        let page = api.page::<Part>(&path, cursor.as_deref()).await?;
        progress.done(count(page.data.len()));
        fetched.extend(page.data);
        cursor = page.next_cursor;
        if cursor.is_none() {
            return Ok(fetched);
        }
    }
}

/// Judges each part: by the given key and those that followed it, or by its own if no key is given.
fn judge(fetched: &[Part], folder: &Path, key: Option<&PublicKey>) -> Result<Vec<Result<(), Forged>>, Failure> {
    let Some(key) = key else {
        return Ok(fetched.iter().map(|part| part.verify(&part.public_key)).collect());
    };
    let saved = match files::parts(&[folder.to_owned()]) {
        Err(FileError::Empty(_)) => Vec::new(),
        saved => saved?,
    };
    let mut by_day: BTreeMap<Day, Vec<(Option<usize>, &Part)>> = BTreeMap::new();
    for part in &saved {
        by_day.entry(part.date).or_default().push((None, part));
    }
    for (place, part) in fetched.iter().enumerate() {
        by_day.entry(part.date).or_default().push((Some(place), part));
    }
    let (mut chain, mut verdicts) = (Chain::from(*key), vec![Ok(()); fetched.len()]);
    for parts in by_day.into_values() {
        let (places, parts): (Vec<_>, Vec<Part>) = parts.into_iter().map(|(place, part)| (place, part.clone())).unzip();
        for (place, verdict) in places.into_iter().zip(chain.judge(&parts)) {
            if let Some(slot) = place.and_then(|place| verdicts.get_mut(place)) {
                *slot = verdict;
            }
        }
    }
    Ok(verdicts)
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
