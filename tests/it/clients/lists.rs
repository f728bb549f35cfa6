//! Lists of clients and of others: every combination of filters, any page size, cursors (rule A5; docs/rules.md,
//! "Cursors").

use purser_tests::prelude::*;

/// The refids of a whole list, read in pages of `limit`.
async fn all(caller: &Caller, path: &str, limit: usize) -> Vec<String> {
    let mut refids = Vec::new();
    let mut cursor = String::new();
    let joint = if path.contains('?') { '&' } else { '?' };
    loop {
        let page = caller.get(&format!("{path}{joint}limit={limit}{cursor}")).await.expect(200);
        let data = page.json["data"].as_array().unwrap();
        assert!(data.len() <= limit);
        refids.extend(data.iter().map(|item| item["refid"].as_str().unwrap().to_owned()));
        match page.json["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return refids,
        }
    }
}

#[tokio::test]
async fn every_combination_of_filters_newest_first_at_any_page_size() {
    let world = World::new().await;
    let partners = [world.partner("standard", 0).await, world.partner("standard", 0).await];
    let mut clients = Vec::new();
    for n in 0..24_usize {
        world.system().clock().advance(jiff::SignedDuration::from_millis(5));
        let mut body = world.new_client();
        let owner = partners.get(n % 3).map(|partner| partner.refid.clone());
        body["reseller"] = json!(owner);
        let refid = world.operator.post("/v1/clients", &body).await.expect(201).text("refid").to_owned();
        let status = if n % 2 == 0 { "active" } else { "pending" };
        if n % 2 == 0 {
            let _client = world.operator.act(&format!("/v1/clients/{refid}/activate")).await.expect(200);
        }
        clients.push((refid, owner, status));
    }
    clients.reverse();
    for status in [None, Some("active"), Some("pending"), Some("suspended")] {
        for ownership in [None, Some("standalone"), Some("reselled")] {
            for reseller in [None, Some(partners[0].refid.as_str())] {
                let expected: Vec<String> = clients
                    .iter()
                    .filter(|(_, owner, _)| reseller.is_none_or(|reseller| owner.as_deref() == Some(reseller)))
                    .filter(|(_, _, present)| status.is_none_or(|status| *present == status))
                    .filter(|(_, owner, _)| ownership.is_none_or(|kind| (kind == "reselled") == owner.is_some()))
                    .map(|(refid, _, _)| refid.clone())
                    .collect();
                let filters = [("status", status), ("ownership", ownership), ("reseller", reseller)];
                let query: Vec<String> =
                    filters.iter().filter_map(|(name, value)| value.map(|value| format!("{name}={value}"))).collect();
                for limit in [1, 7, 100] {
                    let path = format!("/v1/clients?{}", query.join("&"));
                    assert_eq!(all(&world.operator, &path, limit).await, expected, "{path} {limit}");
                }
            }
        }
    }
}

#[tokio::test]
async fn entries_go_on_where_the_page_ended() {
    let world = World::new().await;
    let partner = world.partner("standard", 0).await;
    for _ in 0..7 {
        world.top_up(&partner.refid, 10).await;
    }
    let path = format!("/v1/resellers/{}/entries", partner.refid);
    let mut sequences = Vec::new();
    let mut cursor = String::new();
    loop {
        let page = partner.caller.get(&format!("{path}?limit=3{cursor}")).await.expect(200);
        sequences.extend(page.json["data"].as_array().unwrap().iter().map(|entry| entry["sequence"].as_u64().unwrap()));
        match page.json["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    assert_eq!(sequences, [7, 6, 5, 4, 3, 2, 1]);
}

#[tokio::test]
async fn a_cursor_works_for_its_caller_and_query_only() {
    let world = World::new().await;
    let (a, b) = (world.partner("standard", 0).await, world.partner("standard", 0).await);
    for _ in 0..3 {
        let _client = world.client(&a).await;
        let _client = world.client(&b).await;
    }
    let page = a.caller.get("/v1/clients?limit=1").await.expect(200);
    let cursor = page.text("next_cursor");
    let _page = a.caller.get(&format!("/v1/clients?limit=2&cursor={cursor}")).await.expect(200);
    // The first character holds six bits of the MAC, so changing it forges the cursor.
    let swapped = if cursor.starts_with('A') { "B" } else { "A" };
    let forged = format!("{swapped}{}", &cursor[1..]);
    for (caller, path) in [
        (&b.caller, format!("/v1/clients?limit=1&cursor={cursor}")),
        (&world.operator, format!("/v1/clients?limit=1&cursor={cursor}")),
        (&a.caller, format!("/v1/clients?status=pending&cursor={cursor}")),
        (&a.caller, format!("/v1/products?cursor={cursor}")),
        (&a.caller, format!("/v1/clients?cursor={forged}")),
        (&a.caller, format!("/v1/clients?cursor=x{cursor}")),
        (&a.caller, "/v1/clients?cursor=".to_owned()),
        (&a.caller, "/v1/clients?cursor=%00".to_owned()),
    ] {
        let _refused = caller.get(&path).await.refused(400, "invalid_cursor");
    }
}

#[tokio::test]
async fn queries_are_read_strictly() {
    let world = World::new().await;
    for query in [
        "limit=0",
        "limit=101",
        "limit=x",
        "limit=-1",
        "status=new",
        "ownership=x",
        "colour=red",
        "status=active&status=active",
    ] {
        let _refused = world.operator.get(&format!("/v1/clients?{query}")).await.refused(400, "malformed_request");
    }
    let none = world.operator.get("/v1/clients?reseller=nonsense").await.expect(200);
    assert_eq!(none.json, json!({"data": [], "next_cursor": null}));
}

#[tokio::test]
async fn resellers_are_listed_by_tier_and_status() {
    let world = World::new().await;
    let gold = world.partner("gold", 0).await;
    let platinum = world.partner("platinum", 0).await;
    let _reseller = world.operator.act(&format!("/v1/resellers/{}/suspend", gold.refid)).await.expect(200);
    for (query, expected) in [
        ("tier=gold", vec![&gold.refid]),
        ("status=active", vec![&platinum.refid]),
        ("tier=gold&status=suspended", vec![&gold.refid]),
        ("tier=gold&status=active", vec![]),
        ("tier=standard", vec![]),
    ] {
        assert_eq!(
            all(&world.operator, &format!("/v1/resellers?{query}"), 10).await,
            expected.iter().map(|r| (*r).clone()).collect::<Vec<_>>(),
            "{query}"
        );
    }
}

#[tokio::test]
async fn a_look_up_takes_as_many_reads_for_somebody_elses_address_as_for_nobodys() {
    let world = World::new().await;
    let (own, other) = (world.partner("standard", 0).await, world.partner("standard", 0).await);
    let taken = world.new_client();
    let _client = other.caller.post("/v1/clients", &taken).await.expect(201);
    let mut costs = Vec::new();
    for email in [taken["email"].as_str().unwrap(), "nobody@example.com"] {
        let list = own.caller.get(&format!("/v1/clients?email={email}")).await.expect(200);
        assert_eq!(list.json["data"], json!([]));
        costs.push(list.cost().0);
    }
    assert_eq!(costs[0], costs[1]);
}

#[tokio::test]
async fn lists_are_bounded_by_time_of_creation_in_either_order_without_costing_more() {
    let world = World::at("2024-03-01T12:00:00Z").await;
    let partner = world.partner("standard", 0).await;
    let mut refids = Vec::new();
    for _ in 0..30 {
        refids.push(world.client(&partner).await);
        world.system().clock().advance(jiff::SignedDuration::from_hours(1));
    }
    let (after, before) = ("created_after=2024-03-01T17:00:00Z", "created_before=2024-03-02T03:00:00.000Z");
    let newest_first: Vec<String> = refids.iter().rev().cloned().collect();
    for (query, expected) in [
        ("order=asc".to_owned(), refids.clone()),
        ("order=desc".to_owned(), newest_first.clone()),
        (after.to_owned(), newest_first[..25].to_vec()),
        (before.to_owned(), newest_first[15..].to_vec()),
        (format!("{after}&{before}"), newest_first[15..25].to_vec()),
        (format!("{after}&{before}&order=asc&status=pending"), refids[5..15].to_vec()),
        (format!("{after}&created_before=2024-03-01T17:00:00Z"), vec![]),
        (format!("{after}&created_before=2024-03-01T16:00:00Z"), vec![]),
    ] {
        for caller in [&partner.caller, &world.operator] {
            for limit in [3, 100] {
                assert_eq!(all(caller, &format!("/v1/clients?{query}"), limit).await, expected, "{query} {limit}");
            }
        }
    }
    let whole = partner.caller.get("/v1/clients?limit=5").await.expect(200).cost();
    let part = partner.caller.get(&format!("/v1/clients?limit=5&{after}&{before}&order=asc")).await.expect(200).cost();
    assert_eq!(part, whole);
    for query in ["created_after=2024-03-01", "created_before=x", "order=up", "order="] {
        let _refused = world.operator.get(&format!("/v1/clients?{query}")).await.refused(400, "malformed_request");
    }
}
