//! `purser-operator`: what an operator runs against a Purser, on a laptop or deployed, or against files alone.
//!
//! Invariant: it exits with 0 only when everything that was asked for was looked at and is in order or done, with 1
//! when something is not, and with 2 when that could not be found out. The key never stands among the arguments.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};
use purser_domain::basic::time::Day;
use purser_domain::money::checkpoint::PublicKey;

use crate::api::Api;
use crate::files::EntryFile;

mod accounts;
mod api;
mod check;
mod figures;
mod files;
mod progress;
mod save;
mod verify;

/// The variable that gives an operator's API key.
const KEY: &str = "PURSER_OPERATOR_KEY";

/// What an operator runs: proves the ledger and the figures, and cleans up accounts that nobody needs.
#[derive(Parser)]
#[command(
    name = "purser-operator",
    version,
    after_help = "PURSER_OPERATOR_KEY gives an operator's API key, where one is needed.\n\
        Exit status: 0 all is in order or done, 1 something is not, 2 that could not be found out."
)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Verifies every wallet
    Verify(Verify),
    /// Saves signed checkpoints as files
    Checkpoints(Checkpoints),
    /// Checks saved checkpoints, without network and without secrets
    Check(Check),
    /// Counts all figures again, and says which differ
    Figures(Figures),
    /// Saves which accounts nobody needs any more
    Accounts(Accounts),
    /// Deletes the accounts that a saved list names, unless they were used since
    DeleteAccounts(DeleteAccounts),
}

#[derive(Args)]
struct Verify {
    /// Where the API answers: scheme and host, no path
    #[arg(long)]
    url: String,
    /// Saved checkpoints that the histories must pass through: files, or folders of them
    #[arg(long, value_name = "FILE", num_args = 1.., requires = "public_key")]
    checkpoints: Vec<PathBuf>,
    /// The key that signed them, as noted when the first one was saved
    #[arg(long, value_name = "KEY", requires = "checkpoints")]
    public_key: Option<PublicKey>,
}

#[derive(Args)]
struct Checkpoints {
    /// Where the API answers: scheme and host, no path
    #[arg(long)]
    url: String,
    /// The folder to save them in; what is there stays as it is
    #[arg(long, value_name = "DIR")]
    save: PathBuf,
    /// Only the checkpoint of this day, like 2026-01-31
    #[arg(long, value_name = "DAY")]
    date: Option<Day>,
    /// The key that should have signed them
    #[arg(long, value_name = "KEY")]
    public_key: Option<PublicKey>,
}

#[derive(Args)]
struct Check {
    /// Saved checkpoints: files, or folders of them
    #[arg(value_name = "FILE", required = true)]
    checkpoints: Vec<PathBuf>,
    /// The key that signed them, as noted when the first one was saved
    #[arg(long, value_name = "KEY")]
    public_key: PublicKey,
    /// Saved answers of GET /v1/resellers/{refid}/entries, and of which wallet; again for each further page
    #[arg(long, value_name = "RS-…=FILE", num_args = 1..)]
    entries: Vec<EntryFile>,
}

#[derive(Args)]
struct Figures {
    /// Where the API answers: scheme and host, no path
    #[arg(long)]
    url: String,
    /// The first day to count; the first there is unless given
    #[arg(long, value_name = "DAY")]
    start: Option<Day>,
    /// The last day to count; today unless given
    #[arg(long, value_name = "DAY")]
    end: Option<Day>,
    /// Have what differs counted again, too
    #[arg(long)]
    rebuild: bool,
}

#[derive(Args)]
struct Accounts {
    /// Where the API answers: scheme and host, no path
    #[arg(long)]
    url: String,
    /// The file to save the list in, a JSON object a line; one that is there is replaced
    #[arg(long, value_name = "FILE")]
    save: PathBuf,
}

#[derive(Args)]
struct DeleteAccounts {
    /// Where the API answers: scheme and host, no path
    #[arg(long)]
    url: String,
    /// What `accounts` saved, with whatever should stay taken out
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Delete without asking
    #[arg(long)]
    yes: bool,
}

/// How it ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    /// All is in order.
    Intact,
    /// Something is not.
    Broken,
    /// Something could not be looked at, and nothing else is known to be wrong.
    Unknown,
}

impl Outcome {
    /// What is known to be wrong weighs more than what is not known.
    fn of(broken: bool, complete: bool) -> Self {
        match (broken, complete) {
            (true, _) => Self::Broken,
            (false, true) => Self::Intact,
            (false, false) => Self::Unknown,
        }
    }
}

/// Why something could not be found out.
type Failure = Box<dyn std::error::Error + Send + Sync>;

#[tokio::main]
async fn main() -> ExitCode {
    let done = match Arguments::parse().command {
        Command::Verify(asked) => run_verify(&asked).await,
        Command::Checkpoints(asked) => run_checkpoints(&asked).await,
        Command::Check(asked) => check::check(&asked.checkpoints, &asked.public_key, &asked.entries),
        Command::Figures(asked) => run_figures(&asked).await,
        Command::Accounts(asked) => run_accounts(&asked).await,
        Command::DeleteAccounts(asked) => run_delete_accounts(&asked).await,
    };
    match done {
        Ok(Outcome::Intact) => ExitCode::SUCCESS,
        Ok(Outcome::Broken) => ExitCode::from(1),
        Ok(Outcome::Unknown) => ExitCode::from(2),
        Err(error) => {
            progress::warn(&error.to_string());
            ExitCode::from(2)
        }
    }
}

async fn run_verify(asked: &Verify) -> Result<Outcome, Failure> {
    let chronicle = match &asked.public_key {
        Some(key) => Some(check::chronicle(&asked.checkpoints, key)?),
        None => None,
    };
    verify::verify(&connect(&asked.url)?, chronicle).await
}

async fn run_checkpoints(asked: &Checkpoints) -> Result<Outcome, Failure> {
    let (date, key) = (asked.date, asked.public_key.as_ref());
    save::save(&connect(&asked.url)?, &asked.save, date, key).await
}

async fn run_figures(asked: &Figures) -> Result<Outcome, Failure> {
    let work = figures::Work { start: asked.start, end: asked.end, rebuild: asked.rebuild };
    figures::figures(&connect(&asked.url)?, work).await
}

async fn run_accounts(asked: &Accounts) -> Result<Outcome, Failure> {
    accounts::save(&connect(&asked.url)?, &asked.save).await
}

async fn run_delete_accounts(asked: &DeleteAccounts) -> Result<Outcome, Failure> {
    let api = connect(&asked.url)?;
    accounts::delete(&api, &asked.url, &asked.file, asked.yes).await
}

fn connect(url: &str) -> Result<Api, Failure> {
    let key = std::env::var(KEY).ok().filter(|key| !key.is_empty());
    let key = key.ok_or_else(|| format!("{KEY} must be an operator's API key"))?;
    Ok(Api::new(url, key)?)
}
