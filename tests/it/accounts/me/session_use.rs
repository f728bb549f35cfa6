//! Sessions: what is noted of their use.

use jiff::Timestamp;
use purser_domain::basic::refid::UserRefid;
use purser_domain::basic::time::Time;
use purser_store::engine::table::meter::measured;
use purser_tests::World;
use purser_tests::faults::Script;
use serde_json::{Value, json};

const USER: &str = "US-0123456789ABCDEF";

/// The item of a user with one session, `a`, last used long ago.
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

    // A session that has ended stays ended, and nobody's sessions are made.
    let nobody = UserRefid::parse("US-0000000000000000").unwrap();
    for (user, session) in [(&user, "b"), (&nobody, "a")] {
        let later = at(1_900_000_000);
        let noted = app.store.note_session_used(user, session, later).await;
        noted.unwrap();
        assert_eq!(world.items(), [expected.clone()]);
    }

    // Who is told of nobody may not.
    let app = world.app_over("relay", &Script::default()).await;
    let refused = app.store.note_session_used(&user, "a", at(0)).await;
    let refused = refused.unwrap_err().to_string();
    assert!(refused.contains("not authorized"), "{refused}");
    assert_eq!(world.items(), [expected]);
}
