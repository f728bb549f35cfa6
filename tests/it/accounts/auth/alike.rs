//! Neither an answer nor the work behind it reveals whether an address is known (rule D1).

use purser_tests::faults::Script;
use purser_tests::prelude::*;

use crate::accounts::attempt;

/// What a caller sees of an answer, with its cost, without the headers that differ between any two requests.
#[derive(Debug, PartialEq)]
struct Face {
    status: u16,
    headers: Vec<(String, String)>,
    body: String,
    cost: String,
}

fn face(reply: &Reply) -> Face {
    let changing = ["x-request-id", "date", "purser-cost"];
    let mut headers = reply.headers.clone();
    headers.retain(|(name, _)| !changing.contains(&name.as_str()));
    Face {
        status: reply.status,
        headers,
        body: String::from_utf8_lossy(&reply.bytes).into_owned(),
        cost: reply.header("purser-cost").unwrap().to_owned(),
    }
}

type Body<'a> = &'a dyn Fn(&String) -> Value;

/// Three addresses: of a confirmed user, of one who has only registered, and of nobody.
async fn addresses(world: &World) -> [String; 3] {
    let known = world.person().await.email;
    let waiting = "waiting@example.com".to_owned();
    world.register(&waiting).await;
    world.system().settle().await;
    [known, waiting, "nobody@example.com".to_owned()]
}

#[tokio::test]
async fn what_is_asked_by_address_is_answered_alike_and_takes_the_same_work() {
    let world = World::new().await;
    let addresses = addresses(&world).await;
    let register = |email: &String| json!({"email": email, "name": "A"});
    let address = |email: &String| json!({"email": email});
    let login = |email: &String| json!({"email": email, "password": "a wrong harbour in the fog"});
    let routes: [(&str, Body<'_>, u32); 4] = [
        ("register", &register, 0),
        ("resend-confirmation", &address, 0),
        ("forgot-password", &address, 0),
        ("login", &login, 1),
    ];
    for (route, body, runs) in routes {
        let mut faces = Vec::new();
        for email in &addresses {
            let path = format!("/v1/auth/{route}");
            let reply = world.nobody().post(&path, &body(email)).await;
            assert_eq!(reply.hashes(), runs, "{route}: runs of Argon2id");
            faces.push(face(&reply));
        }
        assert_eq!(faces[0], faces[1], "{route}: an address that has only registered is told apart");
        assert_eq!(faces[0], faces[2], "{route}: an unknown address is told apart");
    }
}

#[tokio::test]
async fn a_login_makes_the_same_calls_for_an_unknown_address() {
    let world = World::new().await;
    let addresses = addresses(&world).await;
    let mut made = Vec::new();
    for email in &addresses {
        let script = Script::default();
        let app = world.app_over("customer-auth", &script).await;
        let function = purser_lambda::function("customer-auth").unwrap();
        let body = json!({"email": email, "password": "a wrong harbour in the fog"});
        let headers = [("content-type", "application/json"), ("authorization", "")];
        let reply = world
            .send(purser_lambda::router(function, &app).unwrap(), "POST", "/v1/auth/login", &headers, body.to_string())
            .await;
        let _refused = reply.refused(401, "invalid_credentials");
        let calls: Vec<usize> = ["BatchGetItem", "GetItem", "TransactWriteItems", "PutItem"]
            .iter()
            .map(|operation| script.calls(operation).len())
            .collect();
        made.push(calls);
    }
    assert_eq!(made, [[2, 0, 1, 0], [2, 0, 1, 0], [2, 0, 1, 0]]);
}

#[tokio::test]
async fn failures_are_counted_alike_and_a_suspended_login_is_as_wrong_as_none() {
    let world = World::new().await;
    let [known, _, unknown] = addresses(&world).await;
    let suspended = world.person().await;
    let path = format!("/v1/users/{}/suspend", suspended.refid);
    let _suspended = world.operator.act(&path).await.expect(200);
    let mut faces = Vec::new();
    for (email, password) in [
        (&known, "a wrong harbour in the fog"),
        (&unknown, "a wrong harbour in the fog"),
        // The right password of a suspended user is answered like a wrong one.
        (&suspended.email, PASSWORD),
    ] {
        let mut seen = Vec::new();
        for _ in 0..5 {
            let reply = attempt(&world.nobody(), email, password).await;
            seen.push((reply.status, reply.text("code").to_owned()));
        }
        faces.push(seen);
    }
    assert_eq!(faces[0][0], (401, "invalid_credentials".to_owned()));
    assert_eq!(faces[0][4], (429, "too_many_attempts".to_owned()));
    assert_eq!(faces[0], faces[1]);
    assert_eq!(faces[0], faces[2]);
}
