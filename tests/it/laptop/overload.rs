//! Overload: the laptop accepts what it can serve, tells the others at once to retry later, and never waits for slow
//! ones.

use std::collections::BTreeMap;
use std::time::Duration;

use purser_local::run::gateway::bounds::Bounds;
use purser_local::run::system::Options;
use purser_tests::World;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

async fn bounded(requests: usize, connections: usize, patience: Duration) -> World {
    let bounds = Bounds { requests, connections, patience };
    let options = Options { bounds, variables: BTreeMap::new(), ..Options::default() };
    World::start(options).await
}

/// A connection over which `text` is sent, and then nothing more.
async fn sends(world: &World, text: &str) -> TcpStream {
    let url = world.system().url();
    let address = url.trim_start_matches("http://");
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(text.as_bytes()).await.unwrap();
    stream
}

/// What the laptop sends before it closes the connection.
async fn told(mut stream: TcpStream) -> String {
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

#[tokio::test]
async fn who_finds_no_place_is_told_to_come_back_on_every_door() {
    let world = bounded(0, 9, Duration::from_mins(1)).await;
    let partner = world.new_client();
    for reply in [
        world.operator.get("/v1/products").await,
        world.operator.post("/v1/clients", &partner).await,
        world.nobody().get("/health").await,
    ] {
        let refused = reply.refused(503, "busy");
        assert_eq!(refused.header("retry-after"), Some("1"));
    }
    // Local routes stay open, so that the user of the laptop still sees what goes on.
    let _mails = world.nobody().get("/_local/mails").await.expect(200);
}

#[tokio::test]
async fn a_body_that_does_not_come_keeps_nobody_from_being_served() {
    let world = bounded(1, 9, Duration::from_millis(500)).await;
    let head = "POST /v1/clients HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-length: 9\r\n\r\n{";
    let slow = sends(&world, head).await;
    for _ in 0..3 {
        let _list = world.operator.get("/v1/products").await.expect(200);
    }
    let answer = told(slow).await;
    assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
    assert!(answer.contains("\"code\":\"request_timeout\""), "{answer}");
}

#[tokio::test]
async fn a_silent_connection_goes_and_leaves_its_place() {
    let world = bounded(9, 2, Duration::from_millis(200)).await;
    let unfinished = sends(&world, "GET /v1/products HTTP/1.1\r\nhost:").await;
    let silent = sends(&world, "").await;
    // Both connections are taken, so this request waits until one of them is closed.
    let _list = world.operator.get("/v1/products").await.expect(200);
    assert_eq!(told(silent).await, "");
    let answer = told(unfinished).await;
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 408 "), "{answer}");
}
