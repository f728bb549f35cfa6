//! `/`: a page that leads to everything a laptop has to look at.

use askama::Template;
use axum::Router;
use axum::response::Response;
use axum::routing::get;

use crate::page;

/// Something to look at.
struct Place {
    path: &'static str,
    name: &'static str,
    what: &'static str,
}

const fn place(path: &'static str, name: &'static str, what: &'static str) -> Place {
    Place { path, name, what }
}

const PLACES: [Place; 6] = [
    place("/docs", "Documentation", "The API, to read and to try. It works offline."),
    place(
        "/_local/mailbox",
        "Mailbox",
        "The e-mails that Purser would have sent. Their links open the pages of customers.",
    ),
    place("/openapi.json", "OpenAPI document", "What the documentation is made of, for client generators."),
    place("/_local/events", "Events", "What went over the bus, newest first, as JSON."),
    place("/_local/dead-letters", "Dead letters", "Work that failed too often and is kept, as JSON. Normally none."),
    place("/health", "Health", "Whether Purser answers."),
];

#[derive(Template)]
#[template(path = "home.html")]
struct Home {
    places: &'static [Place],
}

#[expect(
    clippy::disallowed_methods,
    reason = "this path exists on a laptop only; it is not part of the API or its document"
)]
pub fn routes() -> Router {
    Router::new().route("/", get(home))
}

async fn home() -> Response {
    page::answer(&Home { places: &PLACES })
}
