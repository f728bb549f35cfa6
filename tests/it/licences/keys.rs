//! Keys (rule C9): masked, revealed, rotated.

use purser_tests::prelude::*;

use super::{Sold, monthly};

#[tokio::test]
async fn a_key_is_shown_where_it_is_made_and_where_it_is_revealed_and_nowhere_else() {
    let world = World::new().await;
    let sold = Sold::new(&world).await;
    let reseller = &sold.partner.caller;
    let provision = format!("/v1/provisions/{}", sold.provision);
    for path in [sold.path(""), "/v1/licences".to_owned(), format!("/v1/licences?client={}", sold.client), provision] {
        for caller in [reseller, &world.operator] {
            let shown = caller.get(&path).await.expect(200);
            let text = String::from_utf8_lossy(&shown.bytes).into_owned();
            assert!(!text.contains(&sold.key) && text.contains("key_hint"), "{path}");
        }
    }
    let _active = world.operator.act(&sold.path("/activate")).await.expect(200);
    for action in ["/suspend", "/reinstate"] {
        assert_eq!(reseller.act(&sold.path(action)).await.expect(200).json["key"], Value::Null, "{action}");
    }
    let revealed = reseller.act(&sold.path("/reveal-key")).await.expect(200);
    assert_eq!(revealed.text("key"), sold.key);
    let other = Sold::new(&world).await;
    let _unknown = other.partner.caller.act(&sold.path("/reveal-key")).await.refused(404, "not_found");
    assert!(!world.everything_in_the_table().contains(&sold.key));
}

#[tokio::test]
async fn a_new_key_replaces_the_old_one_and_no_key_comes_back() {
    let world = World::new().await;
    let sold = Sold::new(&world).await;
    let rotated = sold.partner.caller.post_once(&sold.path("/rotate-key"), "k", &json!({})).await.expect(200);
    assert_ne!(rotated.text("key"), sold.key);
    assert!(rotated.text("key").ends_with(rotated.text("key_hint")));
    assert_eq!((rotated.text("refid"), rotated.number("version")), (sold.licence.as_str(), 2));
    let again = sold.partner.caller.post_once(&sold.path("/rotate-key"), "k", &json!({})).await.expect(200);
    assert_eq!(again.bytes, rotated.bytes);
    let revealed = sold.partner.caller.act(&sold.path("/reveal-key")).await.expect(200);
    assert_eq!(revealed.text("key"), rotated.text("key"));
    let given = world.operator.post(&sold.path("/rotate-key"), &json!({"key": "OUR-OWN-KEY"})).await.expect(200);
    assert_eq!((given.text("key"), given.text("key_hint")), ("OUR-OWN-KEY", "EY"));
    let _refused = sold
        .partner
        .caller
        .post(&sold.path("/rotate-key"), &json!({"key": "THEIR-OWN-KEY"}))
        .await
        .refused(403, "forbidden");
    // Every key that a licence has or had is taken, for it and for others.
    let product = monthly(&world, json!({})).await;
    for taken in [sold.key.as_str(), rotated.text("key"), "OUR-OWN-KEY"] {
        let body = json!({"product": product, "client_id": "C-1", "key": taken});
        let _taken = world.operator.post("/v1/licences", &body).await.refused(409, "duplicate_key");
        let _taken =
            world.operator.post(&sold.path("/rotate-key"), &json!({"key": taken})).await.refused(409, "duplicate_key");
    }
    // A pointer is no licence.
    let pointer = world.items().into_iter().find(|item| item["kind"]["S"] == "licence_key").unwrap();
    let refid = pointer["pk"]["S"].as_str().unwrap().trim_start_matches("LI#").to_owned();
    for path in ["", "/reveal-key", "/suspend"] {
        let path = format!("/v1/licences/{refid}{path}");
        let reply =
            if path.ends_with(&refid) { world.operator.get(&path).await } else { world.operator.act(&path).await };
        let _unknown = reply.refused(404, "not_found");
    }
    let table = world.everything_in_the_table();
    assert!(!table.contains(rotated.text("key")) && !table.contains("OUR-OWN-KEY"));
    let _ended = world.operator.act(&sold.path("/revoke")).await.expect(200);
    let _refused = world.operator.act(&sold.path("/rotate-key")).await.refused(409, "licence_revoked");
}

#[tokio::test]
async fn of_many_rotations_at_once_each_has_a_key_and_the_last_one_counts() {
    let world = World::new().await;
    let sold = Sold::new(&world).await;
    let path = sold.path("/rotate-key");
    let asked = (0..8).map(|_| sold.partner.caller.act(&path));
    let replies = futures_util::future::join_all(asked).await;
    let keys: std::collections::BTreeMap<u64, &str> =
        replies.iter().map(|reply| (reply.number("version"), reply.text("key"))).collect();
    assert_eq!(keys.keys().copied().collect::<Vec<_>>(), (2..=9).collect::<Vec<_>>());
    let revealed = sold.partner.caller.act(&sold.path("/reveal-key")).await.expect(200);
    assert_eq!(revealed.text("key"), keys[&9]);
    assert_eq!(world.count_of_kind("licence_key"), 8);
}
