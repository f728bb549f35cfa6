//! The API and the workers behind it: one module per noun, and in it one file per operation, named by its verb.
//!
//! Invariant: [`API`], [`WORKERS`] and [`PEOPLE`] list every function under the name that `Handler:` in template.yaml
//! selects it by. A test checks that the template lists the same ones, and that the routes of each function equal its
//! events there. A module may use another one's bodies, views and reports, but never its handlers.

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
pub mod seals;

use std::pin::Pin;

use aws_lambda_events::dynamodb;
use aws_lambda_events::eventbridge::EventBridgeEvent;
use aws_lambda_events::streams::DynamoDbEventResponse;
use purser_domain::event::EventName;
use purser_edge::App;
use purser_store::engine::secrets::Purpose;
use serde_json::Value;
use utoipa::openapi::OpenApi;
use utoipa_axum::router::OpenApiRouter;

pub type Done<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// What starts a function.
#[derive(Debug, Clone, Copy)]
pub enum Entry {
    Http(Routes),
    Stream(fn(App, dynamodb::Event) -> Done<DynamoDbEventResponse>),
    /// Calls by an operator who holds rights in the account, with JSON and an answer in JSON.
    Call(fn(App, Value) -> Done<Result<Value, String>>),
    /// Events that match a rule of the bus, or the ticks of a schedule. An error asks for another delivery.
    Event(Handle),
}

/// The routes of a function, by what they need. Functions that need less start faster.
#[derive(Debug, Clone, Copy)]
pub enum Routes {
    /// Routes that need the function's state (table, secret and configuration) and look up the caller in the table.
    Stateful(fn() -> OpenApiRouter<App>),
    /// Routes that need the same state, but that anybody may call.
    Public(fn() -> OpenApiRouter<App>),
    /// HTML pages for people. Pages are routed like everything else: they are in template.yaml, and `front` answers
    /// 405 for their paths. But they are not part of the API, so its document leaves them out, and errors are shown
    /// as pages.
    Pages(fn() -> OpenApiRouter<App>),
    /// Routes that need only the rate limits, so the function starts without loading anything else.
    Stateless(fn() -> OpenApiRouter),
}

impl Routes {
    /// The OpenAPI document of these routes. The API's document is made of all of them, except those of pages.
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
    /// The function's `Handler:` in template.yaml.
    pub name: &'static str,
    pub entry: Entry,
    /// The secrets that the function works with; [`Self::secrets`] are all that it may have.
    works_with: &'static [Purpose],
    /// Purser's own events that the function consumes. Its rule in template.yaml and docs/events.md name the same
    /// ones.
    pub takes: &'static [EventName],
}

type Handle = fn(App, EventBridgeEvent<Value>) -> Done<Result<(), String>>;

impl Function {
    /// A function that handles requests and looks up the caller in the table.
    pub const fn http(name: &'static str, routes: fn() -> OpenApiRouter<App>) -> Self {
        Self::new(name, Entry::Http(Routes::Stateful(routes)))
    }

    pub const fn public(name: &'static str, routes: fn() -> OpenApiRouter<App>) -> Self {
        Self::new(name, Entry::Http(Routes::Public(routes)))
    }

    pub const fn pages(name: &'static str, routes: fn() -> OpenApiRouter<App>) -> Self {
        Self::new(name, Entry::Http(Routes::Pages(routes)))
    }

    pub const fn stateless(name: &'static str, routes: fn() -> OpenApiRouter) -> Self {
        Self::new(name, Entry::Http(Routes::Stateless(routes)))
    }

    pub const fn stream(name: &'static str, read: fn(App, dynamodb::Event) -> Done<DynamoDbEventResponse>) -> Self {
        Self::new(name, Entry::Stream(read))
    }

    /// A function for events that AWS emits, or for a schedule.
    pub const fn event(name: &'static str, handle: Handle) -> Self {
        Self::new(name, Entry::Event(handle))
    }

    pub const fn call(name: &'static str, answer: fn(App, Value) -> Done<Result<Value, String>>) -> Self {
        Self::new(name, Entry::Call(answer))
    }

    /// This function, with these secrets.
    #[must_use]
    pub const fn with(self, secrets: &'static [Purpose]) -> Self {
        Self { works_with: secrets, ..self }
    }

    /// The secrets that the function may have. Its role in template.yaml allows the same ones. Every function that
    /// answers requests must recognise the edge.
    pub fn secrets(&self) -> Vec<Purpose> {
        let edge = matches!(self.entry, Entry::Http(_)).then_some(Purpose::Edge);
        self.works_with.iter().copied().chain(edge).collect()
    }

    pub const fn consumer(name: &'static str, takes: &'static [EventName], handle: Handle) -> Self {
        Self { takes, ..Self::event(name, handle) }
    }

    const fn new(name: &'static str, entry: Entry) -> Self {
        Self { name, entry, works_with: &[], takes: &[] }
    }
}

/// The functions of a binary of their own: they alone need the dictionary of passwords and the formats of pictures.
pub const PEOPLE: &[&[Function]] = &[accounts::FUNCTIONS];

/// The functions that answer no requests: the stream, events, schedules and operators with rights in the account start
/// them.
pub const WORKERS: &[&[Function]] =
    &[events::stream::FUNCTIONS, events::bus::FUNCTIONS, events::schedule::FUNCTIONS, seals::FUNCTIONS];

/// All others.
pub const API: &[&[Function]] = &[
    http::FUNCTIONS,
    clients::FUNCTIONS,
    resellers::FUNCTIONS,
    products::FUNCTIONS,
    provisions::FUNCTIONS,
    licences::FUNCTIONS,
    ledger::FUNCTIONS,
    analytics::FUNCTIONS,
];

pub fn functions() -> impl Iterator<Item = &'static Function> {
    API.iter().chain(WORKERS).chain(PEOPLE).copied().flatten()
}
