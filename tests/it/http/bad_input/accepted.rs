//! What the API's document allows is accepted: null where it says so, numbers and texts up to their bounds, any
//! script.
//!
//! Invariant: if a value that the document allows is refused, either the document or the code is wrong.

use std::collections::BTreeMap;

use purser_tests::document::{Document, Operation};
use purser_tests::prelude::*;
use purser_tests::schema::{Form, Member, OF_PROGRAMS, Schema, TextKind};

use super::bodies::put;
use super::{texts, whoever_may};
use crate::http::operations::{CASES, Case, Party, Who, cases, world};

/// Names that are easy to get wrong: right to left, joined emoji, combining marks, markup, white space.
const NAMES: [&str; 8] = [
    "مرحبا بالعالم",
    "שלום עולם",
    "漢字かな交じり文",
    "👩‍👩‍👧‍👦 🏳️‍🌈 🇨🇭",
    "e\u{301} is not é, ﬁ is not fi",
    "O'Brien \"&\" <Söhne> \\ / {{x}} %00",
    "  as given  ",
    "𝔘𝔫𝔦\u{200d}\u{200f}\u{feff}",
];

const ONCE: [&str; 1] = ["POST /v1/provisions/{refid}/refund"];

/// Codes for a value of the right form that differs from the stored secret. They do not refuse the form.
const UNTRUE: [&str; 2] = ["wrong_password", "invalid_code"];

/// A password of `most` characters that is not refused as weak.
fn long_password(most: usize) -> String {
    "7#vKq/مرحبا漢字🦀 Zx9".chars().cycle().take(most).collect()
}

/// The members of an object and of the objects in it, with their pointers, as far as `sample` has them.
fn members<'a>(schema: &'a Schema, sample: &Value, at: &str) -> Vec<(String, &'a Member)> {
    let mut found = Vec::new();
    for form in &schema.forms {
        match (form, sample) {
            (Form::Object(all), Value::Object(there)) => {
                for member in all {
                    let pointer = format!("{at}/{}", member.name);
                    if let Some(inner) = there.get(&member.name) {
                        found.extend(members(&member.schema, inner, &pointer));
                    }
                    found.push((pointer, member));
                }
            }
            (Form::List { items, .. }, Value::Array(there)) => {
                for (index, inner) in there.iter().enumerate() {
                    found.extend(members(items, inner, &format!("{at}/{index}")));
                }
            }
            _ => {}
        }
    }
    found
}

struct Stage {
    world: World,
    document: Document,
    party: Party,
}

impl Stage {
    async fn new() -> Self {
        let world = world().await;
        let document = Document::of(&world).await;
        let party = Party::new(&world).await;
        Self { world, document, party }
    }

    /// Prepares again what the case uses up. Returns the case's body, with an unused name.
    async fn sample(&mut self, case: &Case) -> Value {
        self.party.prepare(&self.world, case.needs).await;
        self.party.ids.fresh = self.world.fresh("fresh");
        (case.sample)(&self.party.ids).body.expect("a body in the case")
    }

    async fn send(&self, case: &Case, operation: &Operation, body: Value) -> Reply {
        let sample = (case.sample)(&self.party.ids).body(body);
        let request = sample.request(operation, &self.world.fresh("key"));
        request.send(&whoever_may(&self.world, &self.party, case)).await
    }

    /// Sets the member at `pointer` to `value`, or removes it for `None`. Returns whether the member gets the request
    /// refused.
    async fn blames(&mut self, this: &Described<'_>, pointer: &str, value: Option<&Value>) -> bool {
        let (case, operation) = this;
        let mut body = self.sample(case).await;
        if let Some(value) = value {
            put(&mut body, pointer, value.clone());
        } else {
            let (parent, name) = pointer.rsplit_once('/').expect("a member");
            let parent = body.pointer_mut(parent).and_then(Value::as_object_mut);
            drop(parent.expect("an object").remove(name));
        }
        let reply = self.send(case, operation, body).await;
        let at = format!("{} {pointer} {value:?}", case.operation);
        assert!(reply.status < 500, "{at}: {reply:?}");
        let untrue = UNTRUE.contains(&reply.text("code"));
        reply.status == 422 && reply.pointer() == pointer && !untrue
    }

    /// Whether one of the requests is accepted with `value` at `pointer`; some values fit some of the requests only.
    async fn allows(&mut self, all: &[Described<'_>], pointer: &str, value: &Value) -> bool {
        let parent = pointer.rsplit_once('/').map_or("", |(parent, _)| parent);
        for this in all {
            let sample = self.sample(this.0).await;
            if !sample.pointer(parent).is_some_and(Value::is_object) {
                continue;
            }
            // Null means that the member is left out: if that is refused, null may be refused too.
            if !self.blames(this, pointer, Some(value)).await
                || value.is_null() && self.blames(this, pointer, None).await
            {
                return true;
            }
        }
        false
    }
}

type Described<'a> = (&'a Case, &'a Operation);

fn bounds(schema: &Schema) -> Vec<Value> {
    let of_form = |form: &Form| match form {
        Form::Whole { least, most } => vec![json!(least), json!(most)],
        Form::Flag => vec![json!(true), json!(false)],
        Form::Text { most: Some(most), kind: TextKind::Free, .. } => {
            vec![json!("é"), json!("👩".repeat(*most))]
        }
        Form::Formal { example, .. } => vec![json!(example)],
        Form::Text { most: Some(most), kind: TextKind::Pattern, .. } => vec![json!("x".repeat(*most))],
        Form::Text { most: Some(most), kind: TextKind::Secret, .. } => vec![json!(long_password(*most))],
        _ => Vec::new(),
    };
    let null = schema.nullable.then_some(Value::Null);
    schema.forms.iter().flat_map(of_form).chain(null).collect()
}

#[tokio::test]
async fn null_and_the_bounds_are_as_the_document_says() {
    let mut stage = Stage::new().await;
    let all = cases(&stage.world).await;
    let mut alike: BTreeMap<&str, Vec<Described<'_>>> = BTreeMap::new();
    for (case, operation) in &all {
        alike.entry(case.operation).or_default().push((*case, operation));
    }
    let mut complaints = Vec::new();
    for (name, described) in alike {
        let Some(schema) = stage.document.body(described[0].1) else {
            continue;
        };
        let mut samples = Vec::new();
        for (case, _) in &described {
            samples.push(stage.sample(case).await);
        }
        let of_sample = |sample| members(&schema, sample, "");
        let all: BTreeMap<String, &Member> = samples.iter().flat_map(of_sample).collect();
        for (pointer, Member { schema, .. }) in all {
            // With a password, people register only where no address is confirmed.
            if (name, pointer.as_str()) == ("POST /v1/auth/register", "/password") {
                continue;
            }
            for value in bounds(schema) {
                if !stage.allows(&described, &pointer, &value).await {
                    complaints.push(format!("{name} {pointer}: {value:.60}"));
                }
            }
        }
    }
    let all = complaints.join("\n");
    assert!(complaints.is_empty(), "refused, though the document allows it:\n{all}");
}

/// The path at which the resource that an operation created or changed can be read, if there is one.
fn place_to_read(operation: &Operation, path: &str, reply: &Reply) -> Option<String> {
    let id = |name: &str| {
        let id = reply.json[name].as_str()?;
        Some((format!("{{{name}}}"), id))
    };
    match ["refid", "reference"].iter().find_map(|name| id(name)) {
        Some((name, id)) if reads(&format!("{}/{name}", operation.path)) => Some(format!("{path}/{id}")),
        _ => (operation.path.contains('{') && reads(&operation.path)).then(|| path.to_owned()),
    }
}

fn reads(path: &str) -> bool {
    let read = format!("GET {path}");
    CASES.iter().any(|case| case.operation == read)
}

async fn shown(world: &World, reply: &Reply) -> Value {
    let mut shown = vec![reply.json.clone()];
    for id in texts(&reply.json) {
        if id.starts_with("CL-") {
            shown.push(world.operator.get(&format!("/v1/clients/{id}")).await.json);
        }
    }
    Value::Array(shown)
}

/// Sets each free text of a body to `name` and a suffix that makes it unique; returns those texts.
fn filled(world: &World, schema: &Schema, body: &mut Value, name: &str) -> Vec<String> {
    let mut texts = Vec::new();
    for (pointer, member) in members(schema, &body.clone(), "") {
        // A licence is for one of a client, an external id and an address.
        let named = ["client", "email"].iter().any(|name| body.get(name).is_some());
        if pointer == "/client_id" && body.get("product").is_some() && named {
            continue;
        }
        // White space around ids and references is dropped, and what can't be seen is refused in them.
        let is_id = ["/client_id", "/reference"].iter().any(|member| pointer.ends_with(member));
        let unseen = |c: &char| !('\u{200e}'..='\u{200f}').contains(c) && *c != '\u{feff}';
        let given = if is_id { name.chars().filter(unseen).collect() } else { name.to_owned() };
        let text = format!("{given}{}", world.fresh(" "));
        let value = match member.schema.forms.first() {
            Some(Form::Text { kind: TextKind::Free, .. }) => json!(text),
            Some(Form::Metadata) => json!({&text: {"a": [text]}}),
            _ => continue,
        };
        put(body, &pointer, value);
        texts.push(if is_id { text.trim().to_owned() } else { text });
    }
    texts
}

#[tokio::test]
async fn any_script_goes_through_every_operation_and_comes_back() {
    let mut stage = Stage::new().await;
    let mut read_again = 0;
    for (case, operation) in cases(&stage.world).await {
        let Some(schema) = stage.document.body(&operation) else {
            continue;
        };
        // Binding a user works once; the other cases of the operation have the same texts.
        if case.who == Who::OperatorByBody {
            continue;
        }
        for name in NAMES {
            if ONCE.contains(&case.operation) {
                stage.party = Party::new(&stage.world).await;
            }
            let mut body = stage.sample(case).await;
            let sent = filled(&stage.world, &schema, &mut body, name);
            if sent.is_empty() {
                continue;
            }
            let reply = stage.send(case, &operation, body).await;
            let at = format!("{} {name}: {}", case.operation, reply.json);
            // A key in any script may be typed, and opens nothing.
            let by_key = OF_PROGRAMS.contains(&case.operation);
            let nothing = by_key && reply.text("code") == "not_found";
            assert!(nothing || reply.status == operation.success, "{at}");
            // These requests are handled later, or answered to anybody, so there is nothing to read.
            let to_anybody = by_key || case.operation == "POST /v1/auth/confirm";
            if reply.status == 202 || to_anybody {
                continue;
            }
            let all_in = |shown: &Value| {
                let texts = texts(shown);
                sent.iter().all(|text| texts.contains(&text.as_str()))
            };
            let came_back = all_in(&reply.json) || all_in(&shown(&stage.world, &reply).await);
            assert!(came_back, "{at}");
            let path = (case.sample)(&stage.party.ids).request(&operation, "k").path;
            if let Some(place) = place_to_read(&operation, &path, &reply) {
                let read = stage.world.operator.get(&place).await.expect(200);
                assert!(all_in(&read.json), "{at} read again: {}", read.json);
                read_again += 1;
            }
        }
    }
    assert!(read_again > 5 * NAMES.len(), "only {read_again} were read again");
}
