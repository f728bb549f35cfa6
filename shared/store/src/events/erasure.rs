//! Erasures in the table: `ER#refid` of a client or user who was deleted, listed by kind.
//!
//! Invariant: the commit that deletes a person writes its erasure, so none is forgotten. The erasure waits for the
//! moment from which no command that read the person before can commit any more.

use jiff::SignedDuration;
use purser_domain::event::due::Appointment;
use purser_domain::people::Erasure;

use crate::StoreError;
use crate::engine::item::{item, number};
use crate::engine::keys::{by_time, shard};
use crate::engine::{CommandWrite, Condition, Index, Key, Stamp, Write};
use crate::events::due::wait;

pub(crate) const KIND: &str = "erasure";
/// How long it is remembered that a person was deleted, so that the erasure can be looked at again.
const KEPT: SignedDuration = SignedDuration::from_hours(40 * 24);

pub(crate) fn key(refid: &str) -> Key {
    Key::alone("ER", refid)
}

/// The write that joins a deletion.
pub(crate) fn write(erasure: &Erasure, stamp: &Stamp) -> Result<CommandWrite, StoreError> {
    let refid = erasure.subject.refid();
    let key = key(refid);
    let mut put = item(&key, KIND, erasure, stamp)?;
    Index::Kind.place(&mut put, format!("ER#{}", shard(refid)), by_time(erasure.created_at, refid));
    wait(&mut put, &key, Appointment::of_erasure(erasure.created_at));
    put.insert("ttl".to_owned(), number(erasure.created_at.plus(KEPT).unix_seconds()));
    Ok(CommandWrite::fresh(Write::Put(put, Condition::Absent)))
}
