//! Changing a user's e-mail address: the new address confirms the change, and the old address is notified (rule D1).

use purser_tests::prelude::*;

use crate::accounts::{attempt, confirm, doc, forget, reset};

async fn move_to(person: &Person, email: &str, password: &str) -> purser_tests::Reply {
    let body = json!({"email": email, "password": password});
    person.caller.put("/v1/me/email", &body).await
}

#[tokio::test]
async fn an_address_changes_once_its_owner_says_so() {
    let world = World::new().await;
    let ada = world.person().await;
    let new = "ada@new.example";
    let wrong = move_to(&ada, new, "a wrong harbour").await;
    let _wrong = wrong.refused(422, "wrong_password");
    let _asked = move_to(&ada, new, PASSWORD).await.expect(202);
    let token = world.mailed_token(new).await;
    // Until the change is confirmed, the old address signs in. The change ends a password link sent to that address.
    let _in = world.sign_in(&ada.email, PASSWORD).await;
    forget(&world, &ada.email).await;
    let stale = world.mailed_token(&ada.email).await;
    let _confirmed = confirm(&world, &token).await.expect(200);
    let _used = confirm(&world, &token).await.refused(422, "invalid_token");
    let gone = attempt(&world.nobody(), &ada.email, PASSWORD).await;
    let _gone = gone.refused(401, "invalid_credentials");
    let ada_again = world.sign_in(new, PASSWORD).await;
    assert_eq!(ada_again.refid, ada.refid);
    let told = world.subjects(&ada.email).await;
    assert!(told.iter().any(|it| it == "The e-mail address of your Purser account was changed"), "{told:?}");
    let stale = reset(&world, &stale, "a new harbour at midnight").await;
    let _stale = stale.refused(422, "invalid_token");
    // The old address is free for a new user.
    world.register(&ada.email).await;
    let token = world.mailed_token(&ada.email).await;
    let _other = confirm(&world, &token).await.expect(200);
    assert_ne!(world.sign_in(&ada.email, PASSWORD).await.refid, ada.refid);
}

#[tokio::test]
async fn the_old_address_is_told_at_once_and_a_new_password_stops_the_change() {
    let world = World::new().await;
    let ada = world.person().await;
    let new = "thief@new.example";
    let _asked = move_to(&ada, new, PASSWORD).await.expect(202);
    let told = world.subjects(&ada.email).await;
    let subject = "A new e-mail address was requested for your Purser account";
    assert!(told.iter().any(|it| it == subject), "{told:?}");
    let mails = world.all_mails().await;
    let notice = mails.iter().find(|mail| mail["subject"] == subject).unwrap();
    assert!(!notice.to_string().contains(new), "{notice}");
    let token = world.mailed_token(new).await;
    let chosen = "a new harbour at midnight";
    let change = json!({"password": PASSWORD, "new_password": chosen});
    let _changed = ada.caller.put("/v1/me/password", &change).await.expect(200);
    let body = json!({"token": token, "password": chosen});
    let _stopped = world.nobody().post("/v1/auth/confirm", &body).await.refused(422, "invalid_token");
    let _in = world.sign_in(&ada.email, chosen).await;
}

#[tokio::test]
async fn a_taken_address_is_not_told_of_and_a_raced_one_is_refused() {
    let world = World::new().await;
    let (ada, bob) = (world.person().await, world.person().await);
    let before = world.subjects(&bob.email).await.len();
    let _same_answer = move_to(&ada, &bob.email, PASSWORD).await.expect(202);
    assert_eq!(world.subjects(&bob.email).await.len(), before, "an address that is taken gets no e-mail");

    let new = "shared@new.example";
    let _asked = move_to(&ada, new, PASSWORD).await.expect(202);
    let first = world.mailed_token(new).await;
    let _asked = move_to(&bob, new, PASSWORD).await.expect(202);
    let second = world.mailed_token(new).await;
    let _confirmed = confirm(&world, &second).await.expect(200);
    let taken = confirm(&world, &first).await;
    let _taken = taken.refused(409, "duplicate_email");
    let guard = doc(&world, &format!("EU#{new}")).unwrap();
    assert_eq!(guard["user"]["S"], bob.refid);
    let me = ada.caller.get("/v1/me").await.expect(200);
    assert_eq!(me.text("email"), ada.email);
}

#[tokio::test]
async fn another_spelling_of_the_same_address_is_no_other() {
    let world = World::new().await;
    let ada = world.person().await;
    let capitals = ada.email.to_uppercase();
    let _in = world.sign_in(&capitals, PASSWORD).await;
    world.register(&capitals).await;
    // The e-mail goes to the address as its owner spells it.
    let subjects = world.subjects(&ada.email).await;
    assert!(subjects[0].contains("already"), "{subjects:?}");
    let still = attempt(&world.nobody(), &ada.email, "some other harbour").await;
    let _still = still.refused(401, "invalid_credentials");
}
