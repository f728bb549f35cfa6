//! `read-ledger`: reads a wallet and its ledger entries, and verifies that they agree (rule B11).
//!
//! Invariant: a reseller reads its own wallet and no other.

use purser_domain::basic::ResellerRefid;
use purser_domain::money::{Entry, EntryHash, Sequence, Wallet, Waypoint};
use purser_edge::caller::input::OwnReseller;
use purser_edge::http::answer::{List, ok, position};
use purser_edge::prelude::*;
use purser_edge::process::metrics::{self, Metric};

use crate::ledger::view::{EntryView, WalletView};

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
        Err(problem) => return Err(own.missing_or(&app, problem).await),
    };
    let limit = query.limit.unwrap_or_default().get();
    let page = app.store.entries(&own.0, limit, position).await?;
    if page.items.is_empty() && app.store.wallet(&own.0).await?.is_none() {
        return Err(Refusal::NotFound(ResourceKind::Reseller).into());
    }
    List::answer(&app, &scope, page, |entry: &Entry| EntryView::from(entry))
}

/// The state of the wallet according to a checkpoint, which its ledger is compared with.
#[derive(Debug, Clone, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct VerifyQuery {
    /// The sequence number of the wallet's latest entry in the checkpoint; only together with `head`.
    sequence: Option<Sequence>,
    /// The hash of that entry in the checkpoint; only together with `sequence`.
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

/// The result of verifying a wallet.
#[derive(Debug, Serialize, ToSchema)]
struct Verification {
    /// Whether the wallet agrees with its ledger, and the ledger with the checkpoint if one was given.
    intact: bool,
    /// The number of entries that were checked.
    entries: u64,
    /// The inconsistencies that were found; empty if the wallet is intact.
    breaks: Vec<Break>,
}

/// An inconsistency in a wallet's ledger.
#[derive(Debug, Serialize, ToSchema)]
struct Break {
    /// The sequence number of the entry.
    sequence: u64,
    /// A description of the inconsistency.
    problem: &'static str,
}

/// Verify a wallet
///
/// With the `sequence` and `head` of a checkpoint, the ledger must also contain the entry that the checkpoint
/// recorded.
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
        Err(problem) => return Err(own.missing_or(&app, problem).await),
    };
    let found = app.store.verify_wallet(&own.0, through).await?.ok_or(Refusal::NotFound(ResourceKind::Reseller))?;
    // A reseller may send values that are in no checkpoint. Such a mismatch is no sign of a broken ledger, so it must
    // not raise the operators' alarm.
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
