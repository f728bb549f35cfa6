//! Many people may share a network address. What one of them does there must not keep the others out (rule D2).

use purser_tests::prelude::*;

use crate::accounts::{from, turn};

const WRONG: &str = "a wrong harbour in the fog";
const OFFICE: &str = "198.51.100.7";
const HOME: &str = "203.0.113.9";

fn login(email: &str, password: &str) -> Value {
    json!({"email": email, "password": password})
}

/// `body` with the right answer to a new challenge.
async fn with_answer(world: &World, body: &Value) -> Value {
    let mut body = body.clone();
    body["captcha"] = world.answer_to_challenge().await;
    body
}

/// Guesses at so many accounts that the address must show a person.
async fn guess_until_asked(world: &World) {
    for n in 0..20 {
        let guess = from(world, OFFICE, "login", &login(&format!("{n}@example.com"), WRONG)).await;
        let _guess = guess.refused(401, "invalid_credentials");
    }
}

#[tokio::test]
async fn an_address_that_guesses_at_many_accounts_must_show_that_a_person_does() {
    let world = World::new().await;
    let ada = world.person().await;
    guess_until_asked(&world).await;
    let right = login(&ada.email, PASSWORD);
    let before = world.size().await;
    // Whether the password is right is not judged without an answer, and nothing more is counted.
    for password in [PASSWORD, WRONG] {
        let asked = from(&world, OFFICE, "login", &login(&ada.email, password)).await;
        assert_eq!(asked.refused(422, "captcha_failed").pointer(), "/captcha");
    }
    assert_eq!(world.size().await, before);
    let wrong = json!({"token": "x", "answer": 1});
    let mut answered = right.clone();
    answered["captcha"] = wrong;
    let _asked = from(&world, OFFICE, "login", &answered).await.refused(422, "captcha_failed");
    let answered = with_answer(&world, &right).await;
    let _in = from(&world, OFFICE, "login", &answered).await.expect(200);
    let _elsewhere = from(&world, HOME, "login", &right).await.expect(200);
}

#[tokio::test]
async fn a_known_device_is_never_asked() {
    let world = World::new().await;
    let ada = world.person().await;
    guess_until_asked(&world).await;
    let known = json!({"email": ada.email, "password": PASSWORD, "device": ada.device});
    let _in = from(&world, OFFICE, "login", &known).await.expect(200);
}

#[tokio::test]
async fn a_hundred_people_behind_one_address_get_in_while_one_of_them_guesses() {
    let world = World::new().await;
    let mut people = Vec::new();
    for _ in 0..100 {
        people.push(world.person().await.email);
    }
    // They signed in when they confirmed, and come to the office later.
    turn(&world, 90);
    guess_until_asked(&world).await;
    let mut asked = 0;
    for (n, email) in people.iter().enumerate() {
        // The one who guesses goes on, in between all others, and solves a challenge whenever that is needed.
        let guess = login(&format!("x{n}@example.com"), WRONG);
        let guessed = from(&world, OFFICE, "login", &guess).await;
        if guessed.status == 422 {
            let answered = with_answer(&world, &guess).await;
            let _wrong = from(&world, OFFICE, "login", &answered).await.refused(401, "invalid_credentials");
        }
        let right = login(email, PASSWORD);
        let mut signed_in = from(&world, OFFICE, "login", &right).await;
        if signed_in.status == 422 {
            asked += 1;
            let answered = with_answer(&world, &right).await;
            signed_in = from(&world, OFFICE, "login", &answered).await;
        }
        let _in = signed_in.expect(200);
    }
    assert!(asked > 0, "while somebody guesses, the others show that they are people");
}

/// The failures of an address are one item, which each of them changes.
#[tokio::test]
async fn many_people_of_one_address_sign_in_at_the_same_moment() {
    let world = World::new().await;
    let mut people = Vec::new();
    for _ in 0..20 {
        people.push(world.person().await.email);
    }
    turn(&world, 90);
    for n in 0..19 {
        let guess = from(&world, OFFICE, "login", &login(&format!("{n}@example.com"), WRONG)).await;
        let _guess = guess.refused(401, "invalid_credentials");
    }
    let sign_ins = people.iter().map(|email| {
        let (world, body) = (&world, login(email, PASSWORD));
        async move { from(world, OFFICE, "login", &body).await }
    });
    for reply in futures_all(sign_ins).await {
        let _in = reply.expect(200);
    }
}

#[tokio::test]
async fn sign_ins_reduce_failures_and_one_account_is_not_enough_for_that() {
    let world = World::new().await;
    let (ada, bob) = (world.person().await, world.person().await);
    turn(&world, 90);
    guess_until_asked(&world).await;
    let asked = async |email: &str| from(&world, OFFICE, "login", &login(email, WRONG)).await.status == 422;
    assert!(asked("x@example.com").await);
    let answered = with_answer(&world, &login(&ada.email, PASSWORD)).await;
    let _in = from(&world, OFFICE, "login", &answered).await.expect(200);
    // One failure fewer, so one more guess.
    assert!(!asked("x@example.com").await);
    assert!(asked("x@example.com").await);
    // Ada has just signed in, so her next sign-in does not count again within the hour.
    let answered = with_answer(&world, &login(&ada.email, PASSWORD)).await;
    let _in = from(&world, OFFICE, "login", &answered).await.expect(200);
    assert!(asked("x@example.com").await);
    let answered = with_answer(&world, &login(&bob.email, PASSWORD)).await;
    let _in = from(&world, OFFICE, "login", &answered).await.expect(200);
    assert!(!asked("y@example.com").await);
}

#[tokio::test]
async fn an_address_asks_for_a_few_mails_then_as_a_person_and_then_not_at_all() {
    let world = World::with(None, &[("PURSER_ADDRESS_MAILS_PER_HOUR", "30")]).await;
    let routes = ["register", "resend-confirmation", "forgot-password"];
    let ask = |n: usize| json!({"email": format!("{n}@example.com")});
    for n in 0..3 {
        let _asked = from(&world, OFFICE, routes[n % 3], &ask(n)).await.expect(202);
    }
    for route in routes {
        let asked = from(&world, OFFICE, route, &ask(3)).await;
        assert_eq!(asked.refused(422, "captcha_failed").pointer(), "/captcha");
    }
    let _elsewhere = from(&world, HOME, "forgot-password", &ask(3)).await.expect(202);
    for n in 3..30 {
        let answered = with_answer(&world, &ask(n)).await;
        let _asked = from(&world, OFFICE, routes[n % 3], &answered).await.expect(202);
    }
    let answered = with_answer(&world, &ask(30)).await;
    let waits = from(&world, OFFICE, "register", &answered).await.refused(429, "too_many_attempts");
    let seconds: i64 = waits.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=3_600).contains(&seconds), "{seconds}");
    world.system().clock().advance(SignedDuration::from_secs(seconds));
    let _asked = from(&world, OFFICE, "register", &ask(31)).await.expect(202);
}
