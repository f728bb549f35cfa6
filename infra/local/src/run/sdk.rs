//! The SDK's configuration, which directs each service to its stand-in on this machine.
//!
//! Invariant: nothing in this machine's environment or in `~/.aws` about AWS or proxies has any effect. So a laptop
//! never talks to an AWS account, whichever one its owner is signed in to.

use aws_config::{Region, SdkConfig};
use aws_runtime::env_config::file::{EnvConfigFileKind, EnvConfigFiles};
use aws_smithy_http_client::Builder;
use purser_edge::process::sdk::{behaviour, retries, timeouts};

use crate::REGION;

#[derive(Debug, Clone)]
pub struct Endpoints {
    pub dynamodb: String,
    pub eventbridge: String,
    pub sesv2: String,
}

/// The configuration of all SDK clients. The SDK reads a service's own endpoint from profiles only, so this builds a
/// profile in memory.
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
