//! Failed sign-in attempts delay the next one, and never lock the account's owner out (rule D2).

use purser_tests::prelude::*;

use crate::accounts::{attempt, forget, turn};

const WRONG: &str = "a wrong harbour in the fog";

/// Tries to sign in from the network address `address`.
async fn from(world: &World, address: &str, body: &Value) -> Reply {
    crate::accounts::from(world, address, "login", body).await
}

fn wait(reply: &Reply) -> i64 {
    reply.header("retry-after").unwrap().parse().unwrap()
}

#[tokio::test]
async fn delays_grow_and_whoever_waits_as_told_is_heard() {
    // A stopped clock: real time between two requests would count as waiting.
    let world = World::at("2026-01-05T09:00:00Z").await;
    let ada = world.person().await;
    let nobody = world.nobody();
    for _ in 0..3 {
        let wrong = attempt(&nobody, &ada.email, WRONG).await;
        let _wrong = wrong.refused(401, "invalid_credentials");
    }
    let mut waits = Vec::new();
    for _ in 0..8 {
        // While the delay lasts, not even the right password is checked.
        let soon = attempt(&nobody, &ada.email, PASSWORD).await;
        let soon = soon.refused(429, "too_many_attempts");
        waits.push(wait(&soon));
        let on = SignedDuration::from_secs(wait(&soon));
        world.system().clock().advance(on);
        let wrong = attempt(&nobody, &ada.email, WRONG).await;
        let _wrong = wrong.refused(401, "invalid_credentials");
    }
    assert!(waits.windows(2).all(|two| two[0] < two[1]), "{waits:?}");
    turn(&world, 15);
    let _in = attempt(&nobody, &ada.email, PASSWORD).await.expect(200);
    let _forgotten = attempt(&nobody, &ada.email, WRONG).await.refused(401, "invalid_credentials");
}

#[tokio::test]
async fn an_owner_gets_in_while_the_account_is_under_attack_from_everywhere() {
    let world = World::new().await;
    let ada = world.person().await;
    let guess = json!({"email": ada.email, "password": WRONG});
    for n in 0..12 {
        let _guess = from(&world, &format!("198.51.100.{n}"), &guess).await;
    }
    let strange = json!({"email": ada.email, "password": PASSWORD});
    let strange = from(&world, "203.0.113.1", &strange).await;
    let _strange = strange.refused(429, "too_many_attempts");
    // A device that she signed in with before gets in.
    let known = json!({"email": ada.email, "password": PASSWORD, "device": ada.device});
    let _in = from(&world, "203.0.113.1", &known).await.expect(200);
    // A forged device id does not.
    let mut forged = ada.device.clone();
    forged.pop();
    for device in [forged.as_str(), "US-0000000000000000.A.B", "x", &ada.device[..19]] {
        let forged = json!({"email": ada.email, "password": PASSWORD, "device": device});
        let forged = from(&world, "203.0.113.2", &forged).await;
        let _forged = forged.refused(429, "too_many_attempts");
    }
    // A password reset by e-mail also gets her in.
    forget(&world, &ada.email).await;
    let new = "a new harbour at midnight";
    let reset = crate::accounts::reset(&world, &world.mailed_token(&ada.email).await, new).await;
    let device = reset.expect(200).text("device").to_owned();
    let in_by_mail = json!({"email": ada.email, "password": new});
    let _in = from(&world, "203.0.113.3", &in_by_mail).await.expect(200);
    let in_by_mail = json!({"email": ada.email, "password": new, "device": device});
    let _in = from(&world, "198.51.100.1", &in_by_mail).await.expect(200);
}

#[tokio::test]
async fn of_many_guesses_at_once_a_few_are_answered() {
    let world = World::new().await;
    let ada = world.person().await;
    let nobody = world.nobody();
    let guesses = (0..24).map(|_| attempt(&nobody, &ada.email, WRONG));
    let replies = futures_all(guesses).await;
    let told = replies.iter().filter(|it| it.status == 401).count();
    let waiting = replies.iter().filter(|it| it.status == 429).count();
    assert_eq!((told, waiting), (3, 21), "only the guesses that were counted may be answered");
}

#[tokio::test]
async fn a_right_guess_among_many_at_once_is_told_in_its_turn() {
    let world = World::new().await;
    let ada = world.person().await;
    let (_, _, _) = crate::accounts::me::second_factor::enable(&world, &ada).await;
    let nobody = world.nobody();
    // The right password comes last. If it were checked, the answer would say that a second-factor code is missing.
    let guesses = (0..24).map(|n| {
        let password = if n == 23 { PASSWORD } else { WRONG };
        attempt(&nobody, &ada.email, password)
    });
    let replies = futures_all(guesses).await;
    let waiting = replies.iter().filter(|it| it.status == 429).count();
    assert!(waiting >= 20, "{waiting}");
}

#[tokio::test]
async fn a_stolen_session_does_not_guess_at_leisure() {
    let world = World::new().await;
    let ada = world.person().await;
    let body = |n: u32| json!({"password": format!("{WRONG} {n}"), "new_password": "a new harbour at midnight"});
    let bodies: Vec<Value> = (0..16).map(body).collect();
    let guesses = bodies.iter().map(|body| ada.caller.put("/v1/me/password", body));
    let replies = futures_all(guesses).await;
    let told = replies.iter().filter(|it| it.text("code") == "wrong_password").count();
    assert_eq!(told, 3, "{replies:?}");
}

#[tokio::test]
async fn of_many_codes_at_once_a_few_are_judged_even_if_one_is_right() {
    let world = World::new().await;
    let ada = world.person().await;
    let (ada, _, codes) = crate::accounts::me::second_factor::enable(&world, &ada).await;
    let bodies: Vec<Value> = (0..24).map(|n| json!({"code": if n == 23 { &*codes[0] } else { "000000" }})).collect();
    let replies = futures_all(bodies.iter().map(|body| ada.caller.post("/v1/me/proof", body))).await;
    let waiting = replies.iter().filter(|it| it.text("code") == "too_many_attempts").count();
    assert!(waiting >= 20, "{replies:?}");
    let told = replies.iter().filter(|it| it.text("code") == "invalid_code").count();
    assert!((1..=3).contains(&told), "{replies:?}");
}

#[tokio::test]
async fn codes_are_counted_by_login_whatever_the_device() {
    let world = World::new().await;
    let ada = world.person().await;
    let _phone = crate::accounts::me::second_factor::enable(&world, &ada).await;
    let mut told = Vec::new();
    for n in 0..4 {
        // Each password reset by e-mail gives out a new device that counts as known.
        forget(&world, &ada.email).await;
        let token = world.mailed_token(&ada.email).await;
        let reset = crate::accounts::reset(&world, &token, &format!("a harbour of number {n}")).await;
        let device = reset.expect(200).text("device").to_owned();
        let password = format!("a harbour of number {n}");
        let guess = json!({"email": ada.email, "password": password, "device": device, "code": "000000"});
        let guess = world.nobody().post("/v1/auth/login", &guess).await;
        told.push(guess.text("code").to_owned());
    }
    let too_many = told.iter().filter(|it| *it == "too_many_attempts").count();
    assert!(too_many >= 1, "{told:?}");
}

#[tokio::test]
async fn a_known_device_guesses_no_more_than_anybody() {
    let world = World::new().await;
    let ada = world.person().await;
    let guess = json!({"email": ada.email, "password": WRONG, "device": ada.device});
    for _ in 0..3 {
        let guess = from(&world, "198.51.100.1", &guess).await;
        let _guess = guess.refused(401, "invalid_credentials");
    }
    let guess = from(&world, "198.51.100.2", &guess).await;
    let _guess = guess.refused(429, "too_many_attempts");
    let elsewhere = json!({"email": ada.email, "password": PASSWORD});
    let _in = from(&world, "198.51.100.3", &elsewhere).await.expect(200);
}

#[tokio::test]
async fn an_outdated_hash_is_made_anew_at_the_next_sign_in() {
    let world = World::new().await;
    let ada = world.person().await;
    let pk = format!("PW#{}", ada.refid);
    let kept = || crate::accounts::doc(&world, &pk).unwrap()["password"]["S"].as_str().unwrap().to_owned();
    let present = kept();
    world.tamper(&pk, "password", &json!({"S": outdated()}));
    let reply = attempt(&world.nobody(), &ada.email, PASSWORD).await.expect(200);
    assert_eq!(reply.hashes(), 2);
    assert!(kept().starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
    assert_ne!(kept(), present, "the new hash must have a new salt");
    let reply = attempt(&world.nobody(), &ada.email, PASSWORD).await.expect(200);
    assert_eq!(reply.hashes(), 1);
    let mails = world.subjects(&ada.email).await;
    assert!(
        !mails.iter().any(|it| it.contains("password was changed")),
        "the password itself did not change, so no e-mail may say so"
    );
}

/// A hash of [`PASSWORD`] with the weak parameters of long ago: 4 MiB, one pass.
fn outdated() -> String {
    use argon2::password_hash::PasswordHasher;
    let params = argon2::Params::new(4_096, 1, 1, None).unwrap();
    let argon2 = argon2::Argon2::new(argon2::Algorithm::Argon2id, argon2::Version::V0x13, params);
    let hash = argon2.hash_password_with_salt(PASSWORD.as_bytes(), b"a salt of old...");
    hash.unwrap().to_string()
}

#[tokio::test]
async fn a_device_is_known_until_the_password_is_new_and_not_for_ever() {
    let world = World::new().await;
    let ada = world.person().await;
    let told_of = async || world.subjects(&ada.email).await[0].starts_with("New sign-in");
    let with = |device: &str, password: &str| json!({"email": ada.email, "password": password, "device": device});
    let known = world.sign_in_with(&ada.email, &with(&ada.device, PASSWORD)).await;
    assert!(!told_of().await);
    forget(&world, &ada.email).await;
    let new = "a new harbour at midnight";
    let _set = crate::accounts::reset(&world, &world.mailed_token(&ada.email).await, new).await.expect(200);
    // Somebody who was in before the new password is nobody's known device any more.
    for device in [&ada.device, &known.device] {
        let _in = world.sign_in_with(&ada.email, &with(device, new)).await;
        assert!(told_of().await);
    }
    let last = world.sign_in(&ada.email, new).await;
    turn(&world, 181 * 24 * 60);
    let before = world.subjects(&ada.email).await.len();
    let _in = world.sign_in_with(&ada.email, &with(&last.device, new)).await;
    assert_eq!(world.subjects(&ada.email).await.len(), before + 1);
}

#[tokio::test]
async fn a_stranger_can_not_tell_that_somebody_signed_in() {
    let world = World::at("2026-01-05T09:00:00Z").await;
    let ada = world.person().await;
    let mut faces = Vec::new();
    for email in [&ada.email, &"nobody@example.com".to_owned()] {
        let mut face = Vec::new();
        for n in 0..6 {
            if n == 2 {
                let known = json!({"email": ada.email, "password": PASSWORD, "device": ada.device});
                let _in = from(&world, "203.0.113.1", &known).await.expect(200);
                let strange = json!({"email": ada.email, "password": PASSWORD});
                let _in = from(&world, "203.0.113.1", &strange).await;
            }
            let guess = from(&world, "198.51.100.7", &json!({"email": email, "password": WRONG})).await;
            face.push((guess.status, guess.header("retry-after").map(ToOwned::to_owned), guess.json));
        }
        faces.push(face);
    }
    assert_eq!(faces[0], faces[1]);
}
