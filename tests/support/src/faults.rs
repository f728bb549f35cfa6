//! Faults between the functions and the parts of AWS they use, injected through the SDK's HTTP client.
//!
//! Invariant: calls without a fault go through, so a test sees what a user would see.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;

#[derive(Debug, Clone)]
pub enum Fault {
    /// Nothing: the call goes through.
    Spared,
    LostAnswer,
    LostCall,
    /// The call is answered with this status and body, and is not carried out.
    Answer(u16, String),
}

/// How often the SDK tries within one call. Only after that does the store's own retry loop begin.
/// The read of an API key together with the wallet of its reseller.
pub const AUTHENTICATE: &str = "Authenticate";
pub const SDK_TRIES: usize = 3;

/// The operation that sends an e-mail, by its name in a [`Script`]: SES identifies operations by path.
pub const SEND_EMAIL: &str = "/v2/email/outbound-emails";

/// The faults still to come, each for the next call of its operation, and the calls made so far.
#[derive(Debug, Clone, Default)]
pub struct Script {
    coming: Arc<Mutex<VecDeque<(&'static str, Fault)>>>,
    calls: Arc<Mutex<Vec<Made>>>,
}

impl Script {
    /// Adds a fault for the next `times` calls of `operation`, after the faults that were added before.
    pub fn then(&self, times: usize, operation: &'static str, fault: &Fault) {
        let faults = std::iter::repeat_n((operation, fault.clone()), times);
        self.coming.lock().expect("a lock").extend(faults);
    }

    pub fn calls(&self, operation: &str) -> Vec<Vec<u8>> {
        let calls = self.calls.lock().expect("a lock");
        let of_it = calls.iter().filter(|call| call.operation == operation);
        of_it.map(|call| call.body.clone()).collect()
    }

    pub fn is_played(&self) -> bool {
        self.coming.lock().expect("a lock").is_empty()
    }

    pub fn over(&self, client: SharedHttpClient) -> SharedHttpClient {
        SharedHttpClient::new(Faulty { client, script: self.clone() })
    }

    fn next(&self, operation: &str, body: &[u8]) -> Option<Fault> {
        let call = Made { operation: operation.to_owned(), body: body.to_vec() };
        self.calls.lock().expect("a lock").push(call);
        let mut coming = self.coming.lock().expect("a lock");
        let place = coming.iter().position(|(name, _)| *name == operation)?;
        coming.remove(place).map(|(_, fault)| fault)
    }
}

#[derive(Debug)]
struct Made {
    operation: String,
    body: Vec<u8>,
}

#[derive(Debug)]
struct Faulty {
    client: SharedHttpClient,
    script: Script,
}

impl HttpClient for Faulty {
    fn http_connector(&self, settings: &HttpConnectorSettings, parts: &RuntimeComponents) -> SharedHttpConnector {
        let connector = self.client.http_connector(settings, parts);
        SharedHttpConnector::new(FaultyConnector { connector, script: self.script.clone() })
    }
}

fn path_of(uri: &str) -> &str {
    let rest = uri.split_once("://").map_or(uri, |(_, rest)| rest);
    rest.find('/').and_then(|at| rest.get(at..)).unwrap_or("/")
}

#[derive(Debug)]
struct FaultyConnector {
    connector: SharedHttpConnector,
    script: Script,
}

impl HttpConnector for FaultyConnector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let operation = match request.headers().get("x-amz-target") {
            Some(target) => target.rsplit('.').next().unwrap_or_default(),
            None => path_of(request.uri()),
        };
        // The read that tells who calls has a name of its own, so that a script begins with the command itself.
        let body = request.body().bytes().unwrap_or_default();
        let authenticates = operation == "BatchGetItem" && contains(body, b"\"AK#") && contains(body, b"\"WA#");
        let operation = if authenticates { AUTHENTICATE } else { operation }.to_owned();
        let fault = self.script.next(&operation, request.body().bytes().unwrap_or_default());
        let lost = || ConnectorError::timeout("lost on the way".into());
        match fault {
            None | Some(Fault::Spared) => self.connector.call(request),
            Some(Fault::LostCall) => HttpConnectorFuture::ready(Err(lost())),
            Some(Fault::LostAnswer) => {
                let done = self.connector.call(request);
                HttpConnectorFuture::new(async move {
                    let _answer = done.await?;
                    Err(lost())
                })
            }
            Some(Fault::Answer(status, body)) => {
                let status = status.try_into().expect("a status");
                let mut response = HttpResponse::new(status, SdkBody::from(body));
                response.headers_mut().insert("content-type", "application/x-amz-json-1.0");
                HttpConnectorFuture::ready(Ok(response))
            }
        }
    }
}

fn contains(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}
