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
use purser_edge::prelude::*;
use purser_edge::process::config::Config;
use serde::Deserialize;

use crate::kit::page::{self, Message};

/// The maximum size of a form: two long passwords in any script, and a token.
const MOST_BYTES: usize = 16 * 1024;

pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::default()
        .routes(routes!(confirm_form, confirm))
        .routes(routes!(confirm_email_form, confirm_email))
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

/// What a page asks for, and in which words.
struct Purpose {
    path: &'static str,
    title: &'static str,
    lead: &'static str,
    button: &'static str,
    /// Whether the password is a new one. Otherwise it is the one that the account has.
    chooses: bool,
    /// Whether the page asks for the user's name, too.
    names: bool,
    /// The title and the text of the page that follows.
    done: (&'static str, &'static [&'static str]),
}

const CONFIRM: Purpose = Purpose {
    path: "/customer/confirm",
    title: "Confirm your e-mail address",
    lead: "Choose a password for your account. This also confirms that the e-mail address to which we sent the link is \
           yours.",
    button: "Confirm e-mail address",
    chooses: true,
    names: true,
    done: ("Your e-mail address is confirmed", &["Thank you. You can close this page and sign in."]),
};

const CONFIRM_EMAIL: Purpose = Purpose {
    path: "/customer/confirm-email",
    title: "Confirm your new e-mail address",
    lead: "Enter the password of your account to sign in with this e-mail address from now on. If you did not ask for \
           this change, close this page.",
    button: "Confirm new e-mail address",
    chooses: false,
    names: false,
    done: (
        "Your e-mail address was changed",
        &[
            "You can close this page and sign in with your new e-mail address.",
            "All devices that were signed in to your account have been signed out.",
        ],
    ),
};

const RESET: Purpose = Purpose {
    path: "/customer/reset-password",
    title: "Choose a password",
    lead: "With this password you will sign in from now on.",
    button: "Set password",
    chooses: true,
    names: false,
    done: (
        "Your password is set",
        &[
            "You can close this page and sign in with your new password.",
            "All devices that were signed in to your account have been signed out.",
        ],
    ),
};

/// The field that a problem is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Field {
    Name,
    Password,
}

#[derive(Template)]
#[template(path = "customer/password.html")]
struct PasswordPage<'a> {
    brand: &'a str,
    path: &'a str,
    title: &'a str,
    lead: &'a str,
    button: &'a str,
    chooses: bool,
    /// The name as it was typed; `None` if the page does not ask for one.
    name: Option<&'a str>,
    token: &'a str,
    least: usize,
    show: bool,
    /// Which field was refused, and why; continues a sentence that starts with the name of the field.
    wrong: Option<(Field, &'a str)>,
    /// Whether the password and its repetition differ.
    differs: bool,
}

impl Purpose {
    fn page<'a>(&'a self, config: &'a Config, token: &'a str, show: bool, name: &'a str) -> PasswordPage<'a> {
        PasswordPage {
            brand: &config.brand,
            path: self.path,
            title: self.title,
            lead: self.lead,
            button: self.button,
            chooses: self.chooses,
            name: self.names.then_some(name),
            token,
            least: config.accounts.passwords.least(),
            show,
            wrong: None,
            differs: false,
        }
    }

    fn form(&self, config: &Config, link: &Link) -> Response {
        match link.token() {
            Some(token) => page::show(StatusCode::OK, &self.page(config, token, link.show, "")),
            None => page::show(StatusCode::UNPROCESSABLE_ENTITY, &dead_link(&config.brand)),
        }
    }

    /// The answer to a form whose two passwords differ; `None` if they are the same.
    fn differing(&self, config: &Config, form: &PasswordForm) -> Option<Response> {
        let page = || PasswordPage { differs: true, ..self.page(config, &form.token, form.show, &form.name) };
        let differs = form.password != form.repeated;
        differs.then(|| page::show(StatusCode::UNPROCESSABLE_ENTITY, &page()))
    }

    fn answer(&self, config: &Config, form: &PasswordForm, done: Result<acts::Done, Problem>) -> Response {
        let (brand, (title, text)) = (&*config.brand, self.done);
        let problem = match done {
            Ok(acts::Done) => return page::show(StatusCode::OK, &Message { brand, title, text }),
            Err(problem) => problem,
        };
        match wrong(&problem) {
            Some((field, detail)) => {
                let page = self.page(config, &form.token, form.show, &form.name);
                let page = PasswordPage { wrong: Some((field, &detail)), ..page };
                page::instead_of(problem.into_response(), &page)
            }
            None => refused(brand, problem),
        }
    }
}

/// The field that a problem is about, and what is wrong with it.
fn wrong(problem: &Problem) -> Option<(Field, String)> {
    if problem.code() == acts::WRONG_PASSWORD {
        return Some((Field::Password, "is not the one of your account".to_owned()));
    }
    let field = |pointer: &str| match pointer {
        acts::NAME => Some(Field::Name),
        acts::PASSWORD => Some(Field::Password),
        _ => None,
    };
    problem.errors().iter().find_map(|error| Some((field(&error.pointer)?, error.detail.clone())))
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct PasswordForm {
    token: String,
    #[serde(default)]
    name: String,
    password: String,
    repeated: String,
    #[serde(default)]
    show: bool,
}

/// The form that confirms the address of a registration
#[utoipa::path(get, path = "/customer/confirm", params(Link), responses((status = 200)))]
async fn confirm_form(
    State(app): State<App>,
    Input(_anybody, (), Params(link), ..): Input<Anybody, (), Params<Link>>,
) -> Response {
    CONFIRM.form(&app.config, &link)
}

/// Confirms the address of a registration, and chooses a password
#[utoipa::path(post, path = "/customer/confirm", responses((status = 200)))]
async fn confirm(State(app): State<App>, Anybody(request): Anybody, Form(form): Form<PasswordForm>) -> Response {
    if let Some(differing) = CONFIRM.differing(&app.config, &form) {
        return differing;
    }
    let done = acts::confirm(&app, request, &form.token, &form.password, &form.name).await;
    CONFIRM.answer(&app.config, &form, done)
}

/// The form that confirms a new address
#[utoipa::path(get, path = "/customer/confirm-email", params(Link), responses((status = 200)))]
async fn confirm_email_form(
    State(app): State<App>,
    Input(_anybody, (), Params(link), ..): Input<Anybody, (), Params<Link>>,
) -> Response {
    CONFIRM_EMAIL.form(&app.config, &link)
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ProofForm {
    token: String,
    password: String,
    #[serde(default)]
    show: bool,
}

/// Confirms a new address
#[utoipa::path(post, path = "/customer/confirm-email", responses((status = 200)))]
async fn confirm_email(State(app): State<App>, Anybody(request): Anybody, Form(form): Form<ProofForm>) -> Response {
    let ProofForm { token, password, show } = form;
    let done = acts::confirm(&app, request, &token, &password, "").await;
    let form = PasswordForm { token, name: String::new(), repeated: String::new(), password, show };
    CONFIRM_EMAIL.answer(&app.config, &form, done)
}

/// The form that chooses a password
#[utoipa::path(get, path = "/customer/reset-password", params(Link), responses((status = 200)))]
async fn reset_form(
    State(app): State<App>,
    Input(_anybody, (), Params(link), ..): Input<Anybody, (), Params<Link>>,
) -> Response {
    RESET.form(&app.config, &link)
}

/// Chooses a password
#[utoipa::path(post, path = "/customer/reset-password", responses((status = 200)))]
async fn reset(State(app): State<App>, Anybody(request): Anybody, Form(form): Form<PasswordForm>) -> Response {
    if let Some(differing) = RESET.differing(&app.config, &form) {
        return differing;
    }
    let done = acts::reset(&app, request, &form.token, &form.password).await;
    RESET.answer(&app.config, &form, done)
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
