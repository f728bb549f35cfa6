//! The Lambda functions, one file each: request types, handlers, routes.
//!
//! Invariant: [`FUNCTIONS`] is the registry that `Handler:` in template.yaml picks from; a test holds the two
//! equal, and the routes of each with the template's events. A function file holds nothing that another function
//! would want.

pub mod add_credits;
pub mod analytics;
pub mod api_keys;
pub mod bind_client;
pub mod check_figures;
pub mod checkpoint_ledger;
pub mod create_client;
pub mod customer_auth;
pub mod customer_pages;
pub mod delete_clients;
pub mod front;
pub mod hold_provisioning;
pub mod mail_links;
pub mod mails;
pub mod manage_account;
pub mod manage_users;
pub mod notify;
pub mod onboard_reseller;
pub mod openapi;
pub mod project_timeline;
pub mod provision;
pub mod read_checkpoints;
pub mod read_clients;
pub mod read_ledger;
pub mod read_products;
pub mod read_provisions;
pub mod read_resellers;
pub mod rebuild_figures;
pub mod refund_provision;
pub mod relay;
pub mod report_accounts;
pub mod report_partners;
pub mod rollup;
pub mod sample_figures;
pub mod sign_up_reseller;
pub mod suppress_mail;
pub mod transfer_client;
pub mod transfer_credits;
pub mod update_client;
pub mod update_reseller;
pub mod write_products;

use std::pin::Pin;

use aws_lambda_events::dynamodb;
use aws_lambda_events::eventbridge::EventBridgeEvent;
use aws_lambda_events::streams::DynamoDbEventResponse;
use axum::middleware::map_response_with_state;
use purser_edge::App;
use purser_edge::limits::Limits;
use purser_edge::serve::serve;
use serde_json::Value;
use utoipa::openapi::OpenApi;
use utoipa_axum::router::OpenApiRouter;

use crate::customer_pages::page;

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
    Event(fn(App, EventBridgeEvent<Value>) -> Done<Result<(), String>>),
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
}

/// Every function there is.
pub const FUNCTIONS: &[Function] = &[
    Function { name: "front", entry: Entry::Http(Routes::Stateless(front::routes)) },
    Function { name: "customer-pages", entry: Entry::Http(Routes::Pages(customer_pages::routes)) },
    Function { name: "api-keys", entry: Entry::Http(Routes::Stateful(api_keys::routes)) },
    Function { name: "create-client", entry: Entry::Http(Routes::Stateful(create_client::routes)) },
    Function { name: "read-clients", entry: Entry::Http(Routes::Stateful(read_clients::routes)) },
    Function { name: "update-client", entry: Entry::Http(Routes::Stateful(update_client::routes)) },
    Function { name: "transfer-client", entry: Entry::Http(Routes::Stateful(transfer_client::routes)) },
    Function { name: "delete-clients", entry: Entry::Http(Routes::Stateful(delete_clients::routes)) },
    Function { name: "onboard-reseller", entry: Entry::Http(Routes::Stateful(onboard_reseller::routes)) },
    Function { name: "sign-up-reseller", entry: Entry::Http(Routes::Public(sign_up_reseller::routes)) },
    Function { name: "read-resellers", entry: Entry::Http(Routes::Stateful(read_resellers::routes)) },
    Function { name: "update-reseller", entry: Entry::Http(Routes::Stateful(update_reseller::routes)) },
    Function { name: "add-credits", entry: Entry::Http(Routes::Stateful(add_credits::routes)) },
    Function { name: "transfer-credits", entry: Entry::Http(Routes::Stateful(transfer_credits::routes)) },
    Function { name: "read-ledger", entry: Entry::Http(Routes::Stateful(read_ledger::routes)) },
    Function { name: "read-checkpoints", entry: Entry::Http(Routes::Stateful(read_checkpoints::routes)) },
    Function {
        name: "checkpoint-ledger",
        entry: Entry::Event(|app, event| Box::pin(checkpoint_ledger::checkpoint_ledger(app, event))),
    },
    Function { name: "read-products", entry: Entry::Http(Routes::Stateful(read_products::routes)) },
    Function { name: "write-products", entry: Entry::Http(Routes::Stateful(write_products::routes)) },
    Function { name: "provision", entry: Entry::Http(Routes::Stateful(provision::routes)) },
    Function { name: "read-provisions", entry: Entry::Http(Routes::Stateful(read_provisions::routes)) },
    Function { name: "refund-provision", entry: Entry::Http(Routes::Stateful(refund_provision::routes)) },
    Function { name: "customer-auth", entry: Entry::Http(Routes::Public(customer_auth::routes)) },
    Function { name: "manage-account", entry: Entry::Http(Routes::Stateful(manage_account::routes)) },
    Function { name: "manage-users", entry: Entry::Http(Routes::Stateful(manage_users::routes)) },
    Function { name: "relay", entry: Entry::Stream(|app, event| Box::pin(relay::relay(app, event))) },
    Function { name: "mail-links", entry: Entry::Event(|app, event| Box::pin(mail_links::mail_links(app, event))) },
    Function { name: "notify", entry: Entry::Event(|app, event| Box::pin(notify::notify(app, event))) },
    Function {
        name: "report-accounts",
        entry: Entry::Event(|app, event| Box::pin(report_accounts::report_accounts(app, event))),
    },
    Function { name: "analytics", entry: Entry::Http(Routes::Stateful(analytics::routes)) },
    Function {
        name: "project-timeline",
        entry: Entry::Stream(|app, event| Box::pin(project_timeline::project_timeline(app, event))),
    },
    Function { name: "rollup", entry: Entry::Event(|app, event| Box::pin(rollup::rollup(app, event))) },
    Function { name: "check-figures", entry: Entry::Http(Routes::Stateful(check_figures::routes)) },
    Function { name: "rebuild-figures", entry: Entry::Http(Routes::Stateful(rebuild_figures::routes)) },
    Function {
        name: "sample-figures",
        entry: Entry::Event(|app, event| Box::pin(sample_figures::sample_figures(app, event))),
    },
    Function {
        name: "report-partners",
        entry: Entry::Event(|app, event| Box::pin(report_partners::report_partners(app, event))),
    },
    Function {
        name: "suppress-mail",
        entry: Entry::Event(|app, event| Box::pin(suppress_mail::suppress_mail(app, event))),
    },
    Function { name: "bind-client", entry: Entry::Event(|app, event| Box::pin(bind_client::bind_client(app, event))) },
    Function {
        name: "hold-provisioning",
        entry: Entry::Event(|app, event| Box::pin(hold_provisioning::hold_provisioning(app, event))),
    },
];

/// The function named `name`.
pub fn function(name: &str) -> Option<&'static Function> {
    FUNCTIONS.iter().find(|function| function.name == name)
}

impl Function {
    /// The function's routes as a service, when requests start it.
    pub fn router(&self, app: &App) -> Option<axum::Router> {
        let (routes, pages) = match self.entry {
            Entry::Http(Routes::Stateful(routes) | Routes::Public(routes)) => (routes, false),
            Entry::Http(Routes::Pages(routes)) => (routes, true),
            _ => return self.stateless_router(&app.limits),
        };
        let (service, _) = routes().split_for_parts();
        let service = service.fallback(front::elsewhere).with_state(app.clone());
        let service = serve(self.name, service, Some(app.limits.clone()));
        if pages {
            // Around everything, so that what the limits refuse is a page, too.
            let on_a_page = map_response_with_state(app.clone(), page::or_failure);
            return Some(service.layer(on_a_page));
        }
        Some(service)
    }

    /// The same when its routes need nothing but limits.
    pub fn stateless_router(&self, limits: &Limits) -> Option<axum::Router> {
        let Entry::Http(Routes::Stateless(routes)) = self.entry else {
            return None;
        };
        let (service, _) = routes().split_for_parts();
        let service = service.fallback(front::elsewhere);
        Some(serve(self.name, service, Some(limits.clone())))
    }
}
