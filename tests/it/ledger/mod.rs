//! The ledger: who may spend, and the proof that its entries add up (rules B5, B11).

mod checkpoints;
mod credits;
mod tampering;
mod transfers;

use purser_tests::prelude::*;

#[tokio::test]
async fn a_suspended_or_held_reseller_buys_nothing() {
    let world = World::new().await;
    let partner = world.partner("standard", 1_000).await;
    let path = format!("/v1/resellers/{}", partner.refid);
    let bare = json!({"cost": 1, "description": "x"});
    let _reseller = world.operator.patch(&path, &json!({"hold_provisioning": true})).await.expect(200);
    let _refused = partner.caller.post_once("/v1/provisions", "k", &bare).await.refused(403, "provisioning_held");
    let _reseller = world.operator.act(&format!("{path}/suspend")).await.expect(200);
    let _refused = partner.caller.post_once("/v1/provisions", "k", &bare).await.refused(409, "reseller_suspended");
    let by_operator = json!({"reseller": partner.refid, "cost": 1, "description": "x"});
    let _refused =
        world.operator.post_once("/v1/provisions", "k", &by_operator).await.refused(409, "reseller_suspended");
    let _reseller = world.operator.act(&format!("{path}/activate")).await.expect(200);
    let _reseller = world.operator.patch(&path, &json!({"hold_provisioning": false})).await.expect(200);
    let _made = partner.caller.post_once("/v1/provisions", "k", &bare).await.expect(201);
}

#[tokio::test]
async fn a_tampered_history_shows() {
    let world = World::new().await;
    let partner = world.partner("standard", 1_000).await;
    for n in 0..3 {
        let bare = json!({"cost": 10, "description": format!("n{n}")});
        let _made = partner.caller.post_once("/v1/provisions", &format!("k{n}"), &bare).await.expect(201);
    }
    let verify = format!("/v1/resellers/{}/verify", partner.refid);
    let intact = json!({"intact": true, "entries": 4, "breaks": []});
    assert_eq!(partner.caller.get(&verify).await.expect(200).json, intact);
    let made = partner.caller.post_once("/v1/provisions", "k1", &json!({"cost": 10, "description": "n1"})).await;
    let pk = format!("EN#{}", made.text("refid"));
    world.tamper(&pk, "description", &json!({"S": "erased"}));
    assert_eq!(
        partner.caller.get(&verify).await.expect(200).json,
        intact,
        "a change of free text must leave the history intact"
    );
    world.tamper(&pk, "amount", &json!({"N": "9"}));
    let broken = partner.caller.get(&verify).await.expect(200);
    assert_eq!((&broken.json["intact"], &broken.json["breaks"][0]["sequence"]), (&json!(false), &json!(3)));
}

#[tokio::test]
async fn an_entry_the_wallet_does_not_count_shows() {
    let world = World::new().await;
    let partner = world.partner("standard", 1_000).await;
    let bare = json!({"cost": 10, "description": "x"});
    let made = partner.caller.post_once("/v1/provisions", "k", &bare).await.expect(201);
    let wallet = world.items().into_iter().find(|item| item["kind"]["S"] == "wallet").unwrap();
    let pk = wallet["pk"]["S"].as_str().unwrap();
    // Set the wallet back to before the purchase, as if somebody had put the credits back.
    world.tamper(pk, "balance", &json!({"N": "1000"}));
    world.tamper(pk, "sequence", &json!({"N": "1"}));
    let credit = world.entries(&partner.refid).await[0].clone();
    let head = hash_as_kept(credit["hash"].as_str().unwrap());
    world.tamper(pk, "head", &json!({"S": head}));
    let verify = format!("/v1/resellers/{}/verify", partner.refid);
    let broken = partner.caller.get(&verify).await.expect(200);
    assert_eq!(broken.json["intact"], json!(false), "the wallet does not count {}", made.text("refid"));
    assert_eq!(broken.json["breaks"][0]["sequence"], 2);
}

fn hash_as_kept(hex: &str) -> String {
    let bytes: Vec<u8> =
        (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect();
    data_encoding::BASE64URL_NOPAD.encode(&bytes)
}
