//! Scopes are judged at the door of every route: each needs one of them, and no other one helps (docs/rules.md,
//! "Credentials").

use purser_tests::document::Operation;
use purser_tests::prelude::*;

use crate::http::operations::{Party, Who, cases, variants, world};

const SCOPES: [&str; 5] = ["read", "sell", "manage", "admin", "money"];

/// The scope that an operation needs. Reading is `read`, and what is not named here changes or deletes: `manage`.
/// Onboarding makes a user, and needs `manage` as well.
fn needed(operation: &Operation) -> &'static str {
    let under = |path: &str| operation.path.starts_with(path);
    match (operation.method.as_str(), operation.path.as_str()) {
        ("GET", _) => "read",
        ("POST", "/v1/clients" | "/v1/provisions" | "/v1/provisions/bulk" | "/v1/licences/{refid}/renew") => "sell",
        (_, "/v1/resellers/{refid}/credits" | "/v1/resellers/{refid}/transfers" | "/v1/provisions/{refid}/refund") => {
            "money"
        }
        ("POST", "/v1/resellers") => "admin",
        _ if under("/v1/api-keys") || under("/v1/users") => "admin",
        _ => "manage",
    }
}

/// A key with these scopes: of the party's reseller, or of the operators.
async fn key(world: &World, party: Option<&Party>, scopes: &[&str]) -> Caller {
    let mut body = json!({"name": "x", "scopes": scopes});
    if let Some(party) = party {
        body["reseller"] = json!(party.ids.reseller);
    }
    let made = world.operator.post("/v1/api-keys", &body).await.expect(201);
    assert_eq!(made.json["scopes"].as_array().unwrap().len(), scopes.len());
    let caller = world.operator.with_key(Some(made.text("key")));
    // The first use of a key is noted; afterwards a refused request changes nothing.
    let _noted = caller.get("/v1/products?limit=1").await;
    caller
}

#[tokio::test]
async fn each_operation_needs_its_scope_and_no_other_one_helps() {
    let world = world().await;
    // What is refused uses nothing up, so all refused requests are about the same records.
    let mut refused = Party::new(&world).await;
    let (mut resellers, mut operators) = (Vec::new(), Vec::new());
    for scope in SCOPES {
        resellers.push((scope, key(&world, Some(&refused), &[scope]).await));
        operators.push((scope, key(&world, None, &[scope]).await));
    }
    let mut judged = 0;
    for (case, operation) in cases(&world).await {
        if matches!(case.who, Who::Anybody | Who::SignedIn) {
            continue;
        }
        judged += 1;
        let owned = case.who == Who::Owner;
        let onboards = (operation.method.as_str(), operation.path.as_str()) == ("POST", "/v1/resellers");
        let needs: &[&str] = if onboards { &["admin", "manage"] } else { &[needed(&operation)] };
        refused.prepare(&world, case.needs).await;
        let request = (case.sample)(&refused.ids).request(&operation, "k");
        let before = world.writes().await;
        let lacking = if owned { &resellers } else { &operators };
        for (scope, caller) in lacking.iter().filter(|(scope, _)| needs != [*scope]) {
            for (what, request) in variants(&operation, &request) {
                let reply = request.send(caller).await;
                let at = format!("{} with {scope} {what}: {}", case.operation, reply.json);
                assert_eq!((reply.status, reply.text("code")), (403, "forbidden"), "{at}");
            }
        }
        assert_eq!(world.writes().await, before, "{}: a refused request changed something", case.operation);
        let party = Party::ready_for(&world, case.needs).await;
        let right = key(&world, owned.then_some(&party), needs).await;
        let reply = (case.sample)(&party.ids).request(&operation, "k").send(&right).await;
        // What gives rights needs them: a key that only manages people can't make another owner or operator.
        let gives = ["POST /v1/users", "PATCH /v1/users/{refid}"].contains(&case.operation)
            && !(operation.method == "PATCH" && case.who == Who::OperatorByBody);
        let expected = if gives { 403 } else { operation.success };
        assert_eq!(reply.status, expected, "{}: {}", case.operation, reply.json);
    }
    assert!(judged > 50, "only {judged} cases were judged");
}

#[tokio::test]
async fn members_have_the_scopes_of_their_role() {
    let world = World::new().await;
    let partner = world.partner("standard", 1_000).await;
    let client = world.client(&partner).await;
    let change = format!("/v1/clients/{client}");
    for (role, sells, manages) in [("viewer", false, false), ("buyer", true, false), ("owner", true, true)] {
        let member = world.invited(json!({"reseller": partner.refid, "reseller_role": role})).await;
        let me = member.caller.get("/v1/me").await.expect(200);
        assert_eq!(me.text("reseller_role"), role);
        let scopes = me.json["scopes"].as_array().unwrap().len();
        assert_eq!(scopes, if manages { 5 } else { 1 + usize::from(sells) });
        let _seen = member.caller.get(&change).await.expect(200);
        let buy = json!({"cost": 1, "description": "x"});
        let bought = member.caller.post_once("/v1/provisions", &world.fresh("k"), &buy).await;
        assert_eq!(bought.status, if sells { 201 } else { 403 }, "{role}");
        let changed = member.caller.patch(&change, &json!({"name": role})).await;
        assert_eq!(changed.status, if manages { 200 } else { 403 }, "{role}");
        let invited = json!({"email": format!("by-{role}@example.com"), "name": "X", "reseller_role": "viewer"});
        let invited = member.caller.post("/v1/users", &invited).await;
        assert_eq!(invited.status, if manages { 201 } else { 403 }, "{role}");
    }
}

#[tokio::test]
async fn operators_have_all_scopes_unless_given_fewer_and_give_none_that_they_lack() {
    let world = World::new().await;
    let all = world.invited(json!({"operator": true})).await;
    let few = world.invited(json!({"operator": true, "scopes": ["read", "admin"]})).await;
    let of = async |person: &Person| person.caller.get("/v1/me").await.expect(200).json["scopes"].clone();
    assert_eq!(of(&all).await, json!(["read", "sell", "manage", "admin", "money"]));
    assert_eq!(of(&few).await, json!(["read", "admin"]));
    let _no_client = few.caller.post("/v1/clients", &world.new_client()).await.refused(403, "forbidden");
    let invite = |scopes: Value| json!({"email": "x@example.com", "name": "X", "operator": true, "scopes": scopes});
    let _more = few.caller.post("/v1/users", &invite(json!(["sell"]))).await.refused(403, "forbidden");
    let everything = json!({"email": "x@example.com", "name": "X", "operator": true});
    let _all = few.caller.post("/v1/users", &everything).await.refused(403, "forbidden");
    let _as_many = few.caller.post("/v1/users", &invite(json!(["read"]))).await.expect(201);
    // Nor can they give themselves more.
    let own = format!("/v1/users/{}", few.refid);
    let _own = few.caller.patch(&own, &json!({"scopes": null})).await.refused(403, "forbidden");
    let partner = world.partner("standard", 0).await;
    // A change of scopes ends the sessions, like a change of roles.
    let fewer = json!({"scopes": ["read"]});
    let changed = all.caller.patch(&own, &fewer).await.expect(200);
    assert_eq!(changed.json["scopes"], json!(["read"]));
    let _out = few.caller.get("/v1/me").await.refused(401, "unauthenticated");
    let none = all.caller.patch(&own, &json!({"scopes": []})).await.refused(422, "invalid_fields");
    assert_eq!(none.pointer(), "/scopes");
    // Nobody is let in again, or gets rights by losing a role, from somebody who lacks them.
    let (_, few) =
        (all.caller.get("/v1/me").await, world.invited(json!({"operator": true, "scopes": ["admin"]})).await);
    let gone = world.invited(json!({"operator": true})).await;
    let path = format!("/v1/users/{}", gone.refid);
    let _out = few.caller.act(&format!("{path}/suspend")).await.expect(200);
    let _shut = few.caller.act(&format!("{path}/activate")).await.refused(403, "forbidden");
    let _back = all.caller.act(&format!("{path}/activate")).await.expect(200);
    let both = json!({"operator": true, "scopes": ["read"], "reseller": partner.refid});
    let both = format!("/v1/users/{}", world.invited(both).await.refid);
    let _raised = few.caller.patch(&both, &json!({"operator": false})).await.refused(403, "forbidden");
    // Scopes and roles that would have no effect are refused, not dropped.
    for (body, pointer) in [
        (json!({"reseller": partner.refid, "scopes": ["read"]}), "/scopes"),
        (json!({"operator": true, "reseller_role": "viewer"}), "/reseller_role"),
        (json!({"reseller_role": "viewer"}), "/reseller_role"),
    ] {
        let mut invite = json!({"email": "y@example.com", "name": "Y"});
        invite.as_object_mut().unwrap().extend(body.as_object().unwrap().clone());
        let refused = all.caller.post("/v1/users", &invite).await.refused(422, "invalid_fields");
        assert_eq!(refused.pointer(), pointer);
    }
}

#[tokio::test]
async fn a_reseller_changes_the_roles_of_its_staff_and_nothing_else() {
    let world = World::new().await;
    let partner = world.partner("standard", 0).await;
    let (owner, staff) = (world.member(&partner.refid).await, world.member(&partner.refid).await);
    let path = format!("/v1/users/{}", staff.refid);
    let buyer = owner.caller.patch(&path, &json!({"reseller_role": "buyer"})).await.expect(200);
    assert_eq!(buyer.text("reseller_role"), "buyer");
    let _out = staff.caller.get("/v1/me").await.refused(401, "unauthenticated");
    for more in [json!({"name": "x"}), json!({"operator": false}), json!({"reseller": null}), json!({"scopes": null})] {
        let _denied = owner.caller.patch(&path, &more).await.refused(403, "forbidden");
    }
    let other = world.partner("standard", 0).await;
    let foreign = other.caller.patch(&path, &json!({"reseller_role": "owner"})).await;
    let _foreign = foreign.refused(404, "not_found");
}
