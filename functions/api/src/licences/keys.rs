//! `licence-keys`: replaces and reveals keys (rule C9).
//!
//! Invariant: the key before opens nothing from the commit on; the licence and its installations stay.

use purser_domain::basic::LicenceRefid;
use purser_domain::licences::{Licence, LicenceKey};
use purser_edge::prelude::*;
use purser_store::licences::licence::ShownLicence;

use crate::licences::body::printed;
use crate::licences::view::LicenceView;

pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::default().routes(routes!(rotate_key)).routes(routes!(reveal_key))
}

/// The key to use from now on.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[schema(example = json!({}))]
#[serde(deny_unknown_fields, expecting = "an object")]
struct RotateKey {
    /// A key that no licence has or had; only an operator may give one. A new one in the product's format if omitted.
    key: Option<LicenceKey>,
}

type KeyAndVersion = (Option<Key>, IfMatch);
type Given = Option<Body<RotateKey>>;

/// Replace the key of a licence
#[utoipa::path(
    post, path = "/v1/licences/{refid}/rotate-key", tag = "licences", request_body = Option<RotateKey>,
    params(
        ("refid" = LicenceRefid, Path),
        ("Idempotency-Key" = Option<Key>, Header, description = "A repeated request gets the first answer."),
        ("If-Match" = Option<String>, Header, description = "Act only if this is the current ETag."),
    ),
    responses(
        (status = 200, body = LicenceView),
        Refused<(Forbidden, NotFound, DuplicateKey, LicenceRevoked, AnswerErased)>,
    )
)]
async fn rotate_key(
    State(app): State<App>,
    Input(call, Found(found), (key, version), body): Input<Call, Found<ShownLicence>, KeyAndVersion, Given>,
) -> Result<Response, Problem> {
    let body = body.map_or_else(RotateKey::default, |Body(body)| body);
    if body.key.is_some() {
        call.caller.must_operate()?;
    }
    let request = call.repeatable(key, &RotateKey { key: printed(&app, body.key.as_ref())? })?;
    let must = |licence: &Licence| version.must_hold(licence.version);
    let given = body.key.as_ref();
    Ok(answer::changed(app.store.rotate_key::<LicenceView>(&found.licence, given, &request, must).await?))
}

/// Show the key of a licence
#[utoipa::path(
    post, path = "/v1/licences/{refid}/reveal-key", tag = "licences", params(("refid" = LicenceRefid, Path)),
    responses((status = 200, body = LicenceView))
)]
async fn reveal_key(
    State(app): State<App>,
    Input(call, Found(found), (), ()): Input<Call, Found<ShownLicence>>,
) -> Result<Response, Problem> {
    let revealed = app.store.reveal_key(&found.licence.refid, call.now).await?;
    let revealed = revealed.ok_or(Refusal::NotFound(ResourceKind::Licence))?;
    tracing::info!(licence = %revealed.licence.refid, "the key of a licence was revealed");
    answer::ok(&LicenceView::from(&revealed))
}
