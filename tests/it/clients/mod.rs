//! Clients: creating, finding and changing them, and their status (rules A1–A4, A6).

mod bindings;
mod changes;
mod deletion;
mod guesses;
mod lists;
mod older_rules;
mod search;

use purser_tests::prelude::*;

#[tokio::test]
async fn a_client_is_created_with_everything_it_was_given() {
    let world = World::new().await;
    let partner = world.partner("standard", 0).await;
    let body = json!({
        "name": "株式会社 🦀 شركة", "email": "Ops@Example.com", "phone": "+49 30 1234",
        "metadata": {"segment": "Enterprise", "seats": 5}, "reseller": partner.refid, "client_id": "CUST-001",
    });
    let created = world.operator.post("/v1/clients", &body).await.expect(201);
    for (member, value) in body.as_object().unwrap() {
        assert_eq!(&created.json[member], value, "{member}");
    }
    assert_eq!(created.text("status"), "pending");
    assert_eq!(created.json["user"], Value::Null);
    assert_eq!(created.header("etag"), Some("\"1\""));
    assert!(created.text("refid").starts_with("CL-"));
    assert_eq!(created.text("created_at").len(), "2026-01-31T09:30:00.000Z".len());

    let path = format!("/v1/clients/{}", created.text("refid"));
    assert_eq!(world.operator.get(&path).await.expect(200).json, created.json);
}

#[tokio::test]
async fn a_client_that_was_given_little_gets_the_rest() {
    let world = World::with(None, &[("PURSER_CLIENT_STATUS", "active"), ("PURSER_CLIENT_PREFIX", "KD-")]).await;
    let created = world.operator.post("/v1/clients", &json!({"name": "A", "email": "a@b.co"})).await.expect(201);
    assert_eq!(created.text("client_id").len(), 36, "a UUID");
    assert_eq!((created.text("status"), created.json["reseller"].is_null()), ("active", true));
    assert_eq!(created.json["metadata"], json!({}));
    assert!(created.text("refid").starts_with("KD-"));
}

#[tokio::test]
async fn addresses_and_external_ids_are_unique_across_resellers() {
    let world = World::new().await;
    let (a, b) = (world.partner("standard", 0).await, world.partner("standard", 0).await);
    let first = json!({"name": "A", "email": "One@example.com", "client_id": "CUST-1"});
    let first = a.caller.post("/v1/clients", &first).await.expect(201);
    let same_address = json!({"name": "B", "email": "oNE@EXAMPLE.com"});
    let refused = b.caller.post("/v1/clients", &same_address).await.refused(409, "duplicate_email");
    assert_eq!(refused.pointer(), "/email");
    let text = String::from_utf8(refused.bytes).unwrap();
    assert!(
        !text.contains(first.text("refid")) && !text.contains(&a.refid),
        "the refusal must not say whose address it is: {text}"
    );
    let same_id = json!({"name": "B", "email": "two@example.com", "client_id": "CUST-1"});
    let _refused = b.caller.post("/v1/clients", &same_id).await.refused(409, "duplicate_client_id");

    let (refid, list) = (first.text("refid"), "/v1/clients");
    for query in ["email=ONE%40example.com", "client_id=CUST-1", "email=one%40example.com&client_id=CUST-1"] {
        let found = a.caller.get(&format!("{list}?{query}")).await.expect(200);
        assert_eq!(found.json["data"][0]["refid"], refid, "{query}");
        let hidden = b.caller.get(&format!("{list}?{query}")).await.expect(200);
        assert_eq!(hidden.json["data"], json!([]), "{query}");
    }
    let neither = a.caller.get("/v1/clients?email=one%40example.com&client_id=CUST-2").await.expect(200);
    assert_eq!(neither.json["data"], json!([]));
}

#[tokio::test]
async fn racing_creates_of_one_address_make_one_client() {
    let world = World::new().await;
    let mut tries = tokio::task::JoinSet::new();
    for n in 0..8 {
        let operator = world.operator.clone();
        tries.spawn(async move {
            operator.post("/v1/clients", &json!({"name": format!("C{n}"), "email": "race@example.com"})).await
        });
    }
    let replies = tries.join_all().await;
    assert_eq!(replies.iter().filter(|reply| reply.status == 201).count(), 1);
    assert_eq!(replies.iter().filter(|reply| reply.text("code") == "duplicate_email").count(), 7);
}

#[tokio::test]
async fn unknown_and_suspended_resellers_win_no_clients() {
    let world = World::new().await;
    let body = |reseller: &str| json!({"name": "A", "email": "a@example.com", "reseller": reseller});
    for unknown in ["RS-0000000000000000", "nonsense", ""] {
        let refused = world.operator.post("/v1/clients", &body(unknown)).await.refused(422, "invalid_reseller");
        assert_eq!(refused.pointer(), "/reseller");
    }
    let partner = world.partner("standard", 0).await;
    let _reseller = world.operator.act(&format!("/v1/resellers/{}/suspend", partner.refid)).await.expect(200);
    let _refused = world.operator.post("/v1/clients", &body(&partner.refid)).await.refused(409, "reseller_suspended");
    let _refused = partner.caller.post("/v1/clients", &world.new_client()).await.refused(409, "reseller_suspended");
    assert_eq!(
        world.operator.get("/v1/clients").await.json["data"],
        json!([]),
        "a refused create must leave no client"
    );
}

#[tokio::test]
async fn the_status_table_over_http() {
    let world = World::new().await;
    let ways = [
        ("pending", vec![]),
        ("active", vec!["activate"]),
        ("suspended", vec!["activate", "suspend"]),
        ("inactive", vec!["deactivate"]),
    ];
    let allowed = |from| match from {
        "pending" => ["active", "inactive"].as_slice(),
        "active" => &["suspended", "inactive"],
        "suspended" => &["active", "inactive"],
        _ => &["active"],
    };
    for (from, way) in ways {
        for (action, to) in [("activate", "active"), ("suspend", "suspended"), ("deactivate", "inactive")] {
            let created = world.operator.post("/v1/clients", &world.new_client()).await.expect(201);
            let path = format!("/v1/clients/{}", created.text("refid"));
            for step in &way {
                let _stepped = world.operator.act(&format!("{path}/{step}")).await.expect(200);
            }
            let before = world.operator.get(&path).await.expect(200);
            assert_eq!(before.text("status"), from);
            let reply = world.operator.act(&format!("{path}/{action}")).await;
            if from == to {
                assert_eq!(reply.expect(200).json, before.json, "asking for {to} again changes nothing");
            } else if allowed(from).contains(&to) {
                let after = reply.expect(200);
                assert_eq!((after.text("status"), after.number("version")), (to, before.number("version") + 1));
            } else {
                let refused = reply.refused(409, "status_transition_denied");
                assert_eq!((refused.text("from"), refused.text("to")), (from, to));
                assert_eq!(refused.json["allowed"], json!(allowed(from)));
                assert_eq!(world.operator.get(&path).await.json, before.json);
            }
        }
    }
}

#[tokio::test]
async fn metadata_is_merged_and_keeps_no_credentials() {
    let world = World::new().await;
    let body = json!({"name": "A", "email": "a@b.co", "metadata": {"segment": "SMB", "seats": {"max": 5, "used": 1}}});
    let created = world.operator.post("/v1/clients", &body).await.expect(201);
    let path = format!("/v1/clients/{}", created.text("refid"));
    let patch = json!({"metadata": {"segment": null, "seats": {"used": 2}}, "phone": "1"});
    let changed = world.operator.patch(&path, &patch).await.expect(200);
    assert_eq!(changed.json["metadata"], json!({"seats": {"max": 5, "used": 2}}));
    assert_eq!((changed.text("phone"), changed.text("name"), changed.number("version")), ("1", "A", 2));
    let same = world.operator.patch(&path, &json!({"phone": "1"})).await.expect(200);
    assert_eq!(same.json, changed.json, "setting the value that is there must change nothing");

    let refused = world.operator.patch(&path, &json!({"metadata": {"a": {"api_key": "x"}}})).await;
    assert_eq!(refused.refused(422, "sensitive_metadata").pointer(), "/metadata/a/api_key");
    let large = json!({"metadata": {"a": "x".repeat(16 * 1024)}});
    let _refused = world.operator.patch(&path, &large).await.refused(422, "metadata_too_large");
    let sensitive = json!({"name": "B", "email": "b@b.co", "metadata": {"PIN": 1}});
    let _refused = world.operator.post("/v1/clients", &sensitive).await.refused(422, "sensitive_metadata");
    assert_eq!(world.operator.get(&path).await.json, changed.json);
}

#[tokio::test]
async fn metadata_and_keys_are_sealed_in_the_table() {
    let world = World::new().await;
    let body = json!({"name": "A", "email": "a@b.co", "metadata": {"note": "Schwarzwaldklinik"}});
    let _client = world.operator.post("/v1/clients", &body).await.expect(201);
    let partner = world.partner("standard", 1_000).await;
    let product = world.product(100).await;
    let order = json!({"product": product, "client": world.new_client()});
    let made = partner.caller.post_once("/v1/provisions", "k", &order).await.expect(201);
    let key = made.json["licences"][0]["key"].as_str().unwrap();
    let dump = world.everything_in_the_table();
    assert!(dump.contains("a@b.co"), "the dump must show what is not sealed");
    for secret in ["Schwarzwaldklinik", key] {
        assert!(!dump.contains(secret), "{secret} is readable in the table");
    }
}

#[tokio::test]
async fn a_change_can_be_made_to_the_version_one_saw() {
    let world = World::new().await;
    let created = world.operator.post("/v1/clients", &world.new_client()).await.expect(201);
    let path = format!("/v1/clients/{}", created.text("refid"));
    let patch = async |tag: &str, name: &str| {
        let headers = [("content-type", "application/json"), ("if-match", tag)];
        world.operator.send("PATCH", &path, &headers, Some(json!({"name": name}).to_string().into())).await
    };
    let changed = patch("\"1\"", "B").await.expect(200);
    assert_eq!((changed.text("name"), changed.header("etag")), ("B", Some("\"2\"")));
    let _refused = patch("\"1\"", "C").await.refused(412, "version_mismatch");
    let _refused = patch("nonsense", "C").await.refused(412, "version_mismatch");
    let _refused = patch("\"+2\"", "C").await.refused(412, "version_mismatch");
    let _changed = patch("*", "D").await.expect(200);
    let _changed = patch("\"7\", \"3\"", "E").await.expect(200);
}

#[tokio::test]
async fn what_older_rules_let_in_is_still_read_changed_and_deleted() {
    let world = World::new().await;
    let partner = world.partner("standard", 0).await;
    let (old, new) = (world.client(&partner).await, world.client(&partner).await);
    let mut item = world.items().into_iter().find(|item| item["pk"]["S"] == format!("CL#{old}")).unwrap();
    item["doc"]["M"]["email"]["S"] = json!("\"q1\"@exa_mple.com");
    item["doc"]["M"]["name"]["S"] = json!("\u{200b}");
    item["doc"]["M"]["phone"] = json!({"S": "1\u{2028}2"});
    let email = format!("EC#{}", world.operator.get(&format!("/v1/clients/{old}")).await.text("email"));
    let mut guard = world.items().into_iter().find(|item| item["pk"]["S"] == email.as_str()).unwrap();
    guard["pk"]["S"] = json!("EC#\"q1\"@exa_mple.com");
    world.put_all(&[item, guard]);
    let path = format!("/v1/clients/{old}");
    assert_eq!(partner.caller.get(&path).await.expect(200).text("email"), "\"q1\"@exa_mple.com");
    let listed = partner.caller.get("/v1/clients").await.expect(200);
    assert_eq!(listed.json["data"].as_array().map(Vec::len), Some(2));
    let found = partner.caller.get("/v1/clients?email=%22q1%22@exa_mple.com").await.expect(200);
    assert_eq!(found.json["data"][0]["refid"], json!(old));
    let changed = partner.caller.patch(&path, &json!({"metadata": {"a": 1}})).await.expect(200);
    assert_eq!(changed.text("name"), "\u{200b}");
    let _active = partner.caller.act(&format!("{path}/activate")).await.expect(200);
    let refused = partner.caller.patch(&path, &json!({"name": "\u{200b}"})).await;
    assert_eq!(refused.refused(422, "invalid_fields").pointer(), "/name");
    let _deleted = partner.caller.delete(&path).await.expect(204);
    let _other = partner.caller.get(&format!("/v1/clients/{new}")).await.expect(200);
}

#[tokio::test]
async fn white_space_around_an_id_and_the_case_of_a_uuid_make_no_difference() {
    let world = World::new().await;
    let partner = world.partner("standard", 100).await;
    let product = world.product(1).await;
    let upper = "01234567-89AB-CDEF-0123-456789ABCDEF";
    for (given, kept, same) in [
        (" CUST-1\u{a0}", "CUST-1", vec!["CUST-1", "CUST-1 ", "\u{3000}CUST-1"]),
        (upper, "01234567-89ab-cdef-0123-456789abcdef", vec!["01234567-89aB-cdef-0123-456789abcdef", upper]),
    ] {
        let mut body = world.new_client();
        body["client_id"] = json!(given);
        let made = partner.caller.post("/v1/clients", &body).await.expect(201);
        assert_eq!(made.text("client_id"), kept);
        for other in same {
            let mut twin = world.new_client();
            twin["client_id"] = json!(other);
            let refused = partner.caller.post("/v1/clients", &twin).await;
            let _refused = refused.refused(409, "duplicate_client_id");
            let order = json!({"product": product, "client": twin});
            let refused = partner.caller.post_once("/v1/provisions", "k", &order).await;
            let _refused = refused.refused(409, "duplicate_client_id");
            let encoded = other.replace(' ', "%20").replace('\u{3000}', "%E3%80%80");
            let found = partner.caller.get(&format!("/v1/clients?client_id={encoded}")).await.expect(200);
            assert_eq!(found.json["data"][0]["refid"], made.text("refid"), "{other:?}");
        }
        // Other letters are another id.
        let mut other = world.new_client();
        other["client_id"] = json!("cust-1");
        let created = partner.caller.post("/v1/clients", &other).await;
        assert!([201, 409].contains(&created.status));
    }
}

#[tokio::test]
async fn a_client_stored_under_another_spelling_is_found_and_not_made_twice() {
    let world = World::new().await;
    let partner = world.partner("standard", 0).await;
    let upper = "01234567-89AB-CDEF-0123-456789ABCDEF";
    for older in [" CUST-1 ", upper] {
        // As an older version would have stored it: under the id as it was given.
        let refid = world.system().app().store.client_refid(&older.to_owned().try_into().unwrap()).unwrap();
        let made = partner.caller.post("/v1/clients", &world.new_client()).await.expect(201);
        let pk = format!("CL#{}", made.text("refid"));
        let text = |item: &Value| item.to_string();
        let items = world.items();
        let own: Vec<&Value> = items.iter().filter(|item| text(item).contains(made.text("refid"))).collect();
        for item in &own {
            let moved = text(item).replace(made.text("refid"), refid.as_str());
            let mut moved: Value = serde_json::from_str(&moved).unwrap();
            if item["pk"]["S"] == pk.as_str() {
                moved["doc"]["M"]["client_id"]["S"] = json!(older);
            }
            world.remove(item);
            world.put_all(&[moved]);
        }
        let listed = partner.caller.get(&format!("/v1/clients/{refid}")).await.expect(200);
        assert_eq!(listed.text("client_id"), older);
        let mut twin = world.new_client();
        twin["client_id"] = json!(older);
        let _twice = partner.caller.post("/v1/clients", &twin).await.refused(409, "duplicate_client_id");
        let encoded = older.replace(' ', "%20");
        let found = partner.caller.get(&format!("/v1/clients?client_id={encoded}")).await.expect(200);
        assert_eq!(found.json["data"][0]["refid"], refid.as_str());
        let _renamed = partner.caller.patch(&format!("/v1/clients/{refid}"), &json!({"name": "x"})).await.expect(200);
        let _deleted = world.operator.delete(&format!("/v1/clients/{refid}")).await.expect(204);
    }
}
