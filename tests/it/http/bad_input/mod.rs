//! Bad input: whatever is sent, the answer is a problem that says what is wrong, and nothing changes.
//!
//! The requests are generated from the API's document, whose schemas say what is wrong, and from the cases in
//! `operations`, which say what is right. A new route needs a case and a correct description in the document.

mod accepted;
mod bodies;
mod envelopes;
mod queries;

use purser_api::http::fallback::fits;
use purser_tests::document::{Document, Operation};
use purser_tests::prelude::*;
use purser_tests::schema::OF_PROGRAMS;

use crate::http::operations::{Case, Party, Request, Sample, Who, cases, is_nothing, world};

const METHODS: [&str; 5] = ["GET", "POST", "PUT", "PATCH", "DELETE"];

#[derive(Debug, Clone)]
pub enum Refusal {
    Is(u16, &'static str),
    /// 422 with this code, because of the field at this pointer and no other.
    Field(&'static str, String),
    /// The answer for an unknown id at this pointer: the request is refused, or the result of that item says so.
    Unknown(String),
    /// The answer for what does not exist: 404, or an empty list.
    Nothing,
    /// None: what a newer program sends is ignored.
    Ignored,
}

impl Refusal {
    /// 400: the body is not JSON, or the query or a header can't be read.
    pub const MALFORMED: Self = Self::Is(400, "malformed_request");

    pub fn field(pointer: impl Into<String>) -> Self {
        Self::Field("invalid_fields", pointer.into())
    }

    fn fits(&self, reply: &Reply) -> bool {
        let code = reply.text("code");
        let blamed = |pointer: &String| {
            reply.json["errors"].as_array().is_some_and(|errors| errors.len() == 1) && reply.pointer() == pointer
        };
        match self {
            Self::Is(status, expected) => (reply.status, code) == (*status, *expected),
            Self::Field(expected, pointer) => reply.status == 422 && code == *expected && blamed(pointer),
            Self::Unknown(pointer) => match reply.status {
                200..300 => texts(&reply.json).contains(&"not_found"),
                404 => code == "not_found",
                422 => ["invalid_reseller", "invalid_user"].contains(&code) && blamed(pointer),
                _ => false,
            },
            Self::Nothing => is_nothing(reply),
            Self::Ignored => reply.status == 200 || reply.status == 201,
        }
    }
}

/// Every text in an answer, including the names of members.
fn texts(value: &Value) -> Vec<&str> {
    match value {
        Value::String(text) => vec![text],
        Value::Array(items) => items.iter().flat_map(texts).collect(),
        Value::Object(members) => {
            let of_member = |(name, value)| [vec![String::as_str(name)], texts(value)].concat();
            members.iter().flat_map(of_member).collect()
        }
        _ => Vec::new(),
    }
}

/// Whether a refusal has the form of RFC 9457.
fn is_problem(reply: &Reply) -> bool {
    reply.header("content-type") == Some("application/problem+json")
        && reply.json["status"] == reply.status
        && reply.json["type"] == "about:blank"
        && ["title", "code", "detail"].iter().all(|member| !reply.text(member).is_empty())
}

pub struct Fault {
    what: String,
    request: Request,
    refusal: Refusal,
}

impl Fault {
    fn new(what: impl Into<String>, request: Request, refusal: Refusal) -> Self {
        let what = what.into();
        Self { what, request, refusal }
    }

    async fn complaint(&self, caller: &Caller) -> Option<String> {
        let reply = self.request.send(caller).await;
        let well_formed = reply.status < 400 || is_problem(&reply);
        let good = well_formed && self.refusal.fits(&reply);
        let answer = String::from_utf8_lossy(&reply.bytes);
        (!good).then(|| format!("{}: not {:?} but {} {answer:.300}", self.what, self.refusal, reply.status))
    }
}

/// An operation, and a good request for it, from which faults are made.
pub struct Subject<'a> {
    document: &'a Document,
    operation: &'a Operation,
    sample: Sample,
}

impl Subject<'_> {
    pub fn request(&self) -> Request {
        self.sample.request(self.operation, "k")
    }
}

/// Sends the faults that `faults` makes of each operation's first case, and fails with a list of the wrong answers.
async fn all_are_refused(faults: impl Fn(&Subject<'_>) -> Vec<Fault>) {
    let world = world().await;
    let document = &Document::of(&world).await;
    let mut party = Party::new(&world).await;
    let (mut seen, mut sent) = (BTreeSet::new(), 0);
    let mut complaints = Vec::new();
    for (case, operation) in &cases(&world).await {
        if !seen.insert(case.operation) {
            continue;
        }
        party.prepare(&world, case.needs).await;
        let caller = whoever_may(&world, &party, case);
        let before = world.writes().await;
        let sample = (case.sample)(&party.ids);
        for fault in faults(&Subject { document, operation, sample }) {
            sent += 1;
            let complaint = fault.complaint(&caller).await;
            complaints.extend(complaint.map(|complaint| format!("{} {complaint}", case.operation)));
        }
        // What programs say beside what is known is ignored, and the rest counts.
        if !OF_PROGRAMS.contains(&case.operation) && world.writes().await != before {
            complaints.push(format!("{} changed something", case.operation));
        }
    }
    let first: Vec<_> = complaints.iter().take(40).map(String::as_str).collect();
    assert!(complaints.is_empty(), "{} of {sent}:\n{}", complaints.len(), first.join("\n"));
    assert!(sent > 100, "only {sent} requests were sent");
}

/// A caller who may call the case's operation for any record.
fn whoever_may(world: &World, party: &Party, case: &Case) -> Caller {
    match case.who {
        Who::Owner => world.operator.clone(),
        who => party.caller(world, who),
    }
}

#[tokio::test]
async fn a_body_with_a_fault_is_refused_for_that_fault() {
    all_are_refused(bodies::bad_fields).await;
}

#[tokio::test]
async fn what_is_no_json_or_not_said_to_be_is_refused() {
    all_are_refused(|subject| {
        let mut faults = envelopes::no_json(subject);
        faults.extend(envelopes::no_picture(subject));
        faults.extend(envelopes::no_empty_body(subject));
        faults
    })
    .await;
}

#[tokio::test]
async fn bad_queries_are_refused() {
    all_are_refused(queries::bad_queries).await;
}

#[tokio::test]
async fn bad_paths_and_headers_are_refused() {
    all_are_refused(|subject| {
        let mut faults = envelopes::bad_paths(subject);
        faults.extend(envelopes::bad_headers(subject));
        faults
    })
    .await;
}

#[tokio::test]
async fn a_method_that_a_path_has_not_is_refused_with_those_it_has() {
    let world = world().await;
    let ids = Party::new(&world).await.ids;
    let all = cases(&world).await;
    // A path with a parameter may match as well: `GET /v1/clients/bulk-delete` asks for a client.
    let has = |path: &str, method: &str| {
        let mut fitting = all.iter().filter(|(_, it)| it.method == method);
        fitting.any(|(_, it)| it.path == path || fits(&it.path, path))
    };
    for (case, operation) in &all {
        let path = &operation.path;
        let (there, others): (Vec<_>, Vec<_>) = METHODS.iter().copied().partition(|method| has(path, method));
        for method in others {
            let mut request = (case.sample)(&ids).request(operation, "k");
            method.clone_into(&mut request.method);
            let reply = request.send(&world.nobody()).await.refused(405, "method_not_allowed");
            let allowed = reply.header("allow").unwrap_or_default();
            let allowed: BTreeSet<&str> = allowed.split(',').map(str::trim).collect();
            let head = there.contains(&"GET").then_some("HEAD");
            assert_eq!(allowed, there.iter().copied().chain(head).collect(), "{method} {path}");
        }
    }
}
