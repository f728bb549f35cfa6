//! Least privilege, both ways: a function fails if it does what its role does not allow, and an unused right fails the
//! test.
//!
//! Invariant: the rights are those of template.yaml, and the laptop holds every function to them in every test.

mod accounts;
mod stories;

use std::collections::{BTreeMap, BTreeSet};
use std::pin::Pin;
use std::sync::Arc;

use purser_api::Function;
use purser_local::run::system::Options;
use purser_local::template::{EventSpec, Template};
use purser_store::engine::secrets::Purpose;
use purser_tests::document::Operation;
use purser_tests::faults::{Fault, Script};
use purser_tests::prelude::*;

use crate::http::operations::{Case, Party, Who, cases};

/// Rights that Lambda itself uses, when it keeps the records on which a function gave up.
const BY_LAMBDA: [&str; 6] = [
    "project-timeline: kms:GenerateDataKey on Key",
    "project-timeline: s3:ListBucket on FailedRecords",
    "project-timeline: s3:PutObject on FailedRecords/*",
    "relay: kms:GenerateDataKey on Key",
    "relay: s3:ListBucket on FailedRecords",
    "relay: s3:PutObject on FailedRecords/*",
];

/// Rights that functions use to start in the cloud; here secrets are in a file. `make rehearse` uses them.
const AT_START: [&str; 4] = [
    "KeyPolicy: kms:Decrypt on Key",
    "KeyPolicy: secretsmanager:BatchGetSecretValue on *",
    "StartPolicy: kms:Decrypt on Key",
    "StartPolicy: secretsmanager:BatchGetSecretValue on *",
];

/// The right to read a secret, which [`must_use_their_secrets`] judges for each function.
const SECRET: &str = " secretsmanager:GetSecretValue on Secret/";

/// A world with every switch on that makes a function do more.
async fn busy_world() -> World {
    let variables = [
        ("PURSER_KEY_REQUESTS_PER_MINUTE", "0"),
        ("PURSER_ADDRESS_REQUESTS_PER_MINUTE", "0"),
        ("PURSER_PARTNER_SIGN_UP", "true"),
        ("PURSER_AUTO_BIND_USER", "true"),
        ("PURSER_HOLD_ON_LOW_CREDIT", "true"),
        ("PURSER_EDGE", "accepted"),
    ];
    World::with(None, &variables).await
}

/// Sends a case's request as each caller who may: unchanged, about unknown records, and unchanged again.
async fn drive(operator: &Caller, party: &Party, case: &Case, operation: &Operation) {
    let own = match case.who {
        Who::SignedIn => party.person.as_ref().map(|person| &person.caller),
        Who::Owner => Some(&party.caller),
        _ => None,
    };
    let own = own.map(|it| (it, "r"));
    for (caller, name) in own.into_iter().chain([(operator, "o")]) {
        let whole = || (party.ids.clone(), "whole");
        for (ids, about) in [whole(), (party.ids.of_nothing(), "nothing"), whole()] {
            let mut request = (case.sample)(&ids).request(operation, "k");
            if operation.header("Idempotency-Key").is_some() {
                let operation = case.operation.replace(' ', "-");
                let key = format!("{operation}-{name}-{about}");
                request = request.without_header("idempotency-key");
                request = request.with_header("idempotency-key", key);
            }
            // Errors in a body are shown only to a caller who may send it, and finding that out takes extra reads.
            let wrong = request.clone().with_body(r#"{"?":7}"#);
            let wrong = operation.body.is_some().then_some(wrong);
            for request in wrong.into_iter().chain([request]) {
                let reply = request.send(caller).await;
                assert!(reply.status < 500, "{}: {}", case.operation, reply.json);
            }
        }
    }
}

/// Sends a case's request, whose first commit meets a conflict, so that the command reads again.
async fn contend(world: &World, case: &Case, operation: &Operation) {
    let party = Party::ready_for(world, case.needs).await;
    let script = Script::default();
    let conflict = json!({"__type": "com.amazonaws.dynamodb.v20120810#TransactionConflictException"});
    script.then(1, "TransactWriteItems", &Fault::Answer(400, conflict.to_string()));
    let function = answering(operation);
    let app = world.app_over(function.name, &script).await;
    let once = format!("contended-{}", party.ids.fresh);
    let request = (case.sample)(&party.ids).request(operation, &once);
    let mut headers: Vec<(&str, &str)> = Vec::new();
    headers.extend(request.headers.iter().map(|(name, value)| (*name, value.as_str())));
    if operation.header("Idempotency-Key").is_some() {
        headers.retain(|(name, _)| *name != "idempotency-key");
        headers.push(("idempotency-key", &once));
    }
    let bearer = match case.who {
        Who::SignedIn => party.caller(world, case.who),
        _ => world.operator.clone(),
    };
    let bearer = format!("Bearer {}", bearer.key().unwrap());
    headers.push(("authorization", &bearer));
    let body = request.body.clone().unwrap_or_default();
    let routes = purser_lambda::router(function, &app).unwrap();
    let path = format!("{}?{}", request.path, request.query.join("&"));
    let reply = world.send(routes, &request.method, path.trim_end_matches('?'), &headers, body).await;
    assert_eq!(reply.status, operation.success, "{}: {}", case.operation, reply.json);
}

fn answering(operation: &Operation) -> &'static Function {
    let template = purser_local::run::system::template().unwrap();
    let routed = if operation.method == "GET" { "ANY" } else { &operation.method };
    let answers = |event: &EventSpec| {
        matches!(event, EventSpec::HttpApi { method, path }
            if method == routed && *path == operation.path)
    };
    let spec = template.functions.iter().find(|spec| spec.events.iter().any(answers));
    purser_lambda::function(&spec.unwrap().handler).unwrap()
}

/// What a world's functions left unused, and which secrets they needed.
struct RightsUsed {
    unused: BTreeSet<String>,
    /// What each function needed, and what it may have.
    secrets: BTreeMap<&'static str, [BTreeSet<Purpose>; 2]>,
}

impl RightsUsed {
    fn of(world: &World) -> Self {
        let used = |name: &str| world.system().apps().of(name).unwrap().store.secrets().used();
        let may = |name: &str| world.system().roles().get(name).unwrap().secrets();
        let both = |name: &str| [used(name), may(name)].map(|it| it.into_iter().collect());
        Self {
            unused: world.system().roles().unused().iter().map(ToString::to_string).collect(),
            secrets: purser_lambda::functions().map(|it| (it.name, both(it.name))).collect(),
        }
    }
}

/// What a test does in a world of its own.
type Story = Pin<Box<dyn Future<Output = RightsUsed>>>;

/// Stories that together do everything that functions do. Each runs on a thread of its own.
const STORIES: [fn() -> Story; 6] = [
    || Box::pin(requests(0)),
    || Box::pin(requests(1)),
    || Box::pin(stories::events()),
    || Box::pin(async { RightsUsed::of(&accounts::with_sums().await) }),
    || Box::pin(async { RightsUsed::of(&accounts::with_a_service().await) }),
    || Box::pin(stories::recounted()),
];

#[test]
fn no_function_may_do_more_than_it_does() {
    let seen = std::thread::scope(|scope| {
        let told = |story: fn() -> Story| {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.unwrap().block_on(story())
        };
        let started: Vec<_> = STORIES.into_iter().map(|story| scope.spawn(move || told(story))).collect();
        started.into_iter().map(|story| story.join().unwrap()).collect::<Vec<_>>()
    });
    must_use_their_secrets(&seen);
    let in_all = |right: &String| seen.iter().all(|it| it.unused.contains(right));
    let unused = seen[0].unused.iter().filter(|right| !right.contains(SECRET) && in_all(right));
    let elsewhere = [&BY_LAMBDA[..], &AT_START].concat();
    let elsewhere: BTreeSet<&str> = elsewhere.into_iter().collect();
    let unused: BTreeSet<&str> = unused.map(String::as_str).collect();
    assert_eq!(unused, elsewhere, "the rights that nothing uses are not the expected ones");
}

/// Each case of one half of them, in all the ways of [`drive`] and [`contend`].
async fn requests(half: usize) -> RightsUsed {
    let world = busy_world().await;
    let operator = second_operator(&world).await;
    let reading = Party::new(&world).await;
    for (case, operation) in cases(&world).await.into_iter().skip(half).step_by(2) {
        // A request that changes something may use up the records that it names, so it gets a party of its own.
        let mut party = match operation.method.as_str() {
            "GET" => reading.clone(),
            _ => Party::new(&world).await,
        };
        party.prepare(&world, case.needs).await;
        if case.who != Who::Anybody {
            // The log names the address of a caller whose key is none.
            let request = (case.sample)(&party.ids).request(&operation, "k");
            let _refused = request.send(&operator.with_key(Some("op_wrong"))).await.refused(401, "unauthenticated");
        }
        drive(&operator, &party, case, &operation).await;
        if operation.method != "GET" {
            contend(&world, case, &operation).await;
        }
    }
    world.system().settle().await;
    assert_eq!(world.system().dead_letters(), []);
    RightsUsed::of(&world)
}

async fn second_operator(world: &World) -> Caller {
    let name = json!({"name": "a second operator"});
    let made = world.operator.post("/v1/api-keys", &name).await.expect(201);
    world.operator.with_key(Some(made.text("key")))
}

/// Each function needed every secret that its role allows, and no other.
fn must_use_their_secrets(seen: &[RightsUsed]) {
    let mut differing = Vec::new();
    for (function, [_, may]) in &seen[0].secrets {
        let used: BTreeSet<_> = seen.iter().flat_map(|it| &it.secrets[function][0]).copied().collect();
        if used != *may {
            differing.push(format!("{function} needs {used:?} and may have {may:?}"));
        }
    }
    assert_eq!(differing, [""; 0]);
}

#[tokio::test]
async fn a_function_that_lacks_a_right_fails_and_changes_nothing() {
    const TEMPLATE: &str = include_str!("../../../../template.yaml");
    let provision = "[\"EN#*\", \"WA#*\", \"LI#*\", \"CL#*\", \"EC#*\", \"US#*\"]";
    let without_licences = "[\"EN#*\", \"WA#*\", \"CL#*\", \"EC#*\", \"US#*\"]";
    assert_eq!(TEMPLATE.matches(provision).count(), 1);
    let template = Template::parse(&TEMPLATE.replace(provision, without_licences)).unwrap();
    let options = Options { template: Some(Arc::new(template)), ..Options::default() };
    let world = World::start(options).await;
    let partner = world.partner("standard", 1_000).await;
    let (product, before) = (world.product(10).await, world.state().await);
    let body = json!({"product": product, "client": world.new_client()});
    let refused = partner.caller.post_once("/v1/provisions", "k", &body).await;
    let _failed = refused.refused(500, "internal_error");
    assert_eq!(world.state().await, before);
    let bare = json!({"cost": 10, "description": "x"});
    let _bought = partner.caller.post_once("/v1/provisions", "k", &bare).await.expect(201);
}
