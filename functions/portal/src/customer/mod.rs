//! `customer-pages`: the pages that links in e-mails open (rules D1, D3), to confirm an address or to choose a
//! password.
//!
//! Invariants: viewing a page does not use up its link, because mail scanners follow links; only submitting a form
//! does. A page needs no script, loads nothing and sets no cookie. Every refusal is a page, too.
//!
//! The routes are registered like the API's, so template.yaml and `front` know them; [`purser_api::Routes::Pages`]
//! keeps them out of the API's document.

pub mod acts;

use askama::Template;
use axum::Form;
use axum::extract::DefaultBodyLimit;
use http::StatusCode;
use purser_edge::caller::call::Anybody;
use purser_edge::http::problem::FieldError;
use purser_edge::prelude::*;
use purser_edge::process::config::Config;
use serde::Deserialize;

use crate::kit::page::{self, Message};

/// The maximum size of a form: two long passwords in any script, and a token.
const MOST_BYTES: usize = 16 * 1024;

pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::default()
        .routes(routes!(confirm_form, confirm))
        .routes(routes!(reset_form, reset))
        .layer(DefaultBodyLimit::max(MOST_BYTES))
}

/// The query of a link. Unknown parameters are ignored, because e-mail programs add their own.
#[derive(Deserialize, IntoParams)]
struct Link {
    /// The token from the e-mail.
    token: Option<String>,
    /// Whether passwords are visible while they are typed.
    #[serde(default)]
    show: bool,
}

impl Link {
    fn token(&self) -> Option<&str> {
        self.token.as_deref().filter(|token| !token.is_empty())
    }
}

#[derive(Template)]
#[template(path = "customer/confirm.html")]
struct ConfirmPage<'a> {
    brand: &'a str,
    token: &'a str,
}

/// The form that confirms an address
#[utoipa::path(get, path = "/customer/confirm", params(Link), responses((status = 200)))]
async fn confirm_form(
    State(app): State<App>,
    Input(_anybody, (), Params(link), ..): Input<Anybody, (), Params<Link>>,
) -> Response {
    let brand = &*app.config.brand;
    match link.token() {
        Some(token) => page::show(StatusCode::OK, &ConfirmPage { brand, token }),
        None => page::show(StatusCode::UNPROCESSABLE_ENTITY, &dead_link(brand)),
    }
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ConfirmForm {
    token: String,
}

/// Confirms an address
#[utoipa::path(post, path = "/customer/confirm", responses((status = 200)))]
async fn confirm(State(app): State<App>, Anybody(request): Anybody, Form(form): Form<ConfirmForm>) -> Response {
    let done = acts::confirm(&app, request, &form.token).await;
    confirmed(&app.config.brand, done)
}

fn confirmed(brand: &str, done: Result<acts::Done, Problem>) -> Response {
    match done {
        Ok(acts::Done) => page::show(
            StatusCode::OK,
            &Message {
                brand,
                title: "Your e-mail address is confirmed",
                text: &["Thank you. You can close this page and sign in."],
            },
        ),
        Err(problem) => refused(brand, problem),
    }
}

#[derive(Template)]
#[template(path = "customer/reset_password.html")]
struct ResetPage<'a> {
    brand: &'a str,
    token: &'a str,
    least: usize,
    show: bool,
    /// Why the password was refused; continues a sentence that starts with "The password".
    wrong: Option<&'a str>,
    /// Whether the password and its repetition differ.
    differs: bool,
}

impl<'a> ResetPage<'a> {
    fn new(config: &'a Config, token: &'a str, show: bool) -> Self {
        let (brand, least) = (&*config.brand, config.accounts.passwords.least());
        Self { brand, token, least, show, wrong: None, differs: false }
    }
}

/// The form that chooses a password
#[utoipa::path(get, path = "/customer/reset-password", params(Link), responses((status = 200)))]
async fn reset_form(
    State(app): State<App>,
    Input(_anybody, (), Params(link), ..): Input<Anybody, (), Params<Link>>,
) -> Response {
    let brand = &*app.config.brand;
    match link.token() {
        Some(token) => page::show(StatusCode::OK, &ResetPage::new(&app.config, token, link.show)),
        None => page::show(StatusCode::UNPROCESSABLE_ENTITY, &dead_link(brand)),
    }
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ResetForm {
    token: String,
    password: String,
    repeated: String,
    #[serde(default)]
    show: bool,
}

/// Chooses a password
#[utoipa::path(post, path = "/customer/reset-password", responses((status = 200)))]
async fn reset(State(app): State<App>, Anybody(request): Anybody, Form(form): Form<ResetForm>) -> Response {
    if form.password != form.repeated {
        let page = ResetPage { differs: true, ..ResetPage::new(&app.config, &form.token, form.show) };
        return page::show(StatusCode::UNPROCESSABLE_ENTITY, &page);
    }
    let done = acts::reset(&app, request, &form.token, &form.password).await;
    set(&app.config, &form, done)
}

fn set(config: &Config, form: &ResetForm, done: Result<acts::Done, Problem>) -> Response {
    let brand = &*config.brand;
    match done {
        Ok(acts::Done) => page::show(
            StatusCode::OK,
            &Message {
                brand,
                title: "Your password is set",
                text: &[
                    "You can close this page and sign in with your new password.",
                    "All devices that were signed in to your account have been signed out.",
                ],
            },
        ),
        Err(problem) => match wrong_password(&problem).map(ToOwned::to_owned) {
            Some(wrong) => {
                let page = ResetPage { wrong: Some(&wrong), ..ResetPage::new(config, &form.token, form.show) };
                page::instead_of(problem.into_response(), &page)
            }
            None => refused(brand, problem),
        },
    }
}

fn wrong_password(problem: &Problem) -> Option<&str> {
    let of_password = |field: &&FieldError| field.pointer == acts::PASSWORD;
    let field = problem.errors().iter().find(of_password)?;
    Some(field.detail.as_str())
}

/// The page for a refused request. A refusal that is not about the link gets the general page in
/// [`page::or_failure`].
fn refused(brand: &str, problem: Problem) -> Response {
    let dead = problem.code() == acts::INVALID_TOKEN;
    let response = problem.into_response();
    if dead { page::instead_of(response, &dead_link(brand)) } else { response }
}

/// The same text for every link that does not work, so that nobody learns why it does not.
fn dead_link(brand: &str) -> Message<'_> {
    Message {
        brand,
        title: "This link no longer works",
        text: &[
            "It has already been used, has expired or is incomplete.",
            "If you have already confirmed your address or set your password, you can simply sign in.",
            "Otherwise, request a new confirmation or a new password on the sign-in page. We will then send you an \
             e-mail with a new link.",
        ],
    }
}

#[cfg(test)]
mod tests;
