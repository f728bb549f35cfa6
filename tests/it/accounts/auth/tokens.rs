//! Tokens in e-mailed links: each works for one purpose, once, for a limited time (rule D2).

use purser_tests::prelude::*;

use crate::accounts::{attempt, confirm, doc, forget, reset, turn};

const NEW: &str = "a new harbour at midnight";

#[track_caller]
fn invalid(reply: Reply) {
    let _refused = reply.refused(422, "invalid_token");
}

#[tokio::test]
async fn a_token_works_once() {
    let world = World::new().await;
    let email = "ada@example.com";
    world.register(email).await;
    let token = world.mailed_token(email).await;
    assert_eq!(token.len(), 43, "256 bits");
    let _confirmed = confirm(&world, &token).await.expect(200);
    invalid(confirm(&world, &token).await);
    forget(&world, email).await;
    let token = world.mailed_token(email).await;
    let _reset = reset(&world, &token, NEW).await.expect(200);
    invalid(reset(&world, &token, "yet another harbour").await);
    let _in = world.sign_in(email, NEW).await;
}

#[tokio::test]
async fn a_token_is_for_one_thing_and_the_answer_never_says_what_is_wrong() {
    let world = World::new().await;
    world.register("ada@example.com").await;
    let confirms = world.mailed_token("ada@example.com").await;
    let bob = world.person().await;
    forget(&world, &bob.email).await;
    let resets = world.mailed_token(&bob.email).await;
    let before = world.state().await;
    let mut refused = Vec::new();
    let forged = "A".repeat(43);
    let longer = format!("{resets}A");
    for token in [confirms.as_str(), &resets[..42], &longer, &forged, "a"] {
        let reply = reset(&world, token, NEW).await;
        refused.push(reply.json.clone());
        invalid(reply);
    }
    let longer = format!("{confirms}A");
    for token in [resets.as_str(), &confirms[..42], &longer, &forged] {
        let reply = confirm(&world, token).await;
        refused.push(reply.json.clone());
        invalid(reply);
    }
    assert!(refused.windows(2).all(|two| two[0] == two[1]), "{refused:#?}");
    assert_eq!(world.state().await, before, "a refused token must change nothing");
    // The hash that the table stores does not work as a token.
    let items = world.items();
    let kept = items.iter().find(|item| item["kind"]["S"] == "token");
    let kept = kept.unwrap()["pk"]["S"].as_str().unwrap();
    let hash = kept.strip_prefix("TK#").unwrap();
    assert_ne!(hash, resets);
    invalid(reset(&world, hash, NEW).await);
}

#[tokio::test]
async fn a_token_ends_in_time() {
    let world = World::new().await;
    let ada = world.person().await;
    for (minutes, works) in [(9, true), (10, false)] {
        forget(&world, &ada.email).await;
        let token = world.mailed_token(&ada.email).await;
        turn(&world, minutes);
        let reply = reset(&world, &token, &format!("{NEW} {minutes}")).await;
        assert_eq!(reply.status == 200, works, "{minutes}: {:?}", reply.json);
    }
    for (minutes, works) in [(24 * 60 - 1, true), (24 * 60, false)] {
        let email = format!("{minutes}@example.com");
        world.register(&email).await;
        let token = world.mailed_token(&email).await;
        turn(&world, minutes);
        let reply = confirm(&world, &token).await;
        assert_eq!(reply.status == 200, works, "{minutes}: {:?}", reply.json);
    }
}

#[tokio::test]
async fn a_newer_token_does_not_end_an_older_one_and_a_new_password_ends_both() {
    let world = World::new().await;
    let ada = world.person().await;
    forget(&world, &ada.email).await;
    let older = world.mailed_token(&ada.email).await;
    forget(&world, &ada.email).await;
    let newer = world.mailed_token(&ada.email).await;
    assert_ne!(older, newer);
    let _set = reset(&world, &older, NEW).await.expect(200);
    invalid(reset(&world, &newer, "yet another harbour").await);
}

#[tokio::test]
async fn of_many_uses_at_once_one_wins() {
    let world = World::new().await;
    let email = "ada@example.com";
    world.register(email).await;
    let token = world.mailed_token(email).await;
    let uses = (0..8).map(|_| confirm(&world, &token));
    let replies = futures_all(uses).await;
    assert_eq!(replies.iter().filter(|it| it.status == 200).count(), 1);
    assert!(replies.iter().all(|it| it.status == 200 || it.text("code") == "invalid_token"));

    forget(&world, email).await;
    let token = world.mailed_token(email).await;
    let passwords: Vec<String> = (0..4).map(|n| format!("{NEW} number {n}")).collect();
    let uses = passwords.iter().map(|it| reset(&world, &token, it));
    let replies = futures_all(uses).await;
    let won: Vec<usize> = (0..4).filter(|n| replies[*n].status == 200).collect();
    assert_eq!(won.len(), 1, "{replies:?}");
    // The winner's password comes first: after three wrong ones, the next attempt has to wait.
    let (losers, winner): (Vec<_>, Vec<_>) = passwords.iter().enumerate().partition(|(n, _)| won != [*n]);
    let _session = attempt(&world.nobody(), email, winner[0].1).await.expect(200);
    for (_, loser) in losers {
        let _refused = attempt(&world.nobody(), email, loser).await.expect(401);
    }
}

#[tokio::test]
async fn no_token_is_ever_in_the_table_and_no_password_either() {
    let world = World::new().await;
    let ada = world.person().await;
    forget(&world, &ada.email).await;
    let token = world.mailed_token(&ada.email).await;
    let everything = world.everything_in_the_table();
    let (_, secret) = ada.caller.key().unwrap().split_once('.').unwrap();
    for secret in [token.as_str(), secret, PASSWORD] {
        assert!(!everything.contains(secret), "{secret}");
    }
    let kept = doc(&world, &format!("PW#{}", ada.refid)).unwrap();
    let hash = kept["password"]["S"].as_str().unwrap();
    assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
    // Credentials appear in no index.
    let items = world.items();
    let credentials = items.iter().filter(|item| item["kind"]["S"] == "credentials");
    for item in credentials {
        assert!(item.as_object().unwrap().keys().all(|name| !name.starts_with("gsi")));
    }
}

#[tokio::test]
async fn an_address_is_not_mailed_without_end() {
    let world = World::new().await;
    let ada = world.person().await;
    for _ in 0..20 {
        forget(&world, &ada.email).await;
    }
    let mailed = world.subjects(&ada.email).await.len();
    assert!(mailed <= 6, "{mailed} e-mails to one address");
    turn(&world, 15);
    let before = mailed;
    forget(&world, &ada.email).await;
    assert_eq!(world.subjects(&ada.email).await.len(), before + 1, "after 15 minutes the address is mailed again");
}

#[tokio::test]
async fn a_weak_password_uses_no_token_up() {
    let world = World::new().await;
    let ada = world.person().await;
    forget(&world, &ada.email).await;
    let token = world.mailed_token(&ada.email).await;
    for weak in ["short", "password1234", "qwertyuiop123", &ada.email, "Ada Lovelace"] {
        let reply = reset(&world, &token, weak).await.refused(422, "weak_password");
        assert_eq!(reply.pointer(), "/password", "{weak}");
    }
    let _set = reset(&world, &token, NEW).await.expect(200);
    let login = json!({"email": ada.email, "password": NEW});
    let _in = world.sign_in_with(&ada.email, &login).await;
}
