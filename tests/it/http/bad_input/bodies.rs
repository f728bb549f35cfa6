//! What can be wrong with the fields of a body, by its schema: one fault at a time in an otherwise good body.
//!
//! Invariant: each refusal names the field that is at fault by its JSON pointer.

use purser_domain::basic::{EmailAddress, as_stored};
use purser_tests::schema::{Form, Member, OF_PROGRAMS, Schema, TextKind, example};
use serde_json::{Value, json};

use super::{Fault, Refusal, Subject};
use crate::http::operations::Request;

/// Marks a place in a body until the raw text of a value replaces it.
const HERE: &str = "<here>";

/// Characters that no text may hold: control characters, line and paragraph separators, and bidirectional overrides.
const FORBIDDEN: [char; 16] = [
    '\u{2028}', '\u{2029}', '\0', '\u{7}', '\n', '\u{7f}', '\u{85}', '\u{202a}', '\u{202b}', '\u{202c}', '\u{202d}',
    '\u{202e}', '\u{2066}', '\u{2067}', '\u{2068}', '\u{2069}',
];

/// Text that a reader takes for blank: white space, and zero-width, filler, tag and similar characters.
const SHOWING_NOTHING: [&str; 9] = [
    " ",
    "\u{a0}\u{3000}",
    "\u{200b}",
    "\u{200d}\u{200c}",
    "\u{feff} \u{2060}",
    "\u{3164}",
    "\u{ffa0}\u{115f}",
    "\u{2800}",
    "\u{e0041}\u{fe0f}",
];

/// Addresses to which no e-mail can be sent, or that name a mailbox in a second way.
const NO_ADDRESSES: [&str; 16] = [
    "",
    "a",
    "a@",
    "@b.co",
    "a@b",
    "a b@c.co",
    "é@b.co",
    "<a@b.co>",
    "a@b.co,c@d.co",
    "\"q\"@b.co",
    "\"q\\.r\"@b.co",
    "a@b_c.co",
    "a@-b.co",
    "a@b-.co",
    "a@b.123",
    "a@b..co",
];

/// The paths whose addresses are only looked up.
const LOOK_UPS: [&str; 3] = ["/v1/auth/login", "/v1/auth/forgot-password", "/v1/auth/resend-confirmation"];

const TYPES: [(&str, &str); 9] = [
    ("null", "null"),
    ("boolean", "true"),
    ("integer", "7"),
    ("number", "7.5"),
    ("string", "\"7\""),
    ("array", "[]"),
    ("array", "[[]]"),
    ("object", "{}"),
    ("object", "{\"a\":1}"),
];

pub fn bad_fields(subject: &Subject<'_>) -> Vec<Fault> {
    let Some(schema) = subject.document.body(subject.operation) else {
        return Vec::new();
    };
    let body = subject.sample.body.clone().expect("a body in the case");
    let (request, found) = (subject.request(), Vec::new());
    let mut walk = Walk { request, found };
    walk.value(&schema, &Place { body, pointer: String::new() });
    walk.found
}

/// A body, and a pointer to a value in it that exists or whose parent exists.
#[derive(Clone)]
struct Place {
    body: Value,
    pointer: String,
}

impl Place {
    fn with(&self, raw: &str) -> String {
        let mut body = self.body.clone();
        put(&mut body, &self.pointer, json!(HERE));
        body.to_string().replacen(&format!("\"{HERE}\""), raw, 1)
    }

    fn below(&self, name: &str) -> Self {
        let name = name.replace('~', "~0").replace('/', "~1");
        let pointer = format!("{}/{name}", self.pointer);
        Self { pointer, ..self.clone() }
    }

    /// The same place with `example` in it, unless the value there already has members or items.
    fn filled(&self, example: &Value) -> Self {
        let mut body = self.body.clone();
        match (body.pointer(&self.pointer), example) {
            (Some(Value::Object(_)), Value::Object(_)) => {}
            (Some(Value::Array(there)), Value::Array(_)) if !there.is_empty() => {}
            _ => put(&mut body, &self.pointer, example.clone()),
        }
        Self { body, ..self.clone() }
    }
}

/// Sets the value at `pointer`, whose parent has to be an object or a list.
pub fn put(body: &mut Value, pointer: &str, value: Value) {
    let Some((parent, name)) = pointer.rsplit_once('/') else {
        *body = value;
        return;
    };
    match body.pointer_mut(parent) {
        Some(Value::Object(members)) => drop(members.insert(name.to_owned(), value)),
        Some(Value::Array(items)) => items[name.parse::<usize>().expect("an index")] = value,
        _ => panic!("{parent} is neither an object nor a list"),
    }
}

struct Walk {
    request: Request,
    found: Vec<Fault>,
}

impl Walk {
    fn note(&mut self, place: &Place, raw: &str, refusal: Refusal) {
        let what = format!("with {raw:.60} at {:?}", place.pointer);
        let request = self.request.clone().with_body(place.with(raw));
        self.found.push(Fault::new(what, request, refusal));
    }

    /// Adds a fault: the body with `value` at `place`, to be refused because of that field.
    fn blame(&mut self, place: &Place, value: &Value) {
        self.note(place, &value.to_string(), Refusal::field(&place.pointer));
    }

    fn value(&mut self, schema: &Schema, place: &Place) {
        let allowed = schema.types();
        for (of_type, raw) in TYPES {
            if !allowed.contains(&of_type) {
                self.note(place, raw, Refusal::field(&place.pointer));
            }
        }
        for form in &schema.forms {
            match form {
                Form::Id => self.id(place),
                Form::Choice(words) => self.choice(words, place),
                Form::Text { least, most, kind: TextKind::Secret } => self.secret(*least, *most, place),
                Form::Formal { least, most, .. } => self.text(*least, Some(*most), TextKind::Pattern, place),
                Form::Text { least, most, kind } => self.text(*least, *most, *kind, place),
                Form::Whole { least, most } => self.whole(*least, *most, place),
                Form::Flag => {}
                Form::List { items, least, most } => self.list(items, *least, *most, place),
                Form::Object(members) => self.object(members, place),
                Form::Metadata => self.metadata(place),
            }
        }
    }

    /// Text that is not an id is answered like the id of something that does not exist.
    fn id(&mut self, place: &Place) {
        let long = "x".repeat(3_000);
        let lower = "cl-0123456789abcdef";
        for text in ["", " ", "x/y", "-", lower, "CL-0000000000000000", &long, "a\0b", "a\u{202e}b"] {
            let raw = json!(text).to_string();
            self.note(place, &raw, Refusal::Unknown(place.pointer.clone()));
        }
    }

    fn choice(&mut self, words: &[String], place: &Place) {
        let first = &words[0];
        for text in ["", "nonsense", &first.to_uppercase(), &format!("{first} ")] {
            self.blame(place, &json!(text));
        }
    }

    fn text(&mut self, least: usize, most: Option<usize>, kind: TextKind, place: &Place) {
        let most = most.expect("a bound");
        let mut texts: Vec<String> = FORBIDDEN.iter().map(|c| format!("a{c}b")).collect();
        if least > 0 {
            texts.extend((0..least).map(|length| "x".repeat(length)));
            texts.extend(SHOWING_NOTHING.map(ToOwned::to_owned));
        }
        if kind == TextKind::Email {
            texts.push(format!("{}@example.com", "x".repeat(most)));
            // What only looks an address up takes those, too, that older rules let in.
            let looks_up = LOOK_UPS.contains(&self.request.path.as_str());
            let known = |text: &&str| looks_up && as_stored(|| EmailAddress::try_from((*text).to_owned())).is_ok();
            texts.extend(NO_ADDRESSES.into_iter().filter(|text| !known(text)).map(ToOwned::to_owned));
        } else {
            texts.extend(["x", "é"].map(|x| x.repeat(most + 1)));
        }
        for text in texts {
            self.blame(place, &json!(text));
        }
        self.note(place, r#""\ud800""#, Refusal::MALFORMED);
    }

    /// A password may contain any character; one that is too short is refused as weak.
    fn secret(&mut self, least: usize, most: Option<usize>, place: &Place) {
        let most = most.expect("a bound");
        for length in 0..least {
            let weak = Refusal::Field("weak_password", place.pointer.clone());
            self.note(place, &json!("x".repeat(length)).to_string(), weak);
        }
        for long in ["x", "é"].map(|x| x.repeat(most + 1)) {
            self.blame(place, &json!(long));
        }
        self.note(place, r#""\ud800""#, Refusal::MALFORMED);
    }

    fn whole(&mut self, least: i64, most: i64, place: &Place) {
        for raw in [
            (least - 1).to_string().as_str(),
            (most + 1).to_string().as_str(),
            "-1",
            "1.5",
            "9223372036854775808",
            "18446744073709551616",
            "-9223372036854775809",
            "1e300",
            "1e400",
            "\"1\"",
        ] {
            self.note(place, raw, Refusal::field(&place.pointer));
        }
        for raw in ["01", "+1", "0x1", "NaN", "1_000"] {
            self.note(place, raw, Refusal::MALFORMED);
        }
    }

    fn list(&mut self, items: &Schema, least: usize, most: Option<usize>, place: &Place) {
        let several = |count| Value::Array(vec![items.example(); count]);
        if let Some(most) = most {
            self.blame(place, &several(most + 1));
        }
        if least > 0 {
            self.blame(place, &several(least - 1));
        }
        self.value(items, &place.filled(&several(1)).below("0"));
    }

    fn object(&mut self, members: &[Member], place: &Place) {
        let place = place.filled(&example(members));
        let here = place.body.pointer(&place.pointer).and_then(Value::as_object);
        let here = here.expect("an object");
        let own = place.pointer.rsplit('/').next().unwrap_or_default();
        let capital = members[0].name.to_uppercase();
        let asked = format!("{} {}", self.request.method, self.request.path);
        let of_program = OF_PROGRAMS.contains(&asked.as_str());
        for unknown in ["colour", "a/b~c", "a`b", "", "__proto__", &capital, own] {
            if members.iter().all(|member| member.name != unknown) {
                let mut more = here.clone();
                // What is ignored may be a number that could not be kept exactly, too.
                let (value, refusal) = if of_program {
                    (json!(9_007_199_254_740_993_u64), Refusal::Ignored)
                } else {
                    (json!(1), Refusal::field(place.below(unknown).pointer))
                };
                more.insert(unknown.to_owned(), value);
                self.note(&place, &Value::Object(more).to_string(), refusal);
            }
        }
        if let Some((name, value)) = here.iter().next() {
            let twice = format!("{{{0}:{value},{0}:{value}}}", json!(name));
            self.note(&place, &twice, Refusal::MALFORMED);
        }
        for member in members {
            let below = place.below(&member.name);
            if member.required {
                let mut less = here.clone();
                less.remove(&member.name);
                let refusal = Refusal::field(&below.pointer);
                self.note(&place, &Value::Object(less).to_string(), refusal);
            }
            self.value(&member.schema, &below);
        }
    }

    fn metadata(&mut self, place: &Place) {
        let nested = |levels| (0..levels).fold(json!(1), |inner, _| json!({"a": [inner]}));
        let here = |below: &str| format!("{}{below}", place.pointer);
        for (value, code, pointer) in [
            (nested(20), "invalid_fields", here("")),
            (json!({"a": {"b": ["c", "\u{202e}"]}}), "invalid_fields", here("/a/b/1")),
            (json!({"a/b~": "\u{7}"}), "invalid_fields", here("/a~1b~0")),
            (json!({"a\0": 1}), "invalid_fields", here("")),
            (json!({"a": {"\u{2066}": 1}}), "invalid_fields", here("/a")),
            (json!({"password": "x"}), "sensitive_metadata", here("/password")),
            (json!({"a": [{"API key": 1}]}), "sensitive_metadata", here("/a/0/API key")),
            (json!({"cardCvv2": 1}), "sensitive_metadata", here("/cardCvv2")),
            (json!({"a": ["4111 1111 1111 1111"]}), "sensitive_metadata", here("/a/0")),
            (json!({"a": 378_282_246_310_005_u64}), "sensitive_metadata", here("/a")),
            (json!({"a": "x\u{2028}"}), "invalid_fields", here("/a")),
            (json!({"a": 9_007_199_254_740_993_u64}), "invalid_fields", here("/a")),
            (json!({"a": "x".repeat(16 * 1024)}), "metadata_too_large", here("")),
        ] {
            self.note(place, &value.to_string(), Refusal::Field(code, pointer));
        }
        for raw in [r#"{"a":[98765432109876543210]}"#, r#"{"a":[0.12345678901234567890]}"#, r#"{"a":[1e400]}"#] {
            self.note(place, raw, Refusal::field(here("/a/0")));
        }
        for raw in [r#"{"a":{"b":1,"b":1}}"#, r#"{"a":"\ud800"}"#] {
            self.note(place, raw, Refusal::MALFORMED);
        }
    }
}
