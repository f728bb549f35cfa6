//! Tests of licences: what is stored, when a licence ends, and how its terms change.

use jiff::SignedDuration;
use serde_json::json;

use super::*;
use crate::basic::as_stored;
use crate::basic::refid::Prefix;

const THEN: &str = "2026-01-31T00:00:00.000Z";

fn time(text: &str) -> Time {
    Time::try_from(text.to_owned()).unwrap()
}

fn client(n: u8) -> (ClientRefid, ClientId) {
    let prefix: Prefix = "CL-".parse().unwrap();
    (ClientRefid::new(&prefix, [n; 10]), ClientId::try_from(format!("C-{n}")).unwrap())
}

fn product(terms: &serde_json::Value) -> Product {
    serde_json::from_value(json!({
        "reference": "PRO", "name": "Pro", "price": 700, "tiers": null, "terms": terms, "parallel_uses": 5,
        "grants": {"features": ["a"], "updates_term": "P6M"}, "key_format": "groups", "active": true,
        "created_at": THEN, "updated_at": THEN, "version": 1,
    }))
    .unwrap()
}

fn licence(terms: &serde_json::Value) -> Licence {
    let (client, client_id) = client(1);
    let refid = LicenceRefid::new(&Prefix::LICENCE, [1; 10]);
    let hint = serde_json::from_value(json!("ABCDE")).unwrap();
    let owner = LicenceOwner::Client { client, client_id };
    Licence::mint(refid, hint, &product(terms), owner, time(THEN))
}

fn monthly() -> Licence {
    licence(&json!({"subscription": "P1M"}))
}

#[test]
fn a_licence_from_before_has_the_term_that_it_was_sold_with() {
    let stored = json!({
        "refid": "LI-0123456789ABCDEF", "product": "PRO", "client": "CL-0123456789ABCDEF", "client_id": "C-1",
        "email": null, "reseller": "RS-0123456789ABCDEF", "provision": "PV-0123456789ABCDEF", "status": "pending",
        "terms": {"subscription": 30}, "parallel_uses": 20_000, "activations": 0, "activated_at": null,
        "expires_at": null, "created_at": THEN, "updated_at": THEN, "version": 1,
    });
    let read: Licence = as_stored(|| serde_json::from_value(stored)).unwrap();
    assert_eq!((read.key_hint.as_ref(), read.rotations), (None, 0));
    let begun = read.after(Step::Activate, time(THEN)).unwrap().unwrap();
    assert_eq!(begun.expires_at, Some(time("2026-03-02T00:00:00Z")));
    let again: Licence = as_stored(|| serde_json::from_value(serde_json::to_value(&begun).unwrap())).unwrap();
    assert_eq!(again, begun);
}

#[test]
fn a_term_begins_with_the_first_activation() {
    let begun = monthly().after(Step::Activate, time("2026-02-01T00:00:00Z")).unwrap().unwrap();
    assert_eq!((begun.status, begun.version), (LicenceStatus::Active, 2));
    assert_eq!(begun.activated_at, Some(time("2026-02-01T00:00:00Z")));
    assert_eq!(begun.expires_at, Some(time("2026-03-01T00:00:00Z")));
    assert_eq!((begun.updates_until, begun.support_until), (Some(time("2026-08-01T00:00:00Z")), None));
    // Being reinstated begins nothing anew.
    let suspended = begun.after(Step::Suspend(Suspender::Operator), time("2026-02-10T00:00:00Z")).unwrap().unwrap();
    let back = suspended.after(Step::Reinstate(Suspender::Operator), time("2026-02-20T00:00:00Z")).unwrap().unwrap();
    assert_eq!((back.activated_at, back.expires_at), (begun.activated_at, begun.expires_at));
}

#[test]
fn a_licence_expires_at_the_exact_moment() {
    let begun = monthly().after(Step::Activate, time(THEN)).unwrap().unwrap();
    let end = begun.expires_at.unwrap();
    let before = end.plus(SignedDuration::from_millis(-1));
    assert_eq!((begun.status_at(before), begun.status_at(end)), (ShownStatus::Active, ShownStatus::Expired));
    let suspended = begun.after(Step::Suspend(Suspender::System), before).unwrap().unwrap();
    assert_eq!(suspended.status_at(end), ShownStatus::Suspended);
    assert_eq!(begun.revoked(before).unwrap().status_at(end), ShownStatus::Revoked);
    let change = LicenceChange { expires_at: Some(Some(end)), ..LicenceChange::default() };
    let fixed = monthly().changed(&change, time(THEN)).unwrap().unwrap();
    assert_eq!((fixed.status_at(before), fixed.status_at(end)), (ShownStatus::Pending, ShownStatus::Expired));
}

#[test]
fn a_licence_without_a_term_or_an_end_is_not_renewed() {
    for terms in [json!("lifetime"), json!("perpetual")] {
        assert_eq!(licence(&terms).renewed(time(THEN)).unwrap_err(), Refusal::NotRenewable);
    }
    let revoked = monthly().revoked(time(THEN)).unwrap();
    assert_eq!(revoked.renewed(time(THEN)).unwrap_err(), Refusal::LicenceRevoked);
    let hint = serde_json::from_value(json!("X")).unwrap();
    assert_eq!(revoked.rekeyed(hint, time(THEN)).unwrap_err(), Refusal::LicenceRevoked);
    let (other, id) = client(2);
    assert_eq!(revoked.transferred(other, id, time(THEN)), Err(Refusal::LicenceRevoked));
}

#[test]
fn a_renewal_that_is_taken_off_leaves_the_end_there_was() {
    let begun = monthly().after(Step::Activate, time(THEN)).unwrap().unwrap();
    let (renewed, run) = begun.renewed(time("2026-02-10T00:00:00Z")).unwrap();
    assert_eq!(renewed.expires_at, Some(time("2026-03-31T00:00:00Z")));
    let rest = renewed.without_term(run, time("2026-02-11T00:00:00Z"));
    assert_eq!((rest.expires_at, rest.version), (begun.expires_at, 4));
    let later = Licence { version: 4, updated_at: rest.updated_at, renewals: 1, ..begun };
    assert_eq!(rest, later);
}

#[test]
fn an_end_that_an_operator_sets_is_the_end() {
    let end = |at: Option<&str>| LicenceChange { expires_at: Some(at.map(time)), ..LicenceChange::default() };
    let begun = monthly().after(Step::Activate, time(THEN)).unwrap().unwrap();
    assert_eq!(begun.changed(&end(Some("2026-02-28T00:00:00Z")), time(THEN)), Ok(None));
    let (renewed, run) = begun.renewed(time(THEN)).unwrap();
    let fixed = renewed.changed(&end(Some("2027-01-01T00:00:00Z")), time(THEN)).unwrap().unwrap();
    assert_eq!(fixed.without_term(run, time(THEN)).expires_at, fixed.expires_at);
    assert_eq!(fixed.renewed(time(THEN)).unwrap().0.expires_at, Some(time("2027-02-01T00:00:00Z")));
    // A pending licence that may never expire does not begin to when it is activated.
    let for_ever = monthly().changed(&end(None), time(THEN)).unwrap().unwrap();
    let begun = for_ever.after(Step::Activate, time(THEN)).unwrap().unwrap();
    assert_eq!((begun.activated_at, begun.expires_at), (Some(time(THEN)), None));
}

#[test]
fn kind_and_term_of_a_licence_go_together() {
    let change = |kind, term| LicenceChange { kind, term, ..LicenceChange::default() };
    let year = "P1Y".parse().unwrap();
    // The first term of a pending licence is the one that it has when it is activated.
    let yearly = monthly().changed(&change(None, Some(Some(year))), time(THEN)).unwrap().unwrap();
    let begun = yearly.after(Step::Activate, time(THEN)).unwrap().unwrap();
    assert_eq!(begun.expires_at, Some(time("2027-01-31T00:00:00Z")));
    let begun = monthly().after(Step::Activate, time(THEN)).unwrap().unwrap();
    let trial = begun.changed(&change(Some(TermsKind::Trial), Some(Some(year))), time(THEN)).unwrap().unwrap();
    assert_eq!((trial.terms, trial.expires_at), (Terms::Trial(year), begun.expires_at));
    let refused = begun.changed(&change(Some(TermsKind::Lifetime), None), time(THEN));
    assert!(matches!(refused, Err(Refusal::Invalid(_))));
    // Without a term it lasts for ever.
    let kept = begun.changed(&change(Some(TermsKind::Lifetime), Some(None)), time(THEN)).unwrap().unwrap();
    assert_eq!((kept.terms, kept.expires_at), (Terms::Lifetime, None));
    // What was renewed while it waited has the new term, too.
    let (two, _) = monthly().renewed(time(THEN)).unwrap();
    let two = two.changed(&change(None, Some(Some(year))), time(THEN)).unwrap().unwrap();
    assert_eq!(two.after(Step::Activate, time(THEN)).unwrap().unwrap().expires_at, Some(time("2028-01-31T00:00:00Z")));
}

#[test]
fn a_refund_takes_off_its_own_term_whatever_an_operator_set_in_between() {
    let begun = monthly().after(Step::Activate, time(THEN)).unwrap().unwrap();
    let (first, earlier) = begun.renewed(time("2026-05-01T00:00:00Z")).unwrap();
    let fixed = LicenceChange { expires_at: Some(Some(time("2026-07-01T00:00:00Z"))), ..LicenceChange::default() };
    let fixed = first.changed(&fixed, time("2026-05-02T00:00:00Z")).unwrap().unwrap();
    let (second, later) = fixed.renewed(time("2026-05-03T00:00:00Z")).unwrap();
    assert_eq!(second.expires_at, Some(time("2026-08-01T00:00:00Z")));
    assert_eq!(second.without_term(earlier, time("2026-05-04T00:00:00Z")).expires_at, second.expires_at);
    assert_eq!(second.without_term(later, time("2026-05-04T00:00:00Z")).expires_at, fixed.expires_at);
}

#[test]
fn a_date_that_is_taken_away_does_not_come_back_with_the_activation() {
    let change = LicenceChange { updates_until: Some(None), ..LicenceChange::default() };
    let covered = monthly().changed(&change, time(THEN)).unwrap().unwrap();
    assert_eq!(covered.after(Step::Activate, time(THEN)).unwrap().unwrap().updates_until, None);
}

#[test]
fn a_transfer_to_the_same_client_changes_nothing() {
    let (own, id) = client(1);
    assert_eq!(monthly().transferred(own, id, time(THEN)), Ok(None));
    let (other, id) = client(2);
    let moved = monthly().transferred(other.clone(), id.clone(), time(THEN)).unwrap().unwrap();
    assert_eq!((moved.client, moved.client_id, moved.version), (Some(other), Some(id), 2));
}

#[test]
fn a_new_licence_is_stored_in_few_bytes() {
    let text = serde_json::to_string(&monthly()).unwrap();
    for absent in ["tenure", "suspended_by", "renewals", "rotations", "updates_until", "support_until"] {
        assert!(!text.contains(absent), "{text}");
    }
}
