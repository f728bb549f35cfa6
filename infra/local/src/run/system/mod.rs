//! The whole of Purser in one process: the stand-ins, the functions, and what calls what.
//!
//! Invariant: everything is as the template says, or nothing starts. What is acknowledged is kept
//! where there is a folder: a stop, clean or not, loses no event.

use std::collections::BTreeMap;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use axum::middleware::from_fn_with_state;
use axum::response::Response;
use purser_edge::App;
use purser_edge::process::clock::Clock;
use purser_edge::process::config::{Config, ConfigError};
use purser_lambda::functions as all_functions;
use purser_store::engine::item::Origin;
use purser_store::engine::secrets::{Secrets, sha256_hex};
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tower::ServiceExt;

use crate::Now;
use crate::cloud::dead_letters::DeadLetter;
use crate::cloud::dynamo::Dynamo;
use crate::cloud::loopback::Loopback;
use crate::cloud::ses::{Mail, Mailbox};
use crate::cloud::timetable::Timetables;
use crate::run::apps::Apps;
use crate::run::docs;
use crate::run::folder::{Folder, new_operator_key, new_secret};
use crate::run::functions;
use crate::run::gateway::bounds::{Bounds, Places, bounded};
use crate::run::gateway::{self, GatewayError, connections};
use crate::run::local_routes::{self, Laptop};
use crate::run::sdk::{self, Endpoints};
use crate::template::roles::Roles;
use crate::template::{Template, TemplateError};

mod error;
mod stand_ins;

pub use error::StartError;
use stand_ins::StandIns;

/// How long requests under way may take to end; more than a command waits for its turn.
const GRACE: Duration = Duration::from_secs(10);

/// How often somebody looks whether a function must start.
const TICK: Duration = Duration::from_secs(1);

/// How to start.
#[derive(Clone, Default)]
pub struct Options {
    /// The port of 127.0.0.1; 0 for any that is free.
    pub port: u16,
    /// Where to keep everything between runs; none: in memory, gone with the process.
    pub folder: Option<PathBuf>,
    /// The operators' first key. None: the one kept in the folder, else a fresh one.
    pub operator_key: Option<String>,
    /// Configuration other than the template's defaults, by variable.
    pub variables: BTreeMap<String, String>,
    /// Whether schedules start their functions as time passes, and not only when the clock is turned.
    pub on_time: bool,
    /// Another template than the one that was built in; its table and variables count, too.
    pub template: Option<Arc<Template>>,
    /// How much it takes on at once.
    pub bounds: Bounds,
    /// The clock that everything runs by; the system's, unless a history is to begin at another time.
    pub clock: Clock,
    /// Through which door requests come: the API, unless they make up a history.
    pub origin: Origin,
}

/// A running Purser.
///
/// Dropping it ends it without waiting for anything; [`System::shutdown`] ends it in good order.
pub struct System {
    laptop: Laptop,
    router: Router,
    gateway: Loopback,
    stand_ins: StandIns,
    roles: Roles,
    operator_key: String,
    /// What looks at the clock; it ends with this.
    watching: JoinSet<()>,
    // Last, so that it is unlocked when everything else is gone.
    folder: Option<Folder>,
}

/// The template that everything is made from.
pub fn template() -> Result<Arc<Template>, TemplateError> {
    static PARSED: OnceLock<Arc<Template>> = OnceLock::new();
    if let Some(template) = PARSED.get() {
        return Ok(Arc::clone(template));
    }
    let template = Template::parse(include_str!("../../../../../template.yaml"))?;
    Ok(Arc::clone(PARSED.get_or_init(|| Arc::new(template))))
}

impl System {
    /// Starts everything. When this returns, requests are answered.
    pub async fn start(options: Options) -> Result<Self, StartError> {
        let template = options.template.map_or_else(template, Ok)?;
        functions::check(&template)?;
        let folder = options.folder.as_deref().map(Folder::open).transpose()?;
        let listener = listen(options.port).await?;
        let (secrets, operator_key) = keys(folder.as_ref(), options.operator_key)?;
        let address = listener.local_addr().map_err(stand_in("gateway"))?;
        let config = configure(&template, address, &operator_key, options.variables)?;
        let rules = functions::rules(&template, &config.bus)?;
        let roles = Roles::of(&template, config.mail_from.as_str())?;
        let now = now_of(&options.clock);
        let stand_ins = StandIns::start(&template, &config, rules, folder.as_ref(), now).await?;
        let sdk = sdk::settings(&stand_ins.endpoints()).await;
        let mut app = App::new(config, secrets, &sdk, options.clock);
        app.origin = options.origin;
        let names: Vec<&str> = all_functions().map(|it| it.name).collect();
        let apps = Apps::new(app, &sdk, &names, &roles);
        stand_ins.bus.set_target(functions::target(&apps));
        let timetables = Timetables::of(&template, apps.own().clock.timestamp())?;
        let laptop = Laptop {
            timetables,
            pump: stand_ins.pump(&template, &apps, folder.as_ref())?,
            bus: stand_ins.bus.clone(),
            apps,
            template,
            dead_letters: stand_ins.dead_letters.clone(),
            database: stand_ins.dynamo.database().clone(),
        };
        // In the cloud this goes on all the time; here what expired goes when the system starts.
        stand_ins.dynamo.sweep_ttl().await?;
        let router = routes(&laptop, &stand_ins.mailbox, folder.is_none(), options.bounds)?;
        let routed = router.clone();
        let gateway =
            Loopback::on(listener, |listener, stopped| connections::serve(listener, routed, options.bounds, stopped));
        let gateway = gateway.map_err(stand_in("gateway"))?;
        let mut watching = JoinSet::new();
        if options.on_time {
            watching.spawn(watch(laptop.clone()));
        }
        Ok(Self { laptop, router, gateway, stand_ins, roles, operator_key, watching, folder })
    }

    /// Where requests are answered, like `http://127.0.0.1:3000`.
    pub fn url(&self) -> String {
        self.gateway.endpoint()
    }

    /// Where everything is kept, if it is.
    pub fn folder(&self) -> Option<&Path> {
        self.folder.as_ref().map(Folder::path)
    }

    /// What the functions work with, without the bounds of a role.
    pub fn app(&self) -> &App {
        self.laptop.apps.own()
    }

    /// What each function works with.
    pub fn apps(&self) -> &Apps {
        &self.laptop.apps
    }

    /// What each function may do, and which of it was used.
    pub fn roles(&self) -> &Roles {
        &self.roles
    }

    /// The clock that everything runs by.
    pub fn clock(&self) -> &Clock {
        &self.app().clock
    }

    /// A key that may do everything.
    pub fn operator_key(&self) -> &str {
        &self.operator_key
    }

    /// Answers a request as the port would, without the wire.
    pub async fn ask(&self, request: Request) -> Response {
        let Ok(response) = self.router.clone().oneshot(request).await;
        response
    }

    /// Does now what a function's timetable would do, and waits until all is done.
    pub async fn run_schedule(&self, function: &str) -> Result<(), String> {
        match functions::scheduled(&self.laptop.template, function) {
            Some(function) => self.laptop.run_schedule(function).await,
            None => Err(format!("{function} has no timetable")),
        }
    }

    /// Resolves when everything pending on stream and bus is done.
    pub async fn settle(&self) {
        self.laptop.settle().await;
    }

    /// All mails kept, newest first.
    pub fn mails(&self) -> Vec<Mail> {
        self.stand_ins.mailbox.newest_first()
    }

    /// What stream and bus gave up on, oldest first.
    pub fn dead_letters(&self) -> Vec<DeadLetter> {
        self.stand_ins.dead_letters.all()
    }

    /// Where what stands for the cloud answers.
    pub fn endpoints(&self) -> Endpoints {
        self.stand_ins.endpoints()
    }

    /// The table.
    pub fn dynamo(&self) -> &Dynamo {
        &self.stand_ins.dynamo
    }

    /// Ends it: requests first, then what follows from them, then what both stand on.
    pub async fn shutdown(self) {
        let Self { laptop, gateway, stand_ins, mut watching, .. } = self;
        watching.shutdown().await;
        // A client that never finishes its request does not keep the system from ending.
        if tokio::time::timeout(GRACE, gateway.shutdown()).await.is_err() {
            tracing::warn!("ended with requests under way");
        }
        laptop.pump.shutdown().await;
        // An event that fails again and again is told again at the next start.
        if tokio::time::timeout(GRACE, stand_ins.bus.shutdown()).await.is_err() {
            tracing::warn!("ended with events under way");
        }
        stand_ins.post.shutdown().await;
        stand_ins.dynamo.shutdown().await;
    }
}

/// Starts what is due, as time passes.
async fn watch(laptop: Laptop) {
    loop {
        tokio::time::sleep(TICK).await;
        laptop.start_what_is_due();
    }
}

async fn listen(port: u16) -> Result<TcpListener, StartError> {
    let bound = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await;
    bound.map_err(|error| match error.kind() {
        io::ErrorKind::AddrInUse => StartError::PortInUse(port),
        _ => StartError::Port { port, error },
    })
}

/// The deployment's secret and the operators' first key.
fn keys(folder: Option<&Folder>, given: Option<String>) -> Result<(Secrets, String), StartError> {
    let secret = folder.map_or_else(|| Ok(new_secret()?), Folder::secret)?;
    let operator_key = match (given, folder) {
        (Some(key), _) => key,
        (None, Some(folder)) => folder.operator_key()?,
        (None, None) => new_operator_key()?,
    };
    let padded = operator_key.trim() != operator_key;
    if operator_key.is_empty() || padded || operator_key.chars().any(char::is_control) {
        return Err(StartError::OperatorKey);
    }
    Ok((Secrets::from_root(secret.as_bytes())?, operator_key))
}

/// The template's configuration, with what a laptop knows better and what it was told.
fn configure(
    template: &Template,
    address: SocketAddr,
    operator_key: &str,
    given: BTreeMap<String, String>,
) -> Result<Config, ConfigError> {
    let mut variables = template.variables();
    let hash = sha256_hex(operator_key.as_bytes());
    variables.insert("PURSER_OPERATOR_KEY_SHA256".to_owned(), hash);
    variables.insert("PURSER_PUBLIC_URL".to_owned(), format!("http://{address}"));
    variables.extend(given);
    Config::read(|name| variables.get(name).cloned())
}

fn now_of(clock: &Clock) -> Now {
    let clock = clock.clone();
    Arc::new(move || clock.timestamp())
}

/// Everything that answers on the one port. What is a laptop's alone is not bounded: it must show what goes on.
fn routes(laptop: &Laptop, mailbox: &Mailbox, ephemeral: bool, bounds: Bounds) -> Result<Router, GatewayError> {
    let functions = |name: &str| functions::router(&laptop.apps, name);
    let local = local_routes::routes(laptop.clone(), mailbox.clone(), ephemeral);
    let bounded = from_fn_with_state(Places::from(bounds), bounded);
    Ok(gateway::routes(&laptop.template, functions)?.layer(bounded).merge(local).merge(docs::routes()))
}

fn stand_in(what: &'static str) -> impl Fn(io::Error) -> StartError {
    move |error| StartError::StandIn { what, error }
}

#[cfg(test)]
mod tests;
