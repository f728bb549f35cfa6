//! Running low on credits: one event and one e-mail for each crossing of the threshold (rule B9).

use purser_tests::prelude::*;

/// End to end, by the balance before and after a purchase: the event, and the e-mail that it causes.
#[tokio::test]
async fn credits_run_low_once_per_crossing() {
    for (from, to, low) in [(700, 500, false), (500, 499, true), (499, 300, false), (600, 450, true)] {
        let world = World::new().await;
        let partner = world.partner("standard", from).await;
        let bare = json!({"cost": from - to, "description": "x"});
        let _made = partner.caller.post_once("/v1/provisions", "k", &bare).await.expect(201);
        let events = world.events().await;
        let told = events.iter().filter(|event| event["detail-type"] == "CreditsRanLow").count();
        assert_eq!(told, usize::from(low), "{from} → {to}");
        let mails = world.mails().await;
        assert_eq!(mails.len(), usize::from(low), "{from} → {to}: {mails:?}");
        assert!(mails.iter().all(|mail| { mail["subject"].as_str().unwrap().to_lowercase().contains("credit") }));
    }
}

#[tokio::test]
async fn a_threshold_can_be_a_resellers_own_and_a_changed_one_is_no_crossing() {
    let world = World::with(None, &[("PURSER_LOW_CREDIT_THRESHOLD", "50")]).await;
    let partner = world.partner("standard", 1_000).await;
    let wallet = format!("/v1/resellers/{}/wallet", partner.refid);
    assert_eq!(world.operator.get(&wallet).await.number("low_credit_threshold"), 50);
    let path = format!("/v1/resellers/{}", partner.refid);
    let _reseller = world.operator.patch(&path, &json!({"low_credit_threshold": 2_000})).await.expect(200);
    assert_eq!(
        world.mails().await,
        Vec::<Value>::new(),
        "a raised threshold must send no e-mail, because nothing was spent"
    );
    let bare = |cost: u64| json!({"cost": cost, "description": "x"});
    let _made = partner.caller.post_once("/v1/provisions", "k1", &bare(1)).await.expect(201);
    assert_eq!(world.mails().await.len(), 0, "a purchase below the threshold is no crossing");
    let _reseller = world.operator.patch(&path, &json!({"low_credit_threshold": 999})).await.expect(200);
    let _made = partner.caller.post_once("/v1/provisions", "k2", &bare(1)).await.expect(201);
    assert_eq!(world.mails().await.len(), 1);
}
