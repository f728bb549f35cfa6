//! What is due later: items with a place in gsi4, `DUE#` and the shard, in the order of time.
//!
//! Invariant: an item meets each of its appointments once, however many runs try at the same time: by one update, on
//! condition that the item still has the place that the index showed. That update gives the item its next place, or
//! none, and notes what it met. From this change the stream makes the event, as from every other (docs/adr/0026).

use purser_domain::basic::Time;
use purser_domain::event::due::Appointment;

use crate::engine::command::turn::patiently;
use crate::engine::item::{key_of, text, text_of};
use crate::engine::keys::{SHARDS, shard};
use crate::engine::table::Range;
use crate::engine::table::side_by_side::side_by_side;
use crate::engine::{Condition, Index, Item, Key, Update};
use crate::{Store, StoreError};

/// The attribute that holds the appointment that the item met last, with the time at which it met it.
const FELL_DUE: &str = "fell_due";

/// The most items of a shard that one round takes.
const LISTED: i32 = 100;
/// How many items fall due side by side.
const SIDE_BY_SIDE: usize = 8;

/// An item whose time has come.
struct DueItem {
    appointment: Appointment,
    key: Key,
}

/// What one round found, and did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Round {
    /// How many items fell due. None: nothing is due, or another run does the same work.
    pub met: usize,
    /// The appointment that has waited longest.
    pub oldest: Option<Time>,
}

/// Where an item waits.
fn place(key: &Key) -> String {
    format!("DUE#{}", shard(&key.pk))
}

/// Lets a new item wait for its first appointment.
pub(crate) fn wait(item: &mut Item, key: &Key, first: Appointment) {
    Index::Due.place(item, place(key), first.to_string());
}

/// Lets an item that waits for nothing wait for this appointment.
pub(crate) fn wait_again(update: Update, key: &Key, next: Appointment) -> Update {
    update.set(Index::Due.pk(), text(place(key))).set(Index::Due.sk(), text(next.to_string()))
}

/// The appointment that an item met last.
pub(crate) fn last_met(item: &Item) -> Result<Option<Appointment>, StoreError> {
    let unreadable = |_| StoreError::Unreadable("an item met no readable appointment".into());
    text_of(item, FELL_DUE).map(|met| met.parse().map_err(unreadable)).transpose()
}

/// The appointment that an item met by the change from `old` to `new`.
pub(crate) fn fell_due(old: Option<&Item>, new: &Item) -> Result<Option<Appointment>, StoreError> {
    let before = old.and_then(|old| text_of(old, FELL_DUE));
    if text_of(new, FELL_DUE) == before {
        return Ok(None);
    }
    last_met(new)
}

impl Store {
    /// Lets what is due at `now` fall due: of each shard at most [`LISTED`] items, oldest first. The index lags
    /// slightly behind the table.
    pub async fn meet_appointments(&self, now: Time) -> Result<Round, StoreError> {
        let shards = (0..SHARDS).map(|shard| self.due_in(shard, now)).collect();
        let due: Vec<DueItem> = side_by_side(SIDE_BY_SIDE, shards).await?.into_iter().flatten().collect();
        let oldest = due.iter().map(|item| item.appointment.at).min();
        let meets = due.iter().map(|item| self.meet(item, now)).collect();
        let met = side_by_side(SIDE_BY_SIDE, meets).await?;
        Ok(Round { met: met.into_iter().filter(|it| *it).count(), oldest })
    }

    async fn due_in(&self, shard: u8, now: Time) -> Result<Vec<DueItem>, StoreError> {
        // Times begin with a digit. An appointment is longer than its time, so the end is beyond those of the moment.
        let between = Some(("0".to_owned(), format!("{now}~")));
        let range = Range { between, ..Range::of(Index::Due, format!("DUE#{shard}"), LISTED) };
        let slice = patiently(|| self.table.query(&range)).await?;
        slice.items.iter().map(read).collect()
    }

    /// Lets an item meet its appointment. False: another run was first, or the item is gone or waits for something else
    /// by now.
    async fn meet(&self, item: &DueItem, now: Time) -> Result<bool, StoreError> {
        let update = Update::of(item.key.clone()).set(FELL_DUE, text(item.appointment.met(now).to_string()));
        let update = match item.appointment.next() {
            Some(next) => wait_again(update, &item.key, next),
            None => update.unlist(Index::Due),
        };
        let still = Condition::Is(Index::Due.sk(), text(item.appointment.to_string()));
        patiently(|| self.table.change(&update, &still)).await
    }
}

fn read(item: &Item) -> Result<DueItem, StoreError> {
    let parsed = || {
        let appointment = text_of(item, Index::Due.sk())?.parse().ok()?;
        Some(DueItem { appointment, key: key_of(item)? })
    };
    parsed().ok_or_else(|| StoreError::Unreadable("an item waits with a malformed index key".into()))
}
