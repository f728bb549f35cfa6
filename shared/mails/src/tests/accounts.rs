//! Snapshots of the e-mails about a user's account.

use super::*;
use crate::accounts::{self, Occasion};

const DAY: Duration = Duration::from_hours(24);
const HOUR: Duration = Duration::from_hours(1);
const NAME: &str = "<b>Ada</b> 株式会社";
const CONFIRM: &str = "https://licences.example/customer/confirm?token=token";
const RESET: &str = "https://licences.example/customer/reset-password?token=token";

/// Compares an e-mail with two snapshots: one with the vendor's brand, one with a reseller's.
#[track_caller]
fn assert_brands(snapshot: &str, mail: impl Fn(&App, Option<&Reseller>) -> Result<Mail, String>) {
    let app = app(&[("PURSER_BRAND", "Vendor & Co")]);
    assert_same_in_both(snapshot, mail(&app, None));
    assert_same_in_both(&format!("{snapshot}_white_label"), mail(&app, Some(&white_label())));
}

fn ada() -> EmailAddress {
    address("ada@acme.example")
}

#[test]
fn snapshot_of_confirm() {
    assert_brands("confirm", |app, reseller| accounts::confirm(app, &ada(), CONFIRM, DAY, reseller));
}

#[test]
fn snapshot_of_confirm_new_email() {
    assert_brands("confirm_new_email", |app, reseller| {
        accounts::confirm_new_email(app, &ada(), CONFIRM, DAY, reseller)
    });
}

#[test]
fn snapshot_of_already_registered() {
    assert_brands("already_registered", |app, reseller| {
        accounts::already_registered(app, &ada(), &name(NAME), RESET, HOUR, reseller)
    });
}

#[test]
fn snapshot_of_reset_password() {
    assert_brands("reset_password", |app, reseller| {
        accounts::reset_password(app, &ada(), &name(NAME), RESET, HOUR, reseller)
    });
}

#[test]
fn snapshot_of_set_password() {
    let occasions = [("onboarding", "Elite Ltd", Occasion::Onboarding), ("invitation", NAME, Occasion::Invitation)];
    for (snapshot, to, occasion) in occasions {
        assert_brands(&format!("set_password_{snapshot}"), |app, reseller| {
            accounts::set_password(app, &ada(), &name(to), RESET, DAY, occasion, reseller)
        });
    }
}

#[test]
fn snapshot_of_password_changed() {
    assert_brands("password_changed", |app, reseller| {
        accounts::password_changed(app, &ada(), &name(NAME), WHEN, reseller)
    });
}

#[test]
fn snapshot_of_email_changed() {
    assert_brands("email_changed", |app, reseller| accounts::email_changed(app, &ada(), &name(NAME), WHEN, reseller));
}

#[test]
fn snapshot_of_new_device() {
    for (snapshot, device) in [("known", Some("Firefox 150\r\non <Linux>")), ("unknown", None)] {
        assert_brands(&format!("new_device_{snapshot}"), |app, reseller| {
            accounts::new_device(app, &ada(), &name(NAME), WHEN, "192.0.2.7", device, reseller)
        });
    }
}

#[test]
fn snapshot_of_second_factor_changed() {
    for (snapshot, on) in [("on", true), ("off", false)] {
        assert_brands(&format!("second_factor_{snapshot}"), |app, reseller| {
            accounts::second_factor_changed(app, &ada(), &name(NAME), on, WHEN, reseller)
        });
    }
}
