//! The life of an account: register, confirm, sign in, change and reset the password, sign out.

use purser_tests::prelude::*;

#[tokio::test]
async fn a_person_registers_and_comes_back() {
    let world = World::new().await;
    let nobody = world.nobody();
    let email = "ada@example.com";
    world.register(email).await;
    let login = json!({"email": email, "password": PASSWORD});
    // Nobody can sign in before the address is confirmed.
    let early = nobody.post("/v1/auth/login", &login).await;
    let _early = early.refused(401, "invalid_credentials");
    let token = json!({"token": world.mailed_token(email).await, "password": PASSWORD, "name": "Ada Lovelace"});
    let confirmed = nobody.post("/v1/auth/confirm", &token).await.expect(200);
    assert_eq!(confirmed.json, json!({"status": "confirmed"}));

    let ada = world.sign_in(email, PASSWORD).await;
    let elsewhere = world.sign_in(email, PASSWORD).await;
    let me = ada.caller.get("/v1/me").await.expect(200);
    assert_eq!((me.text("email"), me.text("name")), (email, "Ada Lovelace"));
    assert_eq!(me.json["roles"], json!([]));
    assert!(me.json["confirmed_at"].is_string() && me.json["last_login_at"].is_string());
    let renamed = ada.caller.patch("/v1/me", &json!({"name": "Ada King"})).await;
    assert_eq!(renamed.expect(200).text("name"), "Ada King");

    let new = "a loud harbour at dawn";
    let body = json!({"password": PASSWORD, "new_password": new});
    let changed = ada.caller.put("/v1/me/password", &body).await.expect(200);
    for ended in [&ada.caller, &elsewhere.caller] {
        let _ended = ended.get("/v1/me").await.refused(401, "unauthenticated");
    }
    let ada = ada.caller.with_key(Some(changed.text("token")));
    let _me = ada.get("/v1/me").await.expect(200);
    assert_eq!(world.subjects(email).await[0], "Your Purser password was changed");

    let address = json!({"email": email});
    let forgot = nobody.post("/v1/auth/forgot-password", &address).await;
    let _forgot = forgot.expect(202);
    let newest = "an old harbour at noon";
    world.set_password(email, newest).await;
    let _ended = ada.get("/v1/me").await.refused(401, "unauthenticated");
    for old in [PASSWORD, new] {
        let login = json!({"email": email, "password": old});
        let old = nobody.post("/v1/auth/login", &login).await;
        let _old = old.refused(401, "invalid_credentials");
    }
    let ada = world.sign_in(email, newest).await;
    let out = ada.caller.act("/v1/auth/logout").await.expect(204);
    assert!(out.bytes.is_empty());
    let _out = ada.caller.get("/v1/me").await.refused(401, "unauthenticated");
}
