//! `read-ledger`: a wallet, its entries, and the proof that they agree (rule B11).
//!
//! Invariant: a reseller reads its own wallet and no other.

use crate::ledger::view::{EntryView, WalletView};
use axum::extract::State;
use axum::response::Response;
use purser_domain::Refusal;
use purser_domain::basic::refid::ResellerRefid;
use purser_domain::money::entry::{Entry, EntryHash, Sequence, Waypoint};
use purser_domain::money::wallet::Wallet;
use purser_domain::refusal::What;
use purser_edge::caller::input::{Found, OwnReseller, Subject};
use purser_edge::http::answer::{List, ok, position};
use purser_edge::http::extract::{PageQuery, Params};
use purser_edge::process::metrics::{self, Metric};
use purser_edge::{App, Call, Input, Problem};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// The routes of this function.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::default().routes(routes!(read_wallet)).routes(routes!(list_entries)).routes(routes!(verify_wallet))
}

/// Read a wallet
#[utoipa::path(
    get, path = "/v1/resellers/{refid}/wallet", tag = "ledger", params(("refid" = ResellerRefid, Path)),
    responses((status = 200, body = WalletView))
)]
async fn read_wallet(Input(_call, Found(wallet), ..): Input<Call, Found<Wallet>>) -> Result<Response, Problem> {
    ok(&WalletView::from(&wallet))
}

type EntryList = List<EntryView>;

/// List a wallet's entries, newest first
#[utoipa::path(
    get, path = "/v1/resellers/{refid}/entries", tag = "ledger",
    params(("refid" = ResellerRefid, Path), PageQuery), responses((status = 200, body = EntryList))
)]
async fn list_entries(
    State(app): State<App>,
    Input(call, own, Params(query), ..): Input<Call, OwnReseller, Params<PageQuery>>,
) -> Result<Response, Problem> {
    let scope = call.cursor_scope(&());
    let position = match position(&app, &scope, query.cursor.as_deref()) {
        Ok(position) => position,
        Err(problem) => return Err(own.refuse(&app, problem).await),
    };
    let limit = query.limit.unwrap_or_default().get();
    let page = app.store.entries(&own.0, limit, position).await?;
    if page.items.is_empty() && app.store.wallet(&own.0).await?.is_none() {
        return Err(Refusal::NotFound(What::Reseller).into());
    }
    List::answer(&app, &scope, page, |entry: &Entry| EntryView::from(entry))
}

/// What a checkpoint says of the wallet, to be compared with its history.
#[derive(Debug, Clone, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct VerifyQuery {
    /// The number of the entry it stood at; only with `head`.
    sequence: Option<Sequence>,
    /// The hash of that entry; only with `sequence`.
    #[param(value_type = Option<EntryHash>)]
    head: Option<String>,
}

impl VerifyQuery {
    fn waypoint(self) -> Result<Option<Waypoint>, Problem> {
        match (self.sequence, self.head) {
            (None, None) => Ok(None),
            (Some(sequence), Some(head)) => {
                let head = head.parse::<EntryHash>();
                let head =
                    head.map_err(|error| Problem::malformed(format!("The query is not valid: head {error}.")))?;
                Ok(Some(Waypoint { sequence: sequence.get(), head }))
            }
            _ => Err(Problem::malformed("The query is not valid: sequence and head go together.")),
        }
    }
}

/// Whether a wallet agrees with its history.
#[derive(Debug, Serialize, ToSchema)]
struct Verification {
    /// Whether it does.
    intact: bool,
    /// How many entries were checked.
    entries: u64,
    /// Where it does not.
    breaks: Vec<Break>,
}

/// A place where the history does not hold together.
#[derive(Debug, Serialize, ToSchema)]
struct Break {
    /// The entry's number.
    sequence: u64,
    /// What is wrong there.
    problem: &'static str,
}

/// Verify a wallet
///
/// With `sequence` and `head` of a checkpoint, its history must be the one that the checkpoint saw.
#[utoipa::path(
    get, path = "/v1/resellers/{refid}/verify", tag = "ledger",
    params(("refid" = ResellerRefid, Path), VerifyQuery), responses((status = 200, body = Verification))
)]
async fn verify_wallet(
    State(app): State<App>,
    Input(call, own, Params(query), ..): Input<Call, OwnReseller, Params<VerifyQuery>>,
) -> Result<Response, Problem> {
    let through = match query.waypoint() {
        Ok(through) => through,
        Err(problem) => return Err(own.refuse(&app, problem).await),
    };
    let found = app.store.verify_wallet(&own.0, through).await?.ok_or(Refusal::NotFound(What::Reseller))?;
    // What a reseller takes for a checkpoint need not be one, and must not wake anybody.
    let believed = through.is_none() || call.caller.must_operate().is_ok();
    if !found.breaks.is_empty() && believed {
        metrics::count(Metric::LedgerBroken);
    }
    let shape = |found: &purser_domain::money::entry::Break| Break { sequence: found.sequence, problem: found.problem };
    ok(&Verification {
        intact: found.breaks.is_empty(),
        entries: found.entries,
        breaks: found.breaks.iter().map(shape).collect(),
    })
}
