//! Secrets Manager and DynamoDB behind TLS, for a function to talk to while it is measured.
//!
//! Invariant: a measured function receives the answers that a real run received, from memory and in the same order,
//! so that each run does the same work. The two services have different addresses, so that neither can resume the
//! other's TLS session.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::IntoResponse;
use purser_local::cloud::dynamo::Dynamo;
use purser_store::engine::secrets::Texts;
use rcgen::{CertificateParams, KeyPair, PKCS_RSA_SHA256, RsaKeySize};
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::server::TlsStream;

const DYNAMODB: Ipv4Addr = Ipv4Addr::LOCALHOST;
const SECRETS: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 2);

/// Where Linux distributions keep their trusted certificates.
const BUNDLES: [&str; 3] =
    ["/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem"];

#[derive(Debug, Clone)]
pub struct Exchange {
    /// For example `GetItem`.
    pub operation: String,
    pub request: Value,
    answer: Bytes,
}

/// The stand-ins for the two services.
pub struct Cloud {
    pub dynamodb: String,
    pub secrets: String,
    /// The certificates that a function must trust: those of this system, because a function in the cloud loads as
    /// many, and the stand-ins' own.
    pub bundle: PathBuf,
    desk: Arc<Desk>,
}

struct Desk {
    secrets: Texts,
    table: Dynamo,
    script: Mutex<Script>,
}

enum Script {
    Record(Vec<Exchange>),
    Replay(Arc<[Exchange]>, usize),
}

impl Cloud {
    pub async fn start(secrets: Texts, table: Dynamo, folder: &Path) -> Self {
        let names = [DYNAMODB.to_string(), SECRETS.to_string()];
        // RSA, like the services in the cloud: a function has to verify such a signature.
        let key = KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_2048);
        let key = key.expect("a key pair");
        let own = CertificateParams::new(names).and_then(|it| it.self_signed(&key));
        let own = own.expect("a certificate");
        let trusted = BUNDLES.iter().find_map(|it| std::fs::read(it).ok());
        let mut trusted = trusted.expect("this system's trusted certificates");
        trusted.extend(own.pem().bytes());
        let bundle = folder.join("trusted.pem");
        std::fs::write(&bundle, trusted).expect("a file");
        let desk = Arc::new(Desk { secrets, table, script: Mutex::new(Script::Record(Vec::new())) });
        let key = key.serialize_der();
        let tls = ServerConfig::builder()
            .with_no_client_auth()
            .with_single_cert(vec![own.der().clone()], key.try_into().expect("a private key"))
            .expect("a certificate that TLS takes");
        let tls = TlsAcceptor::from(Arc::new(tls));
        Self { dynamodb: serve(DYNAMODB, &tls, &desk).await, secrets: serve(SECRETS, &tls, &desk).await, bundle, desk }
    }

    /// From now on, the real table answers, and its answers are recorded.
    pub fn record(&self) {
        *self.desk.script.lock().expect("the script") = Script::Record(Vec::new());
    }

    pub fn recorded(&self) -> Arc<[Exchange]> {
        match &*self.desk.script.lock().expect("the script") {
            Script::Record(exchanges) => exchanges.clone().into(),
            Script::Replay(..) => panic!("nothing is being recorded"),
        }
    }

    pub fn replay(&self, exchanges: &Arc<[Exchange]>) {
        *self.desk.script.lock().expect("the script") = Script::Replay(exchanges.clone(), 0);
    }
}

async fn serve(address: Ipv4Addr, tls: &TlsAcceptor, desk: &Arc<Desk>) -> String {
    let listener = TcpListener::bind((address, 0)).await.expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let listener = TlsListener { listener, tls: tls.clone() };
    let routes = Router::new().fallback(answer).with_state(desk.clone());
    tokio::spawn(async move { axum::serve(listener, routes).await });
    format!("https://{address}:{port}")
}

async fn answer(State(desk): State<Arc<Desk>>, headers: HeaderMap, body: Bytes) -> impl IntoResponse {
    let target = headers.get("x-amz-target").and_then(|it| it.to_str().ok());
    let (service, operation) = target.and_then(|it| it.split_once('.')).unwrap_or_default();
    let given = match service {
        "secretsmanager" => Ok(desk.secrets(&body)),
        _ => desk.dynamodb(operation, &body),
    };
    match given {
        Ok(answer) => (StatusCode::OK, json_type(), answer),
        // No client retries this status, so the run stops.
        Err(why) => (StatusCode::BAD_REQUEST, json_type(), Bytes::from(why)),
    }
}

fn json_type() -> [(&'static str, &'static str); 1] {
    [("content-type", "application/x-amz-json-1.0")]
}

impl Desk {
    /// The secrets that a function asks for by name, in one call.
    fn secrets(&self, asked: &Bytes) -> Bytes {
        let asked: Value = serde_json::from_slice(asked).expect("a request");
        let value = |name: &Value| {
            let name = name.as_str().expect("a name");
            let purpose = name.rsplit('/').next().and_then(|it| it.parse().ok()).expect("a purpose");
            json!({
                "ARN": name, "Name": name, "CreatedDate": 1_700_000_000, "SecretString": self.secrets[&purpose],
                "VersionId": "EXAMPLE1-90ab-cdef-fedc-ba987SECRET1", "VersionStages": ["AWSCURRENT"],
            })
        };
        let values: Vec<Value> = asked["SecretIdList"].as_array().expect("names").iter().map(value).collect();
        Bytes::from(json!({"SecretValues": values, "Errors": []}).to_string())
    }

    fn dynamodb(&self, operation: &str, request: &Bytes) -> Result<Bytes, String> {
        if let Script::Replay(exchanges, at) = &mut *self.script.lock().expect("the script") {
            let next = exchanges.get(*at);
            *at += 1;
            return next
                .filter(|exchange| exchange.operation == operation)
                .map(|exchange| exchange.answer.clone())
                .ok_or_else(|| format!("{operation} is not the next recorded call"));
        }
        let (status, answer) = self.table.call(operation, request);
        if status != 200 {
            return Err(answer);
        }
        let answer = Bytes::from(answer);
        if let Script::Record(exchanges) = &mut *self.script.lock().expect("the script") {
            exchanges.push(Exchange {
                operation: operation.to_owned(),
                request: serde_json::from_slice(request).expect("a request"),
                answer: answer.clone(),
            });
        }
        Ok(answer)
    }
}

/// A listener that completes the TLS handshake of each connection before it hands the connection over.
struct TlsListener {
    listener: TcpListener,
    tls: TlsAcceptor,
}

impl axum::serve::Listener for TlsListener {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        loop {
            if let Ok((stream, address)) = self.listener.accept().await
                && stream.set_nodelay(true).is_ok()
                && let Ok(stream) = self.tls.accept(stream).await
            {
                return (stream, address);
            }
        }
    }

    fn local_addr(&self) -> std::io::Result<Self::Addr> {
        self.listener.local_addr()
    }
}
