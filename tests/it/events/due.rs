//! What is due later: it happens once, in its time, whichever runs try.

use purser_tests::faults::{Fault, Script};
use purser_tests::lambda::scheduled;
use purser_tests::prelude::*;

const RUN: &str = "run-due-work";

fn minutes(count: i64) -> SignedDuration {
    SignedDuration::from_mins(count)
}

fn waiting(world: &World) -> usize {
    let due = |item: &&Value| item["gsi4pk"]["S"].as_str().is_some_and(|pk| pk.starts_with("DUE#"));
    world.items().iter().filter(due).count()
}

async fn notices(world: &World) -> Vec<String> {
    let mails = world.mails().await;
    let subjects = mails.iter().map(|mail| mail["subject"].as_str().unwrap().to_owned());
    subjects.filter(|subject| subject.contains(" account is now ")).collect()
}

async fn toggled(world: &World, path: &str, actions: &[&str]) {
    for action in actions {
        let _changed = world.operator.act(&format!("{path}/{action}")).await.expect(200);
    }
    world.system().settle().await;
}

#[tokio::test]
async fn many_changes_are_told_by_one_mail_a_minute_later_and_the_next_an_hour_after_it() {
    let world = World::new().await;
    let client = world.operator.post("/v1/clients", &world.new_client()).await.expect(201);
    let path = format!("/v1/clients/{}", client.text("refid"));
    for _ in 0..10 {
        toggled(&world, &path, &["activate", "suspend"]).await;
    }
    world.run_schedule(RUN).await;
    assert_eq!(notices(&world).await, Vec::<String>::new(), "a notice waits for a minute");
    world.system().clock().advance(minutes(1));
    world.run_schedule(RUN).await;
    world.run_schedule(RUN).await;
    assert_eq!(notices(&world).await, ["Your Purser account is now suspended"]);

    toggled(&world, &path, &["activate"]).await;
    world.system().clock().advance(minutes(59));
    world.run_schedule(RUN).await;
    assert_eq!(notices(&world).await.len(), 1, "notices are an hour apart");
    toggled(&world, &path, &["deactivate"]).await;
    world.system().clock().advance(minutes(1));
    world.run_schedule(RUN).await;
    assert_eq!(
        notices(&world).await,
        ["Your Purser account is now inactive", "Your Purser account is now suspended"],
        "the notice tells the status that it finds"
    );
    assert_eq!(waiting(&world), 0);
    // The status that a client already has is no change.
    toggled(&world, &path, &["deactivate"]).await;
    assert_eq!(waiting(&world), 0);
}

#[tokio::test]
async fn a_client_that_is_deleted_meanwhile_is_told_nothing() {
    let world = World::new().await;
    let client = world.operator.post("/v1/clients", &world.new_client()).await.expect(201);
    let path = format!("/v1/clients/{}", client.text("refid"));
    toggled(&world, &path, &["activate"]).await;
    let _gone = world.operator.delete(&path).await.expect(204);
    world.system().clock().advance(minutes(2));
    world.run_schedule(RUN).await;
    assert_eq!((notices(&world).await.len(), waiting(&world)), (0, 0));
}

#[tokio::test]
async fn runs_at_once_runs_again_and_runs_that_fail_let_an_item_fall_due_once() {
    let world = World::new().await;
    for _ in 0..12 {
        let client = world.operator.post("/v1/clients", &world.new_client()).await.expect(201);
        toggled(&world, &format!("/v1/clients/{}", client.text("refid")), &["activate"]).await;
    }
    world.system().clock().advance(minutes(2));
    // One of the updates is made, but its answer is lost; another is not made at all.
    let script = Script::default();
    script.then(1, "UpdateItem", &Fault::LostAnswer);
    script.then(1, "UpdateItem", &Fault::LostCall);
    let app = world.app_over(RUN, &script).await;
    let run = |app: &purser_edge::App| {
        let app = app.clone();
        async move { purser_api::events::schedule::run_due_work::run_due_work(app, scheduled(RUN)).await }
    };
    let (one, other) = tokio::join!(run(&app), run(&app));
    assert_eq!((one, other), (Ok(()), Ok(())));
    assert!(script.is_played());
    world.run_schedule(RUN).await;
    assert_eq!(notices(&world).await.len(), 12);
    assert_eq!(waiting(&world), 0);
    let fell_due = |event: &&Value| event["detail-type"] == "ClientNoticeFellDue";
    assert_eq!(world.events().await.iter().filter(fell_due).count(), 12);
}

#[tokio::test]
async fn more_than_one_round_takes_falls_due_in_one_run() {
    let world = World::new().await;
    let at = world.system().clock().now();
    let notice = |n: usize| {
        let refid = format!("CL-{n:016}");
        json!({
            "pk": {"S": format!("NO#{refid}")}, "sk": {"S": "."}, "kind": {"S": "notice"},
            "gsi4pk": {"S": "DUE#3"}, "gsi4sk": {"S": format!("{at}#client_notice")},
        })
    };
    world.put_all(&(0..250).map(notice).collect::<Vec<_>>());
    let app = world.system().app();
    let rounds = [250, 150, 50].map(|_| async { app.store.meet_appointments(at).await.unwrap() });
    for (round, met) in rounds.into_iter().zip([100, 100, 50]) {
        let round = round.await;
        assert_eq!((round.met, round.oldest), (met, Some(at)));
    }
    assert_eq!(app.store.meet_appointments(at).await.unwrap().oldest, None);
}

#[tokio::test]
async fn a_key_is_warned_of_two_weeks_before_it_expires_and_then_ends() {
    let world = World::new().await;
    let ada = world.invited(json!({"operator": true})).await;
    ada.prove().await;
    let key = ada.caller.post("/v1/api-keys", &json!({"name": "Shop"})).await.expect(201);
    let soon = world.system().clock().now().plus(SignedDuration::from_hours(24 * 20));
    let _brief = ada.caller.post("/v1/api-keys", &json!({"name": "Brief", "expires_at": soon})).await.expect(201);
    let (refid, caller) = (key.text("refid").to_owned(), world.nobody().with_key(Some(key.text("key"))));
    let days = |count: i64| SignedDuration::from_hours(24 * count);
    let told = async || world.subjects(&ada.email).await.iter().filter(|it| it.contains("expires soon")).count();
    world.system().clock().advance(days(350));
    world.run_schedule(RUN).await;
    assert_eq!(told().await, 0);
    world.system().clock().advance(days(1));
    world.run_schedule(RUN).await;
    world.run_schedule(RUN).await;
    assert_eq!(told().await, 1);
    let _works = caller.get("/v1/clients").await.expect(200);
    world.system().clock().advance(days(14));
    let _expired = caller.get("/v1/clients").await.refused(401, "unauthenticated");
    assert_eq!(kind_of(&world, &refid), "api_key");
    world.run_schedule(RUN).await;
    world.system().settle().await;
    assert_eq!(kind_of(&world, &refid), "ended_api_key");
    assert_eq!(told().await, 1);
    let events = world.events().await;
    let mine = events.iter().filter(|event| event["detail"]["key"] == refid.as_str());
    let mut names: Vec<&str> = mine.map(|event| event["detail-type"].as_str().unwrap()).collect();
    names.sort_unstable();
    assert_eq!(names, ["ApiKeyCreated", "ApiKeyEnded", "ApiKeyExpired", "ApiKeyExpiresSoon", "ApiKeyFirstUsed"]);
    assert!(!world.everything_in_the_table().contains(&format!("\"KR#{}\"", ada.refid)), "the keyring must be empty");
}

fn kind_of(world: &World, key: &str) -> String {
    let items = world.items();
    let item = items.iter().find(|item| item["pk"]["S"] == format!("AK#{key}")).unwrap();
    item["kind"]["S"].as_str().unwrap().to_owned()
}
