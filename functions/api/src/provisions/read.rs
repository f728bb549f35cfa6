//! `read-provisions`: a purchase as it stands (rules B5, B6).
//!
//! Invariant: a reseller reads purchases from its own wallet and no other, and of the clients in them its own.

use crate::provisions::view::ProvisionView;
use axum::extract::State;
use axum::response::Response;
use purser_domain::Refusal;
use purser_domain::basic::refid::EntryRefid;
use purser_domain::refusal::What;
use purser_edge::caller::input::Named;
use purser_edge::http::answer::ok;
use purser_edge::{App, Call, Input, Problem};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// The routes of this function.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::default().routes(routes!(read_provision))
}

/// Read a provision
#[utoipa::path(
    get, path = "/v1/provisions/{refid}", tag = "provisions", params(("refid" = EntryRefid, Path)),
    responses((status = 200, body = ProvisionView))
)]
async fn read_provision(
    State(app): State<App>,
    Input(call, Named(refid), ..): Input<Call, Named<EntryRefid>>,
) -> Result<Response, Problem> {
    let found = app.store.find_provision(&refid).await?;
    let own = found.filter(|found| call.caller.owns(Some(&found.entry.reseller)));
    let mut own = own.ok_or(Refusal::NotFound(What::Provision))?;
    // A client that has moved to another reseller since is that one's to see, and no longer the seller's.
    for sold in &mut own.sold {
        sold.client = sold.client.take().filter(|client| call.may_reach(client));
    }
    ok(&ProvisionView::from(&own))
}
