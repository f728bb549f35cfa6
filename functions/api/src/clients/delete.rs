//! `delete-clients`: one client or many (rule A9).
//!
//! Invariant: what names a person goes, the address is free again, licences stay; each of many is deleted by itself,
//! and its result says whether it was.

use std::collections::HashSet;
use std::time::Duration;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use purser_domain::basic::refid::ClientRefid;
use purser_domain::parties::client::Client;
use purser_domain::refusal::{Refusal, What};
use purser_edge::caller::input::{Named, Operator};
use purser_edge::http::answer::ok;
use purser_edge::http::extract::{Body, IfMatch};
use purser_edge::http::problem::refusals::{Forbidden, Refused};
use purser_edge::{App, Call, Input, Problem};
use purser_store::StoreError;
use serde::{Deserialize, Serialize};
use tokio::time::Instant;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// The most clients of one call.
const MOST: usize = 100;
/// How long a call goes on deleting; the rest is told to come back. What is under way then may take nine seconds more,
/// and a function has fifteen.
const PATIENCE: Duration = Duration::from_secs(5);

/// The routes of this function.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::default().routes(routes!(delete_client)).routes(routes!(delete_clients))
}

/// Delete a client
#[utoipa::path(
    delete, path = "/v1/clients/{refid}", tag = "clients",
    params(
        ("refid" = ClientRefid, Path),
        ("If-Match" = Option<String>, Header, description = "Only if this is its ETag."),
    ),
    responses((status = 204))
)]
async fn delete_client(
    State(app): State<App>,
    Input(call, Named(refid), version, ..): Input<Call, Named<ClientRefid>, IfMatch>,
) -> Result<Response, Problem> {
    let must = |client: &Client| version.must_hold(client.version);
    delete(&app, &call, &refid, must).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

async fn delete(
    app: &App,
    call: &Call,
    refid: &ClientRefid,
    must: impl Fn(&Client) -> Result<(), Refusal> + Send + Sync,
) -> Result<(), StoreError> {
    let may = |client: &Client| call.may_reach(client);
    app.store.delete_client(refid, &call.request(), may, must).await
}

/// The clients to delete.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[schema(example = json!({"clients": ["CL-7ZK3M9QWX2ABCDEF"]}))]
#[serde(deny_unknown_fields, expecting = "an object")]
struct DeleteClients {
    /// Their refids, 1 to 100.
    #[schema(value_type = Vec<ClientRefid>, min_items = 1, max_items = 100)]
    clients: Refids,
}

/// A list of refids that is neither empty nor too long.
#[derive(Debug, Clone, Deserialize)]
#[serde(try_from = "Vec<String>")]
struct Refids(Vec<String>);

impl TryFrom<Vec<String>> for Refids {
    type Error = String;
    fn try_from(refids: Vec<String>) -> Result<Self, String> {
        if (1..=MOST).contains(&refids.len()) {
            Ok(Self(refids))
        } else {
            Err(format!("must name 1 to {MOST} clients"))
        }
    }
}

/// What became of each client.
#[derive(Debug, Serialize, ToSchema)]
struct DeletedClients {
    /// One result a client, in the order of the request.
    results: Vec<Deletion>,
}

/// What became of one client.
#[derive(Debug, Serialize, ToSchema)]
struct Deletion {
    /// Its refid.
    client: String,
    /// Whether it was deleted.
    deleted: bool,
    /// Why not, as a stable code.
    #[schema(required = true)]
    code: Option<&'static str>,
    /// Why not, for people.
    #[schema(required = true)]
    detail: Option<String>,
}

/// Delete many clients, each by itself
#[utoipa::path(
    post, path = "/v1/clients/bulk-delete", tag = "clients", request_body = DeleteClients,
    responses((status = 200, body = DeletedClients), Refused<Forbidden>)
)]
async fn delete_clients(
    State(app): State<App>,
    Input(call, (), (), Body(body)): Input<Operator, (), (), Body<DeleteClients>>,
) -> Result<Response, Problem> {
    let deadline = Instant::now() + PATIENCE;
    let mut results = Vec::new();
    let mut seen = HashSet::new();
    for text in body.clients.0 {
        let refid = ClientRefid::parse(&text).filter(|refid| seen.insert(refid.clone()));
        let deleted = match refid {
            _ if Instant::now() >= deadline => Err(StoreError::Busy),
            Some(refid) => delete(&app, &call, &refid, |_| Ok(())).await,
            // It can't be, or it was deleted a moment ago.
            None => Err(Refusal::NotFound(What::Client).into()),
        };
        let problem = deleted.err().map(Problem::from);
        results.push(Deletion {
            client: text,
            deleted: problem.is_none(),
            code: problem.as_ref().map(Problem::code),
            detail: problem.map(|problem| problem.detail().to_owned()),
        });
    }
    ok(&DeletedClients { results })
}
