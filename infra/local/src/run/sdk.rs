//! The SDK's configuration, with each service at its stand-in on this machine.
//!
//! Invariant: nothing that this machine's environment or `~/.aws` says about AWS or proxies counts
//! here. So a laptop never talks to an account, whatever its owner is signed in to.

use aws_config::{Region, SdkConfig};
use aws_runtime::env_config::file::{EnvConfigFileKind, EnvConfigFiles};
use aws_smithy_http_client::Builder;
use purser_edge::process::sdk::{behaviour, retries, timeouts};

use crate::REGION;

/// Where the stand-ins listen.
#[derive(Debug, Clone)]
pub struct Endpoints {
    /// DynamoDB.
    pub dynamodb: String,
    /// EventBridge.
    pub eventbridge: String,
    /// SES v2.
    pub sesv2: String,
}

/// The configuration of all clients. A service's own endpoint is something that the SDK knows from
/// profiles alone, so this is a profile made up in memory.
pub async fn settings(endpoints: &Endpoints) -> SdkConfig {
    let Endpoints { dynamodb, eventbridge, sesv2 } = endpoints;
    let profile = format!(
        "[default]\nservices = laptop\n\n[services laptop]\n\
         dynamodb =\n  endpoint_url = {dynamodb}\n\
         eventbridge =\n  endpoint_url = {eventbridge}\n\
         sesv2 =\n  endpoint_url = {sesv2}\n"
    );
    let files = EnvConfigFiles::builder().with_contents(EnvConfigFileKind::Config, profile).build();
    aws_config::defaults(behaviour())
        .timeout_config(timeouts())
        .retry_config(retries())
        .empty_test_environment()
        .profile_files(files)
        .profile_name("default")
        .http_client(Builder::new().build_http())
        .region(Region::from_static(REGION))
        .test_credentials()
        .load()
        .await
}
