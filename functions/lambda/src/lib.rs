//! The registry of all Lambda functions, the binaries that they are in, and the HTTP service of each.
//!
//! Invariant: a binary has no code that only functions of another one need (docs/adr/0032-three-binaries.md). So
//! nothing that every function uses may name all functions.

use std::sync::LazyLock;

use axum::extract::Request;
use axum::middleware::map_response_with_state;
use purser_api::http::fallback::{Paths, elsewhere};
use purser_api::{Entry, Function, Routes};
use purser_edge::http::serve::serve;
use purser_edge::prelude::*;
use purser_edge::process::gate::Gate;
use purser_portal::kit::page;

pub mod run;

/// Functions that are deployed together, in one zip.
#[derive(Debug, Clone, Copy)]
pub struct Binary {
    /// The name of its file, which the functions' `CodeUri:` in template.yaml names.
    pub name: &'static str,
    rooms: [&'static [&'static [Function]]; 2],
}

pub const API: Binary = Binary { name: "purser-api", rooms: [purser_api::API, &[]] };
/// What answers no requests.
pub const WORKERS: Binary = Binary { name: "purser-workers", rooms: [purser_api::WORKERS, &[]] };
/// Accounts, and pages for people.
pub const PEOPLE: Binary = Binary { name: "purser-people", rooms: [purser_api::PEOPLE, &[purser_portal::FUNCTIONS]] };

pub const BINARIES: [Binary; 3] = [API, WORKERS, PEOPLE];

impl Binary {
    pub fn functions(self) -> impl Iterator<Item = &'static Function> {
        self.rooms.into_iter().flatten().copied().flatten()
    }
}

pub fn functions() -> impl Iterator<Item = &'static Function> {
    BINARIES.into_iter().flat_map(Binary::functions)
}

pub fn function(name: &str) -> Option<&'static Function> {
    functions().find(|function| function.name == name)
}

/// The routes of all functions. A test compares them with the code.
static PATHS: LazyLock<Paths> = LazyLock::new(|| Paths::read(include_str!("../routes.txt")));

/// The function's routes as a service; `None` if the function is not started by HTTP requests.
pub fn router(function: &Function, app: &App) -> Option<axum::Router> {
    let (routes, pages) = match function.entry {
        Entry::Http(Routes::Stateful(routes) | Routes::Public(routes)) => (routes, false),
        Entry::Http(Routes::Pages(routes)) => (routes, true),
        _ => return stateless_router(function, &Gate::of(app)),
    };
    let (service, _) = routes().split_for_parts();
    let service = with_fallback(service.with_state(app.clone()));
    let service = serve(function.name, service, &Gate::of(app));
    if pages {
        // This layer is outermost, so that requests refused by the limits are answered with a page, too.
        let on_a_page = |State(app): State<App>, answer: Response| async move { page::or_failure(&app, answer) };
        return Some(service.layer(map_response_with_state(app.clone(), on_a_page)));
    }
    Some(service)
}

/// Like [`router`], for a function whose routes need no [`App`]; `None` for any other function.
pub fn stateless_router(function: &Function, gate: &Gate) -> Option<axum::Router> {
    let Entry::Http(Routes::Stateless(routes)) = function.entry else {
        return None;
    };
    let (service, _) = routes().split_for_parts();
    Some(serve(function.name, with_fallback(service), gate))
}

fn with_fallback(service: axum::Router) -> axum::Router {
    let other = async |request: Request| elsewhere(&PATHS, &request);
    service.fallback(other).method_not_allowed_fallback(other)
}
