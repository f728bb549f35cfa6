//! The README's walk-through, run as it is written.

use std::process::Command;

use purser_tests::World;

const README: &str = include_str!("../../../README.md");

/// The shell blocks between the two marks of the walk-through.
fn script() -> String {
    let walk = README.split("<!-- walk -->").nth(1).expect("the README has a walk-through");
    let blocks = walk.split("```sh\n").skip(1).filter_map(|rest| rest.split("```").next());
    format!("set -euo pipefail\n{}", blocks.collect::<Vec<_>>().join("\n"))
}

#[tokio::test(flavor = "multi_thread")]
async fn the_walk_through_does_what_it_says() {
    let world = World::new().await;
    let url = world.system().url();
    let script = script().replace("http://127.0.0.1:3000", &url);
    let key = world.operator.key().unwrap().to_owned();
    let run = tokio::task::spawn_blocking(move || {
        Command::new("bash").args(["-c", &script]).env("PURSER_OPERATOR_KEY", key).output().expect("bash runs")
    });
    let output = run.await.unwrap();
    let (said, errors) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{said}\n{errors}");

    let lines: Vec<serde_json::Value> = said.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    let find = |member: &str| lines.iter().filter(|line| line[member].is_number()).collect::<Vec<_>>();
    let provisions = find("cost");
    assert_eq!((provisions[0]["cost"].as_u64(), provisions[0]["balance"].as_u64()), (Some(490), Some(510)), "{said}");
    assert_eq!(provisions[0]["licences"].as_array().map(Vec::len), Some(1));
    assert_eq!((provisions[1]["cost"].as_u64(), provisions[1]["balance"].as_u64()), (Some(20), Some(490)));
    let low = world.mails().await;
    let low: Vec<_> = low.iter().filter(|mail| mail["subject"].as_str().unwrap().contains("credit")).collect();
    assert_eq!(low.len(), 1, "one crossing must send one e-mail: {low:?}");
    let events = world.events().await;
    let crossings = events.iter().filter(|event| event["detail-type"] == "CreditsRanLow").count();
    assert_eq!(crossings, 1);
}
