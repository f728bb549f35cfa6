//! Stale users hold no role, and either were never confirmed or have long been unused: how they are found, reported
//! each month, and deleted (rule D6).

use purser_api::events::schedule::report_accounts::report_accounts;
use purser_edge::App;
use purser_tests::faults::{Fault, SDK_TRIES, SEND_EMAIL, Script};
use purser_tests::prelude::*;

const FUNCTION: &str = "report-accounts";
const SUBJECT: &str = "to be unused";

async fn turn(world: &World, days: u32) {
    let by = json!({"advance": format!("P{days}D")});
    let _turned = world.nobody().post("/_local/clock", &by).await.expect(200);
    world.system().settle().await;
}

async fn login(world: &World, email: &str) -> Value {
    let path = format!("/v1/users?email={email}");
    let found = world.operator.get(&path).await.expect(200);
    found.json["data"][0].clone()
}

/// Registers a user who never confirms the address, and returns the user's refid.
async fn stranger(world: &World) -> String {
    let email = format!("{}@example.com", world.fresh("stranger"));
    world.register(&email).await;
    world.system().settle().await;
    login(world, &email).await["refid"].as_str().unwrap().to_owned()
}

async fn bind(world: &World, person: &Person) -> Reply {
    let mut body = world.new_client();
    body["user"] = json!(person.refid);
    world.operator.post("/v1/clients", &body).await
}

async fn stale_by(world: &World, limit: usize) -> Vec<Value> {
    let (mut all, mut cursor) = (Vec::new(), String::new());
    loop {
        let path = format!("/v1/stale-users?limit={limit}{cursor}");
        let page = world.operator.get(&path).await.expect(200).json;
        let found = page["data"].as_array().unwrap();
        assert!(found.len() <= limit);
        all.extend(found.iter().cloned());
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return all,
        }
    }
}

async fn stale(world: &World) -> Vec<Value> {
    stale_by(world, 100).await
}

async fn delete(world: &World, refid: &Value, version: Option<u64>) -> Reply {
    let path = format!("/v1/users/{}", refid.as_str().unwrap());
    let tag = version.map(|version| format!("\"{version}\""));
    let headers: Vec<(&str, &str)> = tag.iter().map(|tag| ("if-match", tag.as_str())).collect();
    world.operator.send("DELETE", &path, &headers, None).await
}

fn told(mails: &[Value]) -> Vec<&Value> {
    let about = |mail: &&Value| mail["subject"].as_str().unwrap().contains(SUBJECT);
    mails.iter().filter(about).collect()
}

#[tokio::test]
async fn only_who_holds_no_role_is_listed_and_only_after_its_time() {
    let world = World::new().await;
    let stranger = stranger(&world).await;
    let (idle, active) = (world.person().await, world.person().await);
    let (bound, banned) = (world.person().await, world.person().await);
    let _client = bind(&world, &bound).await.expect(201);
    let ban = format!("/v1/users/{}/suspend", banned.refid);
    let _banned = world.operator.act(&ban).await.expect(200);
    // The invited operator and member of staff hold a role even if they never follow their links.
    let partner = world.partner("standard", 0).await;
    for holds in [json!({"operator": true}), json!({"reseller": partner.refid})] {
        let mut body = json!({"email": format!("{}@example.com", world.fresh("x")), "name": "x"});
        body.as_object_mut().unwrap().extend(holds.as_object().unwrap().clone());
        let _invited = world.operator.post("/v1/users", &body).await.expect(201);
    }
    let _operator = world.invited(json!({"operator": true})).await;

    turn(&world, 29).await;
    assert_eq!(stale(&world).await, Vec::<Value>::new());
    turn(&world, 2).await;
    let unconfirmed = stale(&world).await;
    let found = &unconfirmed[0];
    assert_eq!((unconfirmed.len(), &found["refid"], &found["reason"]), (1, &json!(stranger), &json!("unconfirmed")));
    let user = world.operator.get(&format!("/v1/users/{stranger}")).await.expect(200).json;
    for member in ["email", "name", "version"] {
        assert_eq!(found[member], user[member]);
    }
    assert_eq!(found["since"], user["created_at"]);

    turn(&world, 690).await;
    let _back = world.sign_in(&active.email, PASSWORD).await;
    turn(&world, 60).await;
    let all = stale(&world).await;
    let found: Vec<(&Value, &Value)> = all.iter().map(|it| (&it["refid"], &it["reason"])).collect();
    let (idle_is, unconfirmed) = (json!(idle.refid), json!("unconfirmed"));
    let expected = [(&idle_is, &json!("dormant")), (&json!(stranger), &unconfirmed)];
    assert_eq!(found, expected, "the most recently used comes first");
    let last = world.operator.get(&format!("/v1/users/{}", idle.refid)).await.expect(200);
    assert_eq!(all[0]["since"], last.json["last_login_at"]);
}

#[tokio::test]
async fn the_list_is_for_operators_and_goes_on_page_by_page() {
    let world = World::new().await;
    let partner = world.partner("standard", 0).await;
    let refused = partner.caller.get("/v1/stale-users").await;
    let _refused = refused.refused(403, "forbidden");
    let person = world.person().await;
    let refused = person.caller.get("/v1/stale-users").await;
    let _refused = refused.refused(403, "forbidden");
    let one = stranger(&world).await;
    let mut item = world.items();
    item.retain(|item| item["pk"]["S"] == format!("US#{one}"));
    let text = item[0].to_string();
    let copy = |n: u32, kind: &str| {
        let copied = text.replace(&one, &format!("US-{n:016}"));
        let copied = copied.replace("\"client\":{\"NULL\":true}", kind);
        serde_json::from_str::<Value>(&copied).unwrap()
    };
    // Most users are customers, whom the list leaves out: a page has to read past them.
    let customer = "\"client\":{\"S\":\"CL-0123456789ABCDEF\"}";
    let mut copies: Vec<Value> = (0..60).map(|n| copy(n, "\"client\":{\"NULL\":true}")).collect();
    copies.extend((60..400).map(|n| copy(n, customer)));
    world.put_all(&copies);
    turn(&world, 31).await;
    for limit in [7, 100] {
        let all = stale_by(&world, limit).await;
        let refids: BTreeSet<String> = all.iter().map(|it| it["refid"].to_string()).collect();
        assert_eq!((all.len(), refids.len()), (61, 61), "by {limit}");
    }
    let cursor = world.operator.get("/v1/stale-users?limit=7").await.json["next_cursor"].clone();
    let elsewhere = format!("/v1/users?cursor={}", cursor.as_str().unwrap());
    let refused = world.operator.get(&elsewhere).await;
    let _refused = refused.refused(400, "invalid_cursor");
}

#[tokio::test]
async fn what_is_deleted_leaves_nothing_and_its_address_is_free() {
    let world = World::new().await;
    let email = "ada@example.com";
    world.register(email).await;
    world.system().settle().await;
    let person = world.person().await;
    let picture = json!({
        "pk": {"S": format!("AV#{}", person.refid)}, "sk": {"S": "."}, "kind": {"S": "avatar"},
        "doc": {"M": {"version": {"N": "1"}}}, "picture": {"B": "AAAA"},
    });
    world.put_all(&[picture]);
    turn(&world, 732).await;
    let all = stale(&world).await;
    assert_eq!(all.len(), 2);
    for found in &all {
        let version = found["version"].as_u64();
        let _gone = delete(&world, &found["refid"], version).await.expect(204);
        let again = delete(&world, &found["refid"], version).await;
        let _again = again.refused(404, "not_found");
    }
    assert_eq!(stale(&world).await, Vec::<Value>::new());
    let named = |item: &Value| all.iter().any(|it| item.to_string().contains(it["refid"].as_str().unwrap()));
    let mut left = world.state().await;
    left.retain(named);
    let kinds: BTreeSet<&str> = left.iter().map(|item| item["kind"]["S"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["erasure"].into(), "only that they were deleted is known, for a while");
    assert!(left.iter().all(|item| item["ttl"]["N"].is_string()), "{left:?}");

    world.register(email).await;
    let token = json!({"token": world.mailed_token(email).await, "password": PASSWORD});
    let _confirmed = world.nobody().post("/v1/auth/confirm", &token).await.expect(200);
    let ada = world.sign_in(email, PASSWORD).await;
    assert!(all.iter().all(|it| it["refid"] != ada.refid), "registering again must make a new user");
}

#[tokio::test]
async fn who_is_used_between_list_and_deletion_stays() {
    let world = World::new().await;
    let (back, bound, confirmed) = (world.person().await, world.person().await, "late@example.com");
    world.register(confirmed).await;
    world.system().settle().await;
    turn(&world, 731).await;
    let all = stale(&world).await;
    assert_eq!(all.len(), 3);
    let _back = world.sign_in(&back.email, PASSWORD).await;
    let _client = bind(&world, &bound).await.expect(201);
    let again = json!({"email": confirmed});
    let again = world.nobody().post("/v1/auth/resend-confirmation", &again).await;
    let _again = again.expect(202);
    let token = json!({"token": world.mailed_token(confirmed).await, "password": PASSWORD});
    let _confirmed = world.nobody().post("/v1/auth/confirm", &token).await.expect(200);
    let before = world.state().await;
    for found in &all {
        let kept = delete(&world, &found["refid"], found["version"].as_u64()).await;
        let _kept = kept.refused(412, "version_mismatch");
    }
    let kept = delete(&world, &json!(bound.refid), None).await;
    let _kept = kept.refused(409, "user_in_use");
    assert_eq!(world.state().await, before);
}

#[tokio::test]
async fn of_a_deletion_and_a_binding_at_once_one_wins() {
    let world = World::new().await;
    for n in 0..8 {
        let person = world.person().await;
        let refid = json!(person.refid);
        let (deletion, binding) = (delete(&world, &refid, None), bind(&world, &person));
        // Alternate which of the two starts first, so that each wins now and then.
        let (deleted, bound) = if n % 2 == 0 {
            tokio::join!(deletion, binding)
        } else {
            let (bound, deleted) = tokio::join!(binding, deletion);
            (deleted, bound)
        };
        match (deleted.status, bound.status) {
            (204, 422) => assert_eq!(bound.json["code"], "invalid_user"),
            (409, 201) => assert_eq!(deleted.json["code"], "user_in_use"),
            both => panic!("{both:?}"),
        }
    }
}

#[tokio::test]
async fn operators_are_mailed_once_a_month_and_nothing_is_deleted() {
    let world = World::new().await;
    let operator = world.invited(json!({"operator": true})).await;
    let banned = world.invited(json!({"operator": true})).await;
    let ban = format!("/v1/users/{}/suspend", banned.refid);
    let _banned = world.operator.act(&ban).await.expect(200);
    let asked = json!({"email": "nobody@example.com", "name": "x", "operator": true});
    let _unconfirmed = world.operator.post("/v1/users", &asked).await.expect(201);
    world.run_schedule(FUNCTION).await;
    assert_eq!(told(&world.mails().await), Vec::<&Value>::new(), "without stale users there must be no report");

    let idle = world.person().await;
    turn(&world, 732).await;
    let mut strangers = Vec::new();
    for _ in 0..21 {
        strangers.push(stranger(&world).await);
    }
    turn(&world, 31).await;
    let (mut before, earlier) = (world.state().await, told(&world.mails().await).len());
    world.run_schedule(FUNCTION).await;
    let mails = world.mails().await;
    let reports = told(&mails);
    assert_eq!(reports.len(), earlier + 1);
    let (report, whom) = (reports[0], &operator.email);
    assert_eq!(
        (&report["subject"], &report["to"]),
        (&json!("22 accounts at Purser appear to be unused"), &json!([whom]))
    );
    for part in ["text", "html"] {
        let said = report[part].as_str().unwrap();
        for words in
            ["within 30 days: 21", "for 730 days: 1", "the first 20 accounts", "delete-accounts --url http://127"]
        {
            assert!(said.contains(words), "{words}: {said}");
        }
        let named = strangers.iter().filter(|refid| said.contains(*refid)).count();
        assert_eq!((named, said.contains(&idle.refid)), (20, false), "{said}");
        assert!(!said.contains("stranger-") && !said.contains(&idle.email), "the report must name no address: {said}");
    }
    let mut after = world.state().await;
    let of_mails = |item: &Value| item["kind"]["S"] == "claim" || item["kind"]["S"] == "mails";
    before.retain(|item| !of_mails(item));
    after.retain(|item| !of_mails(item));
    assert_eq!(after, before, "a report must change nothing but its claims and the counts of e-mails");
}

#[tokio::test]
async fn an_operator_is_told_once_of_a_run_however_often_it_is_repeated() {
    let world = World::new().await;
    for _ in 0..2 {
        let _operator = world.invited(json!({"operator": true})).await;
    }
    let _stranger = stranger(&world).await;
    turn(&world, 31).await;
    let before = told(&world.mails().await).len();
    let event = purser_local::cloud::timetable::event(world.system().clock().timestamp(), "ReportAccounts");
    let script = Script::default();
    let refusal = json!({"message": "slow down"}).to_string();
    script.then(SDK_TRIES, SEND_EMAIL, &Fault::Answer(500, refusal));
    let over = world.app_over(FUNCTION, &script).await;
    let run = async |app: App| report_accounts(app, serde_json::from_value(event.clone()).unwrap()).await;
    let failed = run(over).await.expect_err("the run must fail if an operator could not be mailed");
    assert!(failed.contains("SendEmail") && script.is_played(), "{failed}");
    assert_eq!(told(&world.mails().await).len(), before + 1, "the other operator must be mailed all the same");
    for _ in 0..2 {
        let own = world.system().apps().of(FUNCTION).unwrap();
        run(own.clone()).await.unwrap();
        let mails = world.mails().await;
        let whom: BTreeSet<String> = told(&mails).iter().map(|it| it["to"].to_string()).collect();
        assert_eq!((told(&mails).len(), whom.len()), (before + 2, 2));
    }
    let mut other = event.clone();
    other["detail-type"] = json!("CreditsAdded");
    let own = world.system().apps().of(FUNCTION).unwrap().clone();
    assert!(report_accounts(own, serde_json::from_value(other).unwrap()).await.is_err());
}
