//! Tests of `verify` (rule B11), for all wallets at once.

use purser_tests::prelude::*;

use super::{against, run, saved};

/// Makes a bare purchase, and returns the partition key of its entry.
async fn purchase(partner: &purser_tests::Partner, once: &str) -> String {
    let bare = json!({"cost": 10, "description": "x"});
    let made = partner.caller.post_once("/v1/provisions", once, &bare);
    format!("EN#{}", made.await.expect(201).text("refid"))
}

#[tokio::test]
async fn wallets_that_are_intact_are_told_in_one_line() {
    let world = World::new().await;
    for _ in 0..11 {
        let partner = world.partner("standard", 1_000).await;
        purchase(&partner, "k").await;
    }
    let said = against(&world, &["verify"]).await;
    assert_eq!((said.status, said.err.as_str()), (0, ""));
    assert_eq!(said.out, "11 wallets, 22 entries: intact\n");
}

#[tokio::test]
async fn a_history_that_breaks_is_told_by_its_place() {
    let world = World::new().await;
    let partner = world.partner("standard", 1_000).await;
    let _other = world.partner("standard", 1_000).await;
    let pk = purchase(&partner, "k").await;
    purchase(&partner, "l").await;
    world.tamper(&pk, "actor", &json!({"S": "somebody"}));
    let said = against(&world, &["verify"]).await;
    let expected = format!(
        "{}: entry 2: the entry was changed after it was written\n2 wallets, 4 entries: 1 break in 1 wallet\n",
        partner.refid
    );
    assert_eq!((said.status, said.out), (1, expected));
}

#[tokio::test]
async fn a_wrong_key_nobody_there_and_no_key_are_not_known() {
    let world = World::new().await;
    let partner = world.partner("standard", 1).await;
    let url = world.system().url();
    let verify = ["verify", "--url", &url];
    for key in ["wrong", partner.caller.key().unwrap()] {
        let said = run(Some(key), &verify).await;
        assert_eq!((said.status, said.out.as_str()), (2, ""), "{said:?}");
        assert!(said.err.contains("did not accept PURSER_OPERATOR_KEY"), "{said:?}");
        assert!(!said.err.contains(key), "{said:?}");
    }
    let said = run(None, &verify).await;
    assert_eq!(said.status, 2);
    assert!(said.err.contains("PURSER_OPERATOR_KEY must be"), "{said:?}");
    world.end().await;
    let said = run(Some("k"), &verify).await;
    assert_eq!((said.status, said.out.as_str()), (2, ""), "{said:?}");
    assert!(said.err.contains("can't be reached"), "{said:?}");
}

#[tokio::test]
async fn who_is_told_to_wait_waits() {
    let variables = [("PURSER_KEY_REQUESTS_PER_MINUTE", "120")];
    let world = World::with(None, &variables).await;
    for _ in 0..4 {
        world.partner("standard", 1).await;
    }
    // Use up what an operator may request at once; after that, one request is allowed every half second.
    while world.operator.get("/v1/products").await.status == 200 {}
    let said = against(&world, &["verify"]).await;
    assert_eq!((said.status, said.out.as_str()), (0, "4 wallets, 4 entries: intact\n"), "{said:?}");
}

#[tokio::test]
async fn histories_are_compared_with_saved_checkpoints() {
    let (world, folder) = (World::new().await, tempfile::tempdir().unwrap());
    let partner = world.partner("standard", 1_000).await;
    let gone = world.partner("standard", 1_000).await;
    world.run_schedule("checkpoint-ledger").await;
    let key = saved(&world, folder.path()).await;
    purchase(&partner, "k").await;
    let folder = folder.path().to_str().unwrap();
    let verify = ["verify", "--public-key", &key, "--checkpoints", folder];
    let said = against(&world, &verify).await;
    assert_eq!((said.status, said.out.as_str()), (0, "2 wallets, 3 entries: intact\n"));

    // Delete everything about one wallet; afterwards only the checkpoints mention it.
    let mut items = world.items();
    items.retain(|item| {
        item["doc"]["M"]["reseller"]["S"] == gone.refid || item["pk"]["S"] == format!("RS#{}", gone.refid)
    });
    for item in &items {
        world.remove(item);
    }
    let said = against(&world, &["verify"]).await;
    assert_eq!((said.status, said.out.as_str()), (0, "1 wallet, 2 entries: intact\n"));
    let said = against(&world, &verify).await;
    let expected = format!("{}: there is no such wallet\n2 wallets, 2 entries: 1 break in 1 wallet\n", gone.refid);
    assert_eq!((said.status, said.out), (1, expected));
    let other = ["verify", "--public-key", &format!("58{}", "66".repeat(31)), "--checkpoints", folder];
    let said = against(&world, &other).await;
    assert_eq!(said.status, 1);
    assert!(said.out.contains("another key signed it"), "{said:?}");
    let told = "\n1 wallet, 2 entries: 1 problem in the checkpoints\n";
    assert!(said.out.ends_with(told), "{said:?}");
    // One option without the other would compare nothing, so it is refused.
    for half in [["--public-key", &key], ["--checkpoints", folder]] {
        let said = against(&world, &["verify", half[0], half[1]]).await;
        assert_eq!((said.status, said.out.as_str()), (2, ""), "{said:?}");
    }
}
