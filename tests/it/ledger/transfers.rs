//! Transfers between wallets: two entries that name each other, in one commit (rule B10).

use purser_tests::prelude::*;
use tokio::task::JoinSet;

async fn below(world: &World, parent: &Partner) -> Partner {
    let name = world.fresh("sub");
    let body = json!({"company_name": name, "email": format!("{name}@example.com"), "parent": parent.refid});
    let made = world.operator.post("/v1/resellers", &body).await.expect(201);
    let refid = made.text("refid").to_owned();
    let body = json!({"reseller": refid, "name": "test"});
    let key = world.operator.post("/v1/api-keys", &body).await.expect(201);
    let caller = world.operator.with_key(Some(key.text("key")));
    Partner { refid, caller }
}

fn place(from: &Partner) -> String {
    format!("/v1/resellers/{}/transfers", from.refid)
}

async fn send(caller: &Caller, from: &Partner, to: &str, amount: u64, key: &str) -> Reply {
    let body = json!({"to": to, "amount": amount});
    caller.post_once(&place(from), key, &body).await
}

#[tokio::test]
async fn an_operator_moves_credits_in_two_entries_that_name_each_other() {
    let world = World::new().await;
    let (from, to) = (world.partner("gold", 1_000).await, world.partner("standard", 5).await);
    let body = json!({"to": to.refid, "amount": 300, "reference": "T-1", "description": "Campaign"});
    let sent = world.operator.post_once(&place(&from), "k", &body).await.expect(201);
    let out = world.entries(&from.refid).await.pop().unwrap();
    let into = world.entries(&to.refid).await.pop().unwrap();
    assert_eq!(sent.json, out);
    assert_eq!((&out["type"], &into["type"]), (&json!("transfer_out"), &json!("transfer_in")));
    assert_eq!((&out["balance_after"], &into["balance_after"]), (&json!(700), &json!(305)));
    for (entry, owner, other) in [(&out, &to, &into), (&into, &from, &out)] {
        assert_eq!(entry["counterparty"], json!({"reseller": owner.refid, "entry": other["refid"]}));
        assert_eq!((&entry["amount"], &entry["sequence"]), (&json!(300), &json!(2)));
        assert_eq!((&entry["reference"], &entry["description"]), (&json!("T-1"), &json!("Campaign")));
        assert_eq!(entry["actor"], "operator", "the actor must be shown as for a top-up");
        assert_eq!((&entry["provision"], &entry["sale"]), (&Value::Null, &Value::Null));
        let provision = format!("/v1/provisions/{}", entry["refid"].as_str().unwrap());
        let _is_none = world.operator.get(&provision).await.refused(404, "not_found");
    }
    for wallet in [&from, &to] {
        world.assert_intact(&wallet.refid, 2).await;
    }
    // The reference of a transfer need not be unique: another transfer may have it, and so may a top-up.
    let _again = world.operator.post_once(&place(&from), "k2", &body).await.expect(201);
    let credits = format!("/v1/resellers/{}/credits", from.refid);
    let top_up = json!({"amount": 1, "reference": "T-1"});
    let _added = world.operator.post_once(&credits, "k", &top_up).await.expect(201);
    assert_eq!(world.balance(&from.refid).await, 401);
}

#[tokio::test]
async fn a_reseller_sends_its_own_to_a_reseller_right_below_it_and_learns_nothing_of_its_wallet() {
    let world = World::new().await;
    let parent = world.partner("standard", 1_000).await;
    let sub = below(&world, &parent).await;
    let below_sub = below(&world, &sub).await;
    let stranger = world.partner("standard", 1_000).await;
    world.top_up(&sub.refid, 77_123).await;
    let sent = send(&parent.caller, &parent, &sub.refid, 400, "k").await.expect(201);
    assert_eq!(sent.number("balance_after"), 600);
    assert!(!String::from_utf8_lossy(&sent.bytes).contains("77523"));
    assert_eq!(world.balance(&sub.refid).await, 77_523);
    // The receiver learns which reseller sent the credits, but not with which API key.
    let key = sent.text("actor");
    assert!(key.starts_with("AK-"), "{key}");
    let path = format!("/v1/resellers/{}/entries", sub.refid);
    let theirs = sub.caller.get(&path).await.expect(200);
    assert_eq!(theirs.json["data"][0]["type"], "transfer_in");
    assert_eq!(theirs.json["data"][0]["actor"], json!(parent.refid));
    assert!(!String::from_utf8_lossy(&theirs.bytes).contains(key));

    let size = world.size().await;
    let refused = send(&parent.caller, &parent, "RS-0000000000000000", 1, "no").await;
    let unknown = refused.refused(422, "invalid_reseller");
    assert_eq!(unknown.pointer(), "/to");
    for to in [&below_sub.refid, &stranger.refid, "nonsense", ""] {
        let refused = send(&parent.caller, &parent, to, 1, "no").await;
        assert_eq!(refused.json, unknown.json, "{to}");
    }
    for upwards in [&parent.refid, &stranger.refid] {
        let refused = send(&sub.caller, &sub, upwards, 1, "no").await;
        assert_eq!(refused.json, unknown.json, "{upwards}");
    }
    for foreign in [&sub, &stranger] {
        let refused = send(&parent.caller, foreign, &parent.refid, 1, "no").await;
        let _foreign = refused.refused(404, "not_found");
    }
    for caller in [&parent.caller, &world.operator] {
        let itself = send(caller, &parent, &parent.refid, 1, "no").await;
        assert_eq!(itself.refused(422, "invalid_fields").pointer(), "/to");
    }
    let short = send(&parent.caller, &parent, &sub.refid, 601, "no").await;
    let short = short.refused(402, "insufficient_credits");
    assert_eq!((short.number("balance"), short.number("required")), (600, 601));
    assert_eq!(world.size().await, size, "refused transfers must change nothing");
    let _exact = send(&parent.caller, &parent, &sub.refid, 600, "no").await.expect(201);
    assert_eq!(world.balance(&parent.refid).await, 0);
}

#[tokio::test]
async fn standing_bars_a_reseller_and_no_operator() {
    let world = World::new().await;
    let parent = world.partner("standard", 1_000).await;
    let sub = below(&world, &parent).await;
    let path = format!("/v1/resellers/{}", parent.refid);
    let hold = json!({"hold_provisioning": true});
    let _held = world.operator.patch(&path, &hold).await.expect(200);
    let _sent = send(&parent.caller, &parent, &sub.refid, 1, "held").await.expect(201);
    for refid in [&parent.refid, &sub.refid] {
        let path = format!("/v1/resellers/{refid}/suspend");
        let _suspended = world.operator.act(&path).await.expect(200);
    }
    let barred = send(&parent.caller, &parent, &sub.refid, 1, "k").await;
    let _barred = barred.refused(409, "reseller_suspended");
    for to in ["RS-0000000000000000", "nonsense"] {
        let unknown = send(&parent.caller, &parent, to, 1, "k").await;
        let _barred = unknown.refused(409, "reseller_suspended");
        let unknown = send(&world.operator, &parent, to, 1, "k").await;
        let _unknown = unknown.refused(422, "invalid_reseller");
    }
    let _sent = send(&world.operator, &parent, &sub.refid, 1, "k").await.expect(201);
    let _back = send(&world.operator, &sub, &parent.refid, 2, "k").await.expect(201);
    assert_eq!(world.balance(&parent.refid).await, 1_000);
}

#[tokio::test]
async fn a_pending_reseller_sends_nothing_and_an_operator_names_wallets_that_exist() {
    let world = World::with(None, &[("PURSER_PARTNER_SIGN_UP", "true")]).await;
    let body = json!({"company_name": "New", "email": "new@example.com"});
    let _accepted = world.nobody().post("/v1/resellers/sign-up", &body).await.expect(202);
    let list = world.operator.get("/v1/resellers?status=pending").await.expect(200);
    let refid = list.json["data"][0]["refid"].as_str().unwrap().to_owned();
    let body = json!({"reseller": refid, "name": "test"});
    let key = world.operator.post("/v1/api-keys", &body).await.expect(201);
    let caller = world.operator.with_key(Some(key.text("key")));
    let pending = Partner { refid, caller };
    let other = world.partner("standard", 10).await;
    // No reseller is below one that is pending, so the test writes that into the table.
    let sub = below(&world, &other).await;
    let parent = json!({"S": pending.refid});
    world.tamper(&format!("RS#{}", sub.refid), "parent", &parent);
    let barred = send(&pending.caller, &pending, &sub.refid, 1, "k").await;
    let _barred = barred.refused(409, "reseller_pending");
    let _sent = send(&world.operator, &other, &pending.refid, 1, "k").await.expect(201);

    for nothing in ["RS-0000000000000000", "nonsense"] {
        let to = send(&world.operator, &other, nothing, 1, "n").await;
        assert_eq!(to.refused(422, "invalid_reseller").pointer(), "/to");
        let path = format!("/v1/resellers/{nothing}/transfers");
        for to in [other.refid.as_str(), "nonsense"] {
            let body = json!({"to": to, "amount": 1});
            let from = world.operator.post_once(&path, "n", &body).await;
            let _unknown = from.refused(404, "not_found");
        }
    }
}

#[tokio::test]
async fn events_tell_each_side_its_own_and_a_crossing() {
    let world = World::new().await;
    let (from, to) = (world.partner("standard", 600).await, world.partner("standard", 0).await);
    let before = world.events().await.len();
    let _sent = send(&world.operator, &from, &to.refid, 101, "k").await.expect(201);
    let events = world.events().await;
    let mut told: Vec<(&str, Value)> = Vec::new();
    for event in &events[..events.len() - before] {
        let mut detail = event["detail"].clone();
        for added in ["id", "origin"] {
            detail.as_object_mut().unwrap().remove(added);
        }
        told.push((event["detail-type"].as_str().unwrap(), detail));
    }
    told.sort_by_key(|(name, _)| *name);
    let (a, b) = (&from.refid, &to.refid);
    assert_eq!(
        told,
        [
            ("CreditsRanLow", json!({"reseller": a, "balance": 499, "threshold": 500})),
            ("CreditsTransferredIn", json!({"reseller": b, "from": a, "amount": 101, "balance": 101, "sequence": 1})),
            ("CreditsTransferredOut", json!({"reseller": a, "to": b, "amount": 101, "balance": 499, "sequence": 2})),
        ]
    );
    let mails = world.mails().await;
    assert_eq!(mails.len(), 1, "only the sender must be warned: {mails:?}");
    let subject = mails[0]["subject"].as_str().unwrap();
    assert!(subject.to_lowercase().contains("credit"), "{subject}");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_transfer_sixteen_times_at_once_is_one() {
    let world = World::new().await;
    let (from, to) = (world.partner("standard", 600).await, world.partner("standard", 0).await);
    let mut repeats = JoinSet::new();
    for _ in 0..16 {
        let (caller, from, to) = (world.operator.clone(), from.clone(), to.refid.clone());
        repeats.spawn(async move { send(&caller, &from, &to, 200, "k").await.expect(201) });
    }
    let replies = repeats.join_all().await;
    assert!(replies.iter().all(|reply| reply.bytes == replies[0].bytes));
    let new = replies.iter().filter(|reply| reply.header("idempotency-replayed").is_none());
    assert_eq!(new.count(), 1);
    assert_eq!((world.balance(&from.refid).await, world.balance(&to.refid).await), (400, 200));
    let other = send(&world.operator, &from, &to.refid, 201, "k").await;
    let _reused = other.refused(422, "idempotency_key_reused");
    for (wallet, entries) in [(&from, 2), (&to, 1)] {
        world.assert_intact(&wallet.refid, entries).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn transfers_in_both_directions_at_once_conserve_the_sum() {
    let world = World::new().await;
    let (a, b) = (world.partner("standard", 100).await, world.partner("standard", 100).await);
    let mut moves = JoinSet::new();
    for n in 0..32 {
        let (from, to) = if n % 2 == 0 { (a.clone(), b.clone()) } else { (b.clone(), a.clone()) };
        let caller = world.operator.clone();
        let key = format!("k{n}");
        moves.spawn(async move { send(&caller, &from, &to.refid, 30 + n, &key).await });
    }
    let replies = moves.join_all().await;
    for reply in &replies {
        assert!([201, 402].contains(&reply.status), "{reply:?}");
    }
    let moved = replies.iter().filter(|reply| reply.status == 201).count() as u64;
    assert!(moved > 0);
    assert_eq!(world.balance(&a.refid).await + world.balance(&b.refid).await, 200);
    for wallet in [&a, &b] {
        world.assert_intact(&wallet.refid, 1 + moved).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn transfers_and_purchases_at_once_never_overdraw() {
    let world = World::new().await;
    let (from, to) = (world.partner("standard", 1_000).await, world.partner("standard", 0).await);
    let mut spending = JoinSet::new();
    for n in 0..32 {
        let (operator, from, to) = (world.operator.clone(), from.clone(), to.refid.clone());
        let key = format!("k{n}");
        spending.spawn(async move {
            if n % 2 == 0 {
                return send(&operator, &from, &to, 100, &key).await;
            }
            let bare = json!({"cost": 100, "description": "x"});
            from.caller.post_once("/v1/provisions", &key, &bare).await
        });
    }
    let replies = spending.join_all().await;
    let (done, refused): (Vec<&Reply>, Vec<&Reply>) = replies.iter().partition(|it| it.status == 201);
    assert_eq!((done.len(), refused.len()), (10, 22));
    assert!(refused.iter().all(|reply| reply.text("code") == "insufficient_credits"));
    let sent = done.iter().filter(|reply| reply.text("type") == "transfer_out").count() as u64;
    assert_eq!((world.balance(&from.refid).await, world.balance(&to.refid).await), (0, sent * 100));
    world.assert_intact(&from.refid, 11).await;
    world.assert_intact(&to.refid, sent).await;
}
