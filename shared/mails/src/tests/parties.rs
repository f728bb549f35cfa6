//! Snapshots of the e-mails to clients and resellers.

use purser_domain::basic::UserRefid;
use purser_domain::parties::{Client, ClientStatus, Reseller};
use purser_domain::people::User;

use super::*;
use crate::{clients, resellers};

fn to(client: Client, reseller: Option<Reseller>) -> clients::Recipient {
    clients::Recipient { client, reseller, user: None }
}

#[test]
fn snapshot_of_welcome() {
    let app = app(&[("PURSER_BRAND", "Vendor & Co")]);
    let acme = || client("<b>Acme</b> 株式会社");
    assert_same_in_both("welcome", to(acme(), None).welcome(&app));
    assert_same_in_both("welcome_white_label", to(acme(), Some(white_label())).welcome(&app));
    // Without a white label, a reseller's brand is its company name.
    assert_same_in_both("welcome_reseller", to(acme(), Some(reseller("Elite Ltd"))).welcome(&app));
}

#[test]
fn snapshot_of_client_status() {
    let app = app(&[]);
    let changed = |status, reseller| to(Client { status, ..client("Acme") }, reseller).status(&app, WHEN);
    assert_same_in_both("client_status_active", changed(ClientStatus::Active, None));
    assert_same_in_both("client_status_suspended", changed(ClientStatus::Suspended, Some(white_label())));
    assert_same_in_both("client_status_inactive", changed(ClientStatus::Inactive, None));
}

#[test]
fn a_client_is_greeted_by_name_only_at_an_address_that_its_user_proved() {
    let app = app(&[]);
    let acme = client("Acme");
    let (own, other) = (acme.email.clone(), address("other@acme.example"));
    for (email, proved, greeting) in
        [(own.clone(), true, "Hello Acme,"), (own, false, "Hello,"), (other, true, "Hello,")]
    {
        let mut user = User::new(UserRefid::parse("US-0123456789ABCDEF").unwrap(), email, name("Ada"), acme.created_at);
        user.confirmed_at = proved.then_some(acme.created_at);
        let recipient = clients::Recipient { user: Some(user), ..to(acme.clone(), None) };
        assert!(recipient.welcome(&app).unwrap().text.starts_with(greeting), "{greeting}");
    }
}

#[test]
fn snapshot_of_credits_ran_low() {
    let (elite, free, holding) = (reseller("Elite Ltd"), app(&[]), app(&[("PURSER_HOLD_ON_LOW_CREDIT", "true")]));
    for (snapshot, app, left, threshold) in [
        ("0", &free, 0, 1),
        ("1", &free, 1, 2),
        ("2", &free, 2, 500),
        ("many", &free, 1_490, 2_500),
        ("held", &holding, 490, 500),
    ] {
        let mail = resellers::credits_ran_low(app, &elite, left, threshold);
        let subject = &mail.as_ref().unwrap().subject;
        assert!(subject.contains("credit"), "rule B9 asks for the word: {subject}");
        assert_same_in_both(&format!("credits_ran_low_{snapshot}"), mail);
    }
}

#[test]
fn snapshot_of_application() {
    // A reseller's white label is for its clients: e-mails to the reseller itself carry the vendor's brand.
    let (app, elite) = (app(&[]), white_label());
    assert_same_in_both("application_received", resellers::application_received(&app, &elite));
    assert_same_in_both("application_approved", resellers::application_approved(&app, &elite));
}

#[test]
fn snapshot_of_reseller_email_changed() {
    let (app, elite) = (app(&[]), white_label());
    let mail = resellers::email_changed(&app, &elite.email, &elite, WHEN);
    assert_same_in_both("reseller_email_changed", mail);
}
