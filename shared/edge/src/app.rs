//! What a function works with: the table, the bus, mail, configuration, limits and the clock.
//!
//! Invariant: clients are built once per process, with explicit time-outs, and never again per request.

use std::sync::Arc;
use std::time::Duration;

use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, SdkConfig};
use purser_store::Store;
use purser_store::secrets::Secrets;
use purser_store::table::{Table, describe};

use crate::bus::Bus;
use crate::clock::Clock;
use crate::config::{Config, SECRET_VARIABLE};
use crate::limits::Limits;
use crate::mail::Mailer;

/// The state of every function. Cheap to clone.
#[derive(Debug, Clone)]
pub struct App {
    /// The table.
    pub store: Store,
    /// The bus.
    pub bus: Bus,
    /// Mail.
    pub mailer: Mailer,
    /// Configuration.
    pub config: Arc<Config>,
    /// What everybody may still ask.
    pub limits: Limits,
    /// The clock.
    pub clock: Clock,
}

/// Why a function can't start.
#[derive(Debug, thiserror::Error)]
#[error("Purser can't start: {0}")]
pub struct StartError(pub String);

impl App {
    /// The state with these parts.
    pub fn new(config: Config, secrets: Secrets, sdk: &SdkConfig, clock: Clock) -> Self {
        let table = Table::new(aws_sdk_dynamodb::Client::new(sdk), &config.table);
        Self {
            store: Store::new(table, secrets, config.prefixes.clone()),
            bus: Bus::new(aws_sdk_eventbridge::Client::new(sdk), &config.bus),
            mailer: Mailer::new(
                aws_sdk_sesv2::Client::new(sdk),
                config.mail_from.clone(),
                config.mail_configuration_set.clone(),
            ),
            limits: Limits::new(&config, clock.clone()),
            config: Arc::new(config),
            clock,
        }
    }

    /// The state in the cloud: from the environment, with the deployment's secret fetched once.
    pub async fn from_environment() -> Result<Self, StartError> {
        let config = Config::read(|name| std::env::var(name).ok())
            .map_err(|error| StartError(error.to_string()))?;
        let sdk = sdk_settings(aws_config::defaults(behaviour())).load().await;
        let arn = std::env::var(SECRET_VARIABLE)
            .map_err(|_| StartError(format!("{SECRET_VARIABLE} is not set")))?;
        let secret = aws_sdk_secretsmanager::Client::new(&sdk)
            .get_secret_value()
            .secret_id(arn)
            .send()
            .await
            .map_err(|error| StartError(format!("the deployment secret: {}", describe(&error))))?;
        let root = secret.secret_string().unwrap_or_default();
        let secrets =
            Secrets::from_root(root.as_bytes()).map_err(|error| StartError(error.to_string()))?;
        Ok(Self::new(config, secrets, &sdk, Clock::default()))
    }
}

/// The behaviour of the SDK this code was written for.
pub fn behaviour() -> BehaviorVersion {
    BehaviorVersion::v2026_01_12()
}

/// Time-outs that leave the store's own retries their eight seconds (ARCHITECTURE.md, "Money").
pub fn sdk_settings(loader: aws_config::ConfigLoader) -> aws_config::ConfigLoader {
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(Duration::from_secs(1))
        .operation_attempt_timeout(Duration::from_millis(1_500))
        .operation_timeout(Duration::from_secs(8))
        .build();
    loader
        .timeout_config(timeouts)
        .retry_config(RetryConfig::standard().with_max_attempts(3))
}
