//! The second factor: codes of an authenticator app and recovery codes, each good for one sign-in (rule D2).

use purser_tests::people::NEW_PASSWORD;
use purser_tests::prelude::*;
use totp_rs::Totp;

use crate::accounts::{forget, turn};

/// An authenticator app that has scanned the `uri` of an enrolment.
pub struct Phone(Totp);

impl Phone {
    fn of(uri: &str) -> Self {
        Self(Totp::from_url(uri).unwrap())
    }

    /// The code that the app shows `steps` steps of 30 seconds from now.
    pub fn shows(&self, world: &World, steps: i64) -> String {
        let now = world.system().clock().timestamp().as_second();
        let then = u64::try_from(now + steps * 30).unwrap();
        self.0.generate(then).to_string()
    }
}

/// Turns on the second factor of `person`. Returns the person with the session that this begins, the app, and the
/// recovery codes.
pub async fn enable(world: &World, person: &Person) -> (Person, Phone, Vec<String>) {
    let proof = json!({"password": PASSWORD});
    let offered = person.caller.post("/v1/me/totp", &proof).await.expect(200);
    let phone = Phone::of(offered.text("uri"));
    let code = json!({"code": phone.shows(world, 0)});
    let enabled = person.caller.put("/v1/me/totp", &code).await.expect(200);
    let codes = enabled.json["recovery_codes"].as_array().unwrap();
    let codes = codes.iter().map(|it| it.as_str().unwrap().to_owned());
    let token = enabled.json["session"]["token"].as_str().unwrap();
    let caller = person.caller.with_key(Some(token));
    let person = Person { caller, ..person.clone() };
    (person, phone, codes.collect())
}

fn login(person: &Person, code: Option<&str>) -> Value {
    let mut body = json!({"email": person.email, "password": PASSWORD, "device": person.device});
    if let Some(code) = code {
        body["code"] = json!(code);
    }
    body
}

#[tokio::test]
async fn a_code_is_asked_for_and_good_once() {
    let world = World::new().await;
    let ada = world.person().await;
    let elsewhere = world.sign_in(&ada.email, PASSWORD).await;
    let (ada, phone, codes) = enable(&world, &ada).await;
    let _over = elsewhere.caller.get("/v1/me").await.refused(401, "unauthenticated");
    let me = ada.caller.get("/v1/me").await.expect(200);
    assert_eq!(me.json["second_factor"], true);
    assert_eq!(codes.len(), 10);

    let nobody = world.nobody();
    let sign_in = async |code: Option<&str>| nobody.post("/v1/auth/login", &login(&ada, code)).await;
    let _asked = sign_in(None).await.refused(401, "second_factor_required");
    // The code that turned the second factor on can't be used again.
    let used = phone.shows(&world, 0);
    assert_eq!(sign_in(Some(&used)).await.refused(422, "invalid_code").pointer(), "/code");
    turn(&world, 1);
    let next = phone.shows(&world, 0);
    let _in = sign_in(Some(&next)).await.expect(200);
    let _used = sign_in(Some(&next)).await.refused(422, "invalid_code");
    // A recovery code works once, even if it is typed in lower case and with spaces for hyphens.
    let typed = codes[3].to_lowercase().replace('-', " ");
    let _in = sign_in(Some(&typed)).await.expect(200);
    let _used = sign_in(Some(&codes[3])).await.refused(422, "invalid_code");
    let everything = world.everything_in_the_table();
    assert!(codes.iter().all(|code| !everything.contains(code.as_str())));
}

#[tokio::test]
async fn codes_can_not_be_guessed_by_whoever_knows_the_password() {
    let world = World::new().await;
    let ada = world.person().await;
    let (ada, phone, _) = enable(&world, &ada).await;
    turn(&world, 2);
    let nobody = world.nobody();
    for code in ["000000", "000001", "A"] {
        let guess = nobody.post("/v1/auth/login", &login(&ada, Some(code))).await;
        let _guess = guess.refused(422, "invalid_code");
    }
    let code = phone.shows(&world, 0);
    let soon = nobody.post("/v1/auth/login", &login(&ada, Some(&code))).await;
    let _soon = soon.refused(429, "too_many_attempts");
    // Without the right password, the answer never says anything about the code.
    turn(&world, 15);
    let wrong = json!({"email": ada.email, "password": "a wrong harbour", "code": code});
    let _wrong = nobody.post("/v1/auth/login", &wrong).await.refused(401, "invalid_credentials");
}

#[tokio::test]
async fn turning_it_on_and_off_takes_the_password_and_is_told() {
    let world = World::new().await;
    let ada = world.person().await;
    let wrong = json!({"password": "a wrong harbour"});
    let proof = json!({"password": PASSWORD});
    let _wrong = ada.caller.post("/v1/me/totp", &wrong).await.refused(422, "wrong_password");
    let code = json!({"code": "123456"});
    let none = ada.caller.put("/v1/me/totp", &code).await;
    let _none = none.refused(409, "second_factor_disabled");
    let _offered = ada.caller.post("/v1/me/totp", &proof).await.expect(200);
    let bad = ada.caller.put("/v1/me/totp", &json!({"code": "x"})).await;
    let _bad = bad.refused(422, "invalid_code");
    // Until a code has confirmed it, an offered second factor does not change how the user signs in.
    let ada = world.sign_in(&ada.email, PASSWORD).await;
    let (ada, _, codes) = enable(&world, &ada).await;
    let twice = ada.caller.post("/v1/me/totp", &proof).await;
    let _twice = twice.refused(409, "second_factor_enabled");
    let headers = [("content-type", "application/json")];
    let off = async |body: &Value| {
        let body = Some(body.to_string().into_bytes());
        ada.caller.send("DELETE", "/v1/me/totp", &headers, body).await
    };
    let _wrong = off(&wrong).await.refused(422, "wrong_password");
    // Whoever knows the password but lacks the app can't turn it off, move the account, or change the password.
    assert_eq!(off(&proof).await.refused(422, "invalid_fields").pointer(), "/code");
    let bad = json!({"password": PASSWORD, "code": "000000"});
    let _bad = off(&bad).await.refused(422, "invalid_code");
    let email = json!({"email": "thief@example.com", "password": PASSWORD});
    assert_eq!(ada.caller.put("/v1/me/email", &email).await.refused(422, "invalid_fields").pointer(), "/code");
    let password = json!({"password": PASSWORD, "new_password": NEW_PASSWORD});
    assert_eq!(ada.caller.put("/v1/me/password", &password).await.refused(422, "invalid_fields").pointer(), "/code");
    let _off = off(&json!({"password": PASSWORD, "code": codes[0]})).await.expect(204);
    let _over = ada.caller.get("/v1/me").await.refused(401, "unauthenticated");
    let ada = world.sign_in(&ada.email, PASSWORD).await;
    assert_eq!(ada.caller.get("/v1/me").await.expect(200).json["second_factor"], false);
    let told = world.subjects(&ada.email).await;
    for turned in ["turned on", "turned off"] {
        assert!(told.iter().any(|subject| subject.contains(turned)), "{told:?}");
    }
}

#[tokio::test]
async fn operators_without_one_may_do_nothing_else_where_it_is_required() {
    let variables = [("PURSER_OPERATOR_SECOND_FACTOR", "true")];
    let world = World::with(None, &variables).await;
    let operator = world.invited(json!({"operator": true})).await;
    let held = operator.caller.get("/v1/clients").await;
    let _held = held.refused(403, "second_factor_missing");
    let me = operator.caller.get("/v1/me").await.expect(200);
    assert_eq!(me.json["roles"], json!(["operator"]));
    let (operator, _, _) = enable(&world, &operator).await;
    let _clients = operator.caller.get("/v1/clients").await.expect(200);
    // API keys and users who are not operators need no second factor.
    let _clients = world.operator.get("/v1/clients").await.expect(200);
    let partner = world.partner("standard", 0).await;
    let staff = world.invited(json!({"reseller": partner.refid})).await;
    let _clients = staff.caller.get("/v1/clients").await.expect(200);
}

#[tokio::test]
async fn a_lost_factor_is_removed_by_an_operator_and_a_mailed_link_together() {
    let world = World::new().await;
    let mut ada = world.person().await;
    let none = world.operator.act(&format!("/v1/users/{}/release-second-factor", ada.refid)).await;
    let _none = none.refused(409, "second_factor_disabled");
    let secret = world.offered_factor(&ada).await;
    world.enable_factor(&mut ada, &secret).await;
    let login = json!({"email": ada.email, "password": PASSWORD});
    let asked = async || world.nobody().post("/v1/auth/login", &login).await.refused(401, "second_factor_required");
    let reset = async || {
        forget(&world, &ada.email).await;
        world.set_password(&ada.email, PASSWORD).await;
    };
    let release = async || {
        let path = format!("/v1/users/{}/release-second-factor", ada.refid);
        world.operator.act(&path).await.expect(200)
    };
    // Neither a link nor an operator removes it alone, nor do both a day apart.
    reset().await;
    let _asked = asked().await;
    let _released = release().await;
    let _asked = asked().await;
    turn(&world, 24 * 60);
    reset().await;
    let _asked = asked().await;
    assert_eq!(release().await.json["second_factor"], true);
    reset().await;
    let me = world.sign_in(&ada.email, PASSWORD).await.caller.get("/v1/me").await.expect(200);
    assert_eq!(me.json["second_factor"], false);
    let told = world.subjects(&ada.email).await;
    assert!(told.iter().any(|it| it.contains("turned off")), "{told:?}");
}
