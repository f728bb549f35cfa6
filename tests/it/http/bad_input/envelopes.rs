//! What can be wrong with a request apart from its fields: a body that is not JSON, its content type, headers, paths.
//!
//! Invariant: the path is judged first, then the idempotency key, then the body.

use super::{Fault, Refusal, Subject};
use crate::http::operations::{Request, Sample, WELL, variants};

/// More than any body may have.
const SEVEN_MEGABYTES: usize = 7 * 1024 * 1024;

/// Variants of the request, each with a body that is not JSON, is too large, or is not declared as JSON.
pub fn no_json(subject: &Subject<'_>) -> Vec<Fault> {
    let request = subject.request();
    if subject.operation.body.is_none() {
        return Vec::new();
    }
    let sample = request.body.clone().expect("a body in the case");
    let text = String::from_utf8(sample.clone()).expect("UTF-8");
    let deep = |open: &str, close: &str| format!("{}1{}", open.repeat(5_000), close.repeat(5_000));
    let bytes: [(&str, Vec<u8>); 13] = [
        ("white space", b" \r\n\t".to_vec()),
        ("half an object", b"{".to_vec()),
        ("the object twice", format!("{text}{text}").into()),
        ("a comma too many", format!("{},}}", &text[..text.len() - 1]).into()),
        ("a comment", format!("{text}// x").into()),
        ("single quotes", text.replace('"', "'").into()),
        ("a byte order mark", format!("\u{feff}{text}").into()),
        ("another encoding", text.encode_utf16().flat_map(u16::to_be_bytes).collect()),
        ("broken UTF-8", text.replace(':', ":\"\u{0}\",").bytes().map(|b| b.max(1) | 0x80).collect()),
        ("a broken character", [b"{\"name\":\"".as_slice(), b"\xc3\x28\"}"].concat()),
        ("a form", b"name=x".to_vec()),
        ("5,000 arrays", deep("[", "]").into()),
        ("5,000 objects", deep("{\"metadata\":", "}").into()),
    ];
    let mut faults: Vec<Fault> = bytes
        .into_iter()
        .map(|(what, body)| {
            let request = request.clone().with_body(body);
            Fault::new(format!("with {what}"), request, Refusal::MALFORMED)
        })
        .collect();
    if subject.operation.needs_body {
        let mut none = request.clone();
        none.body = None;
        faults.push(Fault::new("without a body", none, Refusal::MALFORMED));
        let nothing = request.clone().with_body(Vec::new());
        faults.push(Fault::new("with an empty body", nothing, Refusal::MALFORMED));
    }
    let too_large = Refusal::Is(413, "payload_too_large");
    for padding in [512 * 1024, SEVEN_MEGABYTES] {
        let mut body = sample.clone();
        body.resize(body.len() + padding, b' ');
        let what = format!("with {padding} bytes more");
        faults.push(Fault::new(what, request.clone().with_body(body), too_large.clone()));
    }
    let untyped = request.clone().without_header("content-type");
    let unsupported = Refusal::Is(415, "unsupported_media_type");
    for media in ["", "text/plain", "application/x-www-form-urlencoded", "application/jsonp", "json"] {
        let request = untyped.clone().with_header("content-type", media);
        faults.push(Fault::new(format!("with the content type {media:?}"), request, unsupported.clone()));
    }
    faults.push(Fault::new("without a content type", untyped, unsupported.clone()));
    for encoding in ["gzip", "br", "GZIP", "identity, gzip", "x"] {
        let request = request.clone().with_header("content-encoding", encoding);
        faults.push(Fault::new(format!("with the encoding {encoding}"), request, unsupported.clone()));
    }
    faults
}

/// An action needs no body; one that is sent must be an object without members.
pub fn no_empty_body(subject: &Subject<'_>) -> Vec<Fault> {
    let operation = subject.operation;
    if operation.body.is_some() || operation.takes_picture || operation.method == "GET" {
        return Vec::new();
    }
    let with = |body: &str| subject.request().with_body(body).with_header("content-type", "application/json");
    let bodies = [
        ("{broken", Refusal::MALFORMED),
        ("{}}", Refusal::MALFORMED),
        ("[]", Refusal::field("")),
        ("null", Refusal::field("")),
        (r#"{"force":true}"#, Refusal::field("/force")),
        (r#"{"a/b":null}"#, Refusal::field("/a~1b")),
    ];
    let mut faults: Vec<Fault> = bodies
        .into_iter()
        .map(|(body, refusal)| Fault::new(format!("with the body {body}"), with(body), refusal))
        .collect();
    let unsupported = Refusal::Is(415, "unsupported_media_type");
    let plain = with("{}").without_header("content-type").with_header("content-type", "text/plain");
    faults.push(Fault::new("with plain text", plain, unsupported.clone()));
    faults.push(Fault::new("compressed", with("{}").with_header("content-encoding", "gzip"), unsupported));
    faults
}

pub fn no_picture(subject: &Subject<'_>) -> Vec<Fault> {
    let request = subject.request();
    if !subject.operation.takes_picture {
        return Vec::new();
    }
    let picture = request.body.clone().expect("a picture in the case");
    let no_image = Refusal::Is(422, "invalid_image");
    let half = picture[..picture.len() / 2].to_vec();
    let mut faults: Vec<Fault> = [
        ("nothing", Vec::new()),
        ("text", b"hello".to_vec()),
        ("half a picture", half),
        ("an SVG image", b"<svg xmlns='http://www.w3.org/2000/svg'/>".to_vec()),
    ]
    .into_iter()
    .map(|(what, body)| {
        let request = request.clone().with_body(body);
        Fault::new(format!("with {what}"), request, no_image.clone())
    })
    .collect();
    let too_large = Refusal::Is(413, "payload_too_large");
    let large = request.clone().with_body(vec![0; 5 * 1024 * 1024]);
    faults.push(Fault::new("with 5 MiB", large, too_large));
    let untyped = request.clone().without_header("content-type");
    let unsupported = Refusal::Is(415, "unsupported_media_type");
    for media in ["", "application/json", "text/plain", "image", "video/mp4"] {
        let request = untyped.clone().with_header("content-type", media);
        faults.push(Fault::new(format!("with the content type {media:?}"), request, unsupported.clone()));
    }
    faults.push(Fault::new("without a content type", untyped, unsupported.clone()));
    let compressed = request.with_header("content-encoding", "gzip");
    faults.push(Fault::new("compressed", compressed, unsupported));
    faults
}

/// Ids that can't exist, as they would be written in a path.
const NO_IDS: [&str; 26] = [
    "x",
    "-",
    "~",
    "...",
    "CL-",
    "cl-0000000000000000",
    "CL-000000000000000",
    "CL-00000000000000000",
    "CL-000000000000000I",
    "AK-0000000000000000.x",
    "0",
    "",
    "%00",
    "%0A",
    "%2F",
    "%5C",
    "%FF",
    "%E2%80%AE",
    "a%20b",
    "%F0%9F%91%A9",
    "a;b",
    "a:b",
    "*",
    "@",
    "$",
    "a,b",
];

/// The request with impossible ids in its path. They are answered like unknown ids, whatever else is wrong.
pub fn bad_paths(subject: &Subject<'_>) -> Vec<Fault> {
    if subject.sample.at.is_empty() {
        return Vec::new();
    }
    let at = |id: &str| {
        let at = subject.sample.at.iter().map(|_| id.to_owned()).collect();
        let sample = subject.sample.clone();
        Sample { at, ..sample }.request(subject.operation, "k")
    };
    let long = "A".repeat(3_000);
    let alone = NO_IDS.into_iter().chain([long.as_str()]);
    let mut requests: Vec<_> = alone.map(|id| (id, WELL, at(id))).collect();
    for id in ["CL-0000000000000000", "x"] {
        let spoilt = variants(subject.operation, &at(id)).into_iter();
        requests.extend(spoilt.map(|(what, request)| (id, what, request)));
    }
    let fault = |(id, what, request): (&str, &str, Request)| {
        let not_found = Refusal::Is(404, "not_found");
        Fault::new(format!("at {id:.60?} {what}"), request, not_found)
    };
    requests.into_iter().map(fault).collect()
}

pub fn bad_headers(subject: &Subject<'_>) -> Vec<Fault> {
    let (operation, request) = (subject.operation, subject.request());
    let mut faults = Vec::new();
    if let Some(header) = operation.header("Idempotency-Key") {
        let name = "idempotency-key";
        let keyless = request.clone().without_header(name);
        let long = "x".repeat(256);
        for key in ["", " ", "a b", "a\tb", "é", "\u{202e}", "\u{200b}", &long] {
            let request = keyless.clone().with_header(name, key);
            faults.push(Fault::new(format!("with the key {key:?}"), request, Refusal::MALFORMED));
        }
        for second in ["a", "b"] {
            let request = keyless.clone().with_header(name, "a").with_header(name, second);
            faults.push(Fault::new("with two keys", request, Refusal::MALFORMED));
        }
        if header.required {
            let missing = Refusal::Is(400, "idempotency_key_required");
            faults.push(Fault::new("without a key", keyless.clone(), missing.clone()));
            let worse = keyless.with_body("{").without_header("content-type");
            faults.push(Fault::new("without a key and with half a body", worse, missing));
        }
    }
    if operation.header("If-Match").is_some() {
        for tag in ["", "\"0\"", "\"77\"", "1", "W/\"1\"", "é", "\"1", "\"1\"\"1\""] {
            let request = request.clone().with_header("if-match", tag);
            let refusal = Refusal::Is(412, "version_mismatch");
            faults.push(Fault::new(format!("with If-Match {tag:?}"), request, refusal));
        }
    }
    faults
}
