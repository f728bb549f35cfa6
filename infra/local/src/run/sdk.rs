//! The SDK's configuration, which directs every service to its stand-in in this process.
//!
//! Invariant: nothing in this machine's environment or in `~/.aws` about AWS or proxies has any effect. So a laptop
//! never talks to an AWS account, whichever one its owner is signed in to.

use aws_config::{Region, SdkConfig};
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use purser_edge::process::sdk::{behaviour, retries, timeouts};

use crate::REGION;

/// The configuration of all SDK clients, which make their calls through `client`.
pub async fn settings(client: SharedHttpClient) -> SdkConfig {
    aws_config::defaults(behaviour())
        .timeout_config(timeouts())
        .retry_config(retries())
        .empty_test_environment()
        .http_client(client)
        .region(Region::from_static(REGION))
        .test_credentials()
        .load()
        .await
}
