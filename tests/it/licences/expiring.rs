//! What is told of a licence before it ends, and when it has ended (rule C8).

use purser_tests::prelude::*;

use super::Sold;

async fn pass(world: &World, time: &str) {
    let _turned = world.nobody().post("/_local/clock", &json!({"advance": time})).await.expect(200);
    world.system().settle().await;
    world.run_schedule("run-due-work").await;
}

/// What was told of ends so far, oldest first: the days before it, or that it came.
async fn told(world: &World) -> Vec<String> {
    let events = world.events().await;
    let of_ends = events.iter().rev().filter_map(|event| match event["detail-type"].as_str().unwrap() {
        "LicenceExpiring" => Some(event["detail"]["days"].to_string()),
        "LicenceExpired" => Some("expired".to_owned()),
        _ => None,
    });
    of_ends.collect()
}

async fn active(world: &World, term: &str) -> Sold {
    let sold = Sold::with(world, json!({"term": term})).await;
    let _active = world.operator.act(&sold.path("/activate")).await.expect(200);
    sold
}

#[tokio::test]
async fn a_licence_is_told_to_end_and_a_renewal_starts_anew() {
    let world = World::at("2026-01-01T09:00:00Z").await;
    let sold = active(&world, "P1Y").await;
    let mut expected: Vec<&str> = Vec::new();
    for (time, tells) in [("P334DT23H", None), ("PT2H", Some("30")), ("P22D", None), ("P1D", Some("7"))] {
        pass(&world, time).await;
        expected.extend(tells);
        assert_eq!(told(&world).await, expected, "{time}");
    }
    let renewed = world.operator.post_once(&sold.path("/renew"), "r", &json!({})).await.expect(200);
    assert_eq!(renewed.text("expires_at"), "2028-01-01T09:00:00.000Z");
    // What no run told in its time is told by the next one.
    for (time, tells) in
        [("P341D", &[][..]), ("P1D", &["30"]), ("P29D", &["7", "1"]), ("P1D", &["expired"]), ("P365D", &[])]
    {
        pass(&world, time).await;
        expected.extend(tells);
        assert_eq!(told(&world).await, expected, "{time}");
    }
    let event = world.events().await.into_iter().find(|event| event["detail-type"] == "LicenceExpired").unwrap();
    let detail = &event["detail"];
    assert_eq!(
        [&detail["licence"], &detail["client"], &detail["reseller"], &detail["product"], &detail["expires_at"]],
        [
            &json!(sold.licence),
            &json!(sold.client),
            &json!(sold.partner.refid),
            &json!(sold.product),
            &json!("2028-01-01T09:00:00.000Z")
        ]
    );
}

#[tokio::test]
async fn nothing_is_told_of_what_was_revoked_or_never_ends() {
    let world = World::at("2026-01-01T09:00:00Z").await;
    let [revoked, refunded] = [active(&world, "P1M").await, active(&world, "P1M").await];
    let [moved, kept] = [active(&world, "P1M").await, active(&world, "P1M").await];
    let _ended = world.operator.act(&revoked.path("/revoke")).await.expect(200);
    let refund = format!("/v1/provisions/{}/refund", refunded.provision);
    let _refunded = world.operator.post_once(&refund, "r", &json!({"description": "x"})).await.expect(200);
    let _moved = world.operator.patch(&moved.path(""), &json!({"expires_at": null})).await.expect(200);
    let _suspended = world.operator.act(&kept.path("/suspend")).await.expect(200);
    for _ in 0..5 {
        pass(&world, "P10D").await;
    }
    assert_eq!(told(&world).await, ["7", "1", "expired"], "only what is suspended ends");
    // An end that an operator gives is waited for, too.
    let body = json!({"product": kept.product, "client": kept.client, "expires_at": "2026-03-01T00:00:00Z"});
    let _given = world.operator.post("/v1/licences", &body).await.expect(201);
    pass(&world, "P20D").await;
    assert_eq!(told(&world).await, ["7", "1", "expired", "1", "expired"]);
}
