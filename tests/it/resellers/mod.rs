//! Resellers: onboarding them with wallet and first user in one commit, and changing them (rules B1, B2, B12).

mod quotes;
mod search;
mod sign_up;
mod sub_resellers;

use purser_tests::prelude::*;

#[tokio::test]
async fn onboarding_makes_reseller_wallet_and_login_together() {
    let world = World::new().await;
    let metadata = json!({"name": "Elite", "logo": "https://example.com/l.svg", "colours": {"primary": "#123456"}});
    let body = json!({"company_name": "Elite Global Partners", "email": "Elite@example.com", "tier": "platinum",
        "low_credit_threshold": 50, "metadata": metadata});
    let reseller = world.operator.post("/v1/resellers", &body).await.expect(201);
    for (member, value) in [
        ("company_name", json!("Elite Global Partners")),
        ("email", json!("Elite@example.com")),
        ("tier", json!("platinum")),
        ("status", json!("active")),
        ("hold_provisioning", json!(false)),
        ("low_credit_threshold", json!(50)),
        ("parent", Value::Null),
        ("metadata", metadata),
        ("version", json!(1)),
    ] {
        assert_eq!(reseller.json[member], value, "{member}");
    }
    assert!(reseller.text("refid").starts_with("RS-"));
    let path = format!("/v1/resellers/{}", reseller.text("refid"));
    assert_eq!(world.operator.get(&path).await.expect(200).json, reseller.json);
    let wallet = world.operator.get(&format!("{path}/wallet")).await.expect(200);
    assert_eq!(wallet.json, json!({"balance": 0, "low_credit_threshold": 50, "sequence": 0}));
    assert_eq!(world.count_of_kind("user"), 1);

    let again = json!({"company_name": "Other", "email": "eLITE@example.com"});
    let _refused = world.operator.post("/v1/resellers", &again).await.refused(409, "duplicate_email");
    let counts = ["reseller", "wallet", "user"].map(|kind| world.count_of_kind(kind));
    assert_eq!(counts, [1, 1, 1], "reseller, wallet and user must be created together or not at all");
}

#[tokio::test]
async fn null_is_as_good_as_left_out_and_as_good_as_the_default() {
    let world = World::new().await;
    let headers = [("content-type", "application/json"), ("idempotency-key", "k")];
    let body = json!({"company_name": "A", "email": "a@example.com"});
    let mut refids = Vec::new();
    for (tier, others) in [(None, None), (Some(Value::Null), Some(Value::Null)), (Some(json!("standard")), None)] {
        let mut body = body.clone();
        for (member, value) in [("tier", tier), ("metadata", others.clone()), ("parent", others.clone())] {
            if let Some(value) = value {
                body[member] = value;
            }
        }
        let bytes = Some(body.to_string().into());
        let made = world.operator.send("POST", "/v1/resellers", &headers, bytes).await.expect(201);
        assert_eq!(made.text("tier"), "standard", "{body}");
        refids.push(made.text("refid").to_owned());
    }
    refids.dedup();
    assert_eq!(refids.len(), 1, "the three bodies must be the same command");
}

#[tokio::test]
async fn a_parent_exists_or_the_reseller_does_not() {
    let world = World::new().await;
    let parent = world.partner("gold", 0).await;
    let body = |parent: &str| json!({"company_name": "Sub", "email": "sub@example.com", "parent": parent});
    for unknown in ["RS-0000000000000000", "nonsense"] {
        let refused = world.operator.post("/v1/resellers", &body(unknown)).await.refused(422, "invalid_reseller");
        assert_eq!(refused.pointer(), "/parent");
    }
    let sub = world.operator.post("/v1/resellers", &body(&parent.refid)).await.expect(201);
    assert_eq!((sub.text("parent"), sub.text("tier")), (parent.refid.as_str(), "standard"));
}

#[tokio::test]
async fn what_decides_about_spending_changes_on_the_wallet_too() {
    let world = World::new().await;
    let partner = world.partner("standard", 1_000).await;
    let path = format!("/v1/resellers/{}", partner.refid);
    let product = world.product(100).await;
    let change = json!({"tier": "gold", "low_credit_threshold": 7, "company_name": "New", "metadata": {"a": 1}});
    let changed = world.operator.patch(&path, &change).await.expect(200);
    assert_eq!((changed.text("tier"), changed.text("company_name"), changed.number("version")), ("gold", "New", 2));
    let order = json!({"product": product, "client": world.new_client()});
    let made = partner.caller.post_once("/v1/provisions", "k", &order).await.expect(201);
    assert_eq!(made.number("cost"), 85);
    let wallet = partner.caller.get(&format!("{path}/wallet")).await.expect(200);
    assert_eq!(wallet.json, json!({"balance": 915, "low_credit_threshold": 7, "sequence": 2}));
    let same = world.operator.patch(&path, &json!({"tier": "gold"})).await.expect(200);
    assert_eq!(same.number("version"), 2);
}

#[tokio::test]
async fn racing_changes_and_purchases_all_happen() {
    let world = World::new().await;
    let partner = world.partner("standard", 1_000).await;
    let mut tasks = tokio::task::JoinSet::new();
    for n in 0..20_u32 {
        let (operator, caller, refid) = (world.operator.clone(), partner.caller.clone(), partner.refid.clone());
        tasks.spawn(async move {
            if n % 2 == 0 {
                let path = format!("/v1/resellers/{refid}");
                operator.patch(&path, &json!({"low_credit_threshold": n})).await.expect(200)
            } else {
                let bare = json!({"cost": 10, "description": "x"});
                caller.post_once("/v1/provisions", &format!("k{n}"), &bare).await.expect(201)
            }
        });
    }
    let _replies = tasks.join_all().await;
    assert_eq!(world.balance(&partner.refid).await, 900);
    let reseller = world.operator.get(&format!("/v1/resellers/{}", partner.refid)).await.expect(200);
    let wallet = world.operator.get(&format!("/v1/resellers/{}/wallet", partner.refid)).await.expect(200);
    assert_eq!(reseller.number("low_credit_threshold"), wallet.number("low_credit_threshold"));
}

#[tokio::test]
async fn only_operators_onboard_and_change_resellers() {
    let world = World::new().await;
    let partner = world.partner("standard", 0).await;
    let body = json!({"company_name": "X", "email": "x@example.com"});
    let _refused = partner.caller.post("/v1/resellers", &body).await.refused(403, "forbidden");
    let own = format!("/v1/resellers/{}", partner.refid);
    let _refused = partner.caller.patch(&own, &json!({"tier": "platinum"})).await.refused(403, "forbidden");
    for action in ["activate", "suspend"] {
        let _refused = partner.caller.act(&format!("{own}/{action}")).await.refused(403, "forbidden");
    }
    let _refused = partner.caller.get("/v1/resellers").await.refused(403, "forbidden");
    assert_eq!(partner.caller.get(&own).await.expect(200).text("tier"), "standard");
}

#[tokio::test]
async fn an_operator_changes_a_resellers_e_mail_and_later_notices_go_there() {
    let world = World::new().await;
    let partner = world.partner("standard", 600).await;
    let path = format!("/v1/resellers/{}", partner.refid);
    let before = world.operator.get(&path).await.expect(200);
    let change = json!({"email": "new@partner.example"});
    let _refused = partner.caller.patch(&path, &change).await.refused(403, "forbidden");
    let changed = world.operator.patch(&path, &change).await.expect(200);
    assert_eq!(changed.text("email"), "new@partner.example");
    assert_eq!(changed.number("version"), before.number("version") + 1);
    let told = world.subjects(before.text("email")).await;
    let subject = format!("The e-mail address of {} at Purser was changed", before.text("company_name"));
    assert!(told.contains(&subject), "{told:?}");
    let wrong = world.operator.patch(&path, &json!({"email": "\"q\"@partner.example"})).await;
    assert_eq!(wrong.refused(422, "invalid_fields").pointer(), "/email");
    let spent = json!({"cost": 101, "description": "x"});
    let _low = partner.caller.post_once("/v1/provisions", "k", &spent).await.expect(201);
    assert_eq!(world.subjects("new@partner.example").await.len(), 1);
    // The person who signs in keeps their own address.
    let user = world.operator.get(&format!("/v1/users/{}", before.text("user"))).await.expect(200);
    assert_eq!(user.text("email"), before.text("email"));
}

#[tokio::test]
async fn onboarding_takes_a_proof_of_a_signed_in_operator_and_two_scopes() {
    let world = World::new().await;
    let operator = world.invited(json!({"operator": true})).await;
    let thief = world.sign_in(&operator.email, PASSWORD).await;
    let company = |name: &str| json!({"company_name": name, "email": format!("{name}@example.com")});
    let _unproven = thief.caller.post("/v1/resellers", &company("mule")).await.refused(403, "proof_required");
    let few = world.invited(json!({"operator": true, "scopes": ["admin"]})).await;
    let _lacking = few.caller.post("/v1/resellers", &company("mule")).await.refused(403, "forbidden");
    let _made = operator.caller.post("/v1/resellers", &company("nova")).await.expect(201);
}
