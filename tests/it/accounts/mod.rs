//! Accounts: people sign in, and nobody else does in their name (rules D1, D2).

mod api_keys;
pub mod auth;
mod key_owners;
mod mails;
pub mod me;
mod users;

use purser_tests::lambda::{event, invoke};
use purser_tests::prelude::*;

/// A request to `/v1/auth` from the network address `address`.
async fn from(world: &World, address: &str, route: &str, body: &Value) -> Reply {
    let mut event = event("POST", &format!("/v1/auth/{route}"), "", "");
    event["requestContext"]["http"]["sourceIp"] = json!(address);
    event["headers"] = json!({"content-type": "application/json", "host": "api.example.com"});
    event["body"] = json!(body.to_string());
    invoke(world, "customer-auth", event).await
}

fn turn(world: &World, minutes: i64) {
    let on = SignedDuration::from_mins(minutes);
    world.system().clock().advance(on);
}

async fn attempt(caller: &Caller, email: &str, password: &str) -> Reply {
    let body = json!({"email": email, "password": password});
    caller.post("/v1/auth/login", &body).await
}

/// Asks for a link that sets a new password.
async fn forget(world: &World, email: &str) {
    let body = json!({"email": email});
    let forgot = world.nobody().post("/v1/auth/forgot-password", &body).await;
    let _forgot = forgot.expect(202);
}

async fn reset(world: &World, token: &str, password: &str) -> Reply {
    let body = json!({"token": token, "password": password});
    world.nobody().post("/v1/auth/reset-password", &body).await
}

async fn confirm(world: &World, token: &str) -> Reply {
    let body = json!({"token": token, "password": PASSWORD});
    world.nobody().post("/v1/auth/confirm", &body).await
}

fn doc(world: &World, pk: &str) -> Option<Value> {
    let items = world.items();
    let found = items.iter().find(|item| item["pk"]["S"] == pk);
    found.map(|item| item["doc"]["M"].clone())
}
