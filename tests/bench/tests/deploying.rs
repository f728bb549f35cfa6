//! docs/deploying.md is up to date: it quotes the costs, and explains every parameter and every alarm.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::collections::BTreeSet;
use std::path::Path;

use purser_bench::costs;
use purser_local::template::json;
use serde_json::Value;

fn document() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/deploying.md");
    std::fs::read_to_string(path).unwrap()
}

fn template() -> Value {
    json(include_str!("../../../template.yaml")).unwrap()
}

#[tokio::test]
async fn the_document_quotes_what_is_printed() {
    let document = document();
    let report = costs::report().await;
    assert_eq!(
        costs::quoting(&document, &report).as_ref(),
        Some(&document),
        "`make costs FILE=docs/deploying.md` updates the document"
    );
}

#[test]
fn every_parameter_is_explained_and_no_other() {
    let (document, template) = (document(), template());
    let parameters = template["Parameters"].as_object().unwrap();
    let parameters: BTreeSet<&str> = parameters.keys().map(String::as_str).collect();
    let section = document.split("\n## Parameters\n").nth(1).unwrap();
    let section = section.split("\n## ").next().unwrap();
    let rows = section.lines().filter_map(|line| line.strip_prefix("| `"));
    let names = rows.map(|row| row.split(" |").next().unwrap());
    let names = names.map(|names| names.trim_end_matches('`'));
    let explained: BTreeSet<&str> = names.flat_map(|names| names.split("`, `")).collect();
    assert_eq!(explained, parameters);
}

#[test]
fn every_alarm_has_an_answer() {
    let (document, template) = (document(), template());
    let resources = template["Resources"].as_object().unwrap().iter();
    let alarms = resources.filter(|(_, it)| it["Type"] == "AWS::CloudWatch::Alarm");
    let alarms: BTreeSet<&str> = alarms.map(|(name, _)| name.as_str()).collect();
    let answers = document.lines().filter_map(|line| line.strip_prefix("- `"));
    let answered = answers.map(|line| line.split("`:").next().unwrap());
    let answered: BTreeSet<&str> = answered.flat_map(|names| names.split("`, `")).collect();
    assert_eq!(answered, alarms);
}
