//! The picture of the signed-in user.

use http::StatusCode;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use purser_edge::caller::call::SignedIn;
use purser_edge::http::extract::Picture;
use purser_edge::noted;
use purser_edge::prelude::*;

use crate::accounts::me::picture::{AvatarError, begins_as_one, square_jpeg};

noted!(NoPicture = NotFound, ", if you have no picture");

/// Show your own picture
#[utoipa::path(
    get, path = "/v1/me/avatar", tag = "account", security(("session" = [])),
    responses(
        (status = 200, body = Picture, content_type = "image/jpeg", description = "256 × 256 pixels"),
        Refused<NoPicture>,
    )
)]
pub(super) async fn read_avatar(State(app): State<App>, Input(me, ..): Input<SignedIn>) -> Result<Response, Problem> {
    let found = app.store.avatar(&me.user).await?;
    let jpeg = found.ok_or(Refusal::NotFound(ResourceKind::Avatar))?;
    let headers = [(CONTENT_TYPE, "image/jpeg"), (CACHE_CONTROL, "no-store")];
    Ok((headers, jpeg).into_response())
}

/// Change your own picture
///
/// Send a JPEG, PNG or WebP of at most 8,192 pixels in width and height and 12.5 million pixels in all. The middle
/// square is kept, scaled to 256 × 256 pixels, without metadata. You may upload ten pictures an hour.
#[utoipa::path(
    put, path = "/v1/me/avatar", tag = "account", security(("session" = [])),
    request_body(content = Picture, content_type = "image/*"),
    responses((status = 204), Refused<(InvalidImage, TooManyAttempts)>)
)]
pub(super) async fn change_avatar(
    State(app): State<App>,
    Input(me, (), (), Picture(file)): Input<SignedIn, (), (), Picture>,
) -> Result<Response, Problem> {
    begins_as_one(&file).map_err(not_a_picture)?;
    app.store.charge_upload(&me.user, me.request.now).await?;
    let jpeg = square_jpeg(file, &app.pictures).await.map_err(not_a_picture)?;
    app.store.keep_avatar(&me.user, &jpeg, &me.request).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

fn not_a_picture(error: AvatarError) -> Problem {
    match error {
        AvatarError::Busy => Problem::busy(),
        error => Problem::because(InvalidImage, format!("The picture {error}.")),
    }
}

/// Remove your own picture
#[utoipa::path(
    delete, path = "/v1/me/avatar", tag = "account", security(("session" = [])),
    responses((status = 204))
)]
pub(super) async fn remove_avatar(State(app): State<App>, Input(me, ..): Input<SignedIn>) -> Result<Response, Problem> {
    app.store.remove_avatar(&me.user).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}
