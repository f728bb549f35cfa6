//! The settings of the AWS SDK's clients on Lambda.
//!
//! Invariant: settings and credentials come from environment variables alone, where Lambda puts them; no profile and
//! no metadata service is read. All clients share one HTTP client, so the trusted certificates are loaded once.

use std::time::Duration;

use aws_config::environment::EnvironmentVariableCredentialsProvider;
use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_http_client::Connector;
use aws_smithy_http_client::proxy::ProxyConfig;
use aws_smithy_http_client::tls::Provider;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_runtime_api::client::http::{
    HttpConnectorSettings, SharedHttpClient, SharedHttpConnector, http_client_fn,
};
use aws_types::service_config::{LoadServiceConfig, ServiceConfigKey};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);

/// The version of the SDK's behaviour that this code was written for.
pub fn behaviour() -> BehaviorVersion {
    BehaviorVersion::v2026_01_12()
}

/// Time-outs that leave room for the store's own retries within eight seconds (ARCHITECTURE.md, "Money").
pub fn timeouts() -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(CONNECT_TIMEOUT)
        .operation_attempt_timeout(Duration::from_millis(1_500))
        .operation_timeout(Duration::from_secs(8))
        .build()
}

/// How often the SDK tries a call. The store's retries come on top of that.
pub fn retries() -> RetryConfig {
    RetryConfig::standard().with_max_attempts(3)
}

/// The settings of all clients in the cloud. There is no region if the environment names none.
pub fn settings() -> SdkConfig {
    let credentials = EnvironmentVariableCredentialsProvider::new();
    SdkConfig::builder()
        .behavior_version(behaviour())
        .region(std::env::var("AWS_REGION").ok().map(Region::new))
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .service_config(Endpoints)
        .timeout_config(timeouts())
        .retry_config(retries())
        .http_client(http_client())
        .build()
}

/// One connector for all clients. By default the SDK creates two for each client and discards one of them.
fn http_client() -> SharedHttpClient {
    let settings = HttpConnectorSettings::builder().connect_timeout(CONNECT_TIMEOUT);
    let connector = Connector::builder()
        .connector_settings(settings.build())
        .proxy_config(ProxyConfig::from_env())
        .tls_provider(Provider::Rustls(CryptoMode::AwsLc))
        .build();
    let connector = SharedHttpConnector::new(connector);
    http_client_fn(move |_, _| connector.clone())
}

/// Endpoints from variables like `AWS_ENDPOINT_URL_DYNAMODB`. Rehearsals set them to use local services.
#[derive(Debug)]
struct Endpoints;

impl LoadServiceConfig for Endpoints {
    fn load_config(&self, key: ServiceConfigKey<'_>) -> Option<String> {
        let service = key.service_id().to_uppercase().replace(' ', "_");
        let named = std::env::var(format!("{}_{service}", key.env()));
        named.or_else(|_| std::env::var(key.env())).ok()
    }
}
