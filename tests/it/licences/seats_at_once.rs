//! No race gives one seat more than there are (rule C4).

use std::sync::Arc;

use purser_tests::prelude::*;
use tokio::task::JoinSet;

use super::Sold;
use super::activating::{activate, ask, for_, held, told};

/// All of these at once.
async fn at_once(world: &Arc<World>, key: &str, names: Vec<String>, more: Value) -> Vec<Reply> {
    let mut asked = JoinSet::new();
    for name in names {
        let (world, key, more) = (world.clone(), key.to_owned(), more.clone());
        asked.spawn(async move { ask(&world, "", &key, &name, more).await });
    }
    asked.join_all().await
}

fn names(count: u32) -> Vec<String> {
    (0..count).map(|n| format!("machine {n}")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn of_sixty_four_at_once_as_many_get_a_seat_as_there_are() {
    let world = Arc::new(World::new().await);
    let sold = for_(&world, 5, json!({})).await;
    let replies = at_once(&world, &sold.key, names(64), json!({})).await;
    let seated: Vec<&Reply> = replies.iter().filter(|reply| reply.status == 201).collect();
    let refused = replies.iter().filter(|reply| told(reply) == (409, "too_many_activations")).count();
    assert_eq!((seated.len(), refused), (5, 59));
    let (holders, counted) = held(&world);
    let answered = seated.iter().map(|it| it.json["activation"]["fingerprint"].as_str().unwrap().to_owned());
    assert_eq!((holders, counted.as_str()), (answered.collect(), "5"));
    let shown = world.operator.get(&sold.path("")).await.expect(200);
    assert_eq!((&shown.json["activations"], &shown.json["refused_today"]), (&json!(5), &json!(59)));

    // One that has its seat keeps it, and gets no other one, although none is free.
    let known = seated[0].json["activation"]["fingerprint"].as_str().unwrap();
    let again = at_once(&world, &sold.key, vec![known.to_owned(); 64], json!({})).await;
    assert_eq!(again.iter().filter(|reply| told(reply) == (200, "valid")).count(), 64);
    assert_eq!(held(&world).1, "5");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_installation_sixty_four_times_at_once_has_one_seat() {
    let world = Arc::new(World::new().await);
    let sold = for_(&world, 5, json!({})).await;
    let replies = at_once(&world, &sold.key, vec!["this one".to_owned(); 64], json!({})).await;
    let new = replies.iter().filter(|reply| reply.status == 201).count();
    let known = replies.iter().filter(|reply| reply.status == 200).count();
    assert_eq!((new, known), (1, 63));
    assert_eq!(held(&world), (BTreeSet::from(["this one".to_owned()]), "1".to_owned()));
}

/// A burst passes, and whoever lets any number in still counts.
#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_at_once_are_let_in_where_any_number_may() {
    let world = Arc::new(World::new().await);
    let sold = Sold::new(&world).await;
    let _active = world.operator.act(&sold.path("/activate")).await.expect(200);
    let replies = at_once(&world, &sold.key, names(100), json!({})).await;
    assert_eq!(replies.iter().filter(|reply| reply.status == 201).count(), 100);
    assert_eq!(held(&world).1, "100");
    // A limit that is set later takes nobody's seat, and gives none until enough are given back.
    let _limited = world.operator.patch(&sold.path(""), &json!({"parallel_uses": 99})).await.expect(200);
    let more = ask(&world, "", &sold.key, "another", json!({"replace": "oldest"})).await;
    assert_eq!(told(&more), (409, "too_many_activations"));
    assert_eq!(activate(&world, &sold.key, "machine 7").await.status, 200);
    for (name, then) in [("machine 1", 409), ("machine 2", 201)] {
        let _freed = ask(&world, "/deactivate", &sold.key, name, json!({})).await.expect(200);
        assert_eq!(activate(&world, &sold.key, "another").await.status, then);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn however_many_replace_the_oldest_there_are_never_more() {
    let world = Arc::new(World::new().await);
    let sold = for_(&world, 5, json!({})).await;
    let mut asked = JoinSet::new();
    for name in names(24) {
        let (world, key) = (world.clone(), sold.key.clone());
        asked.spawn(async move { ask(&world, "", &key, &name, json!({"replace": "oldest"})).await });
    }
    let mut seated = 0;
    while let Some(reply) = asked.join_next().await {
        seated += u32::from(reply.unwrap().expect(201).status == 201);
        let holders = held(&world).0;
        assert!(holders.len() <= 5, "{holders:?}");
    }
    assert_eq!((seated, held(&world).0.len(), held(&world).1.as_str()), (24, 5, "5"));
}
