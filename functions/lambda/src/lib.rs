//! Every function there is, of the API and of the pages, and its routes as a service.

use std::sync::LazyLock;

use axum::extract::{Request, State};
use axum::middleware::map_response_with_state;
use axum::response::Response;
use purser_api::http::fallback::{Paths, elsewhere};
use purser_api::{Entry, Function, Routes};
use purser_edge::App;
use purser_edge::http::limits::Limits;
use purser_edge::http::serve::serve;
use purser_portal::kit::page;

/// Every function.
pub fn functions() -> impl Iterator<Item = &'static Function> {
    purser_api::functions().chain(purser_portal::FUNCTIONS)
}

/// The function named `name`.
pub fn function(name: &str) -> Option<&'static Function> {
    functions().find(|function| function.name == name)
}

static PATHS: LazyLock<Paths> = LazyLock::new(|| Paths::of(functions()));

/// The function's routes as a service, when requests start it.
pub fn router(function: &Function, app: &App) -> Option<axum::Router> {
    let (routes, pages) = match function.entry {
        Entry::Http(Routes::Stateful(routes) | Routes::Public(routes)) => (routes, false),
        Entry::Http(Routes::Pages(routes)) => (routes, true),
        _ => return stateless_router(function, &app.limits),
    };
    let (service, _) = routes().split_for_parts();
    let service = service.with_state(app.clone());
    let service = serve(function.name, with_fallback(service), Some(app.limits.clone()));
    if pages {
        // Around everything, so that what the limits refuse is a page, too.
        let on_a_page = |State(app): State<App>, answer: Response| async move { page::or_failure(&app, answer) };
        return Some(service.layer(map_response_with_state(app.clone(), on_a_page)));
    }
    Some(service)
}

/// The same when its routes need nothing but limits.
pub fn stateless_router(function: &Function, limits: &Limits) -> Option<axum::Router> {
    let Entry::Http(Routes::Stateless(routes)) = function.entry else {
        return None;
    };
    let (service, _) = routes().split_for_parts();
    Some(serve(function.name, with_fallback(service), Some(limits.clone())))
}

fn with_fallback(service: axum::Router) -> axum::Router {
    service.fallback(|request: Request| async move { elsewhere(&PATHS, &request) })
}
