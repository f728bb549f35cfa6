//! The API and the workers behind it: a room for each noun, in it a file for each operation, named by its verb.
//!
//! Invariant: [`ROOMS`] lists every function by the name that `Handler:` in template.yaml picks it by; a test holds the
//! two equal, and the routes of each with the template's events. What functions share, they share within their room.

pub mod accounts;
pub mod analytics;
pub mod clients;
pub mod events;
pub mod http;
pub mod ledger;
pub mod licences;
pub mod products;
pub mod provisions;
pub mod resellers;

use std::pin::Pin;

use aws_lambda_events::dynamodb;
use aws_lambda_events::eventbridge::EventBridgeEvent;
use aws_lambda_events::streams::DynamoDbEventResponse;
use purser_domain::event::EventName;
use purser_edge::App;
use serde_json::Value;
use utoipa::openapi::OpenApi;
use utoipa_axum::router::OpenApiRouter;

/// A future that a function returns.
pub type Done<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// What starts a function.
#[derive(Debug, Clone, Copy)]
pub enum Entry {
    /// Requests on these routes.
    Http(Routes),
    /// Records of the table's stream.
    Stream(fn(App, dynamodb::Event) -> Done<DynamoDbEventResponse>),
    /// Events that a rule of the bus matches, or a schedule. An error asks for another delivery.
    Event(Handle),
}

/// The routes of a function, by what they need.
#[derive(Debug, Clone, Copy)]
pub enum Routes {
    /// The function's state: the table, the secret, configuration. It asks the table who calls.
    Stateful(fn() -> OpenApiRouter<App>),
    /// The same, for whoever comes.
    Public(fn() -> OpenApiRouter<App>),
    /// The same for people, who get pages: these are routed like all others, stand in template.yaml and are told 405
    /// by `front`, but are no part of the API, so its document leaves them out. What goes wrong is said on a page.
    Pages(fn() -> OpenApiRouter<App>),
    /// Nothing but limits, so the function starts without all that.
    Stateless(fn() -> OpenApiRouter),
}

impl Routes {
    /// What is said of them at the handlers: all of it is the API's document, but for pages.
    pub fn document(self) -> OpenApi {
        match self {
            Self::Stateful(routes) | Self::Public(routes) | Self::Pages(routes) => routes().split_for_parts().1,
            Self::Stateless(routes) => routes().split_for_parts().1,
        }
    }
}

/// One Lambda function.
#[derive(Debug, Clone, Copy)]
pub struct Function {
    /// Its `Handler:` in template.yaml.
    pub name: &'static str,
    /// What starts it.
    pub entry: Entry,
    /// Purser's own events that it takes; its rule in template.yaml names the same, and so does docs/events.md.
    pub takes: &'static [EventName],
}

/// What starts a function with one event.
type Handle = fn(App, EventBridgeEvent<Value>) -> Done<Result<(), String>>;

impl Function {
    /// A function for requests, which asks the table who calls.
    pub const fn http(name: &'static str, routes: fn() -> OpenApiRouter<App>) -> Self {
        Self::new(name, Entry::Http(Routes::Stateful(routes)))
    }

    /// A function for requests of anybody.
    pub const fn public(name: &'static str, routes: fn() -> OpenApiRouter<App>) -> Self {
        Self::new(name, Entry::Http(Routes::Public(routes)))
    }

    /// A function for people, who get pages.
    pub const fn pages(name: &'static str, routes: fn() -> OpenApiRouter<App>) -> Self {
        Self::new(name, Entry::Http(Routes::Pages(routes)))
    }

    /// A function for requests that needs nothing but limits.
    pub const fn stateless(name: &'static str, routes: fn() -> OpenApiRouter) -> Self {
        Self::new(name, Entry::Http(Routes::Stateless(routes)))
    }

    /// A reader of the table's stream.
    pub const fn stream(name: &'static str, read: fn(App, dynamodb::Event) -> Done<DynamoDbEventResponse>) -> Self {
        Self::new(name, Entry::Stream(read))
    }

    /// A function for events of AWS, or for a schedule.
    pub const fn event(name: &'static str, handle: Handle) -> Self {
        Self::new(name, Entry::Event(handle))
    }

    /// A consumer of Purser's own events.
    pub const fn consumer(name: &'static str, takes: &'static [EventName], handle: Handle) -> Self {
        Self { takes, ..Self::event(name, handle) }
    }

    const fn new(name: &'static str, entry: Entry) -> Self {
        Self { name, entry, takes: &[] }
    }
}

/// The functions of every room.
pub const ROOMS: &[&[Function]] = &[
    http::FUNCTIONS,
    clients::FUNCTIONS,
    resellers::FUNCTIONS,
    products::FUNCTIONS,
    provisions::FUNCTIONS,
    ledger::FUNCTIONS,
    accounts::FUNCTIONS,
    analytics::FUNCTIONS,
    events::stream::FUNCTIONS,
    events::bus::FUNCTIONS,
    events::schedule::FUNCTIONS,
];

/// Every function of the API.
pub fn functions() -> impl Iterator<Item = &'static Function> {
    ROOMS.iter().copied().flatten()
}
