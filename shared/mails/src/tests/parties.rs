//! Snapshots of the e-mails to clients and resellers.

use purser_domain::parties::ClientStatus;

use super::*;
use crate::{clients, resellers};

#[test]
fn snapshot_of_welcome() {
    let app = app(&[("PURSER_BRAND", "Vendor & Co")]);
    let (acme, elite) = (client("<b>Acme</b> 株式会社"), white_label());
    assert_same_in_both("welcome", clients::welcome(&app, &acme, None));
    assert_same_in_both("welcome_white_label", clients::welcome(&app, &acme, Some(&elite)));
    // Without a white label, a reseller's brand is its company name.
    assert_same_in_both("welcome_reseller", clients::welcome(&app, &acme, Some(&reseller("Elite Ltd"))));
}

#[test]
fn snapshot_of_client_status() {
    use ClientStatus::{Active, Inactive, Pending, Suspended};
    let (app, acme, elite) = (app(&[]), client("Acme"), white_label());
    let changed = |from, to, reseller| clients::client_status(&app, &acme, reseller, (from, to), WHEN);
    assert_same_in_both("client_status_active", changed(Pending, Active, None));
    assert_same_in_both("client_status_suspended", changed(Active, Suspended, Some(&elite)));
    assert_same_in_both("client_status_inactive", changed(Active, Inactive, None));
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
