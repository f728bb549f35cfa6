//! Strangers apply to become resellers: an operator approves them, and the answer reveals nothing (rule B1).

use purser_tests::prelude::*;

async fn open() -> World {
    World::with(None, &[("PURSER_PARTNER_SIGN_UP", "true")]).await
}

async fn apply(world: &World, email: &str) -> Reply {
    let body = json!({"company_name": "Nova Distribution", "email": email});
    world.nobody().post("/v1/resellers/sign-up", &body).await
}

#[tokio::test]
async fn who_applies_waits_for_an_operator() {
    let world = open().await;
    let applied = apply(&world, "nova@example.com").await.expect(202);
    assert_eq!(applied.json, json!({"status": "received"}), "a stranger must get no refid");
    let list = world.operator.get("/v1/resellers?status=pending").await.expect(200);
    let reseller = &list.json["data"][0];
    assert_eq!((&reseller["tier"], &reseller["parent"]), (&json!("standard"), &json!(null)));
    let refid = reseller["refid"].as_str().unwrap();
    world.top_up(refid, 1_000).await;
    let mut client = world.new_client();
    client["reseller"] = json!(refid);
    let _waits = world.operator.post("/v1/clients", &client).await.refused(409, "reseller_pending");
    let bare = json!({"reseller": refid, "cost": 1, "description": "x"});
    let bought = world.operator.post_once("/v1/provisions", "k", &bare).await;
    let _waits = bought.refused(409, "reseller_pending");
    assert_eq!(world.mails().await[0]["subject"], "Your application to become a partner of Purser");

    let path = format!("/v1/resellers/{refid}/activate");
    let _approved = world.operator.act(&path).await.expect(200);
    let _client = world.operator.post("/v1/clients", &client).await.expect(201);
    let mails = world.mails().await;
    let approval = mails.iter().find(|mail| mail["to"] == json!(["nova@example.com"])).unwrap();
    assert_eq!(approval["subject"], "You are now a partner of Purser");
}

#[tokio::test]
async fn the_answer_does_not_tell_whether_the_address_is_known() {
    let world = open().await;
    let new = apply(&world, "nova@example.com").await.expect(202);
    let size = world.size().await;
    let known = apply(&world, "NOVA@example.com").await.expect(202);
    assert_eq!(new.bytes, known.bytes);
    let told = |reply: &Reply| -> Vec<(String, String)> {
        let own = ["date", "x-request-id", "purser-cost"];
        let headers = reply.headers.iter().filter(|(name, _)| !own.contains(&name.as_str()));
        headers.cloned().collect()
    };
    assert_eq!(told(&new), told(&known));
    let calls = |reply: &Reply| reply.cost().0;
    assert_eq!(calls(&new), calls(&known), "a known address must take as many calls, and so as much time");
    assert_eq!(world.size().await, size);
}

#[tokio::test]
async fn closed_unless_it_is_opened() {
    let world = World::new().await;
    let size = world.size().await;
    let _closed = apply(&world, "nova@example.com").await.refused(404, "not_found");
    let reply = world.nobody().post("/v1/resellers/sign-up", &json!({"company_name": 7})).await;
    let _closed = reply.refused(404, "not_found");
    assert_eq!(world.size().await, size);
    let world = open().await;
    let reply = world.nobody().post("/v1/resellers/sign-up", &json!({"company_name": 7})).await;
    assert_eq!(reply.refused(422, "invalid_fields").pointer(), "/company_name");
}

#[tokio::test]
async fn who_applies_shows_that_they_are_a_person_where_a_captcha_is_on() {
    let variables = [("PURSER_PARTNER_SIGN_UP", "true"), ("PURSER_CAPTCHA", "arithmetic")];
    let world = World::with(None, &variables).await;
    let _refused = apply(&world, "nova@example.com").await.refused(422, "captcha_failed");
    let captcha = world.answer_to_challenge().await;
    let body = json!({"company_name": "Nova Distribution", "email": "nova@example.com", "captcha": captcha});
    for (status, code) in [(202, None), (422, Some("captcha_failed"))] {
        let answered = world.nobody().post("/v1/resellers/sign-up", &body).await;
        assert_eq!((answered.status, answered.json["code"].as_str()), (status, code), "an answer counts once");
    }
    assert_eq!(world.all_mails().await.len(), 1);
}
