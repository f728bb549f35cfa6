//! Tests of `accounts` and `delete-accounts` (rule D6).

use std::process::Stdio;

use purser_tests::prelude::*;
use tokio::io::AsyncWriteExt;
use tokio::process::Command;

use super::{Said, against, run};

const NOTHING: &str = "Nothing was deleted\n";

/// A world with two unconfirmed and two dormant users, and the saved list of them.
struct Saved {
    world: World,
    dormant: [purser_tests::people::Person; 2],
    _folder: tempfile::TempDir,
    file: String,
}

impl Saved {
    async fn new() -> Self {
        let (world, folder) = (World::new().await, tempfile::tempdir().unwrap());
        let dormant = [world.person().await, world.person().await];
        for email in ["one@example.com", "two@example.com"] {
            world.register(email).await;
        }
        world.system().settle().await;
        let later = json!({"advance": "P731D"});
        let _turned = world.nobody().post("/_local/clock", &later).await.expect(200);
        let file = folder.path().join("accounts.jsonl");
        let file = file.to_str().unwrap().to_owned();
        let said = against(&world, &["accounts", "--save", &file]).await;
        let (counts, since) = said.out.split_once("; the longest since ").unwrap();
        assert_eq!((said.status, said.err.as_str()), (0, ""));
        assert_eq!(counts, format!("{file}: 4 accounts, 2 unconfirmed and 2 dormant"));
        assert_eq!(since.len(), "2026-01-31\n".len(), "{since}");
        Self { world, dormant, _folder: folder, file }
    }

    fn lines(&self) -> Vec<Value> {
        let text = std::fs::read_to_string(&self.file).unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    async fn delete(&self, more: &[&str]) -> Said {
        let mut arguments = vec!["delete-accounts", self.file.as_str()];
        arguments.extend(more);
        against(&self.world, &arguments).await
    }

    /// Runs `delete-accounts`, and types `answer` at its question.
    async fn answering(&self, answer: &str) -> Said {
        let url = self.world.system().url();
        let mut command = Command::new(env!("CARGO_BIN_EXE_purser-operator"));
        command.args(["delete-accounts", "--url", &url, &self.file]);
        command.env("NO_PROXY", "127.0.0.1");
        command.env("PURSER_OPERATOR_KEY", self.world.operator.key().unwrap());
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        stdin.write_all(answer.as_bytes()).await.unwrap();
        drop(stdin);
        let output = child.wait_with_output().await.unwrap();
        Said {
            status: output.status.code().unwrap(),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }

    fn users(&self) -> usize {
        self.world.count_of_kind("user")
    }
}

#[tokio::test]
async fn what_is_listed_is_saved_and_deleted_when_somebody_says_yes() {
    let saved = Saved::new().await;
    let lines = saved.lines();
    assert_eq!(lines.len(), 4);
    for line in &lines {
        let members: Vec<&String> = line.as_object().unwrap().keys().collect();
        assert_eq!(members, ["reason", "refid", "since", "version"], "and nobody's address");
    }
    for no in ["", "no\n", "y\n"] {
        let said = saved.answering(no).await;
        assert_eq!((said.status, saved.users()), (1, 4), "{said:?}");
        assert!(
            said.out.starts_with("About to delete permanently at http://127.0.0.1:") && said.out.ends_with(NOTHING),
            "{said:?}"
        );
        assert_eq!(said.err, "Type yes to continue: ");
    }
    let said = saved.answering("yes\n").await;
    assert_eq!((said.status, saved.users()), (0, 0), "{said:?}");
    assert!(said.out.ends_with("\n4 accounts deleted\n"), "{said:?}");
    let said = saved.delete(&["--yes"]).await;
    assert_eq!((said.status, said.err.as_str()), (0, ""), "{said:?}");
    assert!(said.out.ends_with("\n4 accounts already gone\n"), "{said:?}");
    let said = against(&saved.world, &["accounts", "--save", &saved.file]).await;
    assert_eq!((said.status, said.out), (0, format!("{}: 0 accounts\n", saved.file)));
    assert_eq!(saved.delete(&[]).await.status, 0, "nothing is asked about nothing");
}

#[tokio::test]
async fn who_came_back_or_is_bound_by_now_stays_and_is_counted() {
    let saved = Saved::new().await;
    let world = &saved.world;
    let [back, bound] = &saved.dormant;
    let _back = world.sign_in(&back.email, PASSWORD).await;
    let mut client = world.new_client();
    client["user"] = json!(bound.refid);
    let _client = world.operator.post("/v1/clients", &client).await.expect(201);
    // Update the version in the list, as if the list had been saved after the user was bound.
    let mut lines = saved.lines();
    for line in &mut lines {
        if line["refid"] == bound.refid {
            let user = world.operator.get(&format!("/v1/users/{}", bound.refid)).await;
            line["version"] = user.expect(200).json["version"].clone();
        }
    }
    let text: Vec<String> = lines.iter().map(ToString::to_string).collect();
    std::fs::write(&saved.file, text.join("\n")).unwrap();
    let said = saved.delete(&["--yes"]).await;
    let expected = "\n2 accounts deleted\n1 account changed since, and kept\n1 account in use, and kept\n";
    assert_eq!((said.status, said.err.as_str(), saved.users()), (1, "", 2), "{said:?}");
    assert!(said.out.ends_with(expected), "{said:?}");
}

#[tokio::test]
async fn what_can_not_be_done_is_told_and_deletes_nothing() {
    let saved = Saved::new().await;
    let url = saved.world.system().url();
    let with_key = ["delete-accounts", "--url", &url, &saved.file, "--yes"];
    for key in [None, Some("wrong")] {
        let said = run(key, &with_key).await;
        assert_eq!((said.status, saved.users()), (2, 4), "{said:?}");
        assert!(said.err.contains("PURSER_OPERATOR_KEY"), "{said:?}");
    }
    let good = std::fs::read_to_string(&saved.file).unwrap();
    for bad in ["{\"refid\": \"US-1\"}", "US-0123456789ABCDEF"] {
        std::fs::write(&saved.file, format!("{good}{bad}\n")).unwrap();
        let said = saved.delete(&["--yes"]).await;
        assert_eq!((said.status, said.out.as_str(), saved.users()), (2, "", 4), "{said:?}");
        assert!(said.err.contains(", line 5: this is not what `accounts` saves"), "{said:?}");
    }
    let said = against(&saved.world, &["delete-accounts", "/nowhere.jsonl"]).await;
    assert_eq!(said.status, 2, "{said:?}");
    let said = against(&saved.world, &["accounts", "--save", "/nowhere/accounts.jsonl"]).await;
    assert_eq!((said.status, said.out.as_str()), (2, ""), "{said:?}");
}
