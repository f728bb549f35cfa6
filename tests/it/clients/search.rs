//! Searching lists of clients: what is found by which text, by whom, and for how long (rules A5, A8).

use aws_lambda_events::dynamodb::Event;
use purser_api::events::stream::project_timeline::project_timeline;
use purser_tests::prelude::*;

async fn add(caller: &Caller, name: &str, email: &str) -> String {
    let body = json!({"name": name, "email": email});
    caller.post("/v1/clients", &body).await.expect(201).text("refid").to_owned()
}

fn encoded(text: &str) -> String {
    let bytes: Vec<String> = text.bytes().map(|byte| format!("%{byte:02X}")).collect();
    bytes.concat()
}

/// The names of what a caller finds, once everything has settled.
async fn found(world: &World, caller: &Caller, q: &str, more: &str) -> Vec<String> {
    world.system().settle().await;
    let page = caller.get(&format!("/v1/clients?q={}{more}", encoded(q))).await.expect(200);
    page.json["data"].as_array().unwrap().iter().map(|it| it["name"].as_str().unwrap().to_owned()).collect()
}

fn rows(world: &World) -> Vec<(String, String)> {
    let rows = world.items().into_iter().filter(|item| item["kind"]["S"] == "search");
    let key = |item: &Value, name: &str| item[name]["S"].as_str().unwrap().to_owned();
    rows.map(|item| (key(&item, "pk"), key(&item, "sk"))).collect()
}

fn rows_of(world: &World, refid: &str) -> Vec<(String, String)> {
    rows(world).into_iter().filter(|(_, sk)| sk.ends_with(refid)).collect()
}

#[tokio::test]
async fn a_client_is_found_by_the_beginning_of_its_name_its_words_or_its_address() {
    let world = World::new().await;
    let partner = world.partner("standard", 0).await;
    let _client = add(&partner.caller, "Great Northern Railway", "Ops@Rail.example").await;
    let _client = add(&partner.caller, "Müller & Söhne", "m@example.com").await;
    let _client = add(&partner.caller, "株式会社アクメ", "acme.jp@example.com").await;
    let _client = add(&partner.caller, "ΟΔΟΣ 7", "odos@example.com").await;
    let ligature = "\u{FDFA}".repeat(255);
    let _client = add(&partner.caller, &ligature, "long@example.com").await;
    for (q, names) in [
        ("great", vec!["Great Northern Railway"]),
        ("GREAT NORTH", vec!["Great Northern Railway"]),
        ("railway", vec!["Great Northern Railway"]),
        (" northern  railw", vec!["Great Northern Railway"]),
        ("ops@RAIL", vec!["Great Northern Railway"]),
        ("ailway", vec![]),
        ("rail.example", vec![]),
        ("muller", vec!["Müller & Söhne"]),
        ("MÜLL", vec!["Müller & Söhne"]),
        ("sohne", vec!["Müller & Söhne"]),
        ("株式", vec!["株式会社アクメ"]),
        ("οδος", vec!["ΟΔΟΣ 7"]),
        ("\u{FDFA}", vec![ligature.as_str()]),
        (&ligature.chars().take(100).collect::<String>(), vec![ligature.as_str()]),
        ("m", vec!["Müller & Söhne"]),
        ("nobody", vec![]),
        ("#CL-", vec![]),
    ] {
        for caller in [&partner.caller, &world.operator] {
            assert_eq!(found(&world, caller, q, "").await, names, "{q}");
        }
    }
}

#[tokio::test]
async fn beyond_the_bytes_of_a_key_the_rest_of_a_text_is_compared() {
    let world = World::new().await;
    let same = "x".repeat(80);
    for last in ["a", "b"] {
        let _client = add(&world.operator, &format!("{same}{last}"), &format!("{last}@example.com")).await;
    }
    assert_eq!(found(&world, &world.operator, &same, "").await.len(), 2);
    assert_eq!(found(&world, &world.operator, &format!("{same}b"), "").await, [format!("{same}b")]);
    assert_eq!(found(&world, &world.operator, &format!("{same}c"), "").await, [""; 0]);
}

#[tokio::test]
async fn a_reseller_finds_its_own_clients_only_and_filters_still_hold() {
    let world = World::new().await;
    let (a, b) = (world.partner("standard", 0).await, world.partner("standard", 0).await);
    let _client = add(&a.caller, "Acme A", "a@example.com").await;
    let _client = add(&b.caller, "Acme B", "b@example.com").await;
    let alone = add(&world.operator, "Acme C", "c@example.com").await;
    let _active = world.operator.act(&format!("/v1/clients/{alone}/activate")).await.expect(200);
    assert_eq!(found(&world, &a.caller, "acme", "").await, ["Acme A"]);
    assert_eq!(found(&world, &b.caller, "a@", "").await, [""; 0]);
    let of_a = format!("&reseller={}", a.refid);
    for (more, names) in [
        ("", vec!["Acme A", "Acme B", "Acme C"]),
        ("&order=desc", vec!["Acme C", "Acme B", "Acme A"]),
        (of_a.as_str(), vec!["Acme A"]),
        ("&status=active", vec!["Acme C"]),
        ("&ownership=reselled", vec!["Acme A", "Acme B"]),
        ("&email=b@example.com", vec!["Acme B"]),
        ("&created_before=2001-01-01T00:00:00Z", vec![]),
        ("&created_after=2001-01-01T00:00:00Z", vec!["Acme A", "Acme B", "Acme C"]),
    ] {
        assert_eq!(found(&world, &world.operator, "acme", more).await, names, "{more}");
    }
    let foreign = a.caller.get(&format!("/v1/clients?q=acme&reseller={}", b.refid)).await;
    let _refused = foreign.refused(404, "not_found");
    for q in ["", "%20", "%E2%80%8B", "a%00", &"a".repeat(101)] {
        let _refused = a.caller.get(&format!("/v1/clients?q={q}")).await.refused(400, "malformed_request");
    }
}

#[tokio::test]
async fn what_is_renamed_moved_or_deleted_is_found_as_it_is_and_leaves_no_row() {
    let world = World::new().await;
    let (a, b) = (world.partner("standard", 0).await, world.partner("standard", 0).await);
    let refid = add(&a.caller, "Old Name", "old@example.com").await;
    assert_eq!(found(&world, &a.caller, "old", "").await, ["Old Name"]);
    assert_eq!(rows_of(&world, &refid).len(), 6, "three texts, for the reseller and for operators");

    let path = format!("/v1/clients/{refid}");
    let change = json!({"name": "New Name", "email": "new@example.com"});
    let _changed = a.caller.patch(&path, &change).await.expect(200);
    assert_eq!(found(&world, &a.caller, "old", "").await, [""; 0]);
    assert_eq!(found(&world, &a.caller, "n", "").await, ["New Name"]);
    assert_eq!(rows_of(&world, &refid).len(), 6);

    let _moved = world.operator.post(&format!("{path}/transfer"), &json!({"reseller": b.refid})).await.expect(200);
    assert_eq!(found(&world, &a.caller, "new", "").await, [""; 0]);
    assert_eq!(found(&world, &b.caller, "new", "").await, ["New Name"]);
    assert_eq!(found(&world, &world.operator, "new", "").await, ["New Name"]);
    assert_eq!(rows_of(&world, &refid).len(), 6);

    let _gone = world.operator.delete(&path).await.expect(204);
    for caller in [&a.caller, &b.caller, &world.operator] {
        assert_eq!(found(&world, caller, "new", "").await, [""; 0]);
    }
    assert_eq!(rows_of(&world, &refid), []);
}

#[tokio::test]
async fn until_the_stream_has_come_a_stale_row_shows_nothing() {
    let world = World::new().await;
    let partner = world.partner("standard", 0).await;
    let renamed = add(&partner.caller, "Acme One", "one@example.com").await;
    let deleted = add(&partner.caller, "Acme Two", "two@example.com").await;
    world.system().settle().await;
    let stale: Vec<Value> = world.items().into_iter().filter(|item| item["kind"]["S"] == "search").collect();
    let change = json!({"name": "Other"});
    let _changed = partner.caller.patch(&format!("/v1/clients/{renamed}"), &change).await.expect(200);
    let _gone = partner.caller.delete(&format!("/v1/clients/{deleted}")).await.expect(204);
    world.system().settle().await;
    world.put_all(&stale);
    for caller in [&partner.caller, &world.operator] {
        assert_eq!(found(&world, caller, "acme", "").await, [""; 0]);
        assert_eq!(found(&world, caller, "one@", "").await, ["Other"]);
    }
}

#[tokio::test]
async fn records_that_come_late_twice_or_in_another_order_change_nothing() {
    let world = World::new().await;
    let (a, b) = (world.partner("standard", 0).await, world.partner("standard", 0).await);
    let kept = add(&a.caller, "First Name", "first@example.com").await;
    let gone = add(&a.caller, "Gone Soon", "gone@example.com").await;
    let path = format!("/v1/clients/{kept}");
    for name in ["Second Name", "Third Name", "First Name"] {
        let _changed = a.caller.patch(&path, &json!({"name": name})).await.expect(200);
    }
    let _moved = world.operator.post(&format!("{path}/transfer"), &json!({"reseller": b.refid})).await.expect(200);
    let _gone = a.caller.delete(&format!("/v1/clients/{gone}")).await.expect(204);
    world.system().settle().await;
    let right = rows(&world);
    assert_eq!(rows_of(&world, &gone), []);
    let of_clients = |record: &Value| record["dynamodb"]["Keys"]["pk"]["S"].as_str().unwrap().starts_with("CL#");
    let mut records: Vec<Value> = world.stream_records().into_iter().filter(of_clients).collect();
    records.reverse();
    for record in records.iter().chain(records.iter().rev()) {
        let event: Event = serde_json::from_value(json!({"Records": [record]})).unwrap();
        let response = project_timeline(world.system().app().clone(), event).await;
        assert_eq!(response.batch_item_failures.len(), 0);
        assert_eq!(rows(&world), right, "{record}");
    }
    let event: Event = serde_json::from_value(json!({"Records": records})).unwrap();
    let _response = project_timeline(world.system().app().clone(), event).await;
    assert_eq!(rows(&world), right);
}

#[tokio::test]
async fn pages_show_each_client_once_to_the_end() {
    let world = World::new().await;
    let partner = world.partner("standard", 0).await;
    let mut expected = BTreeSet::new();
    for n in 0..30 {
        // Each is found three times by `an`: by its name, by a word of it, and by its address.
        let caller = if n % 2 == 0 { &partner.caller } else { &world.operator };
        expected.insert(add(caller, &format!("Anna {n:02} Anders"), &format!("an{n}@example.com")).await);
    }
    world.system().settle().await;
    for (order, limit) in [("asc", 1), ("asc", 7), ("desc", 7), ("asc", 100)] {
        let (mut refids, mut names, mut cursor) = (Vec::new(), Vec::new(), String::new());
        loop {
            let path = format!("/v1/clients?q=an&order={order}&limit={limit}{cursor}");
            let page = world.operator.get(&path).await.expect(200);
            let data = page.json["data"].as_array().unwrap();
            assert!(data.len() <= limit);
            refids.extend(data.iter().map(|item| item["refid"].as_str().unwrap().to_owned()));
            names.extend(data.iter().map(|item| item["name"].as_str().unwrap().to_owned()));
            let other = page.json["next_cursor"].as_str().map(|next| format!("/v1/clients?q=ann&cursor={next}"));
            if let Some(other) = other {
                let _refused = world.operator.get(&other).await.refused(400, "invalid_cursor");
            }
            match page.json["next_cursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => break,
            }
        }
        assert_eq!(refids.len(), 30, "{order} {limit}");
        assert_eq!(refids.into_iter().collect::<BTreeSet<_>>(), expected, "{order} {limit}");
        assert_eq!(names.is_sorted(), order == "asc", "{names:?}");
    }
}

#[tokio::test]
async fn a_search_costs_what_its_page_costs() {
    let world = World::new().await;
    let partner = world.partner("standard", 0).await;
    for n in 0..60 {
        let _client = add(&partner.caller, &format!("Client {n:02}"), &format!("c{n}@example.com")).await;
    }
    world.system().settle().await;
    // Each round is a query and a read of what it found; the first read of a request is that of the caller.
    let own = partner.caller.get("/v1/clients?q=client&limit=25").await.expect(200).cost();
    assert!(own.0 <= 3 && own.1 <= 16.0 && own.2 == 0.0, "{own:?}");
    let all = world.operator.get("/v1/clients?q=client&limit=25").await.expect(200).cost();
    assert!(all.0 <= 20 && all.1 <= 24.0 && all.2 == 0.0, "{all:?}");
    let nothing = partner.caller.get("/v1/clients?q=zzz&limit=25").await.expect(200).cost();
    assert!(nothing.0 <= 2 && nothing.1 <= 2.5, "{nothing:?}");
}

#[tokio::test]
async fn an_older_client_is_found_once_the_search_is_rebuilt() {
    let world = World::new().await;
    let partner = world.partner("standard", 0).await;
    let _client = add(&partner.caller, "Older", "older@example.com").await;
    let refid = add(&partner.caller, "Gone", "gone@example.com").await;
    let _gone = partner.caller.delete(&format!("/v1/clients/{refid}")).await.expect(204);
    world.system().settle().await;
    let before = rows(&world);
    for row in world.items().into_iter().filter(|item| item["kind"]["S"] == "search") {
        world.remove(&row);
    }
    assert_eq!(found(&world, &partner.caller, "older", "").await, [""; 0]);
    for of in ["clients", "resellers"] {
        for _ in 0..2 {
            let done = world.operator.act(&format!("/v1/analytics/search/rebuild?of={of}")).await.expect(200);
            assert_eq!(done.json, json!({"done": 1, "next_cursor": null}));
        }
    }
    assert_eq!(rows(&world), before);
    assert_eq!(found(&world, &partner.caller, "older", "").await, ["Older"]);
    let _refused = partner.caller.act("/v1/analytics/search/rebuild?of=clients").await.refused(403, "forbidden");
}
