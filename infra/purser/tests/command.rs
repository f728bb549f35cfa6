//! Tests of the command: what it prints, and how it ends.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

fn purser(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_purser"));
    command.args(arguments).env_remove("PURSER_OPERATOR_KEY");
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn banner(child: &mut Child) -> String {
    let mut output = BufReader::new(child.stdout.take().unwrap());
    let mut text = String::new();
    while !text.contains("Ctrl-C stops it.") {
        assert_ne!(output.read_line(&mut text).unwrap(), 0, "ended early: {text}");
    }
    // Later output need not be read.
    text
}

fn end(child: Child, signal: &str) -> Output {
    let pid = child.id().to_string();
    let status = Command::new("kill").args([signal, &pid]).status().unwrap();
    assert!(status.success());
    child.wait_with_output().unwrap()
}

/// The ports on which a process listens.
fn listening(pid: u32) -> Vec<u16> {
    const LISTENS: &str = "0A";
    let files = std::fs::read_dir(format!("/proc/{pid}/fd")).unwrap();
    let links: Vec<String> =
        files.map(|file| std::fs::read_link(file.unwrap().path()).unwrap().display().to_string()).collect();
    let mut ports = Vec::new();
    for table in ["tcp", "tcp6"] {
        let sockets = std::fs::read_to_string(format!("/proc/{pid}/net/{table}")).unwrap();
        for line in sockets.lines().skip(1) {
            let fields: Vec<&str> = line.split_whitespace().collect();
            if fields[3] == LISTENS && links.contains(&format!("socket:[{}]", fields[9])) {
                ports.push(u16::from_str_radix(fields[1].rsplit(':').next().unwrap(), 16).unwrap());
            }
        }
    }
    ports
}

fn in_folder(folder: &Path) -> [String; 4] {
    let folder = folder.to_str().unwrap().to_owned();
    ["--port".into(), "0".into(), "--data".into(), folder]
}

#[test]
fn it_says_where_it_is_and_ends_when_asked() {
    for signal in ["-TERM", "-INT"] {
        let mut child = purser(&["--ephemeral", "--port", "0"]).spawn().unwrap();
        let text = banner(&mut child);
        for part in [
            "/v1\n",
            "/docs\n",
            "/openapi.json\n",
            "/_local/mailbox\n",
            " op_",
            " RS-",
            " AK-",
            " operator@example.com ",
            " elite@example.com ",
            " mueller@example.com ",
        ] {
            assert!(text.contains(part), "{part}: {text}");
        }
        let output = end(child, signal);
        assert_eq!(output.status.code(), Some(0));
        assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    }
}

/// Purser promises one time only: it starts in two seconds. It takes about a tenth of that.
#[test]
fn it_is_ready_in_two_seconds_and_healthy() {
    let parent = tempfile::tempdir().unwrap();
    let arguments = in_folder(&parent.path().join("data"));
    let begun = Instant::now();
    let mut child = purser(&arguments.each_ref().map(String::as_str)).spawn().unwrap();
    let text = banner(&mut child);
    let took = begun.elapsed();
    assert!(took < Duration::from_secs(2), "{took:?}");
    let address = text.split("http://").nth(1).and_then(|rest| rest.split('/').next()).unwrap();
    let mut stream = TcpStream::connect(address).unwrap();
    stream.write_all(b"GET /health HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    let port = address.rsplit(':').next().unwrap().parse().unwrap();
    assert_eq!(listening(child.id()), [port], "table, bus and post office have no ports");
    assert_eq!(end(child, "-TERM").status.code(), Some(0));
}

#[test]
fn a_given_key_is_not_printed() {
    let mut command = purser(&["--ephemeral", "--port", "0", "--no-demo"]);
    let mut child = command.env("PURSER_OPERATOR_KEY", "very-secret").spawn().unwrap();
    let text = banner(&mut child);
    assert!(text.contains("from PURSER_OPERATOR_KEY"), "{text}");
    assert!(!text.contains("very-secret") && !text.contains(" AK-"), "{text}");
    assert_eq!(end(child, "-TERM").status.code(), Some(0));
}

#[test]
fn the_environment_configures_it() {
    let mut command = purser(&["--ephemeral", "--port", "0", "--no-demo"]);
    let output = command.env("PURSER_KEY_REQUESTS_PER_MINUTE", "many").output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8_lossy(&output.stderr);
    let expected = "purser: PURSER_KEY_REQUESTS_PER_MINUTE: \"many\": ";
    assert!(said.starts_with(expected), "{said}");
    // The laptop opens the table that it created itself, whatever `PURSER_TABLE` says.
    let mut command = purser(&["--ephemeral", "--port", "0"]);
    let mut child =
        command.env("PURSER_TABLE", "elsewhere").env("PURSER_KEY_REQUESTS_PER_MINUTE", "0").spawn().unwrap();
    banner(&mut child);
    assert_eq!(end(child, "-TERM").status.code(), Some(0));
}

#[test]
fn what_goes_wrong_is_one_line() {
    let parent = tempfile::tempdir().unwrap();
    let arguments = in_folder(&parent.path().join("data"));
    let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
    let mut first = purser(&arguments).spawn().unwrap();
    banner(&mut first);
    let second = purser(&arguments).output().unwrap();
    assert_eq!(second.status.code(), Some(1));
    let said = String::from_utf8_lossy(&second.stderr);
    assert!(said.starts_with("purser: the folder "), "{said}");
    assert!(said.ends_with("choose another with --data\n"), "{said}");
    assert_eq!(said.lines().count(), 1);
    assert_eq!(end(first, "-TERM").status.code(), Some(0));
    let third = purser(&arguments).spawn().unwrap();
    let mut third = third;
    banner(&mut third);
    assert_eq!(end(third, "-TERM").status.code(), Some(0));
}

#[test]
fn a_history_is_made_once_and_shown() {
    let parent = tempfile::tempdir().unwrap();
    let folder = parent.path().join("data");
    let folder = folder.to_str().unwrap();
    let arguments = ["demo", "--years", "1", "--clients", "4", "--resellers", "2"];
    let mut command = purser(&arguments);
    let made = command.args(["--data", folder]).output().unwrap();
    let said = String::from_utf8_lossy(&made.stdout);
    assert!(made.status.success(), "{made:?}");
    assert!(said.starts_with("1 year, 2 resellers, 4 clients, in "), "{said}");
    assert_eq!(String::from_utf8_lossy(&made.stderr), "");
    let again = command.output().unwrap();
    assert_eq!(again.status.code(), Some(1));
    let said = String::from_utf8_lossy(&again.stderr);
    let expected = format!("purser: {folder} holds data already, ");
    assert!(said.starts_with(&expected) && said.lines().count() == 1, "{said}");
    let mut child = purser(&["--port", "0", "--data", folder]).spawn().unwrap();
    assert!(banner(&mut child).contains(" elite@example.com "));
    assert_eq!(end(child, "-TERM").status.code(), Some(0));
}

#[test]
fn a_history_that_is_broken_off_says_what_is_left() {
    let parent = tempfile::tempdir().unwrap();
    let folder = parent.path().join("data");
    let child = purser(&["demo", "--data", folder.to_str().unwrap()]).spawn().unwrap();
    let begun = Instant::now();
    // The demo data is complete once its credentials are in place.
    while !folder.join("demo.json").exists() && begun.elapsed() < Duration::from_mins(1) {
        std::thread::yield_now();
    }
    let output = end(child, "-INT");
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.starts_with("purser: stopped at "), "{said}");
    assert!(said.contains("move the folder away"), "{said}");
    let mut child = purser(&["--port", "0", "--data", folder.to_str().unwrap()]).spawn().unwrap();
    banner(&mut child);
    assert_eq!(end(child, "-TERM").status.code(), Some(0));
}
