//! What can be wrong with a query: the values of each parameter, by its schema, and the parameters themselves.
//!
//! Invariant: a value that can't be read is refused, and a value that is only compared with records finds nothing.

use purser_tests::document::{Document, Parameter};
use purser_tests::schema::Form;

use super::{Fault, Refusal, Subject};
use crate::http::operations::Request;

/// Escaped text that is not an id, an address or a cursor.
const NOISE: [&str; 9] = ["", "%00", "%E2%80%AE", "%FF", "a%20b", "%F0%9F%91%A9", "%D9%85", "[]", "..%2F..%2F"];

pub fn bad_queries(subject: &Subject<'_>) -> Vec<Fault> {
    let (document, query) = (subject.document, &subject.operation.query);
    let request = &subject.request();
    let mut faults = Vec::new();
    for parameter in query {
        let name = &parameter.name;
        for (value, refusal) in values(document, parameter) {
            faults.push(changed(request, name, &[&value], refusal));
        }
        let good = good(document, parameter);
        faults.push(changed(request, name, &[&good, &good], Refusal::MALFORMED));
        if parameter.required {
            faults.push(changed(request, name, &[], Refusal::MALFORMED));
        }
        for other in [name.to_uppercase(), format!("{name}[]")] {
            faults.push(changed(request, &other, &[&good], Refusal::MALFORMED));
        }
    }
    // Routes that read nothing of a request, such as the health of the service, ignore queries.
    let ignores = ["/health", "/openapi.json", "/v1/auth/captcha", "/v1/signing-keys"];
    let refuses = !ignores.contains(&subject.operation.path.as_str());
    for unknown in refuses.then_some(["colour", "dry_run", "%00", "%FF", ""]).into_iter().flatten() {
        faults.push(changed(request, unknown, &["red"], Refusal::MALFORMED));
    }
    faults
}

/// The request with these values of the parameter `name`, and no others.
fn changed(request: &Request, name: &str, values: &[&str], refusal: Refusal) -> Fault {
    let mut request = request.clone();
    let start = format!("{name}=");
    request.query.retain(|pair| !pair.starts_with(&start));
    request.query.extend(values.iter().map(|value| format!("{start}{value}")));
    let what = format!("with {name:?} {values:?}");
    Fault::new(what, request, refusal)
}

/// Bad values of a parameter, each with how it must be refused.
fn values(document: &Document, parameter: &Parameter) -> Vec<(String, Refusal)> {
    let long = "x".repeat(3_000);
    let noise = NOISE.into_iter().chain([long.as_str()]);
    // What is no UTF-8 is nobody's name.
    let own = |text: &str, refusal: &Refusal| match (text, refusal) {
        ("%FF", _) => Refusal::MALFORMED,
        (_, refusal) => refusal.clone(),
    };
    let noise = |refusal: Refusal| noise.map(move |text| (text.to_owned(), own(text, &refusal)));
    if parameter.name == "cursor" {
        return noise(Refusal::Is(400, "invalid_cursor")).collect();
    }
    // A text to search for is what could stand in a name.
    if parameter.name == "q" {
        let is_no_text = |text: &str| ["", "%00", "%E2%80%AE"].contains(&text) || text.len() > 100;
        let judged = noise(Refusal::Nothing);
        let malformed = |(text, refusal): (String, _)| {
            let refusal = if is_no_text(&text) { Refusal::MALFORMED } else { refusal };
            (text, refusal)
        };
        return judged.map(malformed).collect();
    }
    // These parameters take one form of text only: a day, a time or a hash.
    let formed = ["date", "head", "start", "end", "day", "created_after", "created_before", "expiring_before"];
    if formed.contains(&parameter.name.as_str()) {
        return noise(Refusal::MALFORMED).collect();
    }
    let schema = document.parameter(parameter);
    match schema.forms.first().expect("a form") {
        Form::Id | Form::Text { .. } => noise(Refusal::Nothing).collect(),
        Form::Choice(words) => {
            let capital = (words[0].to_uppercase(), Refusal::MALFORMED);
            noise(Refusal::MALFORMED).chain([capital]).collect()
        }
        Form::Flag => {
            let other = ["1", "yes", "TRUE", "null"].map(|text| (text.to_owned(), Refusal::MALFORMED));
            noise(Refusal::MALFORMED).chain(other).collect()
        }
        Form::Whole { least, most } => {
            let outside = [least - 1, -1, most + 1].map(|whole| whole.to_string());
            let other = ["1.5", "abc", "1e2", "1e400", "9223372036854775808", "18446744073709551616", "%D9%A1", "null"];
            let all = outside.into_iter().chain(other.map(ToOwned::to_owned));
            let numbers = all.map(|text| (text, Refusal::MALFORMED));
            noise(Refusal::MALFORMED).chain(numbers).collect()
        }
        other => panic!("{}: a parameter that these tests don't know: {other:?}", parameter.name),
    }
}

fn good(document: &Document, parameter: &Parameter) -> String {
    match document.parameter(parameter).example() {
        serde_json::Value::String(text) => text,
        other => other.to_string(),
    }
}
