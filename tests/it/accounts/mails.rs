//! Mails about logins: rules D1, D2, B12.

use std::time::Duration;

use purser_domain::basic::email::EmailAddress;
use purser_domain::basic::text::Name;
use purser_domain::parties::reseller::Reseller;
use purser_edge::App;
use purser_edge::process::mail::Mail;
use purser_mails::accounts::{self, Occasion};
use purser_mails::link;
use purser_tests::World;
use serde_json::json;

const DAY: Duration = Duration::from_hours(24);
const WHEN: &str = "2026-11-24 12:00 UTC";
const NAME: &str = "<b>Ada</b> 株式会社";

fn address() -> EmailAddress {
    EmailAddress::try_from("ada@acme.example".to_owned()).unwrap()
}

/// A mail and what must stand in both of its parts.
type Expected = (Mail, &'static str, &'static [&'static str]);

/// Every mail that brings a link.
fn with_links(app: &App, reseller: Option<&Reseller>) -> Vec<Expected> {
    let (to, name) = (&address(), &Name::try_from(NAME.to_owned()).unwrap());
    let minutes = Duration::from_mins(10);
    let confirm = &link(app, "/customer/confirm", "token").unwrap();
    let reset = &link(app, "/customer/reset-password", "token").unwrap();
    let set = |occasion| accounts::set_password(app, to, name, reset, DAY, occasion, reseller);
    vec![
        (
            accounts::confirm(app, to, confirm, DAY, reseller).unwrap(),
            "Confirm your address for ",
            &["24 hours", "need not do anything"],
        ),
        (
            accounts::already_registered(app, to, name, reset, minutes, reseller).unwrap(),
            "You have an account with ",
            &["10 minutes", "sign in as", "need not do anything"],
        ),
        (
            accounts::reset_password(app, to, name, reset, minutes, reseller).unwrap(),
            "Choose a new password for ",
            &["10 minutes", "need not do anything"],
        ),
        (
            set(Occasion::Onboarding).unwrap(),
            "Your login as a partner of ",
            &["24 hours", "you are a partner of", "ada@acme.example"],
        ),
        (
            set(Occasion::Invitation).unwrap(),
            "Your invitation to ",
            &["24 hours", "you are invited to", "ada@acme.example"],
        ),
        (
            accounts::confirm_new_email(app, to, confirm, DAY, reseller).unwrap(),
            "Confirm your new address for ",
            &["24 hours", "need not do anything"],
        ),
    ]
}

/// Every notice.
fn notices(app: &App, reseller: Option<&Reseller>) -> Vec<Expected> {
    let (to, name) = (&address(), &Name::try_from(NAME.to_owned()).unwrap());
    let device = Some("Firefox 150\r\non <Linux>");
    let factor = |on| accounts::second_factor_changed(app, to, name, on, WHEN, reseller).unwrap();
    vec![
        (
            accounts::password_changed(app, to, name, WHEN, reseller).unwrap(),
            "Your ",
            &["was changed", "ask for a new password"],
        ),
        (
            accounts::email_changed(app, to, name, WHEN, reseller).unwrap(),
            "Your ",
            &["another address", "write to us at once"],
        ),
        (
            accounts::new_device(app, to, name, WHEN, "192.0.2.7", device, reseller).unwrap(),
            "New sign-in to your ",
            &["192.0.2.7", "Firefox 150 on", "ask for a new password"],
        ),
        (
            accounts::new_device(app, to, name, WHEN, "192.0.2.7", None, reseller).unwrap(),
            "New sign-in to your ",
            &["unknown"],
        ),
        (factor(true), "Two-step sign-in to ", &["recovery codes"]),
        (factor(false), "Two-step sign-in to ", &["alone is enough"]),
    ]
}

#[tokio::test]
async fn a_mail_says_what_to_do_in_text_and_in_html() {
    let world = World::new().await;
    let app = world.system().app();
    let url = world.system().url();
    for (brings_link, all) in [(true, with_links(app, None)), (false, notices(app, None))] {
        for (mail, subject, words) in all {
            assert!(mail.subject.starts_with(subject), "{}", mail.subject);
            assert_eq!((mail.brand.as_str(), &mail.to), ("Purser", &address()));
            // How lines are broken is no matter.
            let flat = |part: &str| part.split_whitespace().collect::<Vec<_>>().join(" ");
            let (text, html) = (flat(&mail.text), flat(&mail.html));
            for word in words.iter().chain(&["Purser"]) {
                assert!(text.contains(word), "{word}: {text}");
                assert!(html.contains(word), "{word}: {html}");
            }
            for markup in ["<b>Ada", "<Linux>"] {
                assert!(!html.contains(markup), "what people typed is text: {html}");
            }
            if brings_link {
                let start = format!("{url}/customer/");
                assert_eq!(text.matches(&start).count(), 1, "{text}");
                assert!(mail.text.lines().any(|line| line.starts_with(&start) && line.ends_with("?token=token")));
                assert_eq!(html.matches(&format!("href=\"{start}")).count(), 2, "{html}");
                assert!(text.contains("works once") && html.contains("works once"));
            } else {
                assert!(text.contains(WHEN) && html.contains(WHEN), "{text}");
                assert!(!html.contains("href="), "a notice can't be mistaken for a trap: {html}");
            }
        }
    }
}

#[tokio::test]
async fn a_mail_to_an_address_that_nobody_confirmed_repeats_no_strangers_words() {
    let world = World::new().await;
    let app = world.system().app();
    let strangers = ["Confirm your address", "Confirm your new address"];
    let mut found = 0;
    for (mail, _, _) in with_links(app, None) {
        let to_stranger = strangers.iter().any(|it| mail.subject.starts_with(it));
        found += usize::from(to_stranger);
        assert_eq!(mail.text.contains("Ada"), !to_stranger, "{}", mail.subject);
    }
    assert_eq!(found, 2);
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
    let mails = [with_links(app, reseller.as_ref()), notices(app, reseller.as_ref())];
    for (mail, _, _) in mails.into_iter().flatten() {
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
