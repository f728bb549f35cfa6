//! The edge: a refusal is a problem, whichever layer refuses; paths and queries that gateways read in different ways
//! do no harm.

use std::collections::BTreeMap;

use purser_tests::lambda::{event, invoke};
use purser_tests::prelude::*;

use crate::http::operations::{self as cases, Party};

#[tokio::test]
async fn the_frameworks_own_refusals_are_problems_too() {
    let world = World::new().await;
    let json_type = [("content-type", "application/json")];
    let send = async |method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]| {
        world.operator.send(method, path, headers, Some(body.to_vec())).await
    };
    let _refused = world.operator.get("/nowhere").await.refused(404, "not_found");
    let _refused = world.operator.get("/v1/clients/").await.refused(404, "not_found");
    let wrong = world.operator.delete("/v1/clients").await.refused(405, "method_not_allowed");
    assert_eq!(wrong.header("allow"), Some("GET, HEAD, POST"));
    let _refused = world.operator.send("PUT", "/health", &[], None).await.refused(405, "method_not_allowed");
    let _refused = send("POST", "/v1/clients", &[], b"{}").await.refused(415, "unsupported_media_type");
    let _refused = send("POST", "/v1/clients", &[("content-type", "text/plain")], b"{}")
        .await
        .refused(415, "unsupported_media_type");
    let large = vec![b' '; 7 * 1024 * 1024];
    let _refused = send("POST", "/v1/clients", &json_type, &large).await.refused(413, "payload_too_large");
    let _refused = send("POST", "/v1/clients", &json_type, b"{").await.refused(400, "malformed_request");
    let _refused =
        send("POST", "/v1/clients", &json_type, b"{\"name\":\"\xff\"}").await.refused(400, "malformed_request");
    let _refused = send("POST", "/v1/clients", &json_type, b"{\"name\":\"a\",\"name\":\"b\"}")
        .await
        .refused(400, "malformed_request");
    let deep = format!("{}{}", "[".repeat(5_000), "]".repeat(5_000));
    let _refused = send("POST", "/v1/clients", &json_type, deep.as_bytes()).await.refused(400, "malformed_request");
    let unknown = json!({"name": "a", "email": "a@b.co", "colour": "red"});
    assert_eq!(world.operator.post("/v1/clients", &unknown).await.refused(422, "invalid_fields").pointer(), "/colour");
    assert_eq!(world.size().await, 0, "refused requests must change nothing");
}

#[tokio::test]
async fn a_body_that_is_no_object_is_refused_even_when_its_values_would_fit() {
    let world = World::new().await;
    let partner = world.partner("gold", 0).await;
    let client = world.client(&partner).await;
    let product = world.product(1).await;
    let refid = &partner.refid;
    let before = world.size().await;
    let headers = [("content-type", "application/json"), ("idempotency-key", "k")];
    for (method, path, body) in [
        ("POST", "/v1/clients".to_owned(), json!(["a", "a@example.com", null, null, null, null])),
        ("POST", "/v1/resellers".to_owned(), json!(["a", "a@example.com", null, null, null, null])),
        ("POST", "/v1/api-keys".to_owned(), json!([null, "a"])),
        ("POST", "/v1/products".to_owned(), json!(["a", "a", 1, null, null, null, null, null])),
        ("POST", "/v1/provisions".to_owned(), json!([refid, 1, null, null, null, "a"])),
        ("POST", format!("/v1/resellers/{refid}/credits"), json!([1, null, null])),
        ("PATCH", format!("/v1/resellers/{refid}"), json!([])),
        ("PATCH", format!("/v1/clients/{client}"), json!([])),
        ("PATCH", format!("/v1/products/{product}"), json!([])),
    ] {
        let bytes = Some(body.to_string().into());
        let refused = world.operator.send(method, &path, &headers, bytes).await;
        assert_eq!(refused.refused(422, "invalid_fields").pointer(), "", "{method} {path}");
    }
    let order = json!({"reseller": refid, "product": product, "client": ["a", "a@example.com", null, null, null]});
    let refused = world.operator.post_once("/v1/provisions", "k", &order).await;
    assert_eq!(refused.refused(422, "invalid_fields").pointer(), "/client");
    assert_eq!(world.size().await, before, "refused requests must change nothing");
}

#[tokio::test]
async fn a_whole_number_is_an_integer_however_it_is_written() {
    let world = World::new().await;
    let partner = world.partner("gold", 0).await;
    let path = format!("/v1/resellers/{}/credits", partner.refid);
    let headers = [("content-type", "application/json"), ("idempotency-key", "k")];
    for written in ["100.0", "1e2", "100"] {
        let body = format!("{{\"amount\": {written}}}");
        let added = world.operator.send("POST", &path, &headers, Some(body.into())).await;
        assert_eq!(added.expect(201).number("amount"), 100, "each spelling must be the same command");
    }
    assert_eq!(world.balance(&partner.refid).await, 100);
}

#[tokio::test]
async fn bad_text_is_refused_by_its_pointer_and_any_script_passes() {
    let world = World::new().await;
    for (member, value, pointer) in [
        ("name", json!(""), "/name"),
        ("name", json!("a\u{0}b"), "/name"),
        ("name", json!("a\u{202E}b"), "/name"),
        ("name", json!("x".repeat(256)), "/name"),
        ("name", json!(7), "/name"),
        ("name", Value::Null, "/name"),
        ("email", json!("nobody"), "/email"),
        ("email", json!(format!("{}@example.com", "x".repeat(250))), "/email"),
        ("phone", json!("\n"), "/phone"),
        ("client_id", json!(" "), "/client_id"),
        ("metadata", json!([]), "/metadata"),
        ("metadata", json!({"a": {"b": "\u{7}"}}), "/metadata/a/b"),
    ] {
        let mut body = world.new_client();
        body[member] = value;
        let refused = world.operator.post("/v1/clients", &body).await.refused(422, "invalid_fields");
        assert_eq!(refused.pointer(), pointer, "{body}");
    }
    for name in ["مرحبا", "שלום", "漢字", "👩‍👩‍👧‍👦", "O'Brien \"&\" <Söhne>"] {
        let mut body = world.new_client();
        body["name"] = json!(name);
        assert_eq!(world.operator.post("/v1/clients", &body).await.expect(201).text("name"), name);
    }
}

#[tokio::test]
async fn each_answer_says_which_request_it_was() {
    let world = World::new().await;
    let (one, other) = (world.operator.get("/health").await, world.operator.get("/nowhere").await);
    assert_ne!(one.header("x-request-id"), other.header("x-request-id"));
    assert_eq!(one.header("x-content-type-options"), Some("nosniff"));
    assert_eq!(one.expect(200).text("status"), "ok");
}

#[tokio::test]
async fn paths_that_gateways_decode_reach_no_other_route() {
    let world = World::new().await;
    let partner = world.partner("standard", 0).await;
    let client = world.client(&partner).await;
    let key = partner.caller.key().unwrap();
    let read = async |path: &str| invoke(&world, "read-clients", event("GET", path, "", key)).await;
    let found = read(&format!("/v1/clients/{client}")).await.expect(200);
    assert_eq!(found.text("refid"), client);
    for path in [
        format!("/v1/products/../clients/{client}"),
        format!("/v1/clients/./{client}"),
        format!("/v1/clients/{client}?limit=1"),
        format!("/v1/clients/{client}#x"),
        format!("/v1/clients/{client} "),
        format!("/v1/clients/{client}%2Factivate"),
        "/v1/clients/\u{202E}".to_owned(),
        "/v1/clients/a\"b".to_owned(),
        "/v1/clients/<b>".to_owned(),
        String::new(),
    ] {
        let refused = read(&path).await;
        assert_eq!((refused.status, refused.text("code")), (404, "not_found"), "{path:?}");
    }
}

#[tokio::test]
async fn queries_that_would_panic_are_refused_or_read() {
    let world = World::new().await;
    let key = world.operator.key().unwrap();
    let list = async |query: &str| {
        let event = event("GET", "/v1/clients", query, key);
        invoke(&world, "read-clients", event).await
    };
    for query in ["status=a b", "status=\"", "status=<x>", "status=ä", "status=%zz", "=&&=", "status=\u{0}", "{}|\\^`"]
    {
        assert_eq!(list(query).await.status, 400, "{query:?}");
    }
    let found = list("email=a b@c.de").await.expect(200);
    assert_eq!(found.json["data"], json!([]));
}

#[tokio::test]
async fn media_types_ignore_case_and_a_change_may_be_called_a_merge_patch() {
    let world = World::new().await;
    let partner = world.partner("standard", 0).await;
    let client = format!("/v1/clients/{}", world.client(&partner).await);
    for kind in ["application/merge-patch+json", "Application/Merge-Patch+JSON; charset=utf-8", "APPLICATION/JSON"] {
        let body = Some(json!({"phone": kind}).to_string().into_bytes());
        let headers = [("content-type", kind), ("content-encoding", "identity")];
        let changed = partner.caller.send("PATCH", &client, &headers, body).await.expect(200);
        assert_eq!(changed.text("phone"), kind);
    }
    let ada = world.person().await;
    let picture = Some(crate::http::operations::PICTURE.to_vec());
    let kept = ada.caller.send("PUT", "/v1/me/avatar", &[("content-type", "IMAGE/PNG")], picture).await;
    let _kept = kept.expect(204);
    // An action takes an empty object, as programs send it.
    let act = format!("{client}/activate");
    let _done = partner.caller.post(&act, &json!({})).await.expect(200);
}

#[tokio::test]
async fn a_character_that_needs_no_encoding_is_itself_in_a_path() {
    let world = World::new().await;
    let product = json!({"reference": "A~B", "name": "x", "price": 1});
    let _made = world.operator.post("/v1/products", &product).await.expect(201);
    for path in ["/v1/products/A~B", "/v1/products/A%7EB", "/v1/products/%41%7eB", "/%76%31/products/A~B"] {
        assert_eq!(world.operator.get(path).await.expect(200).text("reference"), "A~B", "{path}");
    }
    for path in ["/v1/products/A%257EB", "/v1/products%2FA~B", "/v1/products/A%7", "/v1/products/A%"] {
        let _unknown = world.operator.get(path).await.refused(404, "not_found");
    }
}

#[tokio::test]
async fn whoever_has_the_current_version_is_told_so_without_a_body() {
    let world = World::new().await;
    let partner = world.partner("standard", 0).await;
    let path = format!("/v1/clients/{}", world.client(&partner).await);
    let tag = partner.caller.get(&path).await.expect(200).header("etag").unwrap().to_owned();
    for known in [tag.clone(), format!("W/{tag}"), format!("\"7\", {tag}"), "*".to_owned()] {
        let same = partner.caller.send("GET", &path, &[("if-none-match", &known)], None).await.expect(304);
        assert_eq!((same.bytes.as_slice(), same.header("etag")), (&b""[..], Some(tag.as_str())), "{known}");
    }
    let _renamed = partner.caller.patch(&path, &json!({"name": "new"})).await.expect(200);
    for other in [tag.as_str(), "1", "nonsense"] {
        let _changed = partner.caller.send("GET", &path, &[("if-none-match", other)], None).await.expect(200);
    }
    // Only what is there can be unchanged, and only for those who may see it.
    let any = [("if-none-match", "*")];
    let stranger = world.partner("standard", 0).await;
    let _unknown = stranger.caller.send("GET", &path, &any, None).await.refused(404, "not_found");
    let _changed = partner.caller.send("POST", &format!("{path}/activate"), &any, None).await.expect(200);
}

#[tokio::test]
async fn head_answers_as_get_does_but_without_a_body() {
    let world = cases::world().await;
    let mut party = Party::new(&world).await;
    for (case, operation) in cases::cases(&world).await {
        // Each sum has a length of its own.
        if operation.method != "GET" || operation.path == "/v1/auth/captcha" {
            continue;
        }
        party.prepare(&world, case.needs).await;
        let mut request = (case.sample)(&party.ids).request(&operation, "k");
        for caller in [party.caller(&world, case.who), world.nobody()] {
            let got = request.send(&caller).await;
            "HEAD".clone_into(&mut request.method);
            let head = request.send(&caller).await;
            "GET".clone_into(&mut request.method);
            assert_eq!((head.status, head.bytes.len()), (got.status, 0), "{}", case.operation);
            assert_eq!(kept(&head), kept(&got), "{}", case.operation);
        }
    }
    let page = world.nobody().send("HEAD", "/customer/confirm?token=x", &[], None).await;
    let shown = world.nobody().get("/customer/confirm?token=x").await;
    assert_eq!((page.status, kept(&page), page.bytes.len()), (shown.status, kept(&shown), 0));
}

/// The headers that two answers to the same request share.
fn kept(reply: &Reply) -> BTreeMap<&str, &str> {
    let own = ["x-request-id", "date", "purser-cost"];
    let shared = reply.headers.iter().filter(|(name, _)| !own.contains(&name.as_str()));
    shared.map(|(name, value)| (name.as_str(), value.as_str())).collect()
}

#[tokio::test]
async fn an_action_is_refused_for_what_has_changed_since() {
    let world = World::new().await;
    let partner = world.partner("standard", 0).await;
    let (client, member) = (world.client(&partner).await, world.member(&partner.refid).await);
    let (client, user) = (format!("/v1/clients/{client}"), format!("/v1/users/{}", member.refid));
    let reseller = format!("/v1/resellers/{}", partner.refid);
    let none = json!({"reseller": null});
    for (path, action, body) in [
        (&client, "activate", None),
        (&client, "suspend", None),
        (&client, "deactivate", None),
        (&client, "transfer", Some(&none)),
        (&reseller, "suspend", None),
        (&reseller, "activate", None),
        (&user, "suspend", None),
        (&user, "activate", None),
    ] {
        let version = world.operator.get(path).await.expect(200).number("version");
        let act = async |version: u64| {
            let tag = format!("\"{version}\"");
            let headers = [("if-match", tag.as_str()), ("content-type", "application/json")];
            let body = body.map(|body| body.to_string().into_bytes());
            world.operator.send("POST", &format!("{path}/{action}"), &headers, body).await
        };
        let _stale = act(version - 1).await.refused(412, "version_mismatch");
        let done = act(version).await.expect(200);
        assert_eq!(done.number("version"), version + 1, "{action}");
        let _stale = act(version).await.refused(412, "version_mismatch");
    }
}

#[tokio::test]
async fn all_faults_of_a_body_are_told_at_once_in_words() {
    let world = World::new().await;
    let body = json!({"name": "", "email": "no", "colour": 1, "phone": 7});
    let refused = world.operator.post("/v1/clients", &body).await.refused(422, "invalid_fields");
    let errors = refused.json["errors"].as_array().unwrap();
    let told: BTreeSet<&str> = errors.iter().map(|it| it["pointer"].as_str().unwrap()).collect();
    assert_eq!(told, BTreeSet::from(["/name", "/email", "/colour", "/phone"]), "{}", refused.json);
    let phone = errors.iter().find(|it| it["pointer"] == "/phone").unwrap();
    assert_eq!(phone["detail"], "must be text");
    let bulk = json!({"product": "P", "clients": [{"name": ""}, {"email": "a@example.com", "name": 7}, 7]});
    let refused = world.operator.post_once("/v1/provisions/bulk", "k", &bulk).await.refused(422, "invalid_fields");
    let errors = refused.json["errors"].as_array().unwrap();
    assert!(errors.len() >= 3, "{}", refused.json);
    let limit = world.operator.get("/v1/clients?limit=many").await.refused(400, "malformed_request");
    assert_eq!(limit.text("detail"), "The query is not valid: limit must be a whole number in range.");
}
