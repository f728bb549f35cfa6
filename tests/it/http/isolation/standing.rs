//! The standing of a reseller is judged at the door of every route, before anything else (rule B14).

use purser_tests::document::Operation;
use purser_tests::prelude::*;

use crate::http::operations::{Case, Party, Who, cases, refid_of, variants, world};

/// What a suspended reseller may do besides reading.
const ENDS: [&str; 2] = ["DELETE /v1/api-keys/{refid}", "POST /v1/users/{refid}/suspend"];
/// What a reseller whose application is pending may do.
const PROFILE: &str = "GET /v1/resellers/{refid}";

/// Gives the party's reseller a standing, which its wallet shares.
async fn stand(world: &World, party: &Party, status: &str) {
    let own = [format!("WA#{}", party.ids.reseller), format!("RS#{}", party.ids.reseller)];
    let mut items = world.items();
    items.retain(|item| own.iter().any(|pk| item["pk"]["S"] == pk.as_str()));
    assert_eq!(items.len(), 2);
    for item in &mut items {
        item["doc"]["M"]["status"]["S"] = json!(status);
    }
    world.put_all(&items);
    world.system().settle().await;
}

/// Those who act for the party's reseller: its API key, a key that names no tenant, and a member of its staff.
async fn callers(world: &World, party: &Party) -> Vec<(&'static str, Caller)> {
    let key = party.caller.key().unwrap();
    let (refid, secret) = (refid_of(key), key.rsplit('.').next().unwrap());
    let older = party.caller.with_key(Some(&format!("{refid}.{secret}")));
    let member = world.member(&party.ids.reseller).await.caller;
    vec![("a key", party.caller.clone()), ("an older key", older), ("a member", member)]
}

/// Asserts that each case's requests are refused with `code`, whatever else is wrong with them, unless they are
/// `allowed`, and that refused requests change nothing.
async fn each_is_judged(status: &str, code: &str, allowed: impl Fn(&Case, &Operation) -> bool) {
    let world = world().await;
    let party = Party::new(&world).await;
    let all = callers(&world, &party).await;
    stand(&world, &party, status).await;
    let mut judged = 0;
    for (case, operation) in cases(&world).await {
        if matches!(case.who, Who::Anybody | Who::SignedIn) {
            continue;
        }
        judged += 1;
        let request = (case.sample)(&party.ids).request(&operation, "k");
        let nothing = (case.sample)(&party.ids.of_nothing()).request(&operation, "k");
        let before = world.writes().await;
        for (who, caller) in &all {
            let at = format!("{} by {who}", case.operation);
            if allowed(case, &operation) {
                // What would end the caller's own access is tried on what does not exist.
                let request = if operation.method == "GET" { &request } else { &nothing };
                let reply = request.send(caller).await;
                assert!(reply.status != 409, "{at}: {}", reply.json);
                continue;
            }
            for request in [&request, &nothing] {
                for (what, request) in variants(&operation, request) {
                    let reply = request.send(caller).await;
                    assert_eq!((reply.status, reply.text("code")), (409, code), "{at} {what}: {}", reply.json);
                }
            }
        }
        if !allowed(case, &operation) {
            assert_eq!(world.writes().await, before, "{}: a refused request changed something", case.operation);
        }
    }
    assert!(judged > 50, "only {judged} cases were judged");
}

#[tokio::test]
async fn a_pending_reseller_sees_its_own_profile_and_nothing_else() {
    each_is_judged("pending", "reseller_pending", |case, _| case.operation == PROFILE).await;
}

#[tokio::test]
async fn a_suspended_reseller_reads_and_may_only_end_access() {
    let reads_or_ends =
        |case: &Case, operation: &Operation| operation.method == "GET" || ENDS.contains(&case.operation);
    each_is_judged("suspended", "reseller_suspended", reads_or_ends).await;
}

#[tokio::test]
async fn a_suspended_resellers_repeat_is_refused_and_replays_once_it_is_active() {
    let world = World::new().await;
    let partner = world.partner("standard", 1_000).await;
    let body = json!({"cost": 10, "description": "x"});
    let first = partner.caller.post_once("/v1/provisions", "k", &body).await.expect(201);
    let own = format!("/v1/resellers/{}", partner.refid);
    let left = world.member(&partner.refid).await;
    let key = partner.caller.post("/v1/api-keys", &json!({"name": "x"})).await.expect(201);
    let _suspended = world.operator.act(&format!("{own}/suspend")).await.expect(200);
    let refused = partner.caller.post_once("/v1/provisions", "k", &body).await;
    let _refused = refused.refused(409, "reseller_suspended");
    assert_eq!(partner.caller.get(&own).await.expect(200).text("status"), "suspended");
    // It may still shut out its people and its keys.
    let _out = partner.caller.act(&format!("/v1/users/{}/suspend", left.refid)).await.expect(200);
    let _gone = partner.caller.delete(&format!("/v1/api-keys/{}", key.text("refid"))).await.expect(204);
    let _active = world.operator.act(&format!("{own}/activate")).await.expect(200);
    let again = partner.caller.post_once("/v1/provisions", "k", &body).await.expect(201);
    assert_eq!(again.bytes, first.bytes);
    assert_eq!(again.header("idempotency-replayed"), Some("true"));
}

#[tokio::test]
async fn an_applicant_signs_in_and_sees_that_the_application_is_pending() {
    let world = World::with(None, &[("PURSER_PARTNER_SIGN_UP", "true")]).await;
    let email = "rogue@example.com";
    let applied = json!({"company_name": "Rogue", "email": email});
    let _applied = world.nobody().post("/v1/resellers/sign-up", &applied).await.expect(202);
    world.system().settle().await;
    let body = json!({"email": email});
    let _asked = world.nobody().post("/v1/auth/forgot-password", &body).await.expect(202);
    world.set_password(email, PASSWORD).await;
    let applicant = world.sign_in(email, PASSWORD).await.caller;
    let me = applicant.get("/v1/me").await.expect(200);
    let own = format!("/v1/resellers/{}", me.text("reseller"));
    assert_eq!(applicant.get(&own).await.expect(200).text("status"), "pending");
    let key = json!({"name": "backdoor"});
    let _no_key = applicant.post("/v1/api-keys", &key).await.refused(409, "reseller_pending");
    let _no_prices = applicant.get("/v1/products").await.refused(409, "reseller_pending");
    let _approved = world.operator.act(&format!("{own}/activate")).await.expect(200);
    let _prices = applicant.get("/v1/products").await.expect(200);
}

#[tokio::test]
async fn a_token_names_its_tenant_and_costs_one_read() {
    let world = World::new().await;
    let (a, b) = (world.partner("standard", 0).await, world.partner("standard", 0).await);
    let key = a.caller.key().unwrap();
    let (refid, secret) = (refid_of(key), key.rsplit('.').next().unwrap());
    assert_eq!(key, format!("{refid}.{}.{secret}", a.refid));
    let as_of = async |tenant: &str| {
        let caller = a.caller.with_key(Some(&format!("{refid}.{tenant}{secret}")));
        caller.get("/v1/analytics/clients/status?reseller=x").await
    };
    for tenant in [format!("{}.", b.refid), "RS-0000000000000000.".to_owned(), ".".to_owned(), "x.".to_owned()] {
        let _other = as_of(&tenant).await.refused(401, "unauthenticated");
    }
    // This request is refused for its query, so authentication is all that it costs.
    let named = as_of(&format!("{}.", a.refid)).await.refused(404, "not_found");
    assert_eq!(named.header("purser-cost"), Some("calls=1 rcu=2 wcu=0 hashes=0"));
    let older = as_of("").await.refused(404, "not_found");
    assert_eq!(older.header("purser-cost"), Some("calls=2 rcu=2 wcu=0 hashes=0"));
}
