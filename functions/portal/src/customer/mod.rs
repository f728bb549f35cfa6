//! `customer-pages`: the pages behind the links of mails (rules D1, D3): confirm an address, choose a password.
//!
//! Invariant: looking at a page uses nothing up, because scanners of mail follow links; only a form that is sent acts.
//! A page needs no script, loads nothing and sets no cookie, and every refusal is a page, too.
//!
//! Pages have routes like everything else, so template.yaml and `front` know them; [`purser_api::Routes::Pages`] keeps
//! them out of the API's document.

pub mod acts;

use askama::Template;
use axum::Form;
use axum::extract::{DefaultBodyLimit, State};
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use purser_edge::caller::call::Anybody;
use purser_edge::http::extract::Params;
use purser_edge::http::problem::FieldError;
use purser_edge::process::config::Config;
use purser_edge::{App, Problem};
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::kit::page::{self, Message};

/// The most bytes of a form: two long passwords in any script, and a token.
const MOST_BYTES: usize = 16 * 1024;

/// The routes of this function.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::default()
        .routes(routes!(confirm_form, confirm))
        .routes(routes!(reset_form, reset))
        .layer(DefaultBodyLimit::max(MOST_BYTES))
}

/// What a link says. What programs add to links on their way is passed over.
#[derive(Deserialize, IntoParams)]
struct Link {
    /// The mail's token.
    token: Option<String>,
    /// Whether passwords can be read while they are typed.
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
async fn confirm_form(State(app): State<App>, Params(link): Params<Link>) -> Response {
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
                title: "Your address is confirmed",
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
    /// What is wrong with the password, as it goes on after "The password".
    wrong: Option<&'a str>,
    /// Whether it was repeated wrongly.
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
async fn reset_form(State(app): State<App>, Params(link): Params<Link>) -> Response {
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
                    "You can close this page and sign in with it.",
                    "Whoever was signed in to your account before is signed out.",
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

/// A page that says what was refused. What is not about the link is said where all failures are.
fn refused(brand: &str, problem: Problem) -> Response {
    let dead = problem.code() == acts::INVALID_TOKEN;
    let response = problem.into_response();
    if dead { page::instead_of(response, &dead_link(brand)) } else { response }
}

/// One text for every link that does nothing, so that it tells nobody why.
fn dead_link(brand: &str) -> Message<'_> {
    Message {
        brand,
        title: "This link does not work any more",
        text: &[
            "It was used before, its time is over, or a part of it got lost on the way.",
            "If you have confirmed your address or set your password already, just sign in.",
            "Else ask for a new link where you sign in: for another confirmation, or for a new password. \
             The mail you get then has a fresh link.",
        ],
    }
}

#[cfg(test)]
mod tests {
    use axum::body::to_bytes;

    use super::*;

    async fn html(response: Response) -> (u16, String) {
        let status = response.status().as_u16();
        let bytes = to_bytes(response.into_body(), 1 << 20).await.unwrap();
        (status, String::from_utf8(bytes.into()).unwrap())
    }

    fn config() -> Config {
        let config = Config::read(|name| match name {
            "PURSER_TABLE" | "PURSER_BUS" => Some("purser".to_owned()),
            "PURSER_MAIL_FROM" => Some("purser@example.com".to_owned()),
            _ => None,
        });
        config.unwrap()
    }

    fn form() -> ResetForm {
        ResetForm {
            token: "the-token".into(),
            password: "password1234".into(),
            repeated: "password1234".into(),
            show: true,
        }
    }

    #[tokio::test]
    async fn a_wrong_password_is_told_at_its_field_and_not_repeated() {
        let weak = Problem::invalid(acts::PASSWORD, "must not be one that many people use");
        let (status, page) = html(set(&config(), &form(), Err(weak))).await;
        assert_eq!(status, 422);
        assert!(page.contains(r#"id="wrong">The password must not be one that many people use."#));
        assert!(page.contains(r#"autofocus aria-invalid="true" aria-describedby="wrong rules""#));
        assert!(page.contains("<title>Error: ") && page.contains(r#"role="alert""#));
        assert!(page.contains(r#"value="the-token""#) && page.contains(r#"type="text" required"#));
        assert!(!page.contains("password1234"), "{page}");
    }

    #[tokio::test]
    async fn what_was_done_is_said() {
        let (status, page) = html(set(&config(), &form(), Ok(acts::Done))).await;
        assert_eq!(status, 200);
        assert!(page.contains("<h1>Your password is set</h1>"), "{page}");
        let (status, page) = html(confirmed("Purser", Ok(acts::Done))).await;
        assert_eq!(status, 200);
        assert!(page.contains("<h1>Your address is confirmed</h1>"), "{page}");
    }

    #[tokio::test]
    async fn what_is_no_fault_of_the_link_is_left_to_the_page_of_failures() {
        for answer in [set(&config(), &form(), Err(Problem::busy())), confirmed("Purser", Err(Problem::busy()))] {
            assert_eq!(answer.headers()["retry-after"], "1");
            let (status, body) = html(answer).await;
            assert_eq!(status, 503);
            assert!(!body.contains("does not work"), "{body}");
        }
    }
}
