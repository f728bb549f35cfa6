//! Racing refunds of one provision: each part returns its credits once, whichever callers ask and however often.

use purser_tests::prelude::*;
use tokio::task::JoinSet;

use super::{bought, licences, place, spent};

/// Sends sixteen requests at once: the one numbered `n` under the idempotency key `key(n)`, with the body `body(n)`.
async fn sixteen(
    caller: &Caller,
    path: &str,
    key: impl Fn(usize) -> String,
    body: impl Fn(usize) -> Value,
) -> Vec<Reply> {
    let mut asked = JoinSet::new();
    for n in 0..16 {
        let (caller, path, key, body) = (caller.clone(), path.to_owned(), key(n), body(n));
        asked.spawn(async move { caller.post_once(&path, &key, &body).await });
    }
    asked.join_all().await
}

#[tokio::test(flavor = "multi_thread")]
async fn one_refund_sixteen_times_at_once_is_one() {
    let world = World::new().await;
    let partner = world.partner("standard", 1_000).await;
    let provision = bought(&world, &partner, 3).await;
    let replies = sixteen(&world.operator, &place(&provision), |_| "k".into(), |_| json!({})).await;
    let first = &replies[0];
    assert!(replies.iter().all(|reply| reply.status == 200 && reply.bytes == first.bytes));
    let new = replies.iter().filter(|reply| reply.header("idempotency-replayed").is_none());
    assert_eq!(new.count(), 1);
    assert_eq!(world.balance(&partner.refid).await, 1_000);
    world.assert_intact(&partner.refid, 3).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_sixteen_refunds_at_once_one_returns_the_credits() {
    let world = World::new().await;
    let partner = world.partner("standard", 1_000).await;
    for provision in [bought(&world, &partner, 3).await, spent(&world, &partner, 7).await] {
        let path = place(&provision);
        let replies = sixteen(&world.operator, &path, |n| format!("{n}-{path}").replace('/', "."), |_| json!({})).await;
        let (done, refused): (Vec<&Reply>, Vec<&Reply>) = replies.iter().partition(|it| it.status == 200);
        assert_eq!((done.len(), refused.len()), (1, 15));
        for reply in refused {
            assert_eq!((reply.status, reply.text("code")), (409, "already_refunded"));
        }
    }
    assert_eq!(world.balance(&partner.refid).await, 1_000);
    world.assert_intact(&partner.refid, 5).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sixteen_parts_of_one_provision_return_at_once() {
    let world = World::new().await;
    let partner = world.partner("standard", 2_000).await;
    let provision = bought(&world, &partner, 16).await;
    let licences = licences(&provision);
    let part = |n: usize| json!({"licences": [licences[n]]});
    let replies = sixteen(&world.operator, &place(&provision), |n| format!("k{n}"), part).await;
    assert!(replies.iter().all(|reply| reply.status == 200), "{replies:?}");
    let mut sums: Vec<u64> = replies.iter().map(|reply| reply.number("refunded")).collect();
    sums.sort_unstable();
    assert_eq!(sums, (1..=16).map(|n| n * 100).collect::<Vec<u64>>());
    assert_eq!(world.balance(&partner.refid).await, 2_000);
    world.assert_intact(&partner.refid, 18).await;
}
