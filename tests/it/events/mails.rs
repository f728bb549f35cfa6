//! The e-mails that follow from events (rules A10, B9, B12): how often they are sent, and under whose name.

use purser_tests::prelude::*;

#[tokio::test]
async fn a_new_client_is_welcomed_by_the_vendor() {
    let world = World::with(None, &[("PURSER_BRAND", "Vendor & Co")]).await;
    let body = json!({"name": "<b>Acme</b> 株式会社", "email": "ops@acme.example", "client_id": "CUST-1"});
    let client = world.operator.post("/v1/clients", &body).await.expect(201);
    let mails = world.mails().await;
    assert_eq!(mails.len(), 1);
    let mail = &mails[0];
    assert_eq!((&mail["to"], &mail["subject"]), (&json!(["ops@acme.example"]), &json!("Welcome to Vendor & Co")));
    let (text, html) = (mail["text"].as_str().unwrap(), mail["html"].as_str().unwrap());
    for body in [text, html] {
        assert!(body.contains("Hello,") && body.contains(client.text("refid")), "{body}");
        assert!(!body.contains("Acme") && !body.contains("CUST-1"), "nobody has proved the address: {body}");
    }
}

#[tokio::test]
async fn a_resellers_client_sees_the_resellers_name_and_colour() {
    let world = World::new().await;
    let metadata = json!({"name": "Elite", "colours": {"primary": "#7a4b00"}});
    let body = json!({"company_name": "Elite Global Partners Ltd", "email": "e@example.com", "metadata": metadata});
    let reseller = world.operator.post("/v1/resellers", &body).await.expect(201);
    let mut client = world.new_client();
    client["reseller"] = json!(reseller.text("refid"));
    let _client = world.operator.post("/v1/clients", &client).await.expect(201);
    let mails = world.mails().await;
    assert_eq!(mails[0]["subject"], "Welcome to Elite");
    assert!(mails[0]["html"].as_str().unwrap().contains("#7a4b00"));
    assert!(mails[0]["from"].as_str().unwrap().starts_with("\"Elite\" <"));

    let path = format!("/v1/resellers/{}", reseller.text("refid"));
    let evil = json!({"metadata": {"name": null, "colours": {"primary": "red;background:url(//evil)"}}});
    let _reseller = world.operator.patch(&path, &evil).await.expect(200);
    let mut client = world.new_client();
    client["reseller"] = json!(reseller.text("refid"));
    let _client = world.operator.post("/v1/clients", &client).await.expect(201);
    let mails = world.mails().await;
    assert_eq!(mails[0]["subject"], "Welcome to Elite Global Partners Ltd");
    assert!(!mails[0]["html"].as_str().unwrap().contains("evil"));
}

#[tokio::test]
async fn running_low_is_told_to_the_reseller_once() {
    let world = World::new().await;
    let partner = world.partner("standard", 510).await;
    for (key, cost) in [("k1", 20), ("k1", 20), ("k2", 5)] {
        let bare = json!({"cost": cost, "description": "x"});
        let _made = partner.caller.post_once("/v1/provisions", key, &bare).await.expect(201);
    }
    let mails = world.mails().await;
    assert_eq!(mails.len(), 1, "{mails:?}");
    assert_eq!(mails[0]["subject"], "Your credit is low: 490 credits left");
    let text = mails[0]["text"].as_str().unwrap();
    assert!(text.contains("490 credits (4.90 USD)") && text.contains("500 credits (5.00 USD)"), "{text}");
}

#[tokio::test]
async fn a_brand_that_is_no_name_gives_way_to_the_company() {
    let world = World::new().await;
    for (n, name) in [" ".to_owned(), "x".repeat(9_000)].into_iter().enumerate() {
        let email = format!("{n}@example.com");
        let body = json!({"company_name": "Elite Ltd", "email": email, "metadata": {"name": name}});
        let reseller = world.operator.post("/v1/resellers", &body).await.expect(201);
        let mut client = world.new_client();
        client["reseller"] = json!(reseller.text("refid"));
        let _client = world.operator.post("/v1/clients", &client).await.expect(201);
        assert_eq!(world.mails().await[0]["subject"], "Welcome to Elite Ltd");
    }
}

#[tokio::test]
async fn a_changed_status_is_noticed_and_nothing_else_is() {
    let world = World::new().await;
    let body = json!({"company_name": "Elite Ltd", "email": "e@example.com", "metadata": {"name": "Elite"}});
    let reseller = world.operator.post("/v1/resellers", &body).await.expect(201);
    let mut client = world.new_client();
    client["reseller"] = json!(reseller.text("refid"));
    let client = world.operator.post("/v1/clients", &client).await.expect(201);
    let path = format!("/v1/clients/{}", client.text("refid"));
    let _renamed = world.operator.patch(&path, &json!({"name": "New"})).await.expect(200);
    for (action, subjects) in [
        ("activate", vec!["Your Elite account is now active", "Welcome to Elite"]),
        (
            "suspend",
            vec!["Your Elite account is now suspended", "Your Elite account is now active", "Welcome to Elite"],
        ),
    ] {
        let _changed = world.operator.act(&format!("{path}/{action}")).await.expect(200);
        world.system().settle().await;
        world.system().clock().advance(SignedDuration::from_mins(60));
        world.run_schedule("run-due-work").await;
        let mails = world.mails().await;
        assert_eq!(mails.iter().map(|mail| mail["subject"].as_str().unwrap()).collect::<Vec<_>>(), subjects);
    }
    let text = world.mails().await[0]["text"].as_str().unwrap().to_owned();
    assert!(text.contains("It is suspended as of ") && text.contains(" UTC."), "{text}");
}

#[tokio::test]
async fn a_new_reseller_is_invited_once() {
    let world = World::new().await;
    let partner = world.partner("standard", 0).await;
    let mails = world.all_mails().await;
    let seen: Vec<_> = mails.iter().map(|mail| &mail["subject"]).collect();
    assert_eq!(seen, [&json!("Your partner account with Purser")]);
    let path = format!("/v1/resellers/{}", partner.refid);
    let email = world.operator.get(&path).await.expect(200).text("email").to_owned();
    assert!(mails[0]["to"].to_string().contains(&email), "{}", mails[0]["to"]);
    world.set_password(&email, "a quiet harbour at dusk").await;
    let member = world.sign_in(&email, "a quiet harbour at dusk").await;
    let own = member.caller.get(&path).await.expect(200);
    assert_eq!(own.text("user"), member.refid);
}
