//! The laptop: one command, ready at once, data kept between runs.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use purser_tests::{Caller, World};
use serde_json::json;

/// The program as `cargo run` starts it.
struct Program(Child);

impl Program {
    /// Starts it, and gives what it says when it is ready.
    fn start(folder: &Path, port: u16) -> (Self, String) {
        let mut program = Command::new(program())
            .args(["--port", &port.to_string(), "--data"])
            .arg(folder)
            .env("PURSER_OPERATOR_KEY", "any string: ü & spaces")
            .stdout(Stdio::piped())
            .spawn()
            .expect("the program starts; `cargo build` makes it");
        let lines = BufReader::new(program.stdout.take().unwrap())
            .lines()
            .map_while(Result::ok);
        let banner: Vec<String> = lines.take_while(|line| !line.contains("Ctrl-C")).collect();
        (Self(program), banner.join("\n"))
    }

    /// Ends it as Ctrl-C does, and gives its exit status.
    fn interrupt(mut self) -> Option<i32> {
        let interrupted = Command::new("kill")
            .args(["-INT", &self.0.id().to_string()])
            .status()
            .unwrap();
        assert!(interrupted.success());
        self.0.wait().unwrap().code()
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // Ended already in most tests; what is left over must not outlive a failed one.
        let _ended = self.0.kill();
        let _waited = self.0.wait();
    }
}

/// The `purser` binary, built beside the tests.
fn program() -> std::path::PathBuf {
    let mut path = std::env::current_exe().unwrap();
    path.pop();
    path.pop();
    path.join("purser")
}

fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port()
}

async fn healthy(port: u16) -> Caller {
    let caller = Caller::new(
        reqwest::Client::new(),
        format!("http://127.0.0.1:{port}"),
        None,
    );
    let _health = caller.get("/health").await.expect(200);
    caller
}

#[tokio::test]
async fn it_starts_shows_itself_ends_cleanly_and_keeps_its_data() {
    let folder = tempfile::tempdir().unwrap();
    let port = free_port();
    let (program, banner) = Program::start(folder.path(), port);
    let caller = healthy(port).await;
    for part in [
        &format!("http://127.0.0.1:{port}"),
        "/docs",
        "/_local/mailbox",
        "PURSER_OPERATOR_KEY",
        "Elite Global Partners",
        "AK-",
    ] {
        assert!(banner.contains(part), "{part} in {banner}");
    }
    let operator = caller.with_key(Some("any string: ü & spaces"));
    let resellers = operator.get("/v1/resellers").await.expect(200);
    assert_eq!(resellers.json["data"][0]["tier"], "gold");
    assert_eq!(
        operator.get("/v1/clients").await.json["data"]
            .as_array()
            .unwrap()
            .len(),
        4
    );
    assert_eq!(
        caller.get("/_local/mails").await.json,
        json!({"data": []}),
        "the demo sends no mails"
    );
    let _product = operator
        .post(
            "/v1/products",
            &json!({"reference": "KEPT", "name": "x", "price": 1}),
        )
        .await
        .expect(201);
    let docs = caller.get("/docs").await;
    assert!(
        docs.status == 200 || (300..400).contains(&docs.status),
        "{docs:?}"
    );
    let page = caller.get("/_local/mailbox").await.expect(200);
    assert!(String::from_utf8_lossy(&page.bytes).contains("<html lang=\"en\""));
    assert_eq!(program.interrupt(), Some(0));

    let (program, _) = Program::start(folder.path(), port);
    let operator = healthy(port).await.with_key(operator.key());
    let _product = operator.get("/v1/products/KEPT").await.expect(200);
    assert_eq!(
        operator.get("/v1/clients").await.json["data"]
            .as_array()
            .unwrap()
            .len(),
        4,
        "the demo is made once"
    );
    let _refused = operator
        .post("/_local/clock", &json!({"advance": "P1D"}))
        .await
        .refused(404, "not_found");
    assert_eq!(program.interrupt(), Some(0));
}

#[tokio::test]
async fn a_clock_can_be_turned_and_only_forward() {
    let world = World::new().await;
    let before = world
        .operator
        .post("/v1/clients", &world.new_client())
        .await
        .expect(201);
    let nobody = world.nobody();
    let _turned = nobody
        .post("/_local/clock", &json!({"advance": "P1DT2H"}))
        .await
        .expect(200);
    let after = world
        .operator
        .post("/v1/clients", &world.new_client())
        .await
        .expect(201);
    let time = |text: &str| text.parse::<jiff::Timestamp>().unwrap();
    let turned = time(after.text("created_at")).duration_since(time(before.text("created_at")));
    assert!(turned >= jiff::SignedDuration::from_hours(26), "{turned:?}");
    for bad in ["-P1D", "tomorrow", ""] {
        let _refused = nobody
            .post("/_local/clock", &json!({"advance": bad}))
            .await
            .refused(422, "invalid_fields");
    }
    let _refused = nobody
        .act("/_local/schedules/nothing/run")
        .await
        .refused(404, "not_found");
}

#[tokio::test]
async fn two_systems_never_share_a_folder() {
    let folder = tempfile::tempdir().unwrap();
    let world = World::with(Some(folder.path().join("purser")), &[]).await;
    let output = Command::new(program())
        .args(["--port", &free_port().to_string(), "--data"])
        .arg(folder.path().join("purser"))
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    let message = String::from_utf8_lossy(&output.stderr);
    assert!(message.contains("in use"), "{message}");
    world.end().await;
}
