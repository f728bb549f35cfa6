//! Noting when a session was last used: one write of one unit, which never brings an ended session back.

use jiff::Timestamp;
use purser_domain::basic::{Time, UserRefid};
use purser_store::engine::table::meter::measured;
use purser_tests::faults::Script;
use purser_tests::prelude::*;

const USER: &str = "US-0123456789ABCDEF";

/// A user's sessions item with one session, `a`, that was last used long ago.
fn sessions() -> Value {
    json!({
        "pk": {"S": format!("SE#{USER}")}, "sk": {"S": "."}, "kind": {"S": "sessions"},
        "roles": {"S": "customer"}, "seen": {"M": {"a": {"S": "2026-01-01T00:00:00.000Z"}}},
    })
}

#[tokio::test]
async fn every_function_that_is_told_who_calls_may_note_that_a_session_was_used() {
    let world = World::new().await;
    world.put_all(&[sessions()]);
    let user = UserRefid::parse(USER).unwrap();
    let at = |seconds| Time::of(Timestamp::from_second(seconds).unwrap());
    let app = world.app_over("read-products", &Script::default()).await;
    let (noted, cost) = measured(app.store.note_session_used(&user, "a", at(1_800_000_000))).await;
    noted.unwrap();
    assert_eq!((cost.calls, cost.wcu), (1, 1.0));
    let mut expected = sessions();
    expected["seen"]["M"]["a"]["S"] = json!("2027-01-15T08:00:00.000Z");
    assert_eq!(world.items(), [expected.clone()]);

    // Noting a use neither brings an ended session back nor creates sessions for a user who has none.
    let nobody = UserRefid::parse("US-0000000000000000").unwrap();
    for (user, session) in [(&user, "b"), (&nobody, "a")] {
        let later = at(1_900_000_000);
        let noted = app.store.note_session_used(user, session, later).await;
        noted.unwrap();
        assert_eq!(world.items(), [expected.clone()]);
    }

    // `relay` serves no callers, so its role does not allow the write.
    let app = world.app_over("relay", &Script::default()).await;
    let refused = app.store.note_session_used(&user, "a", at(0)).await;
    let refused = refused.unwrap_err().to_string();
    assert!(refused.contains("not authorized"), "{refused}");
    assert_eq!(world.items(), [expected]);
}
