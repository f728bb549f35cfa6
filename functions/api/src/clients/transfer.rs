//! `transfer-client`: moves a client to another reseller, or makes it standalone (rule A5).
//!
//! Invariant: only operators move clients; licences and ledger entries keep the reseller that sold them.

use purser_domain::basic::{ClientRefid, ResellerRefid};
use purser_domain::parties::Client;
use purser_edge::prelude::*;

use crate::clients::view::ClientView;

pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::default().routes(routes!(transfer_client))
}

/// The new owner of a client.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[schema(example = json!({"reseller": "RS-7ZK3M9QWX2ABCDEF"}))]
#[serde(deny_unknown_fields, expecting = "an object")]
struct TransferClient {
    /// The reseller that the client will belong to; null makes it standalone.
    #[serde(deserialize_with = "Option::deserialize")]
    #[schema(value_type = Option<ResellerRefid>, required = true)]
    reseller: Option<String>,
}

/// Move a client to another reseller, or to none
#[utoipa::path(
    post, path = "/v1/clients/{refid}/transfer", tag = "clients", request_body = TransferClient,
    params(
        ("refid" = ClientRefid, Path),
        ("If-Match" = Option<String>, Header, description = "Act only if this is the current ETag."),
    ),
    responses(
        (status = 200, body = ClientView),
        Refused<(Forbidden, ResellerSuspended, ResellerPending, InvalidReseller)>,
    )
)]
async fn transfer_client(
    State(app): State<App>,
    Input(call, Found(client), version, Body(body)): Input<Operator, Found<Client>, IfMatch, Body<TransferClient>>,
) -> Result<Response, Problem> {
    let to = call.reseller(body.reseller.as_deref())?;
    let change = |client: &Client| {
        version.must_hold(client.version)?;
        Ok(client.transferred(to.clone(), call.now))
    };
    let may = |client: &Client| call.may_reach(client);
    let moved = app.store.change_client::<ClientView>(&client.refid, &call.request(), may, change).await?;
    Ok(answer::changed(moved))
}
