//! The whole of Purser in one process: the stand-ins, the functions and the connections between them.
//!
//! Invariant: everything is as the template says, or nothing starts. If there is a folder, everything acknowledged is
//! kept in it: a stop, clean or not, loses no event.

use std::collections::BTreeMap;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use aws_smithy_runtime_api::client::http::SharedHttpClient;
use axum::Router;
use axum::extract::Request;
use axum::middleware::from_fn_with_state;
use axum::response::Response;
use purser_edge::App;
use purser_edge::process::clock::Clock;
use purser_edge::process::config::{Config, ConfigError};
use purser_edge::process::keeper::Keeper;
use purser_lambda::functions as all_functions;
use purser_store::engine::item::Origin;
use purser_store::engine::secrets::{Purpose, sha256_hex};
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
use crate::run::folder::{Folder, new_operator_key};
use crate::run::gateway::bounds::{Bounds, Places, bounded};
use crate::run::gateway::owner::{Guests, owned};
use crate::run::gateway::{self, GatewayError, connections};
use crate::run::local_routes::{self, Laptop};
use crate::run::sdk;
use crate::run::vault::Vault;
use crate::run::{docs, functions, home};
use crate::template::roles::Roles;
use crate::template::{Template, TemplateError};

mod error;
mod stand_ins;

pub use error::StartError;
use stand_ins::StandIns;

/// How long requests in flight may take to end; longer than a command may wait for its turn.
const GRACE: Duration = Duration::from_secs(10);

/// How often the system checks whether a function is due.
const TICK: Duration = Duration::from_secs(1);

#[derive(Clone, Default)]
pub struct Options {
    /// The port of 127.0.0.1; 0 picks a free one.
    pub port: u16,
    /// The folder that keeps everything between runs; none keeps everything in memory only.
    pub folder: Option<PathBuf>,
    /// The operators' first key; none takes the one kept in the folder, or a new one.
    pub operator_key: Option<String>,
    /// Environment variables that override the template's defaults.
    pub variables: BTreeMap<String, String>,
    /// Whether schedules start their functions as time passes, and not only when the clock is turned.
    pub on_time: bool,
    /// A template to use instead of the built-in one, including its table and variables.
    pub template: Option<Arc<Template>>,
    pub bounds: Bounds,
    /// The clock of the whole system; a history sets it to the time when the history begins.
    pub clock: Clock,
    /// The names besides localhost by which requests may name this laptop.
    pub hosts: Vec<String>,
    /// Where requests come from: the API, unless they make up a history.
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
    vault: Vault,
    operator_key: String,
    /// The task that starts scheduled functions; it ends when this set is dropped.
    watching: JoinSet<()>,
    // Last, so that the folder is unlocked only after everything else has been dropped.
    folder: Option<Folder>,
}

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
        let vault = Vault::open(folder.as_ref(), &options.clock)?;
        let operator_key = operator_key(folder.as_ref(), options.operator_key)?;
        let address = listener.local_addr().map_err(stand_in("gateway"))?;
        let config = configure(&template, address, &operator_key, options.variables)?;
        let rules = functions::rules(&template, &config.bus)?;
        let roles = Roles::of(&template, config.mail_from.as_str())?;
        let now = now_of(&options.clock);
        let stand_ins = StandIns::start(&template, &config, rules, folder.as_ref(), now)?;
        let sdk = sdk::settings(stand_ins.services.client()).await;
        let own = Keeper::start(vault.source(Purpose::ALL), options.clock.clone()).await;
        let mut app = App::with(config, own.map_err(StartError::Secrets)?, &sdk, options.clock);
        app.origin = options.origin;
        let names: Vec<&str> = all_functions().map(|it| it.name).collect();
        let apps = Apps::new(app, &sdk, &names, &roles, &vault).await.map_err(StartError::Secrets)?;
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
        // In the cloud expired items are deleted all the time; here they are deleted when the system starts.
        stand_ins.dynamo.sweep_ttl().await?;
        let guests = Guests::of(&options.hosts, &laptop.apps.own().config.allowed_origins);
        let router = routes(&laptop, &stand_ins.mailbox, folder.is_none(), options.bounds)?;
        let routed = router.clone().layer(from_fn_with_state(guests, owned));
        let gateway =
            Loopback::on(listener, |listener, stopped| connections::serve(listener, routed, options.bounds, stopped));
        let gateway = gateway.map_err(stand_in("gateway"))?;
        let mut watching = JoinSet::new();
        if options.on_time {
            watching.spawn(watch(laptop.clone()));
        }
        Ok(Self { laptop, router, gateway, stand_ins, roles, vault, operator_key, watching, folder })
    }

    /// The base URL of the API, such as `http://127.0.0.1:3000`.
    pub fn url(&self) -> String {
        self.gateway.endpoint()
    }

    /// The folder that keeps everything; none if everything is in memory.
    pub fn folder(&self) -> Option<&Path> {
        self.folder.as_ref().map(Folder::path)
    }

    /// The laptop's own [`App`], which no role restricts.
    pub fn app(&self) -> &App {
        self.laptop.apps.own()
    }

    pub fn apps(&self) -> &Apps {
        &self.laptop.apps
    }

    pub fn roles(&self) -> &Roles {
        &self.roles
    }

    pub fn vault(&self) -> &Vault {
        &self.vault
    }

    pub fn clock(&self) -> &Clock {
        &self.app().clock
    }

    pub fn operator_key(&self) -> &str {
        &self.operator_key
    }

    /// Answers a request like the port does, without the network.
    pub async fn ask(&self, request: Request) -> Response {
        let Ok(response) = self.router.clone().oneshot(request).await;
        response
    }

    /// Runs a scheduled function now, and waits for the consequences.
    pub async fn run_schedule(&self, function: &str) -> Result<(), String> {
        match functions::scheduled(&self.laptop.template, function) {
            Some(function) => self.laptop.run_schedule(function).await,
            None => Err(format!("{function} has no schedule")),
        }
    }

    /// Resolves when everything pending on stream and bus is done.
    pub async fn settle(&self) {
        self.laptop.settle().await;
    }

    pub fn mails(&self) -> Vec<Mail> {
        self.stand_ins.mailbox.newest_first()
    }

    pub fn dead_letters(&self) -> Vec<DeadLetter> {
        self.stand_ins.dead_letters.all()
    }

    /// The HTTP client that the functions' SDK uses.
    pub fn http_client(&self) -> SharedHttpClient {
        self.stand_ins.services.client()
    }

    pub fn dynamo(&self) -> &Dynamo {
        &self.stand_ins.dynamo
    }

    /// Ends the system: first the requests, then their consequences, then the stand-ins that both need.
    pub async fn shutdown(self) {
        let Self { laptop, gateway, stand_ins, mut watching, .. } = self;
        watching.shutdown().await;
        // A caller that never finishes its request must not keep the system from ending.
        if tokio::time::timeout(GRACE, gateway.shutdown()).await.is_err() {
            tracing::warn!("stopped while requests were in flight");
        }
        laptop.pump.shutdown().await;
        // An event that keeps failing is sent again after the next start.
        if tokio::time::timeout(GRACE, stand_ins.bus.shutdown()).await.is_err() {
            tracing::warn!("stopped while events were in flight");
        }
    }
}

/// Starts the functions that are due, as time passes.
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

fn operator_key(folder: Option<&Folder>, given: Option<String>) -> Result<String, StartError> {
    let operator_key = match (given, folder) {
        (Some(key), _) => key,
        (None, Some(folder)) => folder.operator_key()?,
        (None, None) => new_operator_key()?,
    };
    let padded = operator_key.trim() != operator_key;
    if operator_key.is_empty() || padded || operator_key.chars().any(char::is_control) {
        return Err(StartError::OperatorKey);
    }
    Ok(operator_key)
}

/// The configuration: the template's defaults, overridden by what the laptop knows and then by the `given` variables.
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

/// Everything on the one port. The limits do not apply to the laptop's own routes, which must also work under
/// overload.
fn routes(laptop: &Laptop, mailbox: &Mailbox, ephemeral: bool, bounds: Bounds) -> Result<Router, GatewayError> {
    let functions = |name: &str| functions::router(&laptop.apps, name);
    let local = local_routes::routes(laptop.clone(), mailbox.clone(), ephemeral);
    let bounded = from_fn_with_state(Places::from(bounds), bounded);
    Ok(gateway::routes(&laptop.template, functions)?
        .layer(bounded)
        .merge(local)
        .merge(docs::routes())
        .merge(home::routes()))
}

fn stand_in(what: &'static str) -> impl Fn(io::Error) -> StartError {
    move |error| StartError::StandIn { what, error }
}

#[cfg(test)]
mod tests;
