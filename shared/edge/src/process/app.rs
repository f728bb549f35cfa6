//! The state of a function: the table, the bus, e-mail, configuration, limits and the clock.
//!
//! Invariant: the SDK's clients are built at most once per process, with explicit time-outs, and never for each
//! request.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use aws_config::SdkConfig;
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use purser_domain::basic::{EmailAddress, Name};
use purser_domain::people::{GivenPassword, Password, Scopes, WeakPassword};
use purser_store::Store;
use purser_store::engine::item::Origin;
use purser_store::engine::secrets::{Purpose, Texts};
use purser_store::engine::table::describe;
use purser_store::engine::{Consistency, Key, Secrets, Table};
use tokio::sync::Semaphore;
use tokio::time::timeout;

use crate::events::bus::Bus;
use crate::http::limits::Limits;
use crate::http::problem::{FieldError, Problem, refusals};
use crate::process::clock::Clock;
use crate::process::config::{Config, SECRETS_VARIABLE};
use crate::process::keeper::{Keeper, Reading, Source};
use crate::process::mail::Mailer;
use crate::process::sdk;

/// How long a function that starts may wait for the table's first answer.
const CONNECTING: Duration = Duration::from_secs(1);

/// The state of every function. Cheap to clone.
#[derive(Debug, Clone)]
pub struct App {
    pub store: Store,
    /// The secrets of `store`, which change from time to time.
    pub keeper: Keeper,
    pub bus: Bus,
    pub mailer: Mailer,
    pub config: Arc<Config>,
    pub limits: Limits,
    pub clock: Clock,
    /// What the operators' first key may do. Where Purser is deployed, it only lets operators in.
    pub first_key: Scopes,
    /// The origin that items are stamped with. It is the API, except where a demonstration history is generated.
    pub origin: Origin,
    /// Places for pictures that are being read, or wait for it. There are few, so that pictures can't take the places
    /// of all other requests.
    pub pictures: Arc<Semaphore>,
    /// The HTTP client of the SDK, for calls to services other than AWS.
    pub http: Option<SharedHttpClient>,
}

/// How many pictures may be read, or wait for it, at once.
const PICTURES: usize = 4;

#[derive(Debug, thiserror::Error)]
#[error("Purser can't start: {0}")]
pub struct StartError(pub String);

impl App {
    /// The state with secrets that never change.
    pub fn new(config: Config, secrets: Secrets, sdk: &SdkConfig, clock: Clock) -> Self {
        Self::with(config, Keeper::fixed(secrets, clock.clone()), sdk, clock)
    }

    pub fn with(config: Config, keeper: Keeper, sdk: &SdkConfig, clock: Clock) -> Self {
        let table = Table::new(aws_sdk_dynamodb::Client::new(sdk), &config.table);
        Self {
            store: Store::new(table, keeper.secrets().clone(), config.prefixes.clone(), config.policy()),
            keeper,
            bus: Bus::new(sdk, &config.bus),
            mailer: Mailer::new(sdk, config.mail_from.clone(), config.mail_configuration_set.clone()),
            limits: Limits::new(&config, clock.clone()),
            config: Arc::new(config),
            clock,
            first_key: Scopes::all(),
            origin: Origin::default(),
            pictures: Arc::new(Semaphore::new(PICTURES)),
            http: sdk.http_client(),
        }
    }

    /// Accepts a new password of the user with this address and name, if it is strong enough (rule D2).
    pub fn new_password(
        &self,
        given: GivenPassword,
        email: &EmailAddress,
        name: Option<&Name>,
    ) -> Result<Password, Problem> {
        let accepted = self.config.accounts.passwords.accept(given, email, name, &self.config.brand);
        accepted.map_err(|weak| Self::weak_password(&weak))
    }

    /// 422: what is wrong with a new password. The text of `weak` continues a sentence that begins with "The
    /// password".
    pub fn weak_password(weak: &WeakPassword) -> Problem {
        let field = FieldError { pointer: "/password".to_owned(), detail: weak.to_string() };
        Problem::because(refusals::WeakPassword, format!("The password {weak}.")).at(field)
    }

    /// The state in the cloud, from environment variables and the deployment's secrets of these purposes.
    pub async fn from_environment(secrets: &[Purpose]) -> Result<Self, StartError> {
        let (config, sdk, clock) = (configuration()?, sdk::settings(), Clock::default());
        let keeper = keeper(&config, &sdk, secrets, &clock).await?;
        Ok(Self::with(config, keeper, &sdk, clock).deployed())
    }

    /// The state in the cloud, for a function that authenticates callers. While the secrets are fetched, it opens a
    /// connection to the table, so that the first request need not wait for one.
    pub async fn connected(secrets: &[Purpose]) -> Result<Self, StartError> {
        let (config, sdk, clock) = (configuration()?, sdk::settings(), Clock::default());
        let table = Table::new(aws_sdk_dynamodb::Client::new(&sdk), &config.table);
        let (keeper, ()) = tokio::join!(keeper(&config, &sdk, secrets, &clock), connect(&table));
        Ok(Self::with(config, keeper?, &sdk, clock).deployed())
    }

    /// This state with what differs in the cloud from a laptop.
    fn deployed(self) -> Self {
        Self { first_key: Scopes::admin(), ..self }
    }
}

pub(super) fn configuration() -> Result<Config, StartError> {
    Config::from_environment().map_err(|error| StartError(error.to_string()))
}

/// Fetches the secrets of these purposes that the configuration needs; a function that needs none asks for none.
pub(super) async fn keeper(
    config: &Config,
    sdk: &SdkConfig,
    purposes: &[Purpose],
    clock: &Clock,
) -> Result<Keeper, StartError> {
    let stack = std::env::var(SECRETS_VARIABLE).map_err(|_| StartError(format!("{SECRETS_VARIABLE} is not set")))?;
    let client = aws_sdk_secretsmanager::Client::new(sdk);
    let named = |purpose: &Purpose| (format!("{stack}/{}", purpose.into_str()), *purpose);
    let needed = purposes.iter().filter(|it| config.needs(**it));
    let names: Arc<BTreeMap<String, Purpose>> = Arc::new(needed.map(named).collect());
    let source: Source = Arc::new(move || -> Reading { Box::pin(fetch(client.clone(), Arc::clone(&names))) });
    Keeper::start(source, clock.clone()).await.map_err(|why| StartError(format!("can't read the secrets: {why}")))
}

/// Reads secrets by their names, in one call, because each connection costs a start more than a call does.
async fn fetch(client: aws_sdk_secretsmanager::Client, names: Arc<BTreeMap<String, Purpose>>) -> Result<Texts, String> {
    if names.is_empty() {
        return Ok(Texts::new());
    }
    let asked = client.batch_get_secret_value().set_secret_id_list(Some(names.keys().cloned().collect()));
    let answer = asked.send().await.map_err(|error| describe(&error))?;
    let found = answer.secret_values.unwrap_or_default().into_iter();
    let texts: Texts = found.filter_map(|it| Some((*names.get(&it.name?)?, it.secret_string?))).collect();
    let missing: Vec<&str> =
        names.iter().filter(|(_, it)| !texts.contains_key(it)).map(|(it, _)| it.as_str()).collect();
    let why: Vec<String> = answer.errors.unwrap_or_default().into_iter().filter_map(|it| it.error_code).collect();
    match missing.as_slice() {
        [] => Ok(texts),
        missing => Err(format!("{}: {}", missing.join(", "), why.join(", "))),
    }
}

/// Opens a connection by reading an item that does not exist, in the way in which callers are read, because every
/// function that answers requests may do that. Errors are ignored, because the first request will report them.
async fn connect(table: &Table) {
    let nobody = [Key::alone("AK", "-")];
    let asked = table.get_all(&nobody, Consistency::Eventual);
    match timeout(CONNECTING, asked).await {
        Ok(Ok(_)) => {}
        Ok(Err(error)) => tracing::debug!(%error, "the table did not answer the first request"),
        Err(_) => tracing::debug!("the table did not answer the first request in time"),
    }
}
