//! template.yaml and the code agree on functions, routes and variables, and the API's document lists every route.

use std::collections::{BTreeMap, BTreeSet};

use purser_api::{Entry, Routes};
use purser_edge::process::config::{Config, SECRETS_VARIABLE};
use purser_lambda::{BINARIES, function, functions};
use purser_local::template::roles::Roles;
use purser_local::template::{EventSpec, Template};
use purser_store::engine::secrets::Purpose;
use purser_store::events::change::KINDS;
use purser_tests::schema::OF_PROGRAMS;
use serde_json::json;

use crate::http::operations::{CASES, Who};

const TEMPLATE: &str = include_str!("../../../template.yaml");

fn template() -> Template {
    Template::parse(TEMPLATE).unwrap()
}

#[test]
fn every_function_of_the_template_has_code_and_the_other_way_round() {
    let named: BTreeSet<String> = template().functions.iter().map(|function| function.handler.clone()).collect();
    let coded: BTreeSet<String> = functions().map(|function| function.name.to_owned()).collect();
    assert_eq!(named, coded);
    assert_eq!(named.len(), template().functions.len(), "no function may be listed twice");
}

#[test]
fn each_function_is_deployed_with_the_binary_that_it_is_in() {
    // `aws cloudformation package` takes no notice of `Globals`, so each function names its zip itself.
    let mut named = 0;
    for binary in BINARIES {
        for function in binary.functions() {
            let (handler, zip) = (function.name, binary.name);
            let deployed = format!("      Handler: {handler}\n      CodeUri: target/lambda/{zip}.zip\n");
            assert!(TEMPLATE.contains(&deployed), "template.yaml lacks:\n{deployed}");
            named += 1;
        }
    }
    assert_eq!(TEMPLATE.matches("CodeUri:").count(), named);
}

#[test]
fn the_stream_hands_over_what_is_somebodys_business() {
    let takes = |name: &str, kind: &str| {
        let functions = template().functions;
        let function = functions.iter().find(|it| it.handler == name).unwrap();
        let image = json!({"kind": {"S": kind}, "fell_due": {"S": "2026-01-01T00:00:00.000Z#x"}});
        let record = json!({"eventName": "INSERT", "dynamodb": {"NewImage": image}});
        let stream = function.events.iter().find_map(|event| match event {
            EventSpec::DynamoDb(spec) => Some(spec.takes(&record)),
            _ => None,
        });
        stream.unwrap()
    };
    for kind in KINDS {
        assert!(takes("relay", kind), "{kind}");
    }
    for kind in ["client", "deleted_client", "entry", "licence", "reseller"] {
        assert!(takes("project-timeline", kind) && KINDS.contains(&kind), "{kind}");
    }
    for kind in ["figure", "mark", "timeline", "rollup", "credentials", "link_password"] {
        assert!(!takes("relay", kind) && !takes("project-timeline", kind), "{kind}");
    }
}

#[test]
fn the_routes_of_each_function_are_its_events() {
    let spec = template();
    for function in functions() {
        let events = &spec.functions.iter().find(|spec| spec.handler == function.name).unwrap().events;
        let routed: BTreeSet<(String, String)> = events
            .iter()
            .filter_map(|event| match event {
                EventSpec::HttpApi { method, path } if path != "$default" => Some((method.clone(), path.clone())),
                _ => None,
            })
            .collect();
        let mut coded: BTreeSet<(String, String)> = match function.entry {
            Entry::Http(routes) => operations(&routes.document()),
            Entry::Stream(_) | Entry::Event(_) | Entry::Call(_) => BTreeSet::new(),
        };
        // HEAD works wherever GET does. A route of any method does both with one permission; the function refuses the
        // other methods.
        coded = coded.into_iter().map(|(method, path)| (method.replace("GET", "ANY"), path)).collect();
        assert_eq!(routed, coded, "{}", function.name);
    }
}

fn operations(document: &utoipa::openapi::OpenApi) -> BTreeSet<(String, String)> {
    let mut operations = BTreeSet::new();
    for (path, item) in &document.paths.paths {
        for (method, there) in [
            ("GET", item.get.is_some()),
            ("POST", item.post.is_some()),
            ("PATCH", item.patch.is_some()),
            ("PUT", item.put.is_some()),
            ("DELETE", item.delete.is_some()),
        ] {
            if there {
                operations.insert((method.to_owned(), path.clone()));
            }
        }
    }
    operations
}

#[test]
fn functions_start_as_their_code_expects() {
    let spec = template();
    for function in functions() {
        let events = &spec.functions.iter().find(|spec| spec.handler == function.name).unwrap().events;
        let called = matches!(function.entry, Entry::Call(_));
        let fits = |event: &EventSpec| match function.entry {
            Entry::Http(_) => matches!(event, EventSpec::HttpApi { .. }),
            Entry::Stream(_) => matches!(event, EventSpec::DynamoDb { .. }),
            Entry::Event(_) => matches!(event, EventSpec::EventBridgeRule { .. } | EventSpec::Schedule { .. }),
            Entry::Call(_) => false,
        };
        assert!(events.is_empty() == called && events.iter().all(fits), "{}", function.name);
    }
}

#[test]
fn no_two_functions_have_the_same_rights() {
    let rights: Vec<String> = template().functions.iter().map(|spec| spec.policies.to_string()).collect();
    let distinct: BTreeSet<&String> = rights.iter().collect();
    assert_eq!(distinct.len(), rights.len(), "functions with the same rights should be one function");
}

/// Whether one of a function's operations is refused to unknown callers.
fn asks_who_calls(document: &utoipa::openapi::OpenApi) -> bool {
    let named = |(method, path): (String, String)| format!("{method} {path}");
    let operations: BTreeSet<String> = operations(document).into_iter().map(named).collect();
    let mut known = CASES.iter().filter(|case| case.who != Who::Anybody);
    known.any(|case| operations.contains(case.operation))
}

#[test]
fn who_must_know_the_caller_may_find_out_and_nobody_else_may() {
    let caller_policy = serde_json::json!({"Ref": "CallerPolicy"});
    let mut asking = 0;
    for spec in template().functions {
        let function = purser_lambda::function(&spec.handler).unwrap();
        let asks = match function.entry {
            Entry::Http(routes) => asks_who_calls(&routes.document()),
            Entry::Stream(_) | Entry::Event(_) | Entry::Call(_) => false,
        };
        let policies = spec.policies.as_array();
        let may = policies.is_some_and(|it| it.contains(&caller_policy));
        assert_eq!(may, asks, "{}", function.name);
        asking += usize::from(asks);
    }
    assert!(asking > 0, "no function asks who calls");
}

#[test]
fn every_variable_the_code_reads_is_set_and_no_other() {
    let set: BTreeMap<String, String> = template().variables();
    let read: BTreeSet<&str> = Config::variables().into_iter().chain([SECRETS_VARIABLE]).collect();
    assert_eq!(set.keys().map(String::as_str).collect::<BTreeSet<_>>(), read);
}

#[test]
fn a_function_declares_the_secrets_that_its_role_allows() {
    let template = template();
    let roles = Roles::of(&template, "purser@example.com").unwrap();
    for function in functions() {
        let role = roles.get(function.name).unwrap();
        let declared: BTreeSet<_> = function.secrets().into_iter().collect();
        assert_eq!(role.secrets().into_iter().collect::<BTreeSet<_>>(), declared, "{}", function.name);
    }
}

/// Seals by who may open them, and who signs. What strangers reach opens none, except that people sign in with a
/// second factor.
#[test]
fn seals_and_signatures_are_for_those_who_need_them() {
    let roles = Roles::of(&template(), "purser@example.com").unwrap();
    let may = |purpose: Purpose| -> Vec<&str> {
        functions().map(|it| it.name).filter(|it| roles.get(it).unwrap().secrets().contains(&purpose)).collect()
    };
    assert_eq!(may(Purpose::Signing), ["checkpoint-ledger"]);
    assert_eq!(may(Purpose::Factors), ["reseal", "customer-auth", "manage-account"]);
    assert_eq!(may(Purpose::Licences), ["provision", "mint-licence", "licence-keys", "reseal"]);
    assert_eq!(may(Purpose::Answers), ["validate-licence", "activate-installation"]);
    assert_eq!(may(Purpose::Published), ["read-signing-keys"]);
    assert_eq!(may(Purpose::Captcha), ["sign-up-reseller", "customer-auth"]);
    let answering = functions().filter(|it| matches!(it.entry, Entry::Http(_))).map(|it| it.name);
    assert_eq!(may(Purpose::Edge), answering.collect::<Vec<_>>());
    for stranger in ["front", "sign-up-reseller", "customer-auth", "customer-pages"] {
        let secrets = roles.get(stranger).unwrap().secrets();
        let outside = [Purpose::Ids, Purpose::Passes, Purpose::Edge, Purpose::Captcha];
        let opened = secrets.into_iter().filter(|it| !outside.contains(it));
        let expected: &[Purpose] = if stranger == "customer-auth" { &[Purpose::Factors] } else { &[] };
        assert_eq!(opened.collect::<Vec<_>>(), expected, "{stranger}");
    }
}

#[test]
fn no_two_forms_have_the_same_name() {
    let whole = purser_api::http::openapi::document().components.unwrap().schemas;
    let whole = serde_json::to_value(whole).unwrap();
    for function in functions() {
        let Entry::Http(routes) = function.entry else {
            continue;
        };
        // The document does not describe pages.
        let own = match routes {
            Routes::Pages(_) => None,
            routes => routes.document().components,
        };
        let Some(own) = own else {
            continue;
        };
        for (name, form) in own.schemas {
            let own = serde_json::to_value(form).unwrap();
            assert_eq!(
                own["properties"].as_object().map(|it| it.keys().collect::<Vec<_>>()),
                whole[&name]["properties"].as_object().map(|it| it.keys().collect::<Vec<_>>()),
                "{name} of {}",
                function.name
            );
        }
    }
}

#[tokio::test]
async fn the_document_names_every_route_with_its_security() {
    let world = purser_tests::World::new().await;
    let document = world.nobody().get("/openapi.json").await.expect(200).json;
    assert_eq!(document["openapi"], "3.1.0");
    let (mut routes, mut ids) = (0, BTreeSet::new());
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            routes += 1;
            let id = operation["operationId"].to_string();
            assert!(ids.insert(id.clone()), "two operations are called {id}");
            assert!(!path.starts_with("/customer/"), "{path} is a page");
            let name = format!("{} {path}", method.to_uppercase());
            let case = CASES.iter().find(|case| case.operation == name).unwrap();
            let security = match case.who {
                Who::Anybody if path.starts_with("/v1/") => json!([{}]),
                Who::Anybody => json!(null),
                Who::SignedIn => json!([{"session": []}]),
                _ => json!([{"key": []}, {"session": []}]),
            };
            assert_eq!(operation["security"], security, "{name}");
            for (status, response) in operation["responses"].as_object().unwrap() {
                let said = response["description"].as_str().unwrap();
                assert!(!said.is_empty(), "{method} {path} {status}");
                if status.as_str() >= "4" {
                    let problem = &response["content"]["application/problem+json"]["schema"]["$ref"];
                    // What programs are told of a refusal is a problem that says more.
                    let says_more = OF_PROGRAMS[1..].contains(&name.as_str()) && status == "409";
                    let schema = if says_more { "RefusedActivation" } else { "Problem" };
                    let schema = format!("#/components/schemas/{schema}");
                    assert_eq!(problem, &schema, "{method} {path} {status}");
                    assert!(said.contains('`'), "{method} {path} {status}: no code");
                }
            }
            let retry = &operation["responses"]["429"]["headers"]["Retry-After"];
            assert_eq!(retry["schema"]["type"], "integer", "{method} {path}");
            let refused = &operation["responses"]["401"]["description"];
            let refused = refused.to_string().contains("`unauthenticated`");
            assert_eq!(refused, case.who != Who::Anybody, "{name}");
        }
    }
    let lists = [
        "/v1/clients",
        "/v1/resellers",
        "/v1/products",
        "/v1/api-keys",
        "/v1/checkpoints",
        "/v1/resellers/{refid}/entries",
    ];
    for list in lists {
        let parameters = document["paths"][list]["get"]["parameters"].as_array().unwrap();
        for name in ["cursor", "limit"] {
            assert!(parameters.iter().any(|parameter| parameter["name"] == name), "{list} {name}");
        }
    }
    let text = document.to_string();
    for reference in text.split("\"#/components/schemas/").skip(1) {
        let name = reference.split('"').next().unwrap();
        assert!(document["components"]["schemas"][name].is_object(), "{name} is referenced but not defined");
    }
    // Pages are for people, and not part of the API.
    let is_page = |handler: &str| {
        let entry = function(handler).map(|it| it.entry);
        matches!(entry, Some(Entry::Http(Routes::Pages(_))))
    };
    let spec = template();
    let events = spec
        .functions
        .iter()
        .filter(|function| !is_page(&function.handler))
        .flat_map(|function| function.events.clone())
        .filter(|event| matches!(event, EventSpec::HttpApi { path, .. } if path != "$default"));
    assert_eq!(routes, events.count());
}
