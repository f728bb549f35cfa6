//! How operators and resellers manage users, and the roles that users hold (rules B1, D4).

mod clean_up;

use purser_tests::prelude::*;

use super::{attempt, reset};

#[tokio::test]
async fn onboarding_a_reseller_mails_its_first_login_a_link() {
    let world = World::new().await;
    let email = "hello@elite.example";
    let body = json!({"company_name": "Elite Partners", "email": email});
    let reseller = world.operator.post("/v1/resellers", &body).await.expect(201);
    let token = world.mailed_token(email).await;
    let _set = reset(&world, &token, PASSWORD).await.expect(200);
    let staff = world.sign_in(email, PASSWORD).await;
    assert_eq!(staff.refid, reseller.text("user"));
    let me = staff.caller.get("/v1/me").await.expect(200);
    assert_eq!(me.json["roles"], json!(["reseller"]));
    assert!(me.json["confirmed_at"].is_string(), "setting a password by the mailed link must confirm the address");
    let own = format!("/v1/resellers/{}/wallet", reseller.text("refid"));
    let _wallet = staff.caller.get(&own).await.expect(200);
    let client = staff.caller.post("/v1/clients", &world.new_client()).await;
    assert_eq!(client.expect(201).text("reseller"), reseller.text("refid"));
    let _not_its = staff.caller.get("/v1/resellers").await.refused(403, "forbidden");
}

#[tokio::test]
async fn an_applicant_is_mailed_a_link_once_approved() {
    let world = World::with(None, &[("PURSER_PARTNER_SIGN_UP", "true")]).await;
    let email = "hello@nova.example";
    let body = json!({"company_name": "Nova", "email": email});
    let applied = world.nobody().post("/v1/resellers/sign-up", &body).await;
    let _applied = applied.expect(202);
    let links = async || {
        let mails = world.all_mails().await;
        let link = |mail: &&serde_json::Value| mail["text"].as_str().unwrap().contains("?token=");
        mails.iter().filter(link).count()
    };
    assert_eq!(links().await, 0);
    let list = world.operator.get("/v1/resellers?status=pending").await.expect(200);
    let refid = list.json["data"][0]["refid"].as_str().unwrap().to_owned();
    let path = format!("/v1/resellers/{refid}/activate");
    let _approved = world.operator.act(&path).await.expect(200);
    assert_eq!(links().await, 1);
    world.set_password(email, PASSWORD).await;
    let _in = world.sign_in(email, PASSWORD).await;
}

#[tokio::test]
async fn operators_invite_operators_and_a_reseller_its_staff() {
    let world = World::new().await;
    let operator = world.invited(json!({"operator": true})).await;
    let _clients = operator.caller.get("/v1/clients").await.expect(200);
    let partner = world.partner("gold", 0).await;
    let body = json!({"email": "s@example.com", "name": "S"});
    let staff = partner.caller.post("/v1/users", &body).await.expect(201);
    assert_eq!(staff.json["roles"], json!(["reseller"]));
    assert_eq!(staff.text("reseller"), partner.refid);
    world.set_password("s@example.com", PASSWORD).await;
    let staff = world.sign_in("s@example.com", PASSWORD).await;
    staff.prove().await;
    // Staff may do what their reseller may, and no more.
    let more = json!({"email": "t@example.com", "name": "T"});
    let _more = staff.caller.post("/v1/users", &more).await.expect(201);
    let operator = json!({"email": "o@example.com", "name": "O", "operator": true});
    let _denied = staff.caller.post("/v1/users", &operator).await.refused(403, "forbidden");
    let foreign = world.partner("gold", 0).await;
    let other = json!({"email": "u@example.com", "name": "U", "reseller": foreign.refid});
    let _denied = staff.caller.post("/v1/users", &other).await.refused(404, "not_found");
    let unknown = json!({"email": "u@example.com", "name": "U", "reseller": "RS-0000000000000000"});
    let unknown = world.operator.post("/v1/users", &unknown).await;
    let _unknown = unknown.refused(422, "invalid_reseller");
    let taken = world.operator.post("/v1/users", &body).await;
    let _taken = taken.refused(409, "duplicate_email");
    let listed = staff.caller.get("/v1/users").await.expect(200);
    let listed = listed.json["data"].as_array().unwrap().len();
    assert_eq!(listed, 3, "the reseller's first user and the two that were invited");
}

#[tokio::test]
async fn a_login_is_found_changed_kept_out_and_deleted() {
    let world = World::new().await;
    let ada = world.person().await;
    let operator = &world.operator;
    let found = operator.get(&format!("/v1/users?email={}", ada.email)).await.expect(200);
    assert_eq!(found.json["data"][0]["refid"], ada.refid);
    let path = format!("/v1/users/{}", ada.refid);
    let shown = operator.get(&path).await.expect(200);
    let tag = shown.header("etag").unwrap().to_owned();
    let logins = operator.get(&format!("{path}/logins")).await.expect(200);
    assert_eq!(logins.json["data"].as_array().unwrap().len(), 1);
    let suspended = operator.act(&format!("{path}/suspend")).await.expect(200);
    assert_eq!(suspended.text("status"), "suspended");
    let out = attempt(&world.nobody(), &ada.email, PASSWORD).await;
    let _out = out.refused(401, "invalid_credentials");
    let _back = operator.act(&format!("{path}/activate")).await.expect(200);
    let _in = world.sign_in(&ada.email, PASSWORD).await;
    let headers = [("if-match", tag.as_str())];
    let stale = operator.send("DELETE", &path, &headers, None).await;
    let _stale = stale.refused(412, "version_mismatch");

    let partner = world.partner("gold", 0).await;
    let member = json!({"reseller": partner.refid});
    let member = operator.patch(&path, &member).await.expect(200);
    assert_eq!(member.json["roles"], json!(["reseller"]));
    let _in_use = operator.delete(&path).await.refused(409, "user_in_use");
    let _none = operator.patch(&path, &json!({"reseller": null})).await.expect(200);
    let ada = world.sign_in(&ada.email, PASSWORD).await;
    let _deleted = operator.delete(&path).await.expect(204);
    let _over = ada.caller.get("/v1/me").await.refused(401, "unauthenticated");
    let _gone = operator.get(&path).await.refused(404, "not_found");
    let out = attempt(&world.nobody(), &ada.email, PASSWORD).await;
    let _out = out.refused(401, "invalid_credentials");
    let left = world.everything_in_the_table();
    assert!(!left.contains(&format!("PW#{}", ada.refid)) && !left.contains(&format!("SE#{}", ada.refid)));
    world.register(&ada.email).await;
    let _free = world.mailed_token(&ada.email).await;
}

#[tokio::test]
async fn whom_an_operator_keeps_out_no_reseller_lets_in() {
    let world = World::new().await;
    let partner = world.partner("gold", 0).await;
    let staff = world.invited(json!({"reseller": partner.refid})).await;
    let path = format!("/v1/users/{}", staff.refid);
    let act = async |caller: &purser_tests::Caller, how: &str| caller.act(&format!("{path}/{how}")).await;
    let _own = act(&partner.caller, "suspend").await.expect(200);
    let _own = act(&partner.caller, "activate").await.expect(200);
    let _kept = act(&world.operator, "suspend").await.expect(200);
    let _still = act(&partner.caller, "suspend").await.expect(200);
    let denied = act(&partner.caller, "activate").await;
    let _denied = denied.refused(403, "forbidden");
    let _back = act(&world.operator, "activate").await.expect(200);
    let _in = world.sign_in(&staff.email, PASSWORD).await;
}

#[tokio::test]
async fn a_customer_reaches_its_own_account_and_nothing_else() {
    let world = World::new().await;
    let ada = world.person().await;
    let body = json!({"name": "Ada Ltd", "email": ada.email, "user": ada.refid});
    let client = world.operator.post("/v1/clients", &body).await.expect(201);
    let me = ada.caller.get("/v1/me").await.expect(200);
    assert_eq!(me.json["roles"], json!(["customer"]));
    for path in ["/v1/clients", "/v1/products", "/v1/users", "/v1/resellers"] {
        let _denied = ada.caller.get(path).await.refused(403, "forbidden");
    }
    let own = format!("/v1/clients/{}", client.text("refid"));
    let _denied = ada.caller.get(&own).await.refused(403, "forbidden");
    let key = world.partner("gold", 0).await.caller;
    let _no_account = key.get("/v1/me").await.refused(403, "forbidden");
    let bound = world.operator.delete(&format!("/v1/users/{}", ada.refid)).await;
    let _bound = bound.refused(409, "user_in_use");
}
