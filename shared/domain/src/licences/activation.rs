//! Activations: the installations that use a licence, each of which holds a seat (rule C4).
//!
//! Invariant: a licence never has more active installations than it allows, except those that were active when its
//! limit was lowered. Whether one has lapsed is judged when it is looked at, so a seat is free from the exact
//! millisecond on.

use std::net::IpAddr;

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};
use strum::{IntoStaticStr, VariantArray};

use crate::basic::refid::{ActivationRefid, ClientRefid, LicenceRefid, ResellerRefid};
use crate::basic::time::Time;
use crate::licences::judgement::Fingerprint;
use crate::licences::licence::Licence;
use crate::licences::product::{ParallelUses, ProductReference};
use crate::licences::rules::Domain;
use crate::licences::term::Lease;

/// How much time passes before it is noted again that an installation is in use: this, or a quarter of its lease.
const NOTED_EVERY: SignedDuration = SignedDuration::from_mins(1);
/// The largest limit of a licence at which one installation can take another's seat: all of them are looked at then.
pub const MOST_LOOKED_AT: u32 = 1_000;

/// An installation as it names itself, and where it asks from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Program {
    pub fingerprint: Fingerprint,
    pub domain: Option<Domain>,
    /// `None` if it is not known.
    pub address: Option<IpAddr>,
    /// Whether the owner of the licence was deleted, so that nothing of the installation is kept (rule A9).
    pub nameless: bool,
}

impl Program {
    /// What is kept: name, domain and address.
    fn kept(&self) -> (Option<Fingerprint>, Option<Domain>, Option<IpAddr>) {
        if self.nameless {
            return (None, None, None);
        }
        (Some(self.fingerprint.clone()), self.domain.clone(), self.address)
    }
}

/// An installation that holds a seat, or held one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Activation {
    pub refid: ActivationRefid,
    pub licence: LicenceRefid,
    /// The licence's product, owner and seller when the installation took its seat.
    pub product: ProductReference,
    pub client: Option<ClientRefid>,
    pub reseller: Option<ResellerRefid>,
    /// `None` once it was erased (rule A9).
    pub fingerprint: Option<Fingerprint>,
    pub domain: Option<Domain>,
    pub address: Option<IpAddr>,
    /// When it took its seat.
    pub created_at: Time,
    pub last_seen_at: Time,
    /// `None` as long as it holds its seat.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<Ended>,
    /// Later whenever the installation takes a seat or loses it, and never the same again.
    pub version: u64,
}

/// How an installation lost its seat.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ended {
    pub at: Time,
    pub why: EndReason,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, VariantArray)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum EndReason {
    /// The program gave its seat back.
    Program,
    /// The vendor or the reseller took the seat back.
    Vendor,
    /// Another installation took the seat, because its user said so.
    Replaced,
    /// Nothing was heard of it, and another installation took the seat.
    Lapsed,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, IntoStaticStr, VariantArray)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum ActivationStatus {
    Active,
    /// Nothing was heard of it for as long as its lease, so its seat is free.
    Lapsed,
    Deactivated,
}

impl Activation {
    /// An installation that takes a seat of a licence.
    pub fn begin(refid: ActivationRefid, licence: &Licence, program: &Program, (now, apart): Moment) -> Self {
        let (fingerprint, domain, address) = program.kept();
        Self {
            refid,
            licence: licence.refid.clone(),
            product: licence.product.clone(),
            client: licence.client.clone(),
            reseller: licence.reseller.clone(),
            fingerprint,
            domain,
            address,
            created_at: now,
            last_seen_at: now,
            ended: None,
            version: version((now, apart)),
        }
    }

    pub fn status_at(&self, lease: Option<Lease>, now: Time) -> ActivationStatus {
        match self.ended {
            Some(_) => ActivationStatus::Deactivated,
            None if self.is_lapsed(lease, now) => ActivationStatus::Lapsed,
            None => ActivationStatus::Active,
        }
    }

    pub fn is_lapsed(&self, lease: Option<Lease>, now: Time) -> bool {
        lease.is_some_and(|lease| self.last_seen_at.plus(lease.duration()) <= now)
    }

    /// The installation as it is seen now; `None` if that need not be noted.
    pub fn seen(&self, program: &Program, lease: Option<Lease>, now: Time) -> Option<Self> {
        let (_, domain, address) = program.kept();
        let known = self.domain == domain && self.address == address;
        let every = lease.map_or(NOTED_EVERY, |lease| (lease.duration() / 4).min(NOTED_EVERY));
        let noted = self.last_seen_at.plus(every) > now && !self.is_lapsed(lease, now);
        (!known || !noted).then(|| Self { domain, address, last_seen_at: now.max(self.last_seen_at), ..self.clone() })
    }

    #[must_use]
    pub fn ended(&self, why: EndReason, (now, apart): Moment) -> Self {
        let ended = Some(Ended { at: now.max(self.last_seen_at), why });
        Self { ended, version: version((now, apart)).max(self.version.saturating_add(1)), ..self.clone() }
    }
}

/// A time, and a number that keeps apart what different commands do in the same millisecond.
pub type Moment = (Time, u8);

/// A version that is later than all before this moment, whatever is still remembered of them.
fn version((now, apart): Moment) -> u64 {
    u64::try_from(now.unix_milliseconds()).unwrap_or_default().saturating_mul(256).saturating_add(apart.into())
}

/// Whose seat an installation may take if none is free.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Replace {
    /// That of whom nothing was heard for longest.
    Oldest,
    Named(ActivationRefid),
}

#[cfg(feature = "schema")]
crate::value_schema!(
    Replace,
    "Whose seat to take if none is free: `oldest`, that of which nothing was heard for longest, or an activation.",
    formal(pattern(6, 25, "^(oldest|[A-Z]{1,8}-[0-9A-HJKMNP-TV-Z]{16})$"), "replace"),
    "oldest"
);

impl TryFrom<String> for Replace {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        if text == "oldest" {
            return Ok(Self::Oldest);
        }
        ActivationRefid::parse(&text).map(Self::Named).ok_or("must be oldest, or the refid of an activation")
    }
}

impl From<Replace> for String {
    fn from(replace: Replace) -> Self {
        match replace {
            Replace::Oldest => "oldest".to_owned(),
            Replace::Named(refid) => refid.into(),
        }
    }
}

/// The seats of a licence as they are counted.
#[derive(Debug, Clone, Copy)]
pub struct Seats {
    /// `None`: any number.
    pub limit: Option<u32>,
    /// Those that nobody gave back, lapsed ones included.
    pub taken: u32,
}

/// How an installation can get a seat.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Seat {
    /// One is free.
    Free,
    /// That of this installation.
    Of(Box<Activation>, EndReason),
    /// None can be had.
    None,
}

impl Seats {
    pub fn of(licence: &Licence, taken: u32) -> Self {
        Self { limit: licence.parallel_uses.map(ParallelUses::get), taken }
    }

    /// Whether one is free, as far as is counted, for an installation that holds none, or for one that does but has
    /// lapsed.
    pub fn has_one_for(self, own: Option<&Activation>) -> bool {
        let others = self.taken.saturating_sub(u32::from(own.is_some()));
        self.limit.is_none_or(|limit| others < limit)
    }

    /// Whether there are few enough that all who hold one can be looked at.
    pub fn are_few(self) -> bool {
        self.taken <= MOST_LOOKED_AT && self.limit.is_some_and(|limit| limit <= MOST_LOOKED_AT)
    }

    /// The seat that an installation gets, or that a lapsed one gets again, if `others` are all the others who hold
    /// one.
    pub fn seat(self, others: &[Activation], lease: Option<Lease>, replace: Option<&Replace>, now: Time) -> Seat {
        let Some(limit) = self.limit else { return Seat::Free };
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let heard = |it: &&Activation| (it.last_seen_at, it.created_at, it.refid.clone());
        let (lapsed, active): (Vec<_>, Vec<_>) = others.iter().partition(|it| it.is_lapsed(lease, now));
        if others.len() < limit {
            return Seat::Free;
        }
        let oldest = |among: &[&Activation]| among.iter().copied().min_by_key(heard).cloned().map(Box::new);
        if active.len() < limit {
            return oldest(&lapsed).map_or(Seat::None, |it| Seat::Of(it, EndReason::Lapsed));
        }
        // A limit that was lowered takes nobody's seat, and gives none.
        let replaced = match replace.filter(|_| active.len() == limit) {
            None => None,
            Some(Replace::Oldest) => oldest(&active),
            Some(Replace::Named(refid)) => active.into_iter().find(|it| it.refid == *refid).cloned().map(Box::new),
        };
        replaced.map_or(Seat::None, |it| Seat::Of(it, EndReason::Replaced))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn time(second: u32) -> Time {
        Time::try_from(format!("2026-06-01T00:00:{second:02}.000Z")).unwrap()
    }

    fn read<T: serde::de::DeserializeOwned>(value: &str) -> T {
        serde_json::from_value(json!(value)).unwrap()
    }

    fn program(name: &str) -> Program {
        Program { fingerprint: read(name), domain: None, address: None, nameless: false }
    }

    fn licence() -> Licence {
        serde_json::from_value(json!({
            "refid": "LI-0123456789ABCDEF", "product": "PRO", "client": null, "client_id": null, "email": null,
            "reseller": null, "provision": null, "status": "active", "terms": "perpetual", "parallel_uses": 2,
            "activated_at": null, "expires_at": null, "created_at": time(0), "updated_at": time(0), "version": 1,
        }))
        .unwrap()
    }

    fn seen(name: char, second: u32) -> Activation {
        let refid = read(&format!("AC-000000000000000{name}"));
        let begun = Activation::begin(refid, &licence(), &program(&name.to_string()), (time(0), 0));
        Activation { last_seen_at: time(second), ..begun }
    }

    #[test]
    fn a_seat_lapses_at_the_exact_millisecond() {
        let lease: Option<Lease> = Some(read("PT1M"));
        let it = seen('A', 0);
        let end = time(0).plus(SignedDuration::from_mins(1));
        let before = end.plus(SignedDuration::from_millis(-1));
        assert_eq!(it.status_at(lease, before), ActivationStatus::Active);
        assert_eq!(it.status_at(lease, end), ActivationStatus::Lapsed);
        assert_eq!(it.status_at(None, end), ActivationStatus::Active);
        assert_eq!(it.ended(EndReason::Program, (end, 0)).status_at(lease, before), ActivationStatus::Deactivated);
    }

    #[test]
    fn what_is_known_is_noted_once_a_minute() {
        let (it, same) = (seen('A', 0), program("A"));
        let long: Option<Lease> = Some(read("PT1H"));
        let later = |seconds| time(0).plus(SignedDuration::from_secs(seconds));
        assert_eq!(it.seen(&same, long, later(59)), None);
        assert_eq!(it.seen(&same, long, later(60)).map(|it| it.last_seen_at), Some(later(60)));
        let elsewhere = Program { address: Some("192.0.2.1".parse().unwrap()), ..same.clone() };
        assert_eq!(it.seen(&elsewhere, long, later(1)).map(|it| it.address), Some(elsewhere.address));
        let nameless = Program { nameless: true, ..elsewhere.clone() };
        assert_eq!(it.seen(&nameless, long, later(1)), None);
        let begun = Activation::begin(it.refid.clone(), &licence(), &nameless, (time(0), 0));
        assert_eq!((begun.fingerprint, begun.address), (None, None));
        // A clock that is behind takes nothing back.
        let before = seen('A', 30).seen(&elsewhere, long, time(2));
        assert_eq!(before.map(|it| it.last_seen_at), Some(time(30)));
    }

    /// Each way to a seat, for a licence for two, at second 59 with a lease of a minute (so second 0 has not lapsed), a
    /// moment later, and without a lease.
    #[test]
    fn the_table_of_seats() {
        let lease: Option<Lease> = Some(read("PT1M"));
        let (now, then) = (time(59), time(59).plus(SignedDuration::from_secs(1)));
        let (a, b, c) = (seen('A', 0), seen('B', 10), seen('C', 20));
        let of = |it: &Activation, why| Seat::Of(Box::new(it.clone()), why);
        let named = Replace::Named(b.refid.clone());
        let stranger = Replace::Named(read("AC-ZZZZZZZZZZZZZZZZ"));
        let oldest = Replace::Oldest;
        for (others, replace, at_once, later) in [
            (vec![], None, Seat::Free, Seat::Free),
            (vec![&a], None, Seat::Free, Seat::Free),
            (vec![&b, &a], None, Seat::None, of(&a, EndReason::Lapsed)),
            (vec![&b, &a], Some(&oldest), of(&a, EndReason::Replaced), of(&a, EndReason::Lapsed)),
            (vec![&b, &a], Some(&named), of(&b, EndReason::Replaced), of(&a, EndReason::Lapsed)),
            (vec![&b, &a], Some(&stranger), Seat::None, of(&a, EndReason::Lapsed)),
            (vec![&b, &c], Some(&named), of(&b, EndReason::Replaced), of(&b, EndReason::Replaced)),
            // The limit was lowered to two when there were three.
            (vec![&c, &a, &b], Some(&oldest), Seat::None, of(&b, EndReason::Replaced)),
            (vec![&c, &a, &b], None, Seat::None, Seat::None),
        ] {
            let others: Vec<Activation> = others.into_iter().cloned().collect();
            let seats = Seats { limit: Some(2), taken: 2 };
            assert_eq!(seats.seat(&others, lease, replace, now), at_once, "{others:?} {replace:?}");
            assert_eq!(seats.seat(&others, lease, replace, then), later, "{others:?} {replace:?}");
            let any = Seats { limit: None, taken: 2 };
            assert_eq!(any.seat(&others, lease, replace, then), Seat::Free);
        }
        for (limit, taken, new, again) in
            [(Some(2), 1, true, true), (Some(2), 2, false, true), (Some(2), 3, false, false), (None, 9, true, true)]
        {
            let seats = Seats { limit, taken };
            assert_eq!((seats.has_one_for(None), seats.has_one_for(Some(&a))), (new, again), "{seats:?}");
        }
    }

    /// However short a lease is, whoever is heard of twice in it keeps the seat.
    #[test]
    fn whoever_is_heard_of_within_the_lease_does_not_lapse() {
        for (text, milliseconds) in [("PT1M", 29_900), ("PT1M", 15_000), ("PT10M", 299_000), ("P1D", 43_000_000)] {
            let (lease, mut it): (Option<Lease>, _) = (Some(read(text)), seen('A', 0));
            let mut now = time(0);
            for _ in 0..20 {
                now = now.plus(SignedDuration::from_millis(milliseconds));
                assert!(!it.is_lapsed(lease, now), "{text} every {milliseconds} ms");
                it = it.seen(&program("A"), lease, now).unwrap_or(it);
            }
        }
    }

    #[test]
    fn who_takes_a_seat_again_has_a_later_version() {
        let ended = seen('A', 3).ended(EndReason::Program, (time(5), 7));
        let again = Activation::begin(ended.refid.clone(), &licence(), &program("A"), (time(9), 3));
        assert!(seen('A', 3).version < ended.version && ended.version < again.version);
        let late = again.ended(EndReason::Vendor, (time(2), 255));
        assert!(late.version > again.version, "a clock that is behind takes nothing back");
        let other = Activation::begin(ended.refid, &licence(), &program("A"), (time(9), 4));
        assert_ne!(other.version, again.version, "two commands of one millisecond");
    }

    #[test]
    fn whose_seat_to_take_is_the_oldest_or_named() {
        for (text, parsed) in [
            ("oldest", Ok(Replace::Oldest)),
            ("AC-0000000000000001", Ok(Replace::Named(read("AC-0000000000000001")))),
            ("newest", Err("must be oldest, or the refid of an activation")),
        ] {
            assert_eq!(Replace::try_from(text.to_owned()), parsed);
        }
    }
}
