//! Tests of the command against a whole Purser and against files: what it prints, and how it ends.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::path::Path;
use std::process::Output;

use purser_tests::World;
use tokio::process::Command;

mod accounts;
mod figures;
mod files;
mod migrate;
mod wallets;

#[derive(Debug, PartialEq)]
struct Said {
    status: i32,
    out: String,
    err: String,
}

async fn run(key: Option<&str>, arguments: &[&str]) -> Said {
    let mut command = Command::new(env!("CARGO_BIN_EXE_purser-operator"));
    command.args(arguments).env_remove("PURSER_OPERATOR_KEY");
    command.env("NO_PROXY", "127.0.0.1");
    if let Some(key) = key {
        command.env("PURSER_OPERATOR_KEY", key);
    }
    let Output { status, stdout, stderr } = command.output().await.unwrap();
    Said {
        status: status.code().unwrap(),
        out: String::from_utf8(stdout).unwrap(),
        err: String::from_utf8(stderr).unwrap(),
    }
}

/// Runs the command against `world`, as its operator.
async fn against(world: &World, arguments: &[&str]) -> Said {
    let url = world.system().url();
    let mut all = vec![arguments[0], "--url", &url];
    all.extend(&arguments[1..]);
    run(world.operator.key(), &all).await
}

/// Saves the world's checkpoints in `folder`, and returns the public key that signed them.
async fn saved(world: &World, folder: &Path) -> String {
    let said = against(world, &["checkpoints", "--save", folder.to_str().unwrap()]).await;
    assert_eq!((said.status, said.err.as_str()), (0, ""), "{said:?}");
    let key = said.out.lines().find_map(|it| it.strip_prefix("signed by "));
    key.unwrap().to_owned()
}
