//! Producers, rules, consumers and docs/events.md agree on the events there are.

use std::fmt::Write as _;

use purser_api::Entry;
use purser_domain::event::{Event, EventName};
use purser_lambda::functions;
use purser_local::template::{EventSpec, Template};
use purser_tests::lambda::bus_event;
use purser_tests::prelude::*;
use strum::VariantArray;

const TEMPLATE: &str = include_str!("../../../template.yaml");
const EVENTS: &str = include_str!("../../../shared/domain/src/event/mod.rs");
const DOCUMENT: &str = "docs/events.md";
/// The line in the document before the part that is made from the code.
const MARK: &str = "<!-- From here on made of shared/domain/src/event/mod.rs. -->\n";

/// The events in a function's rules on Purser's bus.
fn ruled(events: &[EventSpec]) -> BTreeSet<String> {
    let patterns = events.iter().filter_map(|event| match event {
        EventSpec::EventBridgeRule { pattern, bus: Some(_) } => Some(pattern),
        _ => None,
    });
    let names = patterns.flat_map(|pattern| {
        assert_eq!(pattern["source"], json!(["purser"]));
        pattern["detail-type"].as_array().expect("a list of names")
    });
    names.map(|name| name.as_str().expect("a name").to_owned()).collect()
}

#[test]
fn rule_of_consumer_names_the_events_it_takes() {
    let template = Template::parse(TEMPLATE).unwrap();
    for spec in template.functions {
        let ruled = ruled(&spec.events);
        for name in &ruled {
            assert!(name.parse::<EventName>().is_ok(), "{}: no event is called {name}", spec.handler);
        }
        let takes = purser_lambda::function(&spec.handler).unwrap().takes;
        let takes: BTreeSet<String> = takes.iter().map(ToString::to_string).collect();
        assert_eq!(ruled, takes, "{}: its rule in template.yaml, and its TAKES", spec.handler);
    }
}

/// An event about nobody there is.
fn sample(name: EventName) -> Value {
    let from_to = match name {
        EventName::LicenceTransferred => ["CL-0000000000000000", "CL-1111111111111111"],
        EventName::ClientTransferred | EventName::CreditsTransferredIn | EventName::CreditsTransferredOut => {
            ["RS-0000000000000000", "RS-1111111111111111"]
        }
        _ => ["pending", "active"],
    };
    let detail = json!({
        "id": format!("sample:1:{name}"), "origin": "api", "client": "CL-0000000000000000", "tier": "gold",
        "reseller": "RS-0000000000000000", "status": "active", "from": from_to[0], "to": from_to[1], "amount": 1,
        "balance": 1, "threshold": 2, "sequence": 1, "cost": 1, "provision": "PV-0000000000000000", "clients": [],
        "licence": "LI-0000000000000000", "product": "PROD-001", "user": "US-0000000000000000", "on": true,
        "login": "0000", "request": "0000", "key": "AK-0000000000000000", "by": "operator",
        "expires_at": "2027-01-01T00:00:00Z", "days": 7, "activation": "AC-0000000000000000", "why": "program",
        "owner": "US-0000000000000000",
    });
    assert_eq!(Event::read(name.into_str(), &detail).map(|it| it.name()), Ok(name));
    detail
}

#[tokio::test]
async fn consumer_refuses_the_events_it_does_not_take() {
    let world = World::with(None, &[("PURSER_AUTO_BIND_USER", "true")]).await;
    for function in functions().filter(|it| !it.takes.is_empty()) {
        let Entry::Event(run) = function.entry else {
            panic!("{} takes events", function.name);
        };
        for name in EventName::VARIANTS {
            let app = world.system().apps().of(function.name).unwrap().clone();
            let done = run(app, bus_event(name.into_str(), &sample(*name))).await;
            let refused = done.is_err_and(|reason| reason.contains("does not handle"));
            assert_eq!(refused, !function.takes.contains(name), "{} and {name}", function.name);
        }
    }
}

/// An event in the enum's source: name, meaning, and members (name, type, meaning).
#[derive(Default)]
struct Described {
    name: String,
    meaning: String,
    members: Vec<[String; 3]>,
}

/// The variants of the enum. Rustfmt formats it, so each line holds one thing.
fn variants() -> Vec<Described> {
    let (_, source) = EVENTS.split_once("pub enum Event {\n").expect("the enum");
    let (source, _) = source.split_once("\n}\n").expect("its end");
    let (mut variants, mut doc) = (Vec::<Described>::new(), Vec::new());
    for line in source.lines().map(str::trim) {
        if let Some(text) = line.strip_prefix("/// ") {
            doc.push(text);
        } else if line == "#[serde(flatten)]" {
        } else if line == "about: AboutLicence," {
            variants.last_mut().expect("an event").members.extend(about_licence());
        } else if let Some(name) = line.strip_suffix(" {") {
            let meaning = std::mem::take(&mut doc).join("\n");
            variants.push(Described { name: name.to_owned(), meaning, members: Vec::new() });
        } else if let Some((member, kind)) = line.strip_suffix(',').and_then(|line| line.split_once(": ")) {
            let variant = variants.last_mut().expect("a member of an event");
            variant.members.push([member.to_owned(), in_words(kind), std::mem::take(&mut doc).join(" ")]);
        } else {
            assert_eq!(line, "},", "a line of the enum that this test can't read");
        }
    }
    variants
}

/// The members of every event about a licence.
fn about_licence() -> Vec<[String; 3]> {
    let (_, source) = EVENTS.split_once("pub struct AboutLicence {\n").expect("the struct");
    let (source, _) = source.split_once("\n}\n").expect("its end");
    let lines: Vec<&str> = source.lines().map(str::trim).collect();
    let member = |lines: &[&str]| {
        let doc = lines[0].strip_prefix("/// ").expect("a comment").to_owned();
        let (name, kind) =
            lines[1].trim_start_matches("pub ").trim_end_matches(',').split_once(": ").expect("a member");
        [name.to_owned(), in_words(kind), doc]
    };
    lines.chunks(2).map(member).collect()
}

/// A type in words, for a reader of JSON.
fn in_words(kind: &str) -> String {
    let inside = |wrapper: &str| kind.strip_prefix(wrapper)?.strip_suffix('>').map(in_words);
    if let Some(kind) = inside("Option<") {
        return format!("{kind}, or null");
    }
    if let Some(kind) = inside("Vec<") {
        return format!("list, each: {kind}");
    }
    let words = match kind {
        "ClientRefid" => "refid of a client",
        "ResellerRefid" => "refid of a reseller",
        "ApiKeyRefid" => "refid of an API key",
        "KeyOwner" => "refid of a user or an API key, or `operator`",
        "UserRefid" => "refid of a user",
        "LicenceRefid" => "refid of a licence",
        "ActivationRefid" => "refid of an activation",
        "EndReason" => "`program`, `vendor`, `replaced` or `lapsed`",
        "EntryRefid" => "refid of a provision",
        "ProductReference" => "reference of a product",
        "ClientStatus" => "`pending`, `active`, `suspended` or `inactive`",
        "ResellerStatus" => "`pending`, `active` or `suspended`",
        "Tier" => "`standard`, `gold` or `platinum`",
        "Credits" => "whole number of credits",
        "Suspender" => "`operator`, `reseller` or `system`",
        "Time" => "time, RFC 3339",
        "u64" | "u32" => "whole number",
        "bool" => "`true` or `false`",
        "String" => "text",
        _ => panic!("say here, in words, what {kind} is on the bus"),
    };
    words.to_owned()
}

/// The part of the document made from the code.
fn described() -> String {
    let mut text = String::new();
    for Described { name, meaning, members } in variants() {
        let known: EventName = name.parse().unwrap();
        let takers = functions().filter(|it| it.takes.contains(&known)).map(|it| format!("`{}`", it.name));
        let takers = takers.collect::<Vec<_>>().join(", ");
        let takers = if takers.is_empty() { "no function".to_owned() } else { takers };
        write!(text, "\n## {name}\n\n{meaning}\nTaken by: {takers}.\n\n").unwrap();
        text.push_str("| member | type | meaning |\n|---|---|---|\n");
        for [member, kind, meaning] in members {
            writeln!(text, "| `{member}` | {kind} | {meaning} |").unwrap();
        }
    }
    text
}

#[test]
fn document_describes_every_event() {
    let path = format!("{}/../../{DOCUMENT}", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(&path).unwrap();
    let (introduction, tables) = text.split_once(MARK).expect("the mark");
    if std::env::var_os("UPDATE_EVENTS").is_some() {
        std::fs::write(path, format!("{introduction}{MARK}{}", described())).unwrap();
        return;
    }
    assert_eq!(
        tables,
        described(),
        "{DOCUMENT} is behind the code; write it anew with\n\
         UPDATE_EVENTS=1 cargo test --workspace --test it document_describes_every_event"
    );
}
