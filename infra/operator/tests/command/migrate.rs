//! Tests of `migrate`.

use purser_tests::prelude::*;

use super::against;

#[tokio::test]
async fn keys_from_before_are_adopted_once_and_those_of_nobody_are_named() {
    let world = World::new().await;
    let partner = world.partner("standard", 0).await;
    let staff = world.member(&partner.refid).await;
    for maker in [staff.refid.as_str(), "US-0000000000000000"] {
        let made = partner.caller.post("/v1/api-keys", &json!({"name": "shop"})).await.expect(201);
        world.age_key(made.text("refid"), maker);
    }
    let said = against(&world, &["migrate"]).await;
    assert!(said.out.starts_with("2 API keys put on the keyrings of their makers\nAK-"), "{said:?}");
    let named = "its maker is gone, is suspended, or may do less than the key; revoke it or replace it\n";
    assert!(said.out.ends_with(named), "{said:?}");
    assert_eq!((said.status, said.err.as_str()), (1, ""), "{said:?}");
    let again = against(&world, &["migrate"]).await;
    assert!(again.out.starts_with("0 API keys put on"), "{again:?}");
}
