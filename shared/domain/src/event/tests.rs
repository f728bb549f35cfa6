//! Pins the exact bytes on the bus, because consumers of other versions, rules and archives read them.

use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::due::{Appointment, Due};
use super::*;
use crate::basic::time::Time;
use crate::money::credits::Credits;
use crate::money::entry::{Counterparty, Entry, EntryType, Refund, Sale};
use crate::money::wallet::tests::{at, particulars, wallet};
use crate::people::erasure::Erasure;
use crate::people::session::Login;
use crate::people::user::User;

const CLIENT: &str = "CL-1111111111111111";
const RESELLER: &str = "RS-1111111111111111";
const OTHER: &str = "RS-2222222222222222";
const USER: &str = "US-1111111111111111";
const LICENCE: &str = "LI-1111111111111111";
const ENTRY: &str = "PV-1111111111111111";
const THEN: &str = "2026-01-01T00:00:00.000Z";
const SHORT: [(&str, &str); 8] = [
    (CLIENT, "$C"),
    (RESELLER, "$R"),
    (OTHER, "$O"),
    (USER, "$U"),
    (LICENCE, "$L"),
    (ENTRY, "$P"),
    ("2026-01-01T00:00:0", "T+"),
    (".000Z", "s"),
];

fn read<T: DeserializeOwned>(value: Value) -> T {
    serde_json::from_value(value).unwrap()
}

fn time(second: i64) -> Time {
    at(1_767_225_600 + second)
}

fn changed(mut document: Value, changes: Value) -> Value {
    let Value::Object(changes) = changes else { panic!("an object") };
    document.as_object_mut().unwrap().extend(changes);
    document
}

/// The events of a change, one per line: id, time and members, with ids and times abbreviated.
fn told(change: &Change) -> Vec<String> {
    let line = |it: Occurrence| format!("{} {} {}", it.id, it.time, it.event.detail().unwrap());
    let short = |text: String| SHORT.iter().fold(text, |text, (long, short)| text.replace(long, short));
    events_of(change).into_iter().map(line).map(short).collect()
}

fn client() -> Value {
    json!({
        "refid": CLIENT, "client_id": "AB12", "name": "Acme", "email": "a@example.com", "phone": null,
        "status": "pending", "reseller": RESELLER, "user": null, "created_at": THEN, "updated_at": THEN, "version": 1,
    })
}

#[test]
fn events_of_clients() {
    let next = changed(client(), json!({"version": 2}));
    for (old, new, expected) in [
        (None, client(), vec![r#"$C:1:ClientCreated T+0s {"client":"$C","reseller":"$R","status":"pending"}"#]),
        (
            None,
            changed(client(), json!({"reseller": null})),
            vec![r#"$C:1:ClientCreated T+0s {"client":"$C","reseller":null,"status":"pending"}"#],
        ),
        (
            Some(client()),
            changed(next.clone(), json!({"status": "active"})),
            vec![r#"$C:2:ClientStatusChanged T+0s {"client":"$C","from":"pending","reseller":"$R","to":"active"}"#],
        ),
        (
            Some(client()),
            changed(next.clone(), json!({"reseller": OTHER})),
            vec![r#"$C:2:ClientTransferred T+0s {"client":"$C","from":"$R","to":"$O"}"#],
        ),
        (Some(client()), next, vec![r#"$C:2:ClientChanged T+0s {"client":"$C","reseller":"$R"}"#]),
        (Some(client()), client(), vec![]),
    ] {
        assert_eq!(told(&Change::Client(old.map(read), read(new))), expected);
    }
    let deleted = json!({
        "refid": CLIENT, "status": "active", "reseller": RESELLER, "created_at": THEN, "deleted_at": THEN, "version": 3,
    });
    assert_eq!(
        told(&Change::ClientDeleted(Some(read(client())), read(deleted))),
        [r#"$C:3:ClientDeleted T+0s {"client":"$C","reseller":"$R"}"#]
    );
}

#[test]
fn events_of_resellers() {
    let reseller = json!({
        "refid": RESELLER, "user": USER, "company_name": "Elite", "email": "e@example.com", "tier": "gold",
        "status": "pending", "hold_provisioning": false, "held_by_rule": false, "low_credit_threshold": 500,
        "parent": null, "level": 1, "created_at": THEN, "updated_at": THEN, "version": 1,
    });
    let next = changed(reseller.clone(), json!({"version": 2}));
    for (old, new, expected) in [
        (
            None,
            reseller.clone(),
            vec![r#"$R:1:ResellerOnboarded T+0s {"parent":null,"reseller":"$R","status":"pending","tier":"gold"}"#],
        ),
        (
            Some(reseller.clone()),
            changed(next.clone(), json!({"status": "active"})),
            vec![r#"$R:2:ResellerStatusChanged T+0s {"from":"pending","reseller":"$R","to":"active"}"#],
        ),
        (
            Some(reseller.clone()),
            changed(next.clone(), json!({"email": "new@elite.example"})),
            vec![
                r#"$R:2:ResellerChanged T+0s {"reseller":"$R","tier":"gold"}"#,
                r#"$R:2:ResellerEmailChanged T+0s {"reseller":"$R"}"#,
            ],
        ),
        (Some(reseller.clone()), next, vec![r#"$R:2:ResellerChanged T+0s {"reseller":"$R","tier":"gold"}"#]),
        (Some(reseller.clone()), reseller, vec![]),
    ] {
        assert_eq!(told(&Change::Reseller(old.map(read), read(new))), expected);
    }
}

#[test]
fn events_of_entries() {
    let sale = json!({
        "product": "PROD-001", "quantity": 1, "list_price": 700, "tier": "gold", "discount": 0, "clients": [CLIENT],
        "licences": [LICENCE],
    });
    let sale: Sale = read(sale);
    let debit = |sale| {
        let entry = wallet(1_000, 500).debit(Credits::new(980), sale, particulars(3), time(0)).unwrap().entry;
        Entry { refid: read(json!(ENTRY)), reseller: read(json!(RESELLER)), ..entry }
    };
    let entry = Entry { kind: EntryType::Credit, balance_after: Credits::new(1_980), ..debit(None) };
    let refid = entry.refid.clone();
    let counterparty = Counterparty { reseller: read(json!(OTHER)), entry: refid.clone() };
    let refund = Refund { provision: refid, licences: Vec::new() };
    let low = r#"$P:1:CreditsRanLow T+0s {"balance":20,"reseller":"$R","threshold":500}"#;
    let refunded =
        r#"$P:1:CreditsRefunded T+0s {"amount":980,"balance":1980,"provision":"$P","reseller":"$R","sequence":1}"#;
    let arrived =
        r#"$P:1:CreditsTransferredIn T+0s {"amount":980,"balance":1980,"from":"$O","reseller":"$R","sequence":1}"#;
    let arrived_from_nobody =
        r#"$P:1:CreditsTransferredIn T+0s {"amount":980,"balance":1980,"from":null,"reseller":"$R","sequence":1}"#;
    for (entry, expected) in [
        (entry.clone(), vec![r#"$P:1:CreditsAdded T+0s {"amount":980,"balance":1980,"reseller":"$R","sequence":1}"#]),
        (
            debit(None),
            vec![
                concat!(
                    r#"$P:1:CreditsProvisioned T+0s {"balance":20,"clients":[],"cost":980,"product":null,"#,
                    r#""provision":"$P","reseller":"$R","sequence":1}"#
                ),
                low,
            ],
        ),
        (
            debit(Some(sale)),
            vec![
                concat!(
                    r#"$P:1:CreditsProvisioned T+0s {"balance":20,"clients":["$C"],"cost":980,"product":"PROD-001","#,
                    r#""provision":"$P","reseller":"$R","sequence":1}"#
                ),
                low,
            ],
        ),
        (Entry { kind: EntryType::Refund, refund: Some(refund), ..entry.clone() }, vec![refunded]),
        (
            Entry { kind: EntryType::TransferOut, counterparty: Some(counterparty.clone()), ..debit(None) },
            vec![
                r#"$P:1:CreditsTransferredOut T+0s {"amount":980,"balance":20,"reseller":"$R","sequence":1,"to":"$O"}"#,
                low,
            ],
        ),
        (Entry { kind: EntryType::TransferIn, counterparty: Some(counterparty), ..entry.clone() }, vec![arrived]),
        (Entry { kind: EntryType::TransferIn, ..entry.clone() }, vec![arrived_from_nobody]),
    ] {
        assert_eq!(told(&Change::Entry(entry)), expected);
    }
}

#[test]
fn events_of_licences() {
    let licence = json!({
        "refid": LICENCE, "product": "PROD-001", "client": null, "client_id": null, "email": null,
        "reseller": RESELLER, "provision": null, "status": "active", "terms": "lifetime",
        "parallel_uses": null, "activations": 0, "activated_at": null, "expires_at": null, "created_at": THEN,
        "updated_at": "2026-01-01T00:00:09.000Z", "version": 1,
    });
    let minted = r#"$L:1:LicenceMinted T+0s {"client":null,"licence":"$L","product":"PROD-001","reseller":"$R"}"#;
    let ended = r#"$L:2:LicenceRevoked T+9s {"client":null,"licence":"$L","product":"PROD-001","reseller":"$R"}"#;
    let revoked = changed(licence.clone(), json!({"status": "revoked", "version": 2}));
    let with = |change: Value| changed(licence.clone(), changed(json!({"version": 2}), change));
    let told_of = |name: &str, more: &str| {
        let (before, after) = more.split_once('|').unwrap_or((more, ""));
        format!(
            r#"$L:2:{name} T+9s {{{before}"client":null,{after}"licence":"$L","product":"PROD-001","reseller":"$R"}}"#
        )
    };
    let pending = with(json!({"status": "pending", "version": 1}));
    let barred = |by: Value| with(json!({"status": "suspended", "suspended_by": by}));
    let (by_both, by_one) = (barred(json!(["operator", "reseller"])), barred(json!(["operator"])));
    let given = with(json!({"client": CLIENT, "client_id": "C-1"}));
    let transferred = told_of("LicenceTransferred", "|\"from\":null,").replace("\"client\":null", "\"client\":\"$C\"");
    for (old, new, expected) in [
        (None, licence.clone(), vec![minted.to_owned()]),
        (Some(licence.clone()), revoked, vec![ended.to_owned()]),
        (Some(pending), with(json!({})), vec![told_of("LicenceActivated", "|\"expires_at\":null,")]),
        (Some(licence.clone()), by_one.clone(), vec![told_of("LicenceSuspended", "\"by\":\"operator\",")]),
        (Some(by_one.clone()), by_both.clone(), vec![told_of("LicenceSuspended", "\"by\":\"reseller\",")]),
        (Some(by_both), by_one.clone(), vec![]),
        (Some(by_one), with(json!({})), vec![told_of("LicenceReinstated", "")]),
        (Some(licence.clone()), with(json!({"renewals": 1})), vec![told_of("LicenceRenewed", "|\"expires_at\":null,")]),
        (Some(licence.clone()), with(json!({"rotations": 1})), vec![told_of("LicenceKeyRotated", "")]),
        (Some(licence.clone()), given, vec![transferred]),
        (Some(licence.clone()), with(json!({"parallel_uses": 7})), vec![]),
    ] {
        assert_eq!(told(&Change::Licence(old.map(|old| Box::new(read(old))), Box::new(read(new)))), expected);
    }
}

#[test]
fn events_of_users() {
    let user: User = read(json!({
        "refid": USER, "email": "u@example.com", "name": "Uma", "reseller": null, "client": null, "invited": true,
        "confirmed_at": null, "created_at": THEN, "version": 1,
    }));
    let confirmed = User { confirmed_at: Some(time(5)), version: 2, ..user.clone() };
    let moved = User { email: read(json!("new@example.com")), version: 3, ..confirmed.clone() };
    let line = |name: &str, version: u32, time: u32| format!(r#"$U:{version}:{name} T+{time}s {{"user":"$U"}}"#);
    for (old, new, expected) in [
        (None, User { invited: false, ..user.clone() }, vec![]),
        (None, user.clone(), vec![line("UserInvited", 1, 0)]),
        (Some(user.clone()), confirmed.clone(), vec![line("UserConfirmed", 2, 5)]),
        (Some(confirmed), moved.clone(), vec![line("EmailChanged", 3, 5)]),
        (Some(user), moved, vec![line("UserConfirmed", 3, 5), line("EmailChanged", 3, 5)]),
    ] {
        assert_eq!(told(&Change::User(old, new)), expected);
    }
}

#[test]
fn events_of_credentials_and_sign_ins() {
    let user: User = User::new(read(json!(USER)), read(json!("ada@example.com")), read(json!("Ada")), time(0));
    let on = User { second_factor: true, second_factor_changed_at: Some(time(7)), version: 2, ..user.clone() };
    let both = User {
        password_replaced_at: Some(time(9)),
        second_factor: false,
        second_factor_changed_at: Some(time(9)),
        version: 3,
        ..on.clone()
    };
    let renamed = User { version: 4, ..both.clone() };
    for (old, new, expected) in [
        (Some(user), on.clone(), vec![r#"$U:2:SecondFactorChanged T+7s {"on":true,"user":"$U"}"#]),
        (
            Some(on),
            both.clone(),
            vec![
                r#"$U:3:PasswordChanged T+9s {"user":"$U"}"#,
                r#"$U:3:SecondFactorChanged T+9s {"on":false,"user":"$U"}"#,
            ],
        ),
        (Some(both), renamed, vec![]),
    ] {
        assert_eq!(told(&Change::User(old, new)), expected);
    }
    let login: Login = read(json!({
        "id": "one", "user": USER, "address": null, "agent": null, "new_device": true, "created_at": THEN, "version": 1,
    }));
    assert_eq!(
        told(&Change::Login(login.clone())),
        [r#"one:1:SignedInFromNewDevice T+0s {"login":"one","user":"$U"}"#]
    );
    assert_eq!(told(&Change::Login(Login { new_device: false, ..login })), Vec::<String>::new());
    let asks = json!({"resend": {"email": "a@example.com"}});
    let asked = json!({"id": "two", "asks": asks, "created_at": THEN, "version": 1});
    let expected = [r#"two:1:LinkRequested T+0s {"request":"two"}"#];
    assert_eq!(told(&Change::LinkRequest(read(asked))), expected);
    let asks = json!({"change_email": {"user": USER, "email": "a@example.com", "epoch": 1}});
    let asked = json!({"id": "three", "asks": asks, "created_at": THEN, "version": 1});
    let expected =
        [r#"three:1:LinkRequested T+0s {"request":"three"}"#, r#"three:1:EmailChangeRequested T+0s {"user":"$U"}"#];
    assert_eq!(told(&Change::LinkRequest(read(asked))), expected);
}

#[test]
fn a_deletion_leads_to_two_looks_at_what_is_left() {
    for (subject, members) in [
        (json!({"client": CLIENT}), r#"{"client":"$C","user":null}"#),
        (json!({"user": USER}), r#"{"client":null,"user":"$U"}"#),
    ] {
        let record = "0123456789ABCDEF";
        let stored = json!({"subject": subject, "record": record, "made_at": THEN, "created_at": THEN, "version": 1});
        let erasure: Erasure = read(stored.clone());
        assert_eq!(serde_json::to_value(&erasure).unwrap(), stored);
        let whose = if subject["user"].is_null() { "$C" } else { "$U" };
        let at_once = told(&Change::Erasure(erasure.clone(), None));
        assert_eq!(at_once, [format!("{whose}:1:ErasureDue T+0s {members}")]);
        let met = Appointment { at: time(9), due: Due::Erasure };
        assert_eq!(told(&Change::Erasure(erasure, Some(met))), [format!("{whose}:2:ErasureDue T+9s {members}")]);
    }
}

#[test]
fn an_event_of_another_version_is_read_as_far_as_it_is_known() {
    let newer = json!({"user": USER, "id": "x", "origin": "api", "shoes": 2});
    assert_eq!(Event::read("UserInvited", &newer), Ok(Event::UserInvited { user: read(json!(USER)) }));
    let nobody = Event::read("UserInvited", &json!({"person": USER}));
    assert_eq!(nobody, Err(UnreadableEvent::Members(EventName::UserInvited)));
    assert_eq!(Event::read("UserAdmired", &json!({"user": USER})), Err(UnreadableEvent::Unknown));
}
