//! Snapshots of the e-mails about a user's account.

use purser_domain::people::caller::api_key::StoredApiKey;
use purser_domain::people::{Actor, OwnedKey};
use serde_json::json;

use super::*;
use crate::accounts::{Occasion, Recipient};

const DAY: Duration = Duration::from_hours(24);
const HOUR: Duration = Duration::from_hours(1);
const NAME: &str = "<b>Ada</b> 株式会社";
const CONFIRM: &str = "https://licences.example/customer/confirm?token=token";
const RESET: &str = "https://licences.example/customer/reset-password?token=token";

/// Compares an e-mail with two snapshots: one with the vendor's brand, one with a reseller's.
#[track_caller]
fn assert_brands(snapshot: &str, mail: impl Fn(Recipient<'_>) -> Result<Mail, String>) {
    let app = app(&[("PURSER_BRAND", "Vendor & Co")]);
    let to = address("ada@acme.example");
    let name = &name(NAME);
    let mail = |reseller| mail(Recipient { app: &app, to: &to, reseller, name: Some(name) });
    assert_same_in_both(snapshot, mail(None));
    assert_same_in_both(&format!("{snapshot}_white_label"), mail(Some(&white_label())));
}

#[test]
fn snapshot_of_confirm() {
    assert_brands("confirm", |ada| ada.confirm(CONFIRM, DAY));
}

#[test]
fn snapshot_of_confirm_new_email() {
    assert_brands("confirm_new_email", |ada| ada.confirm_new_email(CONFIRM, DAY));
}

#[test]
fn snapshot_of_already_registered() {
    assert_brands("already_registered", |ada| ada.already_registered(RESET, HOUR));
}

#[test]
fn snapshot_of_reset_password() {
    assert_brands("reset_password", |ada| ada.reset_password(RESET, HOUR));
}

#[test]
fn snapshot_of_set_password() {
    let occasions = [("onboarding", Occasion::Onboarding), ("invitation", Occasion::Invitation)];
    for (snapshot, occasion) in occasions {
        let unproved = |ada: Recipient<'_>| Recipient { name: None, ..ada }.set_password(RESET, DAY, occasion);
        assert_brands(&format!("set_password_{snapshot}"), unproved);
    }
}

#[test]
fn snapshot_of_password_changed() {
    assert_brands("password_changed", |ada| ada.password_changed(WHEN));
}

#[test]
fn snapshot_of_email_change_requested() {
    assert_brands("email_change_requested", |ada| ada.email_change_requested(WHEN));
}

#[test]
fn snapshot_of_email_changed() {
    assert_brands("email_changed", |ada| ada.email_changed(WHEN));
}

#[test]
fn snapshot_of_new_device() {
    for (snapshot, device) in [("known", Some("Firefox 150\r\non <Linux>")), ("unknown", None)] {
        assert_brands(&format!("new_device_{snapshot}"), |ada| ada.new_device(WHEN, "192.0.2.7", device));
    }
}

#[test]
fn snapshot_of_api_key_created() {
    for (snapshot, role) in [("operator", json!("operator")), ("reseller", json!({"reseller": "RS-0123456789ABCDEF"}))]
    {
        let key = json!({
            "refid": "AK-0123456789ABCDEF", "name": "Shop <b>", "role": role, "scopes": ["read", "sell"],
            "secret_sha256": "", "created_at": "2026-01-01T00:00:00.000Z", "version": 1,
        });
        let key: StoredApiKey = serde_json::from_value(key).unwrap();
        let key = OwnedKey::from(&key.made_by(Actor::new("operator")));
        let mail = |ada: Recipient<'_>| ada.api_key_created(&key, "Eve & Co", WHEN);
        assert_brands(&format!("api_key_created_{snapshot}"), mail);
    }
}

#[test]
fn snapshot_of_api_key_expires_soon() {
    let key = json!({
        "refid": "AK-0123456789ABCDEF", "name": "Shop <b>", "role": "operator", "scopes": ["read"],
        "secret_sha256": "", "created_at": "2026-01-01T00:00:00.000Z", "version": 1,
    });
    let key: StoredApiKey = serde_json::from_value(key).unwrap();
    let key = OwnedKey::from(&key.made_by(Actor::new("operator")));
    assert_brands("api_key_expires_soon", |ada| ada.api_key_expires_soon(&key, "Eve & Co"));
}

#[test]
fn snapshot_of_second_factor_changed() {
    for (snapshot, on) in [("on", true), ("off", false)] {
        assert_brands(&format!("second_factor_{snapshot}"), |ada| ada.second_factor_changed(on, WHEN));
    }
}
