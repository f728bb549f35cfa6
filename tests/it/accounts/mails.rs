//! Mails about logins: rules D1, D2, B12.

use std::time::Duration;

use purser_domain::basic::{EmailAddress, Name};
use purser_domain::parties::Reseller;
use purser_edge::App;
use purser_edge::process::mail::Mail;
use purser_mails::accounts::{Occasion, Recipient};
use purser_mails::link;
use purser_tests::prelude::*;

const DAY: Duration = Duration::from_hours(24);
const WHEN: &str = "24 November 2026 at 12:00 UTC";
const NAME: &str = "<b>Ada</b> 株式会社";

fn address() -> EmailAddress {
    EmailAddress::try_from("ada@acme.example".to_owned()).unwrap()
}

/// The e-mails that have a link and go to unconfirmed addresses.
fn to_strangers(app: &App, reseller: Option<&Reseller>) -> Vec<Mail> {
    let ada = Recipient { app, to: &address(), reseller, name: None };
    let confirm = &link(app, "/customer/confirm", "token").unwrap();
    vec![ada.confirm(confirm, DAY).unwrap(), ada.confirm_new_email(confirm, DAY).unwrap()]
}

/// The other e-mails with a link.
fn to_owners(app: &App, reseller: Option<&Reseller>) -> Vec<Mail> {
    let name = &Name::try_from(NAME.to_owned()).unwrap();
    let ada = Recipient { app, to: &address(), reseller, name: Some(name) };
    let reset = &link(app, "/customer/reset-password", "token").unwrap();
    let set = |occasion| ada.set_password(reset, DAY, occasion).unwrap();
    vec![
        ada.already_registered(reset, DAY).unwrap(),
        ada.reset_password(reset, DAY).unwrap(),
        set(Occasion::Onboarding),
        set(Occasion::Invitation),
    ]
}

fn notices(app: &App, reseller: Option<&Reseller>) -> Vec<Mail> {
    let name = &Name::try_from(NAME.to_owned()).unwrap();
    let ada = Recipient { app, to: &address(), reseller, name: Some(name) };
    let device = Some("Firefox 150\r\non <Linux>");
    vec![
        ada.password_changed(WHEN).unwrap(),
        ada.email_change_requested(WHEN).unwrap(),
        ada.email_changed(WHEN).unwrap(),
        ada.new_device(WHEN, "192.0.2.7", device).unwrap(),
        ada.second_factor_changed(true, WHEN).unwrap(),
        ada.second_factor_changed(false, WHEN).unwrap(),
    ]
}

#[tokio::test]
async fn a_mail_says_what_to_do_in_text_and_in_html() {
    let world = World::new().await;
    let app = world.system().app();
    let start = format!("{}/customer/", world.system().url());
    for mail in [to_strangers(app, None), to_owners(app, None)].concat() {
        let Mail { text, html, .. } = mail;
        assert_eq!(text.matches(&start).count(), 1, "{text}");
        assert!(text.lines().any(|line| line.starts_with(&start) && line.ends_with("?token=token")), "{text}");
        assert_eq!(html.matches(&format!("href=\"{start}")).count(), 2, "{html}");
    }
    for Mail { html, .. } in notices(app, None) {
        assert!(!html.contains("href="), "a notice can't be mistaken for a trap: {html}");
    }
    for mail in [to_strangers(app, None), to_owners(app, None), notices(app, None)].concat() {
        assert_eq!((mail.brand.as_str(), &mail.to), ("Purser", &address()));
        for markup in ["<b>Ada", "<Linux>"] {
            assert!(!mail.html.contains(markup), "what people typed is text: {}", mail.html);
        }
    }
}

#[tokio::test]
async fn a_mail_to_an_address_that_nobody_confirmed_repeats_no_strangers_words() {
    let world = World::new().await;
    let app = world.system().app();
    for (mails, named) in [(to_strangers(app, None), false), (to_owners(app, None), true)] {
        for mail in mails {
            assert_eq!(mail.text.contains("Ada"), named, "{}", mail.subject);
            assert_eq!(mail.html.contains("Ada"), named, "{}", mail.subject);
        }
    }
}

#[tokio::test]
async fn a_resellers_customer_sees_the_resellers_name_and_colour() {
    let world = World::new().await;
    let app = world.system().app();
    let metadata = json!({"name": "Elite", "colours": {"primary": "#ffd700"}});
    let body = json!({"company_name": "Elite Ltd", "email": "e@example.com", "metadata": metadata});
    let made = world.operator.post("/v1/resellers", &body).await.expect(201);
    let refid = purser_domain::basic::refid::ResellerRefid::parse(made.text("refid")).unwrap();
    let reseller = app.store.reseller(&refid).await.unwrap();
    let reseller = reseller.as_ref();
    for mail in [to_strangers(app, reseller), to_owners(app, reseller), notices(app, reseller)].concat() {
        assert_eq!(mail.brand, "Elite");
        assert!(mail.subject.contains("Elite"), "{}", mail.subject);
        assert!(mail.html.contains("#ffd700") && mail.text.ends_with("Elite"), "{}", mail.text);
        for part in [&mail.subject, &mail.text, &mail.html] {
            assert!(!part.contains("Purser"), "{part}");
        }
        if mail.html.contains("href=") {
            assert!(mail.html.contains("background:#ffd700;color:#000000"), "{}", mail.html);
        }
    }
}

#[tokio::test]
async fn links_lead_where_the_configuration_says_or_there_is_no_mail() {
    let world = World::with(None, &[("PURSER_PUBLIC_URL", "https://shop.example/purser")]).await;
    let linked = link(world.system().app(), "/customer/confirm", "abc").unwrap();
    assert_eq!(linked, "https://shop.example/purser/customer/confirm?token=abc");
    let world = World::with(None, &[("PURSER_PUBLIC_URL", "")]).await;
    let refused = link(world.system().app(), "/customer/confirm", "abc").unwrap_err();
    assert!(refused.contains("PURSER_PUBLIC_URL"), "{refused}");
}
