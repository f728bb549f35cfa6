//! docs/rules.md: every rule names a test that exists, and every rule that is cited anywhere exists.

use std::collections::BTreeSet;

use super::tidy::{files, root};

fn rules() -> String {
    std::fs::read_to_string(root().join("docs/rules.md")).unwrap()
}

/// The ids of the rules that the document defines, each at the beginning of an item: `- **A1.** …`.
fn defined(rules: &str) -> BTreeSet<&str> {
    let items = rules.lines().filter_map(|line| line.strip_prefix("- **"));
    items.filter_map(|item| item.split(".**").next()).collect()
}

/// The tests that the document names as `path.rs: function`, as pairs; the path loses `.rs`.
fn cited_tests(rules: &str) -> Vec<(&str, &str)> {
    rules.split('`').skip(1).step_by(2).filter_map(|quoted| quoted.split_once(".rs: ")).collect()
}

/// The text of a file as one line without comment marks, so that a citation may be wrapped.
fn unwrapped(text: &str) -> String {
    let bare = text.lines().map(|line| line.trim().trim_start_matches(['/', '!', '#']).trim());
    bare.collect::<Vec<_>>().join(" ")
}

/// The rule id that `text` begins with: a letter and one or two digits.
fn id(text: &str) -> Option<&str> {
    let digits = text.get(1..)?.bytes().take_while(u8::is_ascii_digit).count();
    let letter = text.starts_with(|c: char| c.is_ascii_uppercase());
    (letter && (1..=2).contains(&digits)).then(|| &text[..=digits])
}

/// The ids of the rules that a text cites: `rule A1`, `rules A11, B13`, `rules B5–B8`.
fn cited(text: &str) -> BTreeSet<String> {
    let mut ids = BTreeSet::new();
    for word in ["rule ", "rules "] {
        for (at, _) in text.match_indices(word) {
            if text[..at].ends_with(|c: char| c.is_alphanumeric()) {
                continue;
            }
            let mut rest = &text[at + word.len()..];
            while let Some(found) = id(rest) {
                ids.insert(found.to_owned());
                rest = &rest[found.len()..];
                let next = ["–", ", and ", ", ", " and ", " or "].iter().find_map(|between| rest.strip_prefix(between));
                let Some(next) = next else { break };
                rest = next;
            }
        }
    }
    ids
}

#[test]
fn every_rule_is_shown_by_a_test() {
    let rules = rules();
    let mut missing = Vec::new();
    for (path, test) in cited_tests(&rules) {
        let text = std::fs::read_to_string(root().join(format!("{path}.rs"))).unwrap_or_default();
        if !text.contains(&format!("fn {test}(")) {
            missing.push(format!("{path}.rs has no {test}"));
        }
    }
    assert!(missing.is_empty(), "\n{}", missing.join("\n"));
    let silent: Vec<&str> = parts(&rules).into_iter().filter(|part| !part.contains(".rs: ")).collect();
    assert!(silent.is_empty(), "no test is named by {silent:?}");
}

/// The text of each rule, and of each section that has no numbered rules.
fn parts(rules: &str) -> Vec<&str> {
    let sections = rules.split("\n## ").skip(1);
    let parts = sections.flat_map(|section| match section.split_once("\n- **") {
        Some((_, items)) => items.split("\n- **").collect(),
        None => vec![section],
    });
    parts.collect()
}

#[test]
fn every_rule_that_is_cited_is_there() {
    let rules = rules();
    let defined = defined(&rules);
    assert!(defined.len() > 20, "{defined:?}");
    let mut unknown = Vec::new();
    for name in files().iter().filter(|name| !name.ends_with("house/rules.rs")) {
        let Ok(text) = std::fs::read_to_string(root().join(name)) else { continue };
        let strange = cited(&unwrapped(&text)).into_iter().filter(|id| !defined.contains(id.as_str()));
        unknown.extend(strange.map(|id| format!("{name}: rule {id}")));
    }
    assert!(unknown.is_empty(), "\n{}", unknown.join("\n"));
}

#[test]
fn citations_are_found() {
    let of = |text: &str| cited(&unwrapped(text)).into_iter().collect::<Vec<_>>().join(" ");
    assert_eq!(of("/// As it says (rules A2, A4,\n/// A6–A8 and B1)."), "A2 A4 A6 A8 B1");
    assert_eq!(of("//! Lists: rule A5, and docs/rules.md. A rule of A1's."), "A5");
    assert_eq!(of("# the rule D12"), "D12");
    assert_eq!(of("the rule A, rule A123"), "");
}

#[test]
fn no_document_is_cited_that_is_not_here() {
    let mut found = Vec::new();
    for name in files().iter().filter(|name| !name.ends_with("house/rules.rs") && *name != "CHANGELOG.md") {
        let Ok(text) = std::fs::read_to_string(root().join(name)) else { continue };
        for (number, line) in text.lines().enumerate() {
            let mut words = line.split(|c: char| !c.is_alphanumeric() && c != '_');
            if words.any(|word| word == "SPEC" || word == "DESIGN") {
                found.push(format!("{name}:{}", number + 1));
            }
        }
    }
    assert!(found.is_empty(), "rules are in docs/rules.md, decisions in docs/adr:\n{}", found.join("\n"));
}
