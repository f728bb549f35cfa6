//! `purser-operator`: what an operator runs against a Purser, deployed or on a laptop, or against saved files alone.
//!
//! Invariant: the exit status is 0 only if everything that was asked for was examined and is in order or done, 1 if
//! something is not, and 2 if that could not be found out. The API key is never an argument.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};
use purser_domain::basic::Day;
use purser_domain::money::PublicKey;

use crate::api::Api;
use crate::files::EntryFile;

mod accounts;
mod api;
mod check;
mod figures;
mod files;
mod migrate;
mod progress;
mod save;
mod verify;

const KEY: &str = "PURSER_OPERATOR_KEY";

/// Proves the ledger and the figures, and cleans up accounts that nobody uses
#[derive(Parser)]
#[command(
    name = "purser-operator",
    version,
    after_help = "PURSER_OPERATOR_KEY must hold an operator's API key, except for `check`.\n\
        Exit status: 0 if all is in order or done, 1 if something is not, 2 if that could not be found out."
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
    /// Recounts all figures, and shows which differ
    Figures(Figures),
    /// Saves a list of the accounts that nobody uses any more
    Accounts(Accounts),
    /// Deletes the accounts in a saved list, except those that have been used since
    DeleteAccounts(DeleteAccounts),
    /// Brings what an older version stored into today's form; running it again does no harm
    Migrate(Migrate),
}

#[derive(Args)]
struct Verify {
    /// The URL of the API: scheme and host, no path
    #[arg(long)]
    url: String,
    /// Saved checkpoints to compare the wallets' histories with: files, or folders of them
    #[arg(long, value_name = "FILE", num_args = 1.., requires = "public_key")]
    checkpoints: Vec<PathBuf>,
    /// The public key that signed the checkpoints, as noted when the first one was saved
    #[arg(long, value_name = "KEY", requires = "checkpoints")]
    public_key: Option<PublicKey>,
}

#[derive(Args)]
struct Checkpoints {
    /// The URL of the API: scheme and host, no path
    #[arg(long)]
    url: String,
    /// The folder to save them in; existing files are never changed
    #[arg(long, value_name = "DIR")]
    save: PathBuf,
    /// Only the checkpoint of this day, such as 2026-01-31
    #[arg(long, value_name = "DAY")]
    date: Option<Day>,
    /// The public key that should have signed the checkpoints
    #[arg(long, value_name = "KEY")]
    public_key: Option<PublicKey>,
}

#[derive(Args)]
struct Check {
    /// Saved checkpoints: files, or folders of them
    #[arg(value_name = "FILE", required = true)]
    checkpoints: Vec<PathBuf>,
    /// The public key that signed the checkpoints, as noted when the first one was saved
    #[arg(long, value_name = "KEY")]
    public_key: PublicKey,
    /// A wallet and a file with its entries, as GET /v1/resellers/{refid}/entries answers; repeat it for each page
    #[arg(long, value_name = "RS-…=FILE", num_args = 1..)]
    entries: Vec<EntryFile>,
}

#[derive(Args)]
struct Figures {
    /// The URL of the API: scheme and host, no path
    #[arg(long)]
    url: String,
    /// The first day to recount [default: the first day with data]
    #[arg(long, value_name = "DAY")]
    start: Option<Day>,
    /// The last day to recount [default: today]
    #[arg(long, value_name = "DAY")]
    end: Option<Day>,
    /// Also rebuild the figures that differ
    #[arg(long)]
    rebuild: bool,
}

#[derive(Args)]
struct Accounts {
    /// The URL of the API: scheme and host, no path
    #[arg(long)]
    url: String,
    /// The file to save the list in, one JSON object per line; an existing file is replaced
    #[arg(long, value_name = "FILE")]
    save: PathBuf,
}

#[derive(Args)]
struct DeleteAccounts {
    /// The URL of the API: scheme and host, no path
    #[arg(long)]
    url: String,
    /// A list that `accounts` saved; remove the lines of accounts to keep
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Delete without asking for confirmation
    #[arg(long)]
    yes: bool,
}

#[derive(Args)]
struct Migrate {
    /// The URL of the API: scheme and host, no path
    #[arg(long)]
    url: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Intact,
    /// Something is not in order, or was not done.
    Broken,
    /// Something could not be examined, and nothing else is known to be wrong.
    Unknown,
}

impl Outcome {
    /// A known problem outweighs something that could not be examined.
    fn of(broken: bool, complete: bool) -> Self {
        match (broken, complete) {
            (true, _) => Self::Broken,
            (false, true) => Self::Intact,
            (false, false) => Self::Unknown,
        }
    }
}

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
        Command::Migrate(asked) => run_migrate(&asked).await,
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

async fn run_migrate(asked: &Migrate) -> Result<Outcome, Failure> {
    migrate::migrate(&connect(&asked.url)?).await
}

fn connect(url: &str) -> Result<Api, Failure> {
    let key = std::env::var(KEY).ok().filter(|key| !key.is_empty());
    let key = key.ok_or_else(|| format!("{KEY} must be an operator's API key"))?;
    Ok(Api::new(url, key)?)
}
