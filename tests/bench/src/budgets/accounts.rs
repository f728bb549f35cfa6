//! Budgets of accounts. What strangers can ask for must cost the same whether or not an address is known (rule D1).

use purser_tests::people::{NEW_PASSWORD, PASSWORD, Person};
use purser_tests::prelude::*;

use super::{Budget, budget};

/// The budget of a request without credentials. No authentication is subtracted from its cost.
fn stranger(operation: &'static str, reply: &Reply, (calls, rcu, wcu): (u32, f64, f64), runs: u32) -> Budget {
    let spent = reply.cost();
    Budget {
        operation,
        calls: (spent.0, calls),
        rcu: (spent.1, rcu),
        wcu: (spent.2, wcu),
        hashes: (reply.hashes(), runs),
    }
}

pub async fn measure() -> Vec<Budget> {
    // Tests do without this limit.
    let world = World::with(None, &[("PURSER_ADDRESS_MAILS_PER_HOUR", "100")]).await;
    let mut budgets = strangers(&world).await;
    let person = world.person().await;
    budgets.extend(sign_in(&world, &person).await);
    budgets.push(in_a_session(&world, &world.person().await).await);
    let change = json!({"password": PASSWORD, "new_password": NEW_PASSWORD});
    let changed = person.caller.put("/v1/me/password", &change).await;
    let changed = budget("change a password", &changed.expect(200), 5, 6.0, 9.0);
    budgets.push(Budget { hashes: (changed.hashes.0, 2), ..changed });
    budgets
}

/// The requests that anyone may send, and those that the links in the resulting e-mails send.
async fn strangers(world: &World) -> Vec<Budget> {
    let post = async |path: &str, body: Value| {
        let nobody = world.nobody();
        nobody.post(&format!("/v1/auth/{path}"), &body).await
    };
    let email = "ada@example.com";
    let address = json!({"email": email});
    let register = json!({"email": email, "name": "Ada Lovelace"});
    let registered = post("register", register).await.expect(202);
    let resent = post("resend-confirmation", address.clone()).await;
    let confirm = json!({"token": world.mailed_token(email).await, "password": PASSWORD});
    let confirmed = post("confirm", confirm).await.expect(200);
    let forgot = post("forgot-password", address).await.expect(202);
    let token = world.mailed_token(email).await;
    let reset = post("reset-password", json!({"token": token, "password": PASSWORD})).await;
    vec![
        stranger("register", &registered, (2, 0.0, 2.0), 0),
        stranger("ask for the confirmation again", &resent.expect(202), (2, 0.0, 2.0), 0),
        stranger("ask for a new password", &forgot, (2, 0.0, 2.0), 0),
        stranger("confirm an address", &confirmed, (5, 5.0, 14.0), 1),
        stranger("set a password by e-mail", &reset.expect(200), (5, 5.0, 12.0), 1),
    ]
}

async fn sign_in(world: &World, person: &Person) -> Vec<Budget> {
    let login = async |email: &str, password: &str| {
        let body = json!({"email": email, "password": password});
        world.nobody().post("/v1/auth/login", &body).await
    };
    let right = login(&person.email, PASSWORD).await.expect(200);
    let wrong = login(&person.email, NEW_PASSWORD).await;
    let unknown = login("nobody@example.com", PASSWORD).await;
    let refused = |reply: Reply| reply.refused(401, "invalid_credentials");
    vec![
        stranger("sign in", &right, (3, 7.0, 12.0), 1),
        stranger("sign in with a wrong password", &refused(wrong), (3, 7.0, 4.0), 1),
        stranger("sign in with an unknown address", &refused(unknown), (3, 7.0, 4.0), 1),
    ]
}

/// A request of a user who has as many sessions as are allowed, with items as large as they can be.
async fn in_a_session(world: &World, person: &Person) -> Budget {
    let agent = "x".repeat(200);
    let headers = [("content-type", "application/json"), ("user-agent", agent.as_str())];
    let body = json!({"email": person.email, "password": PASSWORD, "device": person.device});
    for _ in 0..10 {
        let body = Some(body.to_string().into_bytes());
        let nobody = world.nobody();
        let signed_in = nobody.send("POST", "/v1/auth/login", &headers, body).await;
        let token = signed_in.expect(200).text("token").to_owned();
        let caller = nobody.with_key(Some(&token));
        let _me = caller.get("/v1/me").await.expect(200);
    }
    let body = Some(body.to_string().into_bytes());
    let nobody = world.nobody();
    let newest = nobody.send("POST", "/v1/auth/login", &headers, body).await;
    let newest = newest.expect(200).text("token").to_owned();
    let kept = format!("SE#{}", person.refid);
    let mut items = world.items();
    items.retain(|item| item["pk"]["S"] == kept.as_str());
    let item = items.first_mut().expect("the sessions");
    let sessions = item["doc"]["M"]["sessions"]["L"].as_array_mut().expect("sessions");
    assert_eq!(sessions.len(), 10);
    for session in sessions {
        // The longest form of an IPv6 address.
        session["M"]["address"] = json!({"S": "ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255"});
    }
    let size = size(&Value::Object([("M".to_owned(), item.clone())].into_iter().collect()));
    assert!(size < 4_096, "{size} bytes");
    world.put_all(&items);
    let refused = world.nobody().with_key(Some(&newest)).get("/v1/clients").await;
    let refused = refused.refused(403, "forbidden");
    stranger("authenticate a request in a session", &refused, (1, 1.0, 0.0), 0)
}

/// The size in bytes that DynamoDB counts for a value in its JSON.
fn size(value: &Value) -> usize {
    let (kind, value) = value.as_object().and_then(|it| it.iter().next()).expect("a value");
    match (kind.as_str(), value) {
        ("M", Value::Object(members)) => {
            let member = |(name, value): (&String, &Value)| name.len() + size(value) + 1;
            3 + members.iter().map(member).sum::<usize>()
        }
        ("L", Value::Array(items)) => 3 + items.iter().map(|it| size(it) + 1).sum::<usize>(),
        (_, Value::String(text)) => text.len(),
        _ => 1,
    }
}
