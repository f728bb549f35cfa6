//! `verify`: the deployment verifies every wallet, and saved checkpoints if there are any (rule B11).
//!
//! Invariant: a wallet counts as verified only when the API answered for it. Wallets that a checkpoint names but the
//! list of resellers lacks are verified, too, so that no wallet can be left out.

use std::collections::{BTreeMap, BTreeSet};

use purser_domain::basic::ResellerRefid;
use purser_domain::money::checkpoint::history::Chronicle;
use serde::Deserialize;
use tokio::task::JoinSet;

use crate::api::{Api, ApiError};
use crate::check::count;
use crate::progress::{Progress, counted, grouped, say, warn};
use crate::{Failure, Outcome};

const SIDE_BY_SIDE: usize = 8;

#[derive(Debug, Deserialize)]
struct Named {
    refid: ResellerRefid,
}

#[derive(Debug, Deserialize)]
struct Verification {
    entries: u64,
    breaks: Vec<Break>,
}

#[derive(Debug, Deserialize, PartialEq, Eq, PartialOrd, Ord)]
struct Break {
    sequence: u64,
    problem: String,
}

struct Job {
    reseller: ResellerRefid,
    listed: bool,
    /// The query strings to send: one for each point that the wallet's history must pass through, or a single empty
    /// one if no checkpoint names the wallet.
    queries: BTreeSet<String>,
}

#[derive(Default)]
struct Found {
    entries: u64,
    problems: Vec<String>,
}

pub async fn verify(api: &Api, chronicle: Option<Chronicle>) -> Result<Outcome, Failure> {
    let chronicle = chronicle.unwrap_or_default();
    for discrepancy in &chronicle.discrepancies {
        say(&discrepancy.to_string());
    }
    let jobs = jobs(&list(api).await?, &chronicle);
    let all = count(jobs.len());
    let progress = Progress::begin("wallets verified", Some(all));
    let mut waiting = jobs.into_iter();
    let mut running = JoinSet::new();
    let (mut wallets, mut entries, mut breaks, mut broken) = (0, 0, 0, 0);
    loop {
        while running.len() < SIDE_BY_SIDE
            && let Some(job) = waiting.next()
        {
            let api = api.clone();
            running.spawn(async move { (verify_one(&api, &job).await, job.reseller) });
        }
        let Some(done) = running.join_next().await else {
            break;
        };
        match done? {
            (Ok(found), reseller) => {
                for problem in &found.problems {
                    progress.say(&format!("{reseller}: {problem}"));
                }
                wallets += 1;
                entries += found.entries;
                breaks += count(found.problems.len());
                broken += u64::from(!found.problems.is_empty());
            }
            // A refused key would be refused for every other wallet, too.
            (Err(error @ ApiError::Key(_)), _) => return Err(error.into()),
            (Err(error), reseller) => progress.warn(&format!("{reseller}: {error}")),
        }
        progress.done(1);
    }
    drop(progress);
    let problems = count(chronicle.discrepancies.len());
    let mut wrong = Vec::new();
    if breaks > 0 {
        let (breaks, broken) = (counted(breaks, "break"), counted(broken, "wallet"));
        wrong.push(format!("{breaks} in {broken}"));
    }
    if problems > 0 {
        let problems = counted(problems, "problem");
        wrong.push(format!("{problems} in the checkpoints"));
    }
    let verdict = match wrong.as_slice() {
        [] if wallets == all => "intact".to_owned(),
        [] => "intact, as far as could be verified".to_owned(),
        wrong => wrong.join(", "),
    };
    let (seen, read) = (counted(wallets, "wallet"), counted(entries, "entry"));
    say(&format!("{seen}, {read}: {verdict}"));
    if wallets < all {
        let missed = counted(all - wallets, "wallet");
        warn(&format!("{missed} of {} could not be verified", grouped(all)));
    }
    Ok(Outcome::of(!wrong.is_empty(), wallets == all))
}

async fn list(api: &Api) -> Result<BTreeSet<ResellerRefid>, ApiError> {
    let progress = Progress::begin("resellers listed", None);
    let mut listed = BTreeSet::new();
    let mut cursor = None;
    loop {
        let page = api.page::<Named>("/v1/resellers", cursor.as_deref()).await?;
        progress.done(count(page.data.len()));
        listed.extend(page.data.into_iter().map(|it| it.refid));
        cursor = page.next_cursor;
        if cursor.is_none() {
            return Ok(listed);
        }
    }
}

fn jobs(listed: &BTreeSet<ResellerRefid>, chronicle: &Chronicle) -> Vec<Job> {
    let nothing = listed.iter().map(|it| (it.clone(), BTreeSet::new()));
    let mut queries: BTreeMap<ResellerRefid, BTreeSet<String>> = nothing.collect();
    for (reseller, heads) in &chronicle.heads {
        // A wallet without new entries has the same head on several days; the set keeps one query for them.
        let places = heads.iter().map(|(_, it)| format!("?sequence={}&head={}", it.sequence, it.head));
        queries.entry(reseller.clone()).or_default().extend(places);
    }
    let job = |(reseller, mut queries): (ResellerRefid, BTreeSet<String>)| {
        if queries.is_empty() {
            queries.insert(String::new());
        }
        Job { listed: listed.contains(&reseller), reseller, queries }
    };
    queries.into_iter().map(job).collect()
}

async fn verify_one(api: &Api, job: &Job) -> Result<Found, ApiError> {
    let mut found = Found::default();
    let mut breaks = BTreeSet::new();
    for query in &job.queries {
        let path = format!("/v1/resellers/{}/verify{query}", job.reseller);
        match api.get::<Verification>(&path).await {
            Ok(verified) => {
                found.entries = verified.entries;
                breaks.extend(verified.breaks);
            }
            Err(ApiError::NotFound) => {
                found.problems = vec!["there is no such wallet".to_owned()];
                return Ok(found);
            }
            Err(error) => return Err(error),
        }
    }
    if !job.listed {
        let hidden = "a checkpoint names it, but the list of resellers does not";
        found.problems.push(hidden.to_owned());
    }
    let line = |it: &Break| format!("entry {}: {}", it.sequence, it.problem);
    found.problems.extend(breaks.iter().map(line));
    Ok(found)
}
