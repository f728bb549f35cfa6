//! Searching and bounding the list of resellers.

use purser_tests::prelude::*;

async fn names(world: &World, query: &str) -> Vec<String> {
    world.system().settle().await;
    let page = world.operator.get(&format!("/v1/resellers?{query}")).await.expect(200);
    page.json["data"].as_array().unwrap().iter().map(|it| it["company_name"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn resellers_are_found_by_name_and_address_and_only_by_operators() {
    let world = World::new().await;
    let mut refids = Vec::new();
    for (name, email, tier) in
        [("Élite Partners", "first@example.com", "gold"), ("Other Élan", "e@example.com", "gold")]
    {
        let body = json!({"company_name": name, "email": email, "tier": tier});
        refids.push(world.operator.post("/v1/resellers", &body).await.expect(201).text("refid").to_owned());
    }
    // A client is no reseller, and the other way round.
    let body = json!({"name": "Elite Client", "email": "elite@example.com"});
    let _client = world.operator.post("/v1/clients", &body).await.expect(201);
    for (query, expected) in [
        ("q=elite", vec!["Élite Partners"]),
        ("q=el", vec!["Other Élan", "Élite Partners"]),
        ("q=FIRST@", vec!["Élite Partners"]),
        ("q=part&tier=gold&status=active", vec!["Élite Partners"]),
        ("q=part&tier=standard", vec![]),
        ("q=x", vec![]),
    ] {
        assert_eq!(names(&world, query).await, expected, "{query}");
    }
    let path = format!("/v1/resellers/{}", refids[0]);
    let _changed = world.operator.patch(&path, &json!({"company_name": "Renamed"})).await.expect(200);
    assert_eq!(names(&world, "q=elite").await, [""; 0]);
    assert_eq!(names(&world, "q=ren").await, ["Renamed"]);
    let partner = world.partner("standard", 0).await;
    let _refused = partner.caller.get("/v1/resellers?q=ren").await.refused(403, "forbidden");
}

#[tokio::test]
async fn resellers_are_listed_between_two_times_in_either_order() {
    let world = World::at("2024-03-01T12:00:00Z").await;
    for name in ["a", "b", "c"] {
        let body = json!({"company_name": name, "email": format!("{name}@example.com")});
        let _reseller = world.operator.post("/v1/resellers", &body).await.expect(201);
        world.system().clock().advance(SignedDuration::from_hours(24));
    }
    for (query, expected) in [
        ("order=asc", vec!["a", "b", "c"]),
        ("created_after=2024-03-02T12:00:00Z", vec!["c", "b"]),
        ("created_before=2024-03-02T12:00:00Z", vec!["a"]),
        ("created_after=2024-03-02T00:00:00%2B01:00&created_before=2024-03-03T00:00:00Z&order=asc", vec!["b"]),
    ] {
        assert_eq!(names(&world, query).await, expected, "{query}");
    }
}
