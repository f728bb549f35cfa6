//! Enforces a role between a function and AWS, in the SDK's HTTP client.
//!
//! Invariant: a caller with this client can send AWS nothing that the role does not allow. A request without a
//! signature passes unchecked, because AWS would refuse it anyway.

use aws_config::SdkConfig;
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use serde_json::json;

use super::{Access, Role};

impl Role {
    pub fn assume(&self, sdk: &SdkConfig) -> SdkConfig {
        let Some(client) = sdk.http_client() else {
            return sdk.clone();
        };
        let guarded = SharedHttpClient::new(Guarded { client, role: self.clone() });
        sdk.to_builder().http_client(guarded).build()
    }
}

#[derive(Debug)]
struct Guarded {
    client: SharedHttpClient,
    role: Role,
}

impl HttpClient for Guarded {
    fn http_connector(&self, settings: &HttpConnectorSettings, parts: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(GuardedConnector {
            connector: self.client.http_connector(settings, parts),
            role: self.role.clone(),
        })
    }
}

#[derive(Debug)]
struct GuardedConnector {
    connector: SharedHttpConnector,
    role: Role,
}

impl HttpConnector for GuardedConnector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        if !request.headers().contains_key("authorization") {
            return self.connector.call(request);
        }
        let target = request.headers().get("x-amz-target");
        let path = request.uri().parse::<http::Uri>();
        let path = path.as_ref().map_or("", http::Uri::path);
        let body = request.body().bytes().unwrap_or_default();
        match self.role.judge(&Access::of(target, path, body)) {
            Ok(()) => self.connector.call(request),
            Err(refused) => HttpConnectorFuture::ready(denied(&self.role, &refused)),
        }
    }
}

fn denied(role: &Role, refused: &Access) -> Result<HttpResponse, ConnectorError> {
    let Role { function, .. } = role;
    let Access { action, resource, .. } = refused;
    // Log only the kinds of the keys, because the rest of a key can identify somebody.
    let kinds: Vec<_> = refused.keys.iter().filter_map(|key| key.split('#').next()).collect();
    tracing::error!(function, action, resource, ?kinds, "the template does not allow this");
    let message = format!("{function} is not authorized to perform: {action} on resource: {resource}");
    let body = json!({"__type": "com.amazon.coral.service#AccessDeniedException", "Message": message});
    let status = 400_u16.try_into().map_err(|error| ConnectorError::other(Box::new(error), None))?;
    let mut response = HttpResponse::new(status, SdkBody::from(body.to_string()));
    response.headers_mut().insert("x-amzn-errortype", "AccessDeniedException");
    Ok(response)
}
