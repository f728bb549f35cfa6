//! Table, bus and post office as the SDK's clients reach them: in this process, through the SDK's HTTP client.
//!
//! Invariant: no socket is behind it. Nobody else on this machine can reach the services, and a client of theirs
//! reaches no AWS account, whatever this machine's settings say. The services end with their owner, whoever still has a
//! client.

use std::sync::{Arc, Weak};

use aws_smithy_http_client::Builder;
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_runtime_api::http::HttpError;
use aws_smithy_types::body::SdkBody;
use axum::Router;
use axum::body::{Body, to_bytes};
use tower::ServiceExt;

use crate::cloud::dynamo::Dynamo;

const TABLE: &str = "DynamoDB_20120810.";
const BUS: &str = "AWSEvents.";
/// The most bytes of an answer; none has nearly as many.
const MOST: usize = 1 << 24;

/// Where the services of AWS are. Others, such as a CAPTCHA, are called where they are.
const AWS: &str = ".amazonaws.com";

/// The services, as far as they are there.
#[derive(Default)]
pub struct Services {
    pub table: Option<Dynamo>,
    pub bus: Router,
    pub post: Router,
}

impl Services {
    /// The HTTP client that reaches these services as long as they exist.
    pub fn client(self: &Arc<Self>) -> SharedHttpClient {
        // Without a proxy: the one that the environment names is meant for other hosts than this one.
        SharedHttpClient::new(Inside { services: Arc::downgrade(self), outside: Builder::new().build_http() })
    }

    async fn answer(&self, request: HttpRequest) -> Result<HttpResponse, ConnectorError> {
        let target = request.headers().get("x-amz-target").unwrap_or_default();
        if let (Some(operation), Some(table)) = (target.strip_prefix(TABLE), &self.table) {
            let (status, text) = table.call(operation, request.body().bytes().unwrap_or_default());
            let status = status.try_into().map_err(|error| ConnectorError::other(Box::new(error), None))?;
            return Ok(HttpResponse::new(status, SdkBody::from(text)));
        }
        let service = if target.starts_with(BUS) { &self.bus } else { &self.post };
        let request = request.try_into_http1x().map_err(|error| ConnectorError::other(error.into(), None))?;
        let (parts, body) = request.into_parts();
        let body = Body::from(body.bytes().unwrap_or_default().to_vec());
        let Ok(answer) = service.clone().oneshot(http::Request::from_parts(parts, body)).await;
        let (parts, body) = answer.into_parts();
        let body = to_bytes(body, MOST).await.map_err(|error| ConnectorError::io(error.into()))?;
        let answer = http::Response::from_parts(parts, SdkBody::from(body));
        answer.try_into().map_err(|error: HttpError| ConnectorError::other(error.into(), None))
    }
}

#[derive(Debug)]
struct Inside {
    services: Weak<Services>,
    outside: SharedHttpClient,
}

impl HttpClient for Inside {
    fn http_connector(&self, settings: &HttpConnectorSettings, parts: &RuntimeComponents) -> SharedHttpConnector {
        let outside = self.outside.http_connector(settings, parts);
        SharedHttpConnector::new(InsideConnector { services: self.services.clone(), outside })
    }
}

#[derive(Debug)]
struct InsideConnector {
    services: Weak<Services>,
    outside: SharedHttpConnector,
}

impl HttpConnector for InsideConnector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let host: http::Uri = request.uri().parse().unwrap_or_default();
        if !host.host().is_some_and(|host| host.ends_with(AWS)) {
            return self.outside.call(request);
        }
        let services = self.services.clone();
        HttpConnectorFuture::new(async move {
            // Others get their turn, as they do while a call is on its way.
            tokio::task::yield_now().await;
            match services.upgrade() {
                Some(services) => services.answer(request).await,
                None => Err(ConnectorError::io("the system has ended".into())),
            }
        })
    }
}

impl std::fmt::Debug for Services {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Services(…)")
    }
}
