//! Each outcome by itself, and each pair that can hold together.

use serde_json::json;

use super::*;
use crate::licences::status::{Step, Suspender};

const NOW: &str = "2026-06-01T00:00:00.000Z";

fn time(text: &str) -> Time {
    Time::try_from(text.to_owned()).unwrap()
}

fn read<T: serde::de::DeserializeOwned>(value: &str) -> T {
    serde_json::from_value(json!(value)).unwrap()
}

/// A licence of which only good can be said, and a program that asks for nothing it lacks.
struct World {
    licence: Licence,
    client: Option<ClientStatus>,
    asked: Question,
}

impl World {
    fn new() -> Self {
        let licence: Licence = serde_json::from_value(json!({
            "refid": "LI-0123456789ABCDEF", "product": "PRO", "client": "CL-0123456789ABCDEF", "client_id": "C-1",
            "email": null, "reseller": null, "provision": null, "status": "active", "terms": {"subscription": "P1Y"},
            "parallel_uses": 5, "grants": {"features": ["sync"], "domains": ["*.example.com"],
            "ip_ranges": ["203.0.113.0/24"]}, "updates_until": NOW, "activated_at": "2026-01-01T00:00:00.000Z",
            "expires_at": "2027-01-01T00:00:00.000Z", "created_at": NOW, "updated_at": NOW, "version": 1,
        }))
        .unwrap();
        let asked = Question {
            product: Some(read("PRO")),
            released_at: Some(time(NOW)),
            features: vec![read("sync")],
            domain: Some(read("shop.example.com")),
            address: Some("203.0.113.9".parse().unwrap()),
            installation: Some(Installation::Seated),
        };
        Self { licence, client: Some(ClientStatus::Active), asked }
    }

    fn outcome(&self) -> Outcome {
        Outcome::of(&self.licence, self.client, &self.asked, time(NOW))
    }

    /// Lets this be said, too. Statuses exclude each other, so not all can.
    fn with(mut self, outcome: Outcome) -> Option<Self> {
        let active = self.licence.status == LicenceStatus::Active;
        let seated = self.asked.installation == Some(Installation::Seated);
        let steps = |licence: &Licence, step| licence.after(step, time(NOW)).unwrap().unwrap();
        match outcome {
            Outcome::WrongProduct => self.asked.product = Some(read("OTHER")),
            Outcome::Revoked if active => self.licence = steps(&self.licence, Step::Revoke),
            Outcome::Suspended if active => self.licence = steps(&self.licence, Step::Suspend(Suspender::Reseller)),
            Outcome::NotYetActive if active && seated => self.licence.status = LicenceStatus::Pending,
            Outcome::TooManyActivations if seated && self.licence.status != LicenceStatus::Pending => {
                self.asked.installation = Some(Installation::TurnedAway);
            }
            Outcome::NotActivated if seated => self.asked.installation = Some(Installation::Unknown),
            Outcome::NotFound
            | Outcome::Revoked
            | Outcome::Suspended
            | Outcome::NotActivated
            | Outcome::NotYetActive
            | Outcome::TooManyActivations => return None,
            Outcome::ClientSuspended => self.client = Some(ClientStatus::Inactive),
            Outcome::Expired => self.licence.expires_at = Some(time(NOW)),
            Outcome::VersionNotCovered => self.asked.released_at = Some(time("2026-06-01T00:00:00.001Z")),
            Outcome::FeatureMissing => self.asked.features.push(read("export")),
            Outcome::IpNotAllowed => self.asked.address = Some("203.0.114.1".parse().unwrap()),
            Outcome::DomainNotAllowed => self.asked.domain = Some(read("example.com")),
            Outcome::Valid => {}
        }
        Some(self)
    }
}

#[test]
fn each_can_be_said_by_itself() {
    assert_eq!(World::new().outcome(), Outcome::Valid);
    for outcome in &Outcome::VARIANTS[1..] {
        assert_eq!(World::new().with(*outcome).unwrap().outcome(), *outcome);
    }
}

/// Shipped programs rely on it.
#[test]
fn the_order_of_the_codes_never_changes() {
    let codes: Vec<&str> = Outcome::VARIANTS.iter().map(<&str>::from).collect();
    let order = [
        "not_found",
        "wrong_product",
        "revoked",
        "suspended",
        "client_suspended",
        "expired",
        "version_not_covered",
        "feature_missing",
        "ip_not_allowed",
        "domain_not_allowed",
        "not_activated",
        "not_yet_active",
        "too_many_activations",
        "valid",
    ];
    assert_eq!(codes, order);
}

#[test]
fn of_two_the_earlier_is_told() {
    let mut pairs = 0;
    for (place, first) in Outcome::VARIANTS.iter().enumerate() {
        for second in &Outcome::VARIANTS[place..] {
            for (one, other) in [(first, second), (second, first)] {
                let Some(both) = World::new().with(*one).and_then(|world| world.with(*other)) else { continue };
                assert_eq!(both.outcome(), *first, "{one:?} and {other:?}");
                pairs += 1;
            }
        }
    }
    assert!(pairs > 120, "only {pairs}");
}

#[test]
fn what_is_not_said_is_not_judged_except_domain_and_address() {
    let mut world = World::new();
    world.asked = Question { domain: world.asked.domain, address: world.asked.address, ..Question::default() };
    world.client = None;
    assert_eq!(world.outcome(), Outcome::Valid);
    let address = world.asked.address.take();
    assert_eq!(world.outcome(), Outcome::IpNotAllowed);
    world.asked.address = address;
    world.asked.domain = None;
    assert_eq!(world.outcome(), Outcome::DomainNotAllowed);
    for (domain, outcome) in [
        ("localhost", Outcome::Valid),
        ("shop.test", Outcome::Valid),
        ("https://www.shop.example.com:8443/", Outcome::Valid),
        ("example.com.evil.org", Outcome::DomainNotAllowed),
    ] {
        world.asked.domain = Some(read(domain));
        assert_eq!(world.outcome(), outcome, "{domain}");
    }
    world.licence.grants.domains.clear();
    world.licence.grants.ip_ranges.clear();
    world.asked = Question::default();
    assert_eq!(world.outcome(), Outcome::Valid);
}

#[test]
fn the_status_of_the_client_matters_only_if_it_is_barred_or_has_left() {
    for (status, outcome) in [
        (ClientStatus::Pending, Outcome::Valid),
        (ClientStatus::Active, Outcome::Valid),
        (ClientStatus::Suspended, Outcome::ClientSuspended),
        (ClientStatus::Inactive, Outcome::ClientSuspended),
    ] {
        let world = World { client: Some(status), ..World::new() };
        assert_eq!(world.outcome(), outcome, "{status:?}");
    }
}

/// A term ends at its exact millisecond.
#[test]
fn the_last_millisecond_is_valid() {
    let mut world = World::new();
    world.licence.expires_at = Some(time("2026-06-01T00:00:00.001Z"));
    assert_eq!(world.outcome(), Outcome::Valid);
}
