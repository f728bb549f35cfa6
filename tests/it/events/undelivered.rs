//! Addresses that bounce or complain get no more e-mail. SES's mailbox simulator has addresses that do either.

use purser_api::events::bus::suppress_mail::suppress_mail;
use purser_tests::prelude::*;

/// Creates and activates a client at `email`; returns how many e-mails that address has got so far.
async fn welcomed(world: &World, email: &str) -> usize {
    let body = json!({"name": "x", "email": email});
    let created = world.operator.post("/v1/clients", &body).await.expect(201);
    let path = format!("/v1/clients/{}/activate", created.text("refid"));
    // The welcome has to be sent, and its bounce noted, before the notice of the activation.
    world.system().settle().await;
    let _active = world.operator.act(&path).await.expect(200);
    noticed(world).await;
    let mails = world.mails().await;
    mails.iter().filter(|mail| mail["to"] == json!([email])).count()
}

/// Waits until clients are told of their status.
async fn noticed(world: &World) {
    world.system().settle().await;
    world.system().clock().advance(SignedDuration::from_mins(1));
    world.run_schedule("run-due-work").await;
}

#[tokio::test]
async fn who_bounced_or_complained_gets_no_more_mail() {
    let world = World::new().await;
    for (email, mails) in [
        ("success@simulator.amazonses.com", 2),
        ("bounce@simulator.amazonses.com", 1),
        ("bounce+one@simulator.amazonses.com", 1),
        ("complaint@simulator.amazonses.com", 1),
        ("bounce@example.com", 2),
    ] {
        assert_eq!(welcomed(&world, email).await, mails, "{email}");
    }
    assert_eq!(world.system().dead_letters(), []);
    let items = world.items();
    let suppressed = items.iter().filter(|item| item["kind"]["S"] == "suppressed_address");
    let suppressed: Vec<String> = suppressed.map(Value::to_string).collect();
    assert_eq!(suppressed.len(), 3);
    assert!(suppressed.iter().all(|item| !item.contains("simulator") && !item.contains("bounce@")));
}

/// Hands `suppress-mail` an event by SES about an e-mail that was sent with the template's configuration set.
async fn told(world: &World, kind: &str, detail: Value) -> Result<(), String> {
    let event = json!({
        "version": "0", "id": "12345678-1234-1234-1234-123456789012", "detail-type": kind, "source": "aws.ses",
        "account": "1", "time": "2026-01-01T00:00:00Z", "region": "eu-central-1", "detail": detail,
        "resources": ["arn:aws:ses:eu-central-1:1:configuration-set/x"],
    });
    let app = world.system().apps().of("suppress-mail").unwrap().clone();
    suppress_mail(app, serde_json::from_value(event).unwrap()).await
}

/// How SES describes an e-mail that this deployment sent.
fn ours() -> Value {
    json!({"messageId": "m", "tags": {"ses:configuration-set": ["MailSettings"]}})
}

fn bounce(kind: &str, email: &str) -> Value {
    let recipients = json!([{"emailAddress": email, "action": "failed", "status": "5.1.1", "diagnosticCode": "x"}]);
    json!({"eventType": "Bounce", "mail": ours(), "bounce": {
        "feedbackId": "f", "bounceType": kind, "bounceSubType": "General", "bouncedRecipients": recipients,
        "timestamp": "2026-01-01T00:00:00.000Z", "reportingMTA": "dsn; x",
    }})
}

fn complaint(email: &str) -> Value {
    json!({"eventType": "Complaint", "mail": ours(), "complaint": {
        "feedbackId": "f", "complainedRecipients": [{"emailAddress": email}], "complaintFeedbackType": "abuse",
        "timestamp": "2026-01-01T00:00:00.000Z", "userAgent": "x",
    }})
}

#[tokio::test]
async fn a_full_mailbox_is_mailed_again_and_a_dead_one_after_ninety_days() {
    let world = World::new().await;
    let (bounced, complained) = ("Email Bounced", "Email Complaint Received");
    told(&world, bounced, bounce("Transient", "full@example.com")).await.unwrap();
    told(&world, bounced, bounce("Undetermined", "odd@example.com")).await.unwrap();
    told(&world, bounced, bounce("Permanent", "Dead@Example.com")).await.unwrap();
    told(&world, bounced, bounce("Permanent", "dead@example.com")).await.unwrap();
    let mut kept_back = bounce("Permanent", "kept@example.com");
    kept_back["bounce"]["bounceSubType"] = json!("OnAccountSuppressionList");
    told(&world, bounced, kept_back).await.unwrap();
    let mut of_others = bounce("Permanent", "theirs@example.com");
    of_others["mail"]["tags"]["ses:configuration-set"] = json!(["Another"]);
    told(&world, bounced, of_others).await.unwrap();
    told(&world, bounced, bounce("Permanent", "not an address")).await.unwrap();
    told(&world, complained, complaint("angry@example.com")).await.unwrap();
    // After a complaint, a bounce does not turn the suppression into one that ends.
    told(&world, bounced, bounce("Permanent", "angry@example.com")).await.unwrap();
    assert_eq!(welcomed(&world, "full@example.com").await, 2);
    assert_eq!(welcomed(&world, "odd@example.com").await, 2);
    assert_eq!(welcomed(&world, "kept@example.com").await, 2);
    assert_eq!(welcomed(&world, "theirs@example.com").await, 2);
    assert_eq!(welcomed(&world, "dead@example.com").await, 0);
    assert_eq!(welcomed(&world, "angry@example.com").await, 0);

    world.system().clock().advance(SignedDuration::from_hours(91 * 24));
    assert_eq!(welcomed(&world, "ANGRY+@example.com").await, 2);
    let client = |email: &str| format!("/v1/clients?email={}", email.replace('@', "%40"));
    for (email, mails) in [("dead@example.com", 1), ("angry@example.com", 0)] {
        let found = world.operator.get(&client(email)).await.expect(200);
        let refid = found.json["data"][0]["refid"].as_str().unwrap();
        let path = format!("/v1/clients/{refid}/suspend");
        let _suspended = world.operator.act(&path).await.expect(200);
        noticed(&world).await;
        let sent = world.mails().await;
        let sent = sent.iter().filter(|mail| mail["to"] == json!([email]));
        assert_eq!(sent.count(), mails, "{email}");
    }
}

#[tokio::test]
async fn what_is_not_understood_is_an_error_and_changes_nothing() {
    let world = World::new().await;
    let before = world.state().await;
    for (kind, detail) in [
        ("Email Delivered", complaint("a@example.com")),
        ("Email Bounced", json!({})),
        ("Email Bounced", complaint("a@example.com")),
        ("Email Complaint Received", bounce("Permanent", "a@example.com")),
    ] {
        assert!(told(&world, kind, detail).await.is_err(), "{kind}");
    }
    assert_eq!(world.state().await, before);
}
