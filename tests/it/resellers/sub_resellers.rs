//! Resellers below resellers, and looking resellers up (rule B1).

use purser_tests::prelude::*;

async fn onboard(world: &World, parent: &str) -> Reply {
    let name = world.fresh("sub");
    let body = json!({"company_name": name, "email": format!("{name}@example.com"), "parent": parent});
    world.operator.post("/v1/resellers", &body).await
}

#[tokio::test]
async fn resellers_stand_five_levels_deep_at_most() {
    let world = World::new().await;
    let top = world.partner("standard", 0).await.refid;
    let mut last = top.clone();
    for _ in 2..=5 {
        let sub = onboard(&world, &last).await.expect(201);
        assert_eq!(sub.text("parent"), last);
        last = sub.text("refid").to_owned();
    }
    let size = world.size().await;
    let refused = onboard(&world, &last).await.refused(422, "parent_too_deep");
    assert_eq!(refused.pointer(), "/parent");
    assert!(refused.text("detail").contains('5'));
    assert_eq!(world.size().await, size);
    for unknown in ["RS-0000000000000000", "nobody"] {
        let refused = onboard(&world, unknown).await.refused(422, "invalid_reseller");
        assert_eq!(refused.pointer(), "/parent");
    }
    let path = format!("/v1/resellers/{top}/suspend");
    let _suspended = world.operator.act(&path).await.expect(200);
    let _barred = onboard(&world, &top).await.refused(409, "reseller_suspended");
}

#[tokio::test]
async fn resellers_are_found_by_parent_and_by_login() {
    let world = World::new().await;
    let (top, other) = (world.partner("standard", 0).await, world.partner("gold", 0).await);
    let sub = onboard(&world, &top.refid).await.expect(201);
    let _below = onboard(&world, sub.text("refid")).await.expect(201);
    let path = format!("/v1/resellers/{}", other.refid);
    let user = world.operator.get(&path).await.expect(200).text("user").to_owned();
    let found = async |query: String| -> Vec<Value> {
        let list = world.operator.get(&format!("/v1/resellers?{query}")).await.expect(200);
        let data = list.json["data"].as_array().unwrap();
        data.iter().map(|it| it["refid"].clone()).collect()
    };
    let sub = sub.json["refid"].clone();
    let other = [json!(other.refid)];
    assert_eq!(found(format!("parent={}", top.refid)).await, [sub]);
    assert_eq!(found(format!("user={user}")).await, other);
    assert_eq!(found(format!("user={user}&tier=gold&status=active")).await, other);
    for nothing in [
        format!("user={user}&tier=standard"),
        format!("user={user}&parent={}", top.refid),
        "user=US-0000000000000000".to_owned(),
        "user=nobody".to_owned(),
        "parent=RS-0000000000000000".to_owned(),
        "parent=nobody".to_owned(),
    ] {
        assert_eq!(found(nothing.clone()).await, Vec::<Value>::new(), "{nothing}");
    }
}
