//! `read-provisions`: reads a provision in its present state, with its refunds (rules B5, B6).
//!
//! Invariant: a reseller reads only provisions that its own wallet paid for, and sees in them only clients that still
//! belong to it.

use purser_domain::basic::EntryRefid;
use purser_edge::http::answer::ok;
use purser_edge::prelude::*;

use crate::clients::view::seen_by;
use crate::provisions::view::ProvisionView;

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
    let found = app.store.find_provision(&refid, call.caller.role.reseller(), call.now).await?;
    let own = found.filter(|found| call.caller.owns(Some(&found.entry.reseller)));
    let mut own = own.ok_or(Refusal::NotFound(ResourceKind::Provision))?;
    // A client that has since moved to another reseller is visible to its new reseller only, and no longer to the
    // seller.
    for sold in &mut own.sold {
        sold.client = sold.client.take().filter(|client| call.may_reach(client));
    }
    seen_by!(call, ProvisionView as Seen => ok(&Seen::from(&own)))
}
