//! `purser`: the whole of Purser on a laptop.
//!
//! Invariant: any error at the start, except wrong arguments, is one line on standard error and exit status 1. Ctrl-C
//! and SIGTERM shut the process down in good order, with exit status 0.

use std::collections::BTreeMap;
use std::env::VarError;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};
use indicatif::HumanCount;
use purser_demo::history::{self, Plan, Step};
use purser_demo::{Credentials, Login};
use purser_edge::process::clock::Clock;
use purser_edge::process::config::Config;
use purser_local::run::system::{Options, System};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tracing_subscriber::EnvFilter;

use crate::progress::Progress;

mod progress;

/// A command allocates in many libraries. With this allocator it takes less of the processor than with glibc's
/// (docs/adr/0031-a-faster-laptop.md).
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// The log level unless `RUST_LOG` is set.
const QUIET: &str = "warn";

const OPERATOR_KEY: &str = "PURSER_OPERATOR_KEY";

/// How long the start may take before it is announced.
const SOON: Duration = Duration::from_millis(400);

/// Runs the whole of Purser on this machine: clients, resellers, credits and licences
#[derive(Parser)]
#[command(
    name = "purser",
    version,
    args_conflicts_with_subcommands = true,
    after_help = "PURSER_OPERATOR_KEY gives the operator key. Without it, one is made and kept with the data.\n\
        RUST_LOG says what is logged, for instance RUST_LOG=info. Other variables that begin with PURSER_ are the\n\
        configuration of template.yaml, for instance PURSER_CLIENT_STATUS=active."
)]
struct Arguments {
    /// The port of 127.0.0.1 to listen on; 0 picks a free one
    #[arg(long, default_value_t = 3000)]
    port: u16,
    /// The folder that keeps all data between runs
    #[arg(long = "data", value_name = "DIR", default_value = ".purser")]
    folder: PathBuf,
    /// Keep everything in memory only; it is lost when purser stops
    #[arg(long, conflicts_with = "folder")]
    ephemeral: bool,
    /// A name besides localhost by which requests may name this machine, such as that of a tunnel; may be repeated
    #[arg(long = "allow-host", value_name = "NAME")]
    hosts: Vec<String>,
    /// Start without the demo data
    #[arg(long)]
    no_demo: bool,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// Fills an empty folder with years of made-up history, and exits
    Demo(History),
}

/// What history to make.
#[derive(Args)]
struct History {
    /// The folder to fill
    #[arg(long = "data", value_name = "DIR", default_value = ".purser")]
    folder: PathBuf,
    /// Random seed; the same seed on the same day produces the same history
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Length of the history in years; it ends now
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u32).range(1..=20))]
    years: u32,
    /// How many clients to create
    #[arg(long, default_value_t = 5_000, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    clients: u32,
    /// How many resellers to create, including the demo's own
    #[arg(long, default_value_t = 40, value_parser = clap::value_parser!(u32).range(1..=1_000))]
    resellers: u32,
}

struct Ending {
    interrupt: Signal,
    terminate: Signal,
}

impl Ending {
    fn new() -> std::io::Result<Self> {
        Ok(Self { interrupt: signal(SignalKind::interrupt())?, terminate: signal(SignalKind::terminate())? })
    }

    async fn comes(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    let mut arguments = Arguments::parse();
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(QUIET));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    let done = match arguments.command.take() {
        Some(Command::Demo(history)) => Box::pin(make(history)).await,
        None => Box::pin(run(arguments)).await,
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say_to(std::io::stderr(), &format!("purser: {error}\n"));
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: Arguments) -> Result<(), Box<dyn std::error::Error>> {
    let mut ending = Ending::new()?;
    let given = match std::env::var(OPERATOR_KEY) {
        Ok(key) => Some(key).filter(|key| !key.is_empty()),
        Err(VarError::NotPresent) => None,
        Err(error) => return Err(format!("{OPERATOR_KEY}: {error}").into()),
    };
    let options = Options {
        port: arguments.port,
        hosts: arguments.hosts.clone(),
        folder: (!arguments.ephemeral).then_some(arguments.folder.clone()),
        operator_key: given.clone(),
        variables: configuration(),
        on_time: true,
        ..Options::default()
    };
    // A task of its own, because opening files blocks the task that does it.
    let announcement = tokio::spawn(async {
        tokio::time::sleep(SOON).await;
        say("Starting Purser …\n");
    });
    let started = tokio::select! {
        started = start(options, !arguments.no_demo) => started,
        () = ending.comes() => return Ok(()),
    };
    announcement.abort();
    let (system, credentials) = started?;
    say(&banner(&system, credentials.as_ref(), &arguments, given.is_some()));
    ending.comes().await;
    say("\nStopping …\n");
    tokio::select! {
        () = system.shutdown() => {}
        // A second signal ends the process without waiting for the shutdown.
        () = ending.comes() => {}
    }
    Ok(())
}

async fn start(options: Options, demo: bool) -> Result<(System, Option<Credentials>), Box<dyn std::error::Error>> {
    let system = System::start(options).await?;
    if !demo {
        return Ok((system, None));
    }
    let credentials = purser_demo::ensure(system.app(), system.folder()).await?;
    Ok((system, Some(credentials)))
}

/// Runs `purser demo`: makes a history.
async fn make(asked: History) -> Result<(), Box<dyn std::error::Error>> {
    let mut ending = Ending::new()?;
    let plan = Plan {
        seed: asked.seed,
        days: asked.years * 365,
        clients: asked.clients,
        resellers: asked.resellers,
        until: Clock::default().timestamp(),
    };
    let folder = asked.folder.display();
    let mut progress = Progress::of(plan.clients);
    let made = tokio::select! {
        made = history::make(&asked.folder, configuration(), &plan, |step| progress.at(step)) => Some(made),
        () = ending.comes() => None,
    };
    let last = progress.end();
    let made = match (made, last) {
        (Some(Ok(made)), _) => made,
        // Nothing was saved before the first step.
        (Some(Err(error)), None) => return Err(error.into()),
        (Some(Err(error)), last) => {
            return Err(format!("{error}; {}", broken_off(last, &asked.folder)).into());
        }
        (None, last) => return Err(broken_off(last, &asked.folder).into()),
    };
    let (clients, requests) = (HumanCount(made.clients), HumanCount(made.requests));
    say(&format!(
        "{} year{}, {} resellers, {clients} clients, in {requests} requests, are in {folder}. `make run` shows them.\n",
        asked.years,
        if asked.years == 1 { "" } else { "s" },
        asked.resellers
    ));
    Ok(())
}

fn broken_off(last: Option<Step>, folder: &Path) -> String {
    let last = last.map(|it| it.moment.strftime("%B %Y").to_string());
    format!(
        "stopped at {}. Everything up to then was saved in {} and is consistent; `make run` shows it. To make a whole \
         history, move the folder away and begin again",
        last.as_deref().unwrap_or("its first hours"),
        folder.display()
    )
}

/// The configuration from the environment, except the variables that the laptop sets itself.
fn configuration() -> BTreeMap<String, String> {
    let own = ["PURSER_TABLE", "PURSER_BUS", "PURSER_OPERATOR_KEY_SHA256"];
    Config::variables()
        .into_iter()
        .filter(|name| !own.contains(name))
        .filter_map(|name| Some((name.to_owned(), std::env::var(name).ok()?)))
        .collect()
}

fn banner(system: &System, credentials: Option<&Credentials>, arguments: &Arguments, key_given: bool) -> String {
    let url = system.url();
    let key = system.operator_key();
    let kept = if arguments.ephemeral {
        "in memory, lost when purser stops".to_owned()
    } else {
        format!("{}, kept between runs", arguments.folder.display())
    };
    let (shown, sent) = if key_given { ("from PURSER_OPERATOR_KEY", "$PURSER_OPERATOR_KEY") } else { (key, key) };
    let demo = credentials.map(demonstration).unwrap_or_default();
    format!(
        "\nPurser is ready.\n\n\
         \x20 API             {url}/v1\n\
         \x20 Documentation   {url}/docs\n\
         \x20 OpenAPI         {url}/openapi.json\n\
         \x20 Mailbox         {url}/_local/mailbox\n\
         \x20 Data            {kept}\n\n\
         \x20 Operator key    {shown}\n\
         {demo}\n\
         Try it:\n\n\
         \x20 curl {url}/v1/products \\\n\
         \x20   -H \"Authorization: Bearer {sent}\"\n\n\
         Ctrl-C stops it.\n"
    )
}

fn demonstration(credentials: &Credentials) -> String {
    let reseller = format!(
        "\x20 Demo reseller   {} ({})\n\
         \x20   its API key   {}\n",
        credentials.reseller,
        purser_demo::COMPANY,
        credentials.api_key
    );
    let Some(logins) = &credentials.logins else {
        return reseller;
    };
    let people = [("operator", &logins.operator), ("member", &logins.member), ("customer", &logins.customer)];
    let people = people.map(|(who, Login { email, password })| format!("\x20   {who:<13} {email:<21} {password}\n"));
    let people = people.concat();
    format!("{reseller}\x20 Demo users      e-mail                password\n{people}")
}

fn say(text: &str) {
    say_to(std::io::stdout(), text);
}

/// Writes `text`; if nobody reads the output, that is not an error.
fn say_to(mut to: impl Write, text: &str) {
    let _ = to.write_all(text.as_bytes()).and_then(|()| to.flush());
}
