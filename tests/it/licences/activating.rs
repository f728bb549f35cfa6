//! Installations take seats, use them and give them back (rule C4), over HTTP: what each answer says, and whose seat is
//! taken.

use purser_tests::prelude::*;

use super::Sold;

/// An active licence for so many installations.
pub async fn for_(world: &World, uses: u32, more: Value) -> Sold {
    let mut members = json!({"parallel_uses": uses});
    members.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let sold = Sold::with(world, members).await;
    let _active = world.operator.act(&sold.path("/activate")).await.expect(200);
    sold
}

pub async fn ask(world: &World, what: &str, key: &str, name: &str, more: Value) -> Reply {
    let mut body = json!({"key": key, "fingerprint": name});
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    world.nobody().post(&format!("/v1/activations{what}"), &body).await
}

pub async fn activate(world: &World, key: &str, name: &str) -> Reply {
    ask(world, "", key, name, json!({})).await
}

/// Status and code of an answer.
pub fn told(reply: &Reply) -> (u16, &str) {
    (reply.status, reply.text("code"))
}

async fn advance(world: &World, time: &str) {
    let _turned = world.nobody().post("/_local/clock", &json!({"advance": time})).await.expect(200);
}

/// The installations that hold a seat, as the table has them, and how many are counted.
pub fn held(world: &World) -> (BTreeSet<String>, String) {
    let items = world.items();
    let live = items.iter().filter(|item| item["kind"]["S"] == "activation");
    let names = live.map(|item| item["doc"]["M"]["fingerprint"]["S"].as_str().unwrap().to_owned()).collect();
    let licence = items.iter().find(|item| item["kind"]["S"] == "licence").unwrap();
    (names, licence["seats"]["N"].as_str().unwrap_or("0").to_owned())
}

#[tokio::test]
async fn whose_seat_is_taken() {
    let world = World::new().await;
    let sold = for_(&world, 2, json!({})).await;
    let mut refids = Vec::new();
    for name in ["first", "second"] {
        let seated = activate(&world, &sold.key, name).await.expect(201);
        refids.push(seated.json["activation"]["refid"].clone());
        advance(&world, "PT1M").await;
    }
    // The first one is heard of again, so the second one is the oldest now.
    let _heard = ask(&world, "/heartbeat", &sold.key, "first", json!({})).await.expect(200);
    // Whoever names nobody is told of some; whoever names a stranger, of all, the oldest first.
    let some = activate(&world, &sold.key, "third").await.refused(409, "too_many_activations");
    assert_eq!(some.json["activations"].as_array().unwrap().len(), 2);
    let stranger = json!({"replace": "AC-0000000000000000"});
    let full = ask(&world, "", &sold.key, "third", stranger.clone()).await.refused(409, "too_many_activations");
    let members = |it: &Value| it.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    let shown = members(&full.json["activations"][0]);
    assert_eq!(shown, ["activated_at", "last_seen_at", "refid"], "nothing of where others are");
    let holders: Vec<&Value> = full.json["activations"].as_array().unwrap().iter().map(|it| &it["refid"]).collect();
    assert_eq!(holders, [&refids[1], &refids[0]]);
    let third = ask(&world, "", &sold.key, "third", json!({"replace": "oldest"})).await.expect(201);
    assert_eq!(held(&world).0, BTreeSet::from(["first".to_owned(), "third".to_owned()]));
    let named = json!({"replace": refids[0]});
    let _fourth = ask(&world, "", &sold.key, "fourth", named.clone()).await.expect(201);
    assert_eq!(held(&world).0, BTreeSet::from(["third".to_owned(), "fourth".to_owned()]));
    // Naming one that holds no seat any more takes none.
    assert_eq!(ask(&world, "", &sold.key, "fifth", named).await.status, 409);
    let wrong = ask(&world, "", &sold.key, "fifth", json!({"replace": "newest"})).await;
    assert_eq!(wrong.refused(422, "invalid_fields").pointer(), "/replace");
    let gone = sold.path(&format!("/activations/{}", third.json["activation"]["refid"].as_str().unwrap()));
    // It gave its seat to nobody: the fourth one took the first one's.
    let _gone = world.operator.delete(&gone).await.expect(204);
}

#[tokio::test]
async fn a_lease_that_ends_frees_one_seat() {
    let world = World::new().await;
    let sold = for_(&world, 1, json!({"lease": "PT10M"})).await;
    let _first = activate(&world, &sold.key, "first").await.expect(201);
    advance(&world, "PT9M").await;
    assert_eq!(told(&activate(&world, &sold.key, "second").await), (409, "too_many_activations"));
    let _heard = ask(&world, "/heartbeat", &sold.key, "first", json!({})).await.expect(200);
    advance(&world, "PT9M59S").await;
    assert_eq!(activate(&world, &sold.key, "second").await.status, 409);
    advance(&world, "PT1S").await;
    let validate = async |name: &str| {
        let asked = json!({"key": sold.key, "fingerprint": name});
        world.nobody().post("/v1/licences/validate", &asked).await.expect(200).text("code").to_owned()
    };
    assert_eq!(validate("first").await, "not_activated");
    let listed = world.operator.get(&sold.path("/activations")).await.expect(200);
    assert_eq!(listed.json["data"][0]["status"], "lapsed");
    let (one, other) = tokio::join!(activate(&world, &sold.key, "second"), activate(&world, &sold.key, "third"));
    let seated = [&one, &other].map(|reply| reply.status);
    assert!([[201, 409], [409, 201]].contains(&seated), "{seated:?}");
    // Whoever lapsed, and lost the seat, asks for one again.
    let late = ask(&world, "/heartbeat", &sold.key, "first", json!({})).await;
    assert_eq!(told(&late), (409, "too_many_activations"));
    let never = ask(&world, "/heartbeat", &sold.key, "fourth", json!({})).await;
    assert_eq!(told(&never), (409, "not_activated"));
    assert_eq!((held(&world).0.len(), held(&world).1.as_str()), (1, "1"));
    // Whoever has lapsed, and whose seat nobody took, has it again when it is heard of.
    let holder = if one.status == 201 { "second" } else { "third" };
    advance(&world, "PT1H").await;
    let back = ask(&world, "/heartbeat", &sold.key, holder, json!({})).await.expect(200);
    assert_eq!((validate(holder).await.as_str(), &back.json["licence"]["activations"]), ("valid", &json!(1)));
    let _left = ask(&world, "/deactivate", &sold.key, holder, json!({})).await.expect(200);
    let again = ask(&world, "/heartbeat", &sold.key, "first", json!({})).await.expect(200);
    assert_eq!(again.json["activation"]["activated_at"], again.json["checked_at"]);
    assert_eq!(told(&ask(&world, "/heartbeat", &sold.key, holder, json!({})).await), (409, "not_activated"));
}

/// What is said of the licence, one after the other.
#[tokio::test]
async fn every_code() {
    let world = World::new().await;
    let rules = json!({
        "parallel_uses": 1, "features": ["sync"], "domains": ["*.example.com"], "ip_ranges": ["127.0.0.0/8"],
        "updates_term": "P1M",
    });
    let sold = Sold::with(&world, rules).await;
    let good = json!({"domain": "https://www.shop.example.com:8443/", "nonce": "n"});
    let with = |more: Value| {
        let mut asked = good.clone();
        asked.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        asked
    };
    assert_eq!(told(&ask(&world, "/heartbeat", &sold.key, "a", good.clone()).await), (409, "not_activated"));
    for (asked, code) in [
        (with(json!({"product": "ANOTHER"})), "wrong_product"),
        (with(json!({"features": ["sync", "export"]})), "feature_missing"),
        (json!({}), "domain_not_allowed"),
        (json!({"domain": "example.com"}), "domain_not_allowed"),
    ] {
        assert_eq!(told(&ask(&world, "", &sold.key, "a", asked.clone()).await), (409, code), "{asked}");
    }
    // The first installation lets the term begin.
    let first = ask(&world, "", &sold.key, "a", good.clone()).await.expect(201);
    let licence = world.operator.get(&sold.path("")).await.expect(200);
    assert_eq!((licence.text("status"), &licence.json["refused_today"]), ("active", &json!(4)));
    assert_eq!(licence.json["activated_at"], first.json["checked_at"]);
    assert!(licence.json["expires_at"].is_string());
    let late = with(json!({"released_at": "9999-01-01T00:00:00Z"}));
    for what in ["", "/heartbeat"] {
        assert_eq!(told(&ask(&world, what, &sold.key, "a", late.clone()).await), (409, "version_not_covered"));
        assert_eq!(told(&ask(&world, what, &sold.key, "a", json!({})).await), (409, "domain_not_allowed"));
        let nobodys = ask(&world, what, "AAAAA-AAAAA-AAAAA-AAAAA-AAAAA", "a", good.clone()).await;
        assert_eq!((told(&nobodys), &nobodys.json["licence"]), ((409, "not_found"), &Value::Null));
    }
    assert_eq!(told(&ask(&world, "", &sold.key, "b", good.clone()).await), (409, "too_many_activations"));
    let elsewhere = for_(&world, 1, json!({"ip_ranges": ["203.0.113.0/24"]})).await;
    assert_eq!(told(&activate(&world, &elsewhere.key, "a").await), (409, "ip_not_allowed"));

    let client = format!("/v1/clients/{}", sold.client);
    let owner = &sold.partner.caller;
    for (act, code) in [
        (format!("{client}/activate"), (200, "valid")),
        (format!("{client}/suspend"), (409, "client_suspended")),
        (format!("{client}/activate"), (200, "valid")),
        (sold.path("/suspend"), (409, "suspended")),
        (sold.path("/reinstate"), (200, "valid")),
    ] {
        let _acted = owner.act(&act).await.expect(200);
        for what in ["", "/heartbeat"] {
            assert_eq!(told(&ask(&world, what, &sold.key, "a", good.clone()).await), code, "{act}");
        }
    }
    advance(&world, "P32D").await;
    assert_eq!(told(&ask(&world, "/heartbeat", &sold.key, "a", good.clone()).await), (409, "expired"));
    let _ended = world.operator.act(&sold.path("/revoke")).await.expect(200);
    assert_eq!(told(&ask(&world, "", &sold.key, "a", good.clone()).await), (409, "revoked"));
    // A program that must stop may always give its seat back.
    let left = ask(&world, "/deactivate", &sold.key, "a", json!({})).await.expect(200);
    assert_eq!(left.json["activation"]["status"], "deactivated");
}

/// An answer holds what a program needs, and nothing about whose the licence is.
#[tokio::test]
async fn what_the_answers_show() {
    let world = World::new().await;
    let sold = for_(&world, 3, json!({})).await;
    let asked = json!({"domain": "a.test", "nonce": "7", "unknown": {"of": [1e300]}});
    let seated = ask(&world, "", &sold.key, "this machine", asked).await.expect(201);
    let validated = json!({"key": sold.key, "fingerprint": "this machine", "nonce": "7"});
    let validated = world.nobody().post("/v1/licences/validate", &validated).await.expect(200);
    let own = json!({
        "refid": seated.json["activation"]["refid"], "fingerprint": "this machine", "domain": "a.test",
        "activated_at": seated.json["checked_at"], "last_seen_at": seated.json["checked_at"], "status": "active",
    });
    assert_eq!((&seated.json["activation"], &seated.json["licence"]["activations"]), (&own, &json!(1)));
    assert_eq!((&validated.json["activation"], &validated.json["licence"]), (&own, &seated.json["licence"]));
    let members: Vec<&String> = seated.json.as_object().unwrap().keys().collect();
    assert_eq!(members, ["activation", "checked_at", "code", "licence", "nonce", "valid"]);
    assert_eq!((seated.text("code"), &seated.json["valid"], seated.text("nonce")), ("valid", &json!(true), "7"));
    let refused = ask(&world, "/heartbeat", &sold.key, "another", json!({"nonce": "8"})).await;
    let refused = refused.refused(409, "not_activated");
    assert_eq!(refused.header("content-type"), Some("application/problem+json"));
    assert_eq!((&refused.json["valid"], refused.text("nonce")), (&json!(false), "8"));
    let without = ask(&world, "", &sold.key, "", json!({})).await.refused(422, "invalid_fields");
    assert_eq!(without.pointer(), "/fingerprint");
    for (said, reply) in [("seated", &seated), ("validated", &validated), ("refused", &refused)] {
        let text = String::from_utf8_lossy(&reply.bytes);
        for private in [&sold.licence, &sold.client, &sold.partner.refid, &sold.key] {
            assert!(!text.contains(private.as_str()), "{said}: {text}");
        }
    }
}

#[tokio::test]
async fn a_seat_is_given_back_once_and_taken_again() {
    let world = World::new().await;
    let sold = for_(&world, 1, json!({})).await;
    let first = activate(&world, &sold.key, "a").await.expect(201).json["activation"]["refid"].clone();
    for _ in 0..2 {
        let left = ask(&world, "/deactivate", &sold.key, "a", json!({"nonce": "n"})).await.expect(200);
        assert_eq!((left.text("code"), &left.json["licence"]["activations"]), ("not_activated", &json!(0)));
    }
    let never = ask(&world, "/deactivate", &sold.key, "b", json!({})).await;
    assert_eq!(told(&never), (409, "not_activated"));
    let again = activate(&world, &sold.key, "a").await.expect(201);
    assert_eq!(again.json["activation"]["refid"], first);
    // The seller takes the seat back.
    let path = sold.path(&format!("/activations/{}", first.as_str().unwrap()));
    let other = world.partner("standard", 0).await.caller;
    for (caller, path) in [(&other, &path), (&sold.partner.caller, &sold.path("/activations/AC-0000000000000000"))] {
        let _hidden = caller.delete(path).await.refused(404, "not_found");
    }
    assert_eq!(held(&world).1, "1");
    for _ in 0..2 {
        let _ended = sold.partner.caller.delete(&path).await.expect(204);
    }
    assert_eq!(held(&world).1, "0");
    assert_eq!(told(&ask(&world, "/heartbeat", &sold.key, "a", json!({})).await), (409, "not_activated"));
    let _hidden = other.get(&sold.path("/activations")).await.refused(404, "not_found");
    let none = sold.partner.caller.get(&sold.path("/activations")).await.expect(200);
    assert_eq!(none.json["data"], json!([]));
    let ended = sold.path("/activations?ended=true");
    let listed = sold.partner.caller.get(&ended).await.expect(200).json["data"].clone();
    let shown = json!({
        "refid": first, "licence": sold.licence, "fingerprint": "a", "domain": null, "ip": "127.0.0.1",
        "activated_at": again.json["checked_at"], "last_seen_at": again.json["checked_at"], "status": "deactivated",
        "ended_at": listed[0]["ended_at"], "ended_by": "vendor",
    });
    assert_eq!(listed, json!([shown]));
    let events = world.events().await;
    let told = events.iter().rev().filter(|event| event["detail-type"].as_str().unwrap().starts_with("Installation"));
    let told: Vec<String> = told.map(|it| format!("{} {}", it["detail-type"], it["detail"]["why"])).collect();
    let (on, off) = (r#""InstallationActivated" null"#, r#""InstallationDeactivated""#);
    assert_eq!(told, [on, &format!("{off} \"program\""), on, &format!("{off} \"vendor\"")]);
}

/// A key that was replaced holds no seat, and what it took stays.
#[tokio::test]
async fn installations_stay_when_the_key_changes() {
    let world = World::new().await;
    let sold = for_(&world, 1, json!({})).await;
    let _seated = activate(&world, &sold.key, "a").await.expect(201);
    let rotated = world.operator.act(&sold.path("/rotate-key")).await.expect(200);
    let key = rotated.text("key");
    assert_eq!(told(&activate(&world, &sold.key, "a").await), (409, "not_found"));
    assert_eq!(told(&activate(&world, key, "a").await), (200, "valid"));
    assert_eq!(told(&activate(&world, key, "b").await), (409, "too_many_activations"));
    let _renewed = world.operator.post_once(&sold.path("/renew"), "r", &json!({})).await.expect(200);
    assert_eq!(held(&world).1, "1", "no other change takes a seat back");
}

/// What is known of the installations of somebody who was deleted goes, and they keep their seats (rule A9).
#[tokio::test]
async fn what_a_deleted_clients_installations_say_is_erased() {
    let world = World::new().await;
    let sold = for_(&world, 2, json!({})).await;
    for name in ["a", "b"] {
        let asked = json!({"domain": format!("{name}.private.example")});
        let _seated = ask(&world, "", &sold.key, name, asked).await.expect(201);
    }
    let _left = ask(&world, "/deactivate", &sold.key, "b", json!({})).await.expect(200);
    assert!(world.everything_in_the_table().contains("a.private.example"));
    let _gone = world.operator.delete(&format!("/v1/clients/{}", sold.client)).await.expect(204);
    world.system().settle().await;
    let all = world.everything_in_the_table();
    assert!(!all.contains("private.example") && !all.contains("127.0.0.1"), "{all}");
    let heard = ask(&world, "/heartbeat", &sold.key, "a", json!({"domain": "again.private.example"})).await;
    assert_eq!(told(&heard), (200, "valid"));
    let asked = json!({"domain": "c.private.example"});
    let _third = ask(&world, "", &sold.key, "c", asked).await.expect(201);
    for (list, count) in [("/activations", 2), ("/activations?ended=true", 1)] {
        let listed = world.operator.get(&sold.path(list)).await.expect(200);
        let listed = listed.json["data"].as_array().unwrap();
        for shown in listed {
            assert_eq!([&shown["fingerprint"], &shown["domain"], &shown["ip"]], [&Value::Null; 3], "{shown}");
        }
        assert_eq!(listed.len(), count, "{list}");
    }
    world.system().settle().await;
    assert!(!world.everything_in_the_table().contains("private.example"));
    let deactivated = world.events().await;
    let why = deactivated.iter().filter(|event| event["detail-type"] == "InstallationDeactivated").count();
    assert_eq!(why, 1, "erasing deactivates nobody");
}

/// A licence that was given away: what its former owner's installations said goes with the former owner.
#[tokio::test]
async fn what_a_former_owners_installations_say_is_erased() {
    let world = World::new().await;
    let sold = for_(&world, 2, json!({})).await;
    let asked = json!({"domain": "former.private.example"});
    let _seated = ask(&world, "", &sold.key, "a", asked).await.expect(201);
    let next = world.client(&sold.partner).await;
    let _moved = world.operator.post(&sold.path("/transfer"), &json!({"client": next})).await.expect(200);
    let asked = json!({"domain": "next.private.example"});
    let _seated = ask(&world, "", &sold.key, "b", asked).await.expect(201);
    let _gone = world.operator.delete(&format!("/v1/clients/{}", sold.client)).await.expect(204);
    world.system().settle().await;
    let all = world.everything_in_the_table();
    assert!(!all.contains("former.private.example"), "{all}");
    assert!(all.contains("next.private.example"), "{all}");
    assert_eq!(told(&ask(&world, "/heartbeat", &sold.key, "a", json!({})).await), (200, "valid"));
}

/// A short lease is noted often enough, and a long one once a minute.
#[tokio::test]
async fn whoever_is_heard_of_in_time_keeps_a_short_lease() {
    let world = World::new().await;
    let sold = for_(&world, 1, json!({"lease": "PT1M"})).await;
    let _seated = activate(&world, &sold.key, "a").await.expect(201);
    for _ in 0..8 {
        advance(&world, "PT20S").await;
        assert_eq!(told(&ask(&world, "/heartbeat", &sold.key, "a", json!({})).await), (200, "valid"));
        assert_eq!(told(&activate(&world, &sold.key, "b").await), (409, "too_many_activations"));
    }
}
