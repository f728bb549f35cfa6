//! `delete-clients`: deletes one client, or several in one call (rule A9).
//!
//! Invariant: personal data is erased, the e-mail address becomes free and the licences stay. A bulk call deletes
//! each client in a commit of its own and reports a result for each.

use std::collections::HashSet;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use http::StatusCode;
use purser_domain::basic::{ClientRefid, OneTo};
use purser_domain::parties::Client;
use purser_edge::http::answer::ok;
use purser_edge::prelude::*;
use purser_store::StoreError;
use tokio::time::Instant;

use crate::clients::young::Young;

/// The maximum number of clients in one call.
const MOST: usize = 100;
/// How long a bulk call keeps starting deletions; the remaining clients are reported as `busy`. A deletion that has
/// started may take nine seconds more, and the function times out after fifteen.
const PATIENCE: Duration = Duration::from_secs(5);

pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::default().routes(routes!(delete_client)).routes(routes!(delete_clients))
}

/// Delete a client
#[utoipa::path(
    delete, path = "/v1/clients/{refid}", tag = "clients",
    params(
        ("refid" = ClientRefid, Path),
        ("If-Match" = Option<String>, Header, description = "Delete only if this is the current ETag."),
    ),
    responses((status = 204), Refused<TooManyAttempts>)
)]
async fn delete_client(
    State(app): State<App>,
    Input(call, Named(refid), version, ..): Input<Call, Named<ClientRefid>, IfMatch>,
) -> Result<Response, Problem> {
    let mut young = Young::of(&call);
    // A client that is created and deleted again tells that its address is not taken, and perhaps the id it was given.
    let named = AtomicU32::new(1);
    loop {
        let must = |client: &Client| {
            version.must_hold(client.version)?;
            named.store(1 + u32::from(!client.client_id.is_uuid()), Ordering::Relaxed);
            young.must_be_charged(client)
        };
        let deleted = delete(&app, &call, &refid, must).await;
        if young.is_settled((&app, &call), named.load(Ordering::Relaxed), &deleted).await? {
            deleted?;
            return Ok(StatusCode::NO_CONTENT.into_response());
        }
    }
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

/// The clients to delete in one call.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[schema(example = json!({"clients": ["CL-7ZK3M9QWX2ABCDEF"]}))]
#[serde(deny_unknown_fields, expecting = "an object")]
struct DeleteClients {
    /// The refids of 1 to 100 clients.
    #[schema(value_type = Vec<ClientRefid>, min_items = 1, max_items = 100)]
    clients: OneTo<MOST, String>,
}

/// The results of a bulk deletion.
#[derive(Debug, Serialize, ToSchema)]
struct DeletedClients {
    /// One result for each client, in the order of the request.
    results: Vec<Deletion>,
}

/// The result for one client.
#[derive(Debug, Serialize, ToSchema)]
struct Deletion {
    /// The refid as it was given in the request.
    client: String,
    /// Whether the client was deleted.
    deleted: bool,
    /// The stable code of the reason why the client was not deleted; null if it was.
    #[schema(required = true)]
    code: Option<&'static str>,
    /// The reason why the client was not deleted, for people; null if it was.
    #[schema(required = true)]
    detail: Option<String>,
}

/// Delete several clients, each independently of the others
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
    for text in body.clients {
        let refid = ClientRefid::parse(&text).filter(|refid| seen.insert(refid.clone()));
        let deleted = match refid {
            _ if Instant::now() >= deadline => Err(StoreError::Busy),
            Some(refid) => delete(&app, &call, &refid, |_| Ok(())).await,
            // Either the text is not a refid, or the request named the same client before.
            None => Err(Refusal::NotFound(ResourceKind::Client).into()),
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
