//! `renew-licence`: another term for a licence (rule C2).
//!
//! Invariant: a reseller pays for it at its tier price, in the commit that extends the licence; an operator gives it.
//! Repeats extend it once.

use purser_domain::basic::LicenceRefid;
use purser_domain::licences::Licence;
use purser_edge::prelude::*;
use purser_store::licences::licence::ShownLicence;

use crate::licences::view::LicenceView;

pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::default().routes(routes!(renew_licence))
}

/// Renew a licence: a reseller pays for another term, and an operator gives it
#[utoipa::path(
    post, path = "/v1/licences/{refid}/renew", tag = "licences",
    params(
        ("refid" = LicenceRefid, Path),
        ("Idempotency-Key" = Key, Header, description = "A repeated request renews nothing and gets the first answer."),
        ("If-Match" = Option<String>, Header, description = "Act only if this is the current ETag."),
    ),
    responses(
        (status = 200, body = LicenceView),
        Refused<(
            Forbidden, NotFound, LicenceRevoked, NotRenewable, InsufficientCredits, ProvisioningHeld, ProductInactive,
            TierNotAllowed, ResellerSuspended, ResellerPending, InvalidReseller, AnswerErased,
        )>,
    )
)]
async fn renew_licence(
    State(app): State<App>,
    Input(call, Found(found), (key, version), ()): Input<Selling, Found<ShownLicence>, (Key, IfMatch)>,
) -> Result<Response, Problem> {
    let request = call.once(key, &())?;
    let pays = call.caller.role.reseller().is_some();
    let must = |licence: &Licence| version.must_hold(licence.version);
    Ok(answer::changed(app.store.renew_licence::<LicenceView>(&found.licence, pays, &request, must).await?))
}
