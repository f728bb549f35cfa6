//! Isolation (rule A8): another reseller's records are answered like records that do not exist, and nothing is
//! reached without a valid key.
//!
//! The requests are generated from the API's document and the cases in `operations`: a new route fails a test here
//! until it has a case, and from then on it is tested.

mod credentials;
mod roles;
mod scopes;
mod standing;

use purser_tests::document::{Document, Operation};
use purser_tests::prelude::*;

use crate::http::operations::{
    CASES, Case, Ids, Needs, OWNED, Party, Sample, WELL, Who, cases, is_nothing, variants, world,
};

#[tokio::test]
async fn every_operation_has_a_case_and_every_case_an_operation() {
    let world = world().await;
    let operations = Document::of(&world).await.operations();
    let described: BTreeSet<String> = operations.iter().map(Operation::name).collect();
    let named: BTreeSet<String> = CASES.iter().map(|case| case.operation.to_owned()).collect();
    let without: Vec<_> = described.difference(&named).collect();
    let stale: Vec<_> = named.difference(&described).collect();
    assert!(
        without.is_empty() && stale.is_empty(),
        "tests/it/http/operations/mod.rs lacks a case for {without:?}, and has one too many for {stale:?}"
    );
}

#[tokio::test]
async fn every_id_that_a_request_can_name_is_named_by_a_case() {
    let world = world().await;
    let document = Document::of(&world).await;
    let ids = Party::new(&world).await.ids;
    for operation in document.operations() {
        let cases = CASES.iter().filter(|case| case.operation == operation.name());
        let samples: Vec<Sample> = cases.map(|case| (case.sample)(&ids)).collect();
        let in_body = document.body(&operation).map_or_else(Vec::new, |body| body.ids(""));
        for pointer in in_body {
            let named = |sample: &Sample| sample.body.as_ref()?.pointer(&pointer)?.as_str().map(drop);
            let found = samples.iter().find_map(named);
            assert!(found.is_some(), "{}: no case names {pointer}", operation.name());
        }
        for parameter in &operation.query {
            let named = |sample: &Sample| sample.query.iter().any(|(name, _)| *name == parameter.name);
            let is_id = !document.parameter(parameter).ids("").is_empty();
            let found = !is_id || samples.iter().any(named);
            assert!(found, "{}: no case names {}", operation.name(), parameter.name);
        }
    }
}

/// What a caller sees of an answer, without the headers that differ between any two requests.
#[derive(Debug, PartialEq)]
struct Face {
    status: u16,
    headers: Vec<(String, String)>,
    body: String,
}

fn face(reply: &Reply) -> Face {
    let changing = ["x-request-id", "date", "purser-cost"];
    let mut headers = reply.headers.clone();
    headers.retain(|(name, _)| !changing.contains(&name.as_str()));
    Face { status: reply.status, headers, body: String::from_utf8_lossy(&reply.bytes).into_owned() }
}

/// Pairs of the case's request: one with foreign ids (one at a time, then all at once), and the same one for records
/// that do not exist.
fn pairs(case: &Case, own: &Ids, foreign: &[Ids]) -> Vec<(Sample, Sample)> {
    let mut pairs = Vec::new();
    let singly = OWNED.iter().map(std::slice::from_ref);
    for places in singly.chain([OWNED.as_slice()]) {
        for foreign in foreign {
            let theirs = (case.sample)(&own.with(places, foreign));
            let nothing = (case.sample)(&own.with(places, &own.of_nothing()));
            let pair = (theirs, nothing);
            if pair.0 != (case.sample)(own) && !pairs.contains(&pair) {
                pairs.push(pair);
            }
        }
    }
    pairs
}

const TRANSFER: &str = "POST /v1/resellers/{refid}/transfers";

/// Asserts that `caller` can't tell another reseller's record from one that does not exist: both requests of the pair
/// get the same answer in as many round trips, even if they have other faults.
async fn look_alike(caller: &Caller, (case, operation): (&Case, &Operation), (theirs, nothing): &(Sample, Sample)) {
    let all = |sample: &Sample| variants(operation, &sample.request(operation, "k"));
    for ((what, theirs_), (_, nothing_)) in all(theirs).into_iter().zip(all(nothing)) {
        let at = format!("{} {what}: {theirs:?}", case.operation);
        let (reply, none) = (theirs_.send(caller).await, nothing_.send(caller).await);
        assert_eq!(face(&reply), face(&none), "{at}");
        // More work would show, too. What limits refuse has no cost.
        let calls = |reply: &Reply| reply.header("purser-cost").map(|_| reply.cost().0);
        assert_eq!(calls(&reply), calls(&none), "{at}: round trips");
        // An operation for operators may answer 403. What a bad body or a bad query names is not looked up.
        let operators = [Who::Operator, Who::OperatorByBody];
        let forbidden = operators.contains(&case.who) && reply.status == 403;
        let in_path = theirs.at != nothing.at;
        let unread = what != WELL && !in_path && (400..500).contains(&reply.status);
        // The body of a transfer names who gets the credits. The sender's wallet exists, so the receiver is an
        // invalid field.
        let refused = (case.operation, reply.status, reply.text("code"));
        let receiver = !in_path && refused == (TRANSFER, 422, "invalid_reseller");
        let nothing = is_nothing(&reply) || receiver;
        assert!(nothing || forbidden || unread, "{at}: {reply:?}");
    }
}

#[tokio::test]
async fn someone_elses_looks_like_nothing() {
    let world = world().await;
    let mut a = Party::new(&world).await;
    let b = Party::ready_for(&world, Needs::Stranger).await;
    let member = world.member(&a.ids.reseller).await.caller;
    // Resellers do not see an operator who is also a member of their staff.
    let above = json!({"operator": true, "reseller": a.ids.reseller});
    let above = Ids { user: world.invited(above).await.refid, ..b.ids.clone() };
    let foreign = [b.ids.clone(), b.standalone(&world).await, above];
    for (case, operation) in cases(&world).await {
        a.prepare(&world, case.needs).await;
        let before = world.writes().await;
        let (callers, pairs) = match case.who {
            Who::Anybody => (vec![], vec![]),
            Who::SignedIn => {
                let own = vec![a.caller(&world, case.who)];
                (own, pairs(case, &a.ids, &foreign))
            }
            _ => {
                let both = vec![a.caller.clone(), member.clone()];
                (both, pairs(case, &a.ids, &foreign))
            }
        };
        for caller in &callers {
            for pair in &pairs {
                look_alike(caller, (case, &operation), pair).await;
            }
        }
        let name = case.operation;
        assert!(!pairs.is_empty() || !name.contains("id}"), "{name}: its case has no ids");
        assert_eq!(world.writes().await, before, "{name}: refused requests must change nothing");
    }
}

#[tokio::test]
async fn a_reseller_lists_its_own_clients_only() {
    let world = World::new().await;
    let (a, b) = (world.partner("standard", 0).await, world.partner("standard", 0).await);
    let own = world.client(&a).await;
    let _foreign = world.client(&b).await;
    let _standalone = world.operator.post("/v1/clients", &world.new_client()).await.expect(201);
    for query in ["", "?status=pending", "?ownership=reselled"] {
        let list = a.caller.get(&format!("/v1/clients{query}")).await.expect(200);
        let refids: Vec<&Value> = list.json["data"].as_array().unwrap().iter().map(|client| &client["refid"]).collect();
        assert_eq!(refids, [&json!(own)], "{query}");
    }
    let standalone = a.caller.get("/v1/clients?ownership=standalone").await.expect(200);
    assert_eq!(standalone.json["data"], json!([]));
    let created = a.caller.post("/v1/clients", &world.new_client()).await.expect(201);
    assert_eq!(created.text("reseller"), a.refid, "a client that a reseller creates must be its own");
}

#[tokio::test]
async fn what_these_tests_count_as_a_change_is_one() {
    let world = World::new().await;
    let partner = world.partner("standard", 0).await;
    let before = world.writes().await;
    let _seen = partner.caller.get("/v1/clients").await.expect(200);
    let _refused = partner.caller.post("/v1/clients", &json!({"name": 1})).await.refused(422, "invalid_fields");
    assert_eq!(world.writes().await, before);
    let _made = partner.caller.post("/v1/clients", &world.new_client()).await.expect(201);
    assert!(world.writes().await > before);
}
