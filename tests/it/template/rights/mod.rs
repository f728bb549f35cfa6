//! Least privilege, both ways: a function fails if it does what its role does not allow, and an unused right fails the
//! test.
//!
//! Invariant: the rights are those of template.yaml, and the laptop holds every function to them in every test.

mod accounts;

use std::sync::Arc;

use purser_api::Function;
use purser_local::run::system::Options;
use purser_local::template::{EventSpec, Template};
use purser_tests::document::Operation;
use purser_tests::faults::{Fault, Script};
use purser_tests::prelude::*;
use purser_tests::seals::SEALED;

use crate::accounts::me::second_factor::enable;
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

/// What the requests of the cases do not cause: an operator with a key in the table, lists by status, users that are
/// bound by address, an address that changes, a client that moves, what is found, and a wallet that runs low.
async fn live(world: &World, operator: &Caller) {
    let partner = world.partner("standard", 1_000).await;
    let (other, product) = (world.partner("standard", 0).await, world.product(600).await);
    let (_, bound_at_once) = world.login(true).await;
    let (_, bound_by_purchase) = world.login(true).await;
    let (_, bound_by_bulk) = world.login(true).await;

    let named = |email: &str| json!({"name": "x", "email": email});
    // It waits for a client whose user has confirmed this address.
    let waits = json!({"product": product, "email": bound_at_once});
    let _waits = operator.post("/v1/licences", &waits).await.expect(201);
    let client = operator.post("/v1/clients", &named(&bound_at_once)).await.expect(201);
    let client = format!("/v1/clients/{}", client.text("refid"));
    world.system().settle().await;
    let address = json!({"email": "another@example.com"});
    let _changed = operator.patch(&client, &address).await.expect(200);
    // A refusal reads client and wallet again, together.
    let barred = world.partner("standard", 0).await.refid;
    let _suspended = operator.act(&format!("/v1/resellers/{barred}/suspend")).await.expect(200);
    let to = json!({"reseller": barred});
    let barred = operator.post(&format!("{client}/transfer"), &to).await;
    let _barred = barred.refused(409, "reseller_suspended");
    let to = json!({"reseller": other.refid});
    let _moved = operator.post(&format!("{client}/transfer"), &to).await.expect(200);
    let _list = operator.get("/v1/clients?status=pending&ownership=reselled").await.expect(200);
    world.system().settle().await;
    for list in ["/v1/clients?q=x", "/v1/resellers?q=partner"] {
        let found = operator.get(list).await.expect(200);
        assert_ne!(found.json["data"], json!([]), "{list}");
    }
    let _gone = operator.delete(&client).await.expect(204);

    let undelivered = named("bounce@simulator.amazonses.com");
    let _client = operator.post("/v1/clients", &undelivered).await.expect(201);

    // The purchase takes 600 of 1,000 credits, which leaves less than the threshold of 500, so the wallet is held.
    let body = json!({"product": product, "client": named(&bound_by_purchase)});
    let bought = partner.caller.post_once("/v1/provisions", "one", &body).await.expect(201);
    // The hold rule reads the present wallet, so it must run before the refund returns the credits.
    world.system().settle().await;
    let bought = format!("/v1/provisions/{}", bought.text("refid"));
    let _read = partner.caller.get(&bought).await.expect(200);
    // A refusal reads the record, too.
    let licence = world.operator.get(&bought).await.expect(200).json["licences"][0]["refid"].clone();
    let renew = format!("/v1/licences/{}/renew", licence.as_str().unwrap());
    let _held = partner.caller.post_once(&renew, "renew", &json!({})).await.refused(403, "provisioning_held");
    let refund = json!({"description": "x"});
    let _refunded = operator.post_once(&format!("{bought}/refund"), "refund", &refund).await.expect(200);
    let _read = partner.caller.get(&bought).await.expect(200);
    world.system().settle().await;
    let credits = format!("/v1/resellers/{}/credits", partner.refid);
    let top_up = json!({"amount": 5_000, "reference": "INV-1"});
    let _entry = operator.post_once(&credits, "two", &top_up).await.expect(201);
    world.system().settle().await;
    let body = json!({"product": product, "clients": [named(&bound_by_bulk)]});
    let _bought = partner.caller.post_once("/v1/provisions/bulk", "three", &body).await.expect(201);
    world.system().settle().await;
}

#[tokio::test]
async fn no_function_may_do_more_than_it_does() {
    let world = busy_world().await;
    let name = json!({"name": "a second operator"});
    let made = world.operator.post("/v1/api-keys", &name).await.expect(201);
    let operator = world.operator.with_key(Some(made.text("key")));
    let reading = Party::new(&world).await;
    for (case, operation) in cases(&world).await {
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
    live(&world, &operator).await;
    accounts::live(&world).await;
    world.run_schedule("checkpoint-ledger").await;
    // A user with a picture and an open link, who is deleted.
    let leaves = world.person().await;
    let forgot = json!({"email": leaves.email});
    let _asked = world.nobody().post("/v1/auth/forgot-password", &forgot).await.expect(202);
    world.system().settle().await;
    let picture = json!({
        "pk": {"S": format!("AV#{}", leaves.refid)}, "sk": {"S": "."}, "kind": {"S": "avatar"},
        "doc": {"M": {"version": {"N": "1"}}},
    });
    world.put_all(std::slice::from_ref(&picture));
    let kept = [format!("PW#{}", leaves.refid), format!("SE#{}", leaves.refid)];
    let mut late = world.items();
    late.retain(|item| kept.iter().any(|pk| item["pk"]["S"] == *pk));
    late.push(picture);
    let path = format!("/v1/users/{}", leaves.refid);
    let _left = world.operator.delete(&path).await.expect(204);
    world.system().settle().await;
    // Changes of the account were under way.
    world.put_all(&late);
    let created = world.operator.post_once("/v1/clients", "leaves", &world.new_client()).await.expect(201);
    let path = format!("/v1/clients/{}", created.text("refid"));
    let noted = json!({"product": reading.ids.product, "client": created.text("refid"), "comments": "x"});
    let _noted = world.operator.post_once("/v1/licences", "noted", &noted).await.expect(201);
    let _left = world.operator.delete(&path).await.expect(204);
    // A user who never confirms, and an operator to whom that is reported.
    world.register("stranger@example.com").await;
    let _told = world.invited(json!({"operator": true})).await;
    world.system().settle().await;
    let month = json!({"advance": "P31D"});
    let _turned = world.nobody().post("/_local/clock", &month).await.expect(200);
    world.run_schedule("run-due-work").await;
    world.run_schedule("report-accounts").await;
    world.run_schedule("rollup").await;
    world.run_schedule("report-partners").await;
    reseal(&world).await;
    let top = world.operator.get("/v1/analytics/resellers/top").await;
    assert_ne!(top.expect(200).json["data"], json!([]));
    let (asked, judged) = (accounts::with_sums().await, accounts::with_a_service().await);
    let unused = |world: &World| -> BTreeSet<String> {
        let unused = world.system().roles().unused();
        unused.iter().map(ToString::to_string).collect()
    };
    let customers = world.operator.get("/v1/analytics/customers/top").await;
    assert_ne!(customers.expect(200).json["data"], json!([]));
    let recounted = recounted().await;
    must_use_their_secrets(&[&world, &asked, &judged, &recounted]);
    let mut unused = &(&unused(&world) & &unused(&asked)) & &unused(&recounted);
    unused.retain(|right| !right.contains(SECRET));
    let elsewhere = [&BY_LAMBDA[..], &AT_START].concat();
    let elsewhere: BTreeSet<String> = elsewhere.into_iter().map(str::to_owned).collect();
    assert_eq!(unused, elsewhere, "the rights that nothing uses are not the expected ones");
    assert_eq!(world.system().dead_letters(), []);
}

/// New keys, under which everything is sealed anew, although a conflict makes each kind be read again, and with which
/// a checkpoint is signed.
async fn reseal(world: &World) {
    let sells = json!({"company_name": "x", "email": "sealed@example.com", "metadata": {"a": 1}});
    let _sealed = world.operator.post("/v1/resellers", &sells).await.expect(201);
    let buys = json!({"name": "x", "email": "sealed@example.com", "metadata": {"a": 1}});
    let _sealed = world.operator.post("/v1/clients", &buys).await.expect(201);
    let noted = json!({"product": world.product(1).await, "client_id": "sealed", "metadata": {"a": 1}});
    let _sealed = world.operator.post("/v1/licences", &noted).await.expect(201);
    let (person, phone, _) = enable(world, &world.person().await).await;
    world.system().clock().advance(jiff::SignedDuration::from_mins(1));
    let code = json!({"email": person.email, "password": PASSWORD, "code": phone.shows(world, 0)});
    let _in = world.nobody().post("/v1/auth/login", &code).await.expect(200);
    world.rotate();
    world.read_secrets_again();
    for what in ["clients", "resellers", "licences"] {
        let script = Script::default();
        let conflict = json!({"__type": "com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException"});
        script.then(1, "UpdateItem", &Fault::Answer(400, conflict.to_string()));
        let app = world.app_over("reseal", &script).await;
        app.keeper.refresh().await;
        let walked = purser_api::seals::reseal::reseal(app, json!({"what": what})).await.unwrap();
        assert_ne!(walked["renewed"], 0, "{what}");
    }
    for what in SEALED {
        world.reseal(what).await;
    }
    world.run_schedule("checkpoint-ledger").await;
}

/// Each function needed every secret that its role allows, and no other.
fn must_use_their_secrets(worlds: &[&World]) {
    let mut differing = Vec::new();
    for function in purser_lambda::functions() {
        let used = worlds.iter().flat_map(|it| it.system().apps().of(function.name).unwrap().store.secrets().used());
        let used: BTreeSet<_> = used.collect();
        let may = worlds[0].system().roles().get(function.name).unwrap().secrets().into_iter().collect();
        if used != may {
            differing.push(format!("{} needs {used:?} and may have {may:?}", function.name));
        }
    }
    assert_eq!(differing, [""; 0]);
}

/// A world that lost the timeline rows and one figure of the day before, then found and repaired that.
async fn recounted() -> World {
    let world = World::at("2023-01-15T09:00:00Z").await;
    let partner = world.partner("standard", 1_000).await;
    let body = json!({"product": world.product(10).await, "client": world.new_client()});
    let bought = partner.caller.post_once("/v1/provisions", "k", &body).await;
    let _bought = bought.expect(201);
    world.run_schedule("rollup").await;
    let rows = world.items().into_iter();
    for row in rows.filter(|item| item["kind"]["S"] == "timeline") {
        world.remove(&row);
    }
    let figure = world.items().into_iter().find(|item| item["sk"]["S"] == "H#2023-01-15T09");
    world.remove(&figure.unwrap());
    let day = json!({"advance": "P1D"});
    let _turned = world.nobody().post("/_local/clock", &day).await.expect(200);
    world.run_schedule("sample-figures").await;
    let path = |act: &str| format!("/v1/analytics/figures/{act}?day=2023-01-15");
    let found = world.operator.get(&path("check")).await.expect(200);
    // What differs: a reseller, a client, a licence, two entries and a figure.
    assert_eq!(found.json["differing"], 6);
    let _mended = world.operator.act(&path("rebuild")).await.expect(200);
    world.run_schedule("rollup").await;
    let _all = world.operator.get("/v1/analytics/figures/check").await.expect(200);
    let _all = world.operator.act("/v1/analytics/figures/rebuild").await.expect(200);
    world
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
