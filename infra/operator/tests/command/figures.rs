//! Tests of `figures` (rules A11, B13, C6).

use purser_tests::prelude::*;

use super::{Said, against};

async fn turn(world: &World, by: &str) {
    let nobody = world.nobody();
    let by = json!({"advance": by});
    let _turned = nobody.post("/_local/clock", &by).await.expect(200);
}

/// A world with two clients. Their figures are counted and more than two minutes old, so they can be compared.
async fn counted() -> World {
    let world = World::at("2023-01-31T23:50:00Z").await;
    for _ in 0..2 {
        let client = world.new_client();
        let created = world.operator.post("/v1/clients", &client).await;
        let _created = created.expect(201);
        turn(&world, "PT11M").await;
    }
    world.run_schedule("rollup").await;
    world
}

fn said(status: i32, out: &str, err: &str) -> Said {
    let (out, err) = (out.to_owned(), err.to_owned());
    Said { status, out, err }
}

#[tokio::test]
async fn figures_are_counted_from_the_first_day_to_today() {
    let world = World::at("2023-01-31T23:50:00Z").await;
    let nothing = against(&world, &["figures"]).await;
    assert_eq!(nothing, said(0, "there is nothing to count yet\n", ""));
    let world = counted().await;
    let right = "2 things, 8 figures: correct\n";
    assert_eq!(against(&world, &["figures"]).await, said(0, right, ""));
    let january = ["figures", "--end", "2023-01-31"];
    let right = "1 thing, 5 figures: correct\n";
    assert_eq!(against(&world, &january).await, said(0, right, ""));
    let none = against(&world, &["figures", "--start", "2023-03-01"]).await;
    let why = "purser-operator: the last day, 2023-02-01, is before the first, 2023-03-01\n";
    assert_eq!(none, said(2, "", why));
}

#[tokio::test]
async fn what_differs_is_named_and_mended() {
    let world = counted().await;
    let mut items = world.items().into_iter();
    let day = items.find(|it| it["pk"]["S"] == "RU#CL#-" && it["sk"]["S"] == "D#2023-01-31");
    world.remove(&day.unwrap());
    let figures = "clients is 0, should be 1; pending is 0, should be 1; standalone is 0, should be 1";
    let whose = "client figures of everybody";
    let month = "clients is 1, should be 0; pending is 1, should be 0; standalone is 1, should be 0";
    let lines = format!("2023-01-31: {whose}: {figures}\n2023-01: {whose}: {month}\n");
    let expected = said(1, &format!("{lines}2 things, 8 figures: 2 differences\n"), "");
    assert_eq!(against(&world, &["figures"]).await, expected);
    let mended = against(&world, &["figures", "--rebuild"]).await;
    let line = format!(
        "2023-01-31: {whose}: {figures}\n2 things, 5 figures: 1 difference, will be counted again within two minutes\n"
    );
    assert_eq!((mended.status, mended.out), (0, line));
    let early = against(&world, &["figures"]).await;
    assert_eq!(early.status, 2);
    assert!(early.err.contains("try again in two minutes"), "{early:?}");
    world.run_schedule("rollup").await;
    // The rebuild marked the day's first hour, so this hour now has a figure, too: an empty one.
    let right = "2 things, 9 figures: correct\n";
    assert_eq!(against(&world, &["figures"]).await, said(0, right, ""));
}
