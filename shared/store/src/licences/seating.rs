//! Seats: who gets one, keeps it, or takes another one's (rule C4).
//!
//! Invariant: one commit gives a seat, lets the term begin if it is the first, and ends whoever had the seat. It is
//! made only if the licence is as it was judged. Who holds the seats is looked at only if none is free.

use purser_domain::basic::{ActivationRefid, LicenceRefid};
use purser_domain::licences::{
    Activation, EndReason, Installation, Licence, LicenceStatus, Outcome, Program, Replace, Seat, Seats, Step,
};

use crate::engine::command::GRACE;
use crate::engine::command::turn::{DEADLINE, Turn, patiently};
use crate::engine::item::number;
use crate::engine::{Answer, CommandWrite, Condition, Decision, Loaded, Request, Update, Write};
use crate::licences::activation::{KIND, end, listed, live, moment, past, read, touch};
use crate::licences::licence::{self, SEATS, ShownLicence, Unlocked, read_loaded};
use crate::{Store, StoreError};

/// The most holders of seats that whoever gets none is told of.
pub const MOST_TOLD: i32 = 25;

/// What an installation asks for.
#[derive(Debug, Clone)]
pub struct Asked {
    pub program: Program,
    /// Whether it takes a seat if it never had one, or gave it back.
    pub joins: bool,
    pub replace: Option<Replace>,
}

/// What an installation got.
#[derive(Debug, Clone, PartialEq)]
pub enum Seating {
    /// The seat is its own, with the licence as it is now. `new`: only since this request.
    Seated { activation: Box<Activation>, shown: Box<ShownLicence>, new: bool },
    /// This is said of the licence. `holders` are those who hold its seats, if that is why.
    Refused { outcome: Outcome, shown: Box<ShownLicence>, holders: Vec<Activation> },
}

/// What one look at the licence leads to.
enum Looked {
    Done(Seating),
    /// The installation has its own seat, which is to be noted by this update.
    Own(Update, Condition, Seating),
    /// No seat is free, as far as is known; who holds them must be looked at, or some of them.
    Around(Option<i32>),
}

/// One try to get a seat.
struct Try<'a> {
    store: &'a Store,
    asked: &'a Asked,
    licence: &'a LicenceRefid,
    refid: &'a ActivationRefid,
    /// Those who hold a seat, if that was looked at: all, or only some.
    holders: Option<&'a [Activation]>,
    all: bool,
    request: &'a Request,
}

impl Store {
    /// Gives an installation a seat, or notes that it uses its own, if `judge` says that the licence is valid for it.
    pub async fn seat(
        &self,
        unlocked: &Unlocked,
        asked: &Asked,
        request: &Request,
        judge: impl Fn(&Licence, Installation) -> Outcome + Send + Sync,
    ) -> Result<Seating, StoreError> {
        // However many others there are, it takes no longer than any command.
        let found = tokio::time::timeout(DEADLINE + GRACE, self.look_for_seat(unlocked, asked, request, judge)).await;
        found.unwrap_or(Err(StoreError::Busy))
    }

    async fn look_for_seat(
        &self,
        unlocked: &Unlocked,
        asked: &Asked,
        request: &Request,
        judge: impl Fn(&Licence, Installation) -> Outcome + Send + Sync,
    ) -> Result<Seating, StoreError> {
        let licence = &unlocked.shown.licence.refid;
        let refid = &self.activation_refid(licence, &asked.program.fingerprint)?;
        let keys = [licence::key(licence), live(licence, refid)];
        let (mut known, mut holders, mut all) = (Some(unlocked.loaded.clone()), None::<Vec<Activation>>, false);
        let mut turn = Turn::new();
        loop {
            let one = Try { store: self, asked, licence, refid, holders: holders.as_deref(), all, request };
            let (mut looked, mut stale) = (Looked::Around(None), false);
            self.command_on(known.clone(), &request.stamp.request, None, &keys, |loaded| {
                let (decision, next) = one.decide(loaded, &mut stale, &judge)?;
                looked = next;
                Ok(decision)
            })
            .await?;
            match looked {
                Looked::Done(seating) => return Ok(seating),
                // One update costs half as much as a transaction of one.
                Looked::Own(update, condition, seating) => {
                    if patiently(|| self.table.change(&update, &condition)).await? {
                        return Ok(seating);
                    }
                    turn.wait("an installation that others note").await?;
                    known = None;
                }
                Looked::Around(most) => {
                    if holders.is_some() {
                        // Others took the seats that this one was after. The licence may have changed as well.
                        turn.wait("seats that others take").await?;
                        known = None;
                    }
                    (holders, all) = (Some(self.holders(licence, most).await?), most.is_none());
                }
            }
        }
    }
}

impl Try<'_> {
    fn decide(
        &self,
        loaded: &Loaded,
        stale: &mut bool,
        judge: &impl Fn(&Licence, Installation) -> Outcome,
    ) -> Result<(Decision, Looked), StoreError> {
        let now = self.request.now;
        let shown = read_loaded(loaded, self.licence, now)?;
        let shown = shown.ok_or_else(|| StoreError::Unreadable("an unlocked licence is gone".into()))?;
        let own = read(loaded, &live(self.licence, self.refid))?;
        let lease = shown.licence.grants.lease;
        let held = own.as_ref().filter(|own| !own.is_lapsed(lease, now));
        let place = past(self.licence, self.refid);
        if own.is_none() && !self.asked.joins && !loaded.unread([place.clone()]).is_empty() {
            return Ok((Decision::Read(vec![place]), Looked::Around(None)));
        }
        // Whoever lapsed, and lost the seat to another one, asks for one again.
        let lapsed = read(loaded, &place)?.is_some_and(|it| it.ended.is_some_and(|it| it.why == EndReason::Lapsed));
        let installation = match (held, &own) {
            (Some(_), _) => Installation::Seated,
            (None, None) if !self.asked.joins && !lapsed => Installation::Unknown,
            (None, _) => Installation::Joining,
        };
        let outcome = judge(&shown.licence, installation);
        if outcome != Outcome::Valid {
            return Ok((unchanged(), Looked::Done(refuse(outcome, shown, Vec::new()))));
        }
        if let Some(held) = held {
            return self.noted(held, shown);
        }
        match self.find(&shown, own.as_ref()) {
            None => Ok((unchanged(), Looked::Around(self.most(&shown)))),
            Some(Seat::None) => {
                let mut holders = self.holders.unwrap_or_default().to_vec();
                holders.sort_by_key(|it| (it.last_seen_at, it.created_at));
                let outcome = judge(&shown.licence, Installation::TurnedAway);
                Ok((unchanged(), Looked::Done(refuse(outcome, shown, holders))))
            }
            Some(Seat::Free) => self.taken(shown, own.as_ref(), None),
            Some(Seat::Of(from, why)) => {
                // Once whoever held the seat was seen to have moved, the list is too old.
                let place = live(self.licence, &from.refid);
                *stale |= loaded.unread([place.clone()]).is_empty() && read(loaded, &place)?.as_ref() != Some(&*from);
                if *stale {
                    return Ok((unchanged(), Looked::Around(None)));
                }
                self.taken(shown, own.as_ref(), Some((&from, why)))
            }
        }
    }

    /// How many of those who hold a seat are looked at, if not all: without a lease, nobody has lapsed, and whoever
    /// wants nobody's seat is only told of some.
    fn most(&self, shown: &ShownLicence) -> Option<i32> {
        let idle = shown.licence.grants.lease.is_none() && self.asked.replace.is_none();
        idle.then_some(MOST_TOLD)
    }

    /// The seat that can be had; `None` if that is not known.
    fn find(&self, shown: &ShownLicence, own: Option<&Activation>) -> Option<Seat> {
        let (seats, licence) = (Seats::of(&shown.licence, shown.seats), &shown.licence);
        if seats.has_one_for(own) {
            return Some(Seat::Free);
        }
        if !seats.are_few() {
            return Some(Seat::None);
        }
        let holders = self.holders?;
        match self.most(shown) {
            Some(_) => return Some(Seat::None),
            // The licence has got a lease since only some were looked at.
            None if !self.all => return None,
            None => {}
        }
        let others: Vec<Activation> = holders.iter().filter(|it| it.refid != *self.refid).cloned().collect();
        let replace = self.asked.replace.as_ref();
        Some(seats.seat(&others, licence.grants.lease, replace, self.request.now))
    }

    /// Notes that an installation uses its own seat.
    fn noted(&self, held: &Activation, shown: ShownLicence) -> Result<(Decision, Looked), StoreError> {
        let seen = held.seen(&self.program(held), shown.licence.grants.lease, self.request.now);
        let update = seen.as_ref().map(|seen| touch(held, seen)).transpose()?;
        let activation = seen.unwrap_or_else(|| held.clone());
        let seating = Seating::Seated { activation: Box::new(activation), shown: Box::new(shown), new: false };
        let looked = match update {
            Some((update, condition)) => Looked::Own(update, condition, seating),
            None => Looked::Done(seating),
        };
        Ok((unchanged(), looked))
    }

    /// The program as it is noted: one that only says that it is there leaves what is known of it.
    fn program(&self, held: &Activation) -> Program {
        let told = self.asked.program.clone();
        if self.asked.joins {
            return told;
        }
        Program { domain: held.domain.clone(), address: held.address, ..told }
    }

    /// Gives the installation a seat, that of another one or a free one.
    fn taken(
        &self,
        shown: ShownLicence,
        own: Option<&Activation>,
        from: Option<(&Activation, EndReason)>,
    ) -> Result<(Decision, Looked), StoreError> {
        let now = self.request.now;
        let (activation, mut writes) = if let Some(own) = own { self.again(own, &shown)? } else { self.first(&shown)? };
        if let Some((from, why)) = from {
            writes.extend(end(from, why, self.request)?.1);
        }
        let new = own.is_none();
        let change = i64::from(new) - i64::from(from.is_some());
        let seats = u32::try_from(i64::from(shown.seats) + change).unwrap_or_default();
        let licence = match shown.licence.status {
            LicenceStatus::Pending => shown.licence.after(Step::Activate, now)?,
            LicenceStatus::Active | LicenceStatus::Suspended | LicenceStatus::Revoked => None,
        };
        writes.push(CommandWrite::fresh(self.counted(&shown, licence.as_ref(), change)?));
        let shown = ShownLicence { licence: licence.unwrap_or(shown.licence), seats, ..shown };
        let seating = Seating::Seated { activation: Box::new(activation), shown: Box::new(shown), new };
        Ok((commit(writes), Looked::Done(seating)))
    }

    /// The installation, which has lapsed, with its seat again.
    fn again(&self, own: &Activation, shown: &ShownLicence) -> Result<(Activation, Vec<CommandWrite>), StoreError> {
        let seen = own.seen(&self.program(own), shown.licence.grants.lease, self.request.now);
        let seen = seen.unwrap_or_else(|| own.clone());
        let (update, condition) = touch(own, &seen)?;
        Ok((seen, vec![CommandWrite::fresh(Write::Update(update, condition))]))
    }

    /// The installation with a new seat.
    fn first(&self, shown: &ShownLicence) -> Result<(Activation, Vec<CommandWrite>), StoreError> {
        let begun = Activation::begin(self.refid.clone(), &shown.licence, &self.asked.program, moment(self.request));
        let put = listed(&live(self.licence, self.refid), KIND, &begun, &self.request.stamp)?;
        Ok((begun, vec![CommandWrite::fresh(Write::Put(put, Condition::Absent))]))
    }

    /// The write of the licence in a commit that changes how many seats are taken. It holds only if the licence is as
    /// it was judged. Its term begins if it has `begun`.
    fn counted(&self, shown: &ShownLicence, begun: Option<&Licence>, change: i64) -> Result<Write, StoreError> {
        let (old, place) = (&shown.licence, licence::key(self.licence));
        let judged = Condition::Version(old.version);
        let (update, condition) = match begun {
            Some(begun) => self.store.update(old, begun, &self.request.stamp)?,
            None if change == 0 => return Ok(Write::Check(place, judged)),
            None => (Update::of(place), judged),
        };
        let last = Seats::of(old, shown.seats).limit.map(|limit| limit.saturating_sub(1));
        let condition = match last.filter(|_| change > 0) {
            Some(last) => Condition::All(vec![condition, Condition::AtMost(SEATS, last)]),
            None => condition,
        };
        Ok(Write::Update(update.add(SEATS, number(change)), condition))
    }
}

fn unchanged() -> Decision {
    Decision::Unchanged(Answer::first(Vec::new()))
}

fn commit(writes: Vec<CommandWrite>) -> Decision {
    Decision::Commit { writes, answer: Answer::first(Vec::new()) }
}

fn refuse(outcome: Outcome, shown: ShownLicence, holders: Vec<Activation>) -> Seating {
    Seating::Refused { outcome, shown: Box::new(shown), holders }
}
