//! Notices to clients, `NO#refid` of the client: whether a client is to be told of its status, and when it was last.
//!
//! Invariant: a notice names no status. What it tells is read when it is sent, so however often a status changes until
//! then, the client gets one e-mail, with the last (rule A10).

use jiff::SignedDuration;
use purser_domain::basic::{ClientRefid, Time};
use purser_domain::event::due::Appointment;
use serde::{Deserialize, Serialize};

use crate::engine::command::turn::patiently;
use crate::engine::item::{attribute, doc, number, text};
use crate::engine::{Condition, Consistency, Index, Item, Key, Stamp, Turn, Update};
use crate::events::due::{last_met, wait_again};
use crate::{Store, StoreError};

pub(crate) const KIND: &str = "notice";
/// How long a notice is kept. It is sent within minutes, and matters for an hour after that.
const KEPT: SignedDuration = SignedDuration::from_hours(30 * 24);

#[derive(Debug, Serialize, Deserialize)]
struct Notice {
    client: ClientRefid,
    version: u64,
    created_at: Time,
}

pub(crate) fn read(item: &Item) -> Result<ClientRefid, StoreError> {
    Ok(doc::<Notice>(item)?.client)
}

impl Store {
    /// Lets a client be told of its status a minute from now, or an hour after it was last told. Changes nothing if it
    /// is to be told already.
    pub async fn plan_notice(&self, client: &ClientRefid, stamp: &Stamp, now: Time) -> Result<(), StoreError> {
        let key = Key::alone("NO", client);
        let mut turn = Turn::new();
        loop {
            let found = patiently(|| self.table.get(&key, Consistency::Strong)).await?;
            if found.as_ref().is_some_and(|found| found.contains_key(Index::Due.pk())) {
                return Ok(());
            }
            let last = found.as_ref().map(last_met).transpose()?.flatten();
            let notice = Notice { client: client.clone(), version: 1, created_at: now };
            let update = Update::of(key.clone())
                .set("kind", text(KIND))
                .set("doc", attribute(&notice)?)
                .set("by", attribute(stamp)?)
                .set("ttl", number(now.plus(KEPT).unix_seconds()));
            let update = wait_again(update, &key, Appointment::of_notice(last.map(|it| it.at), now));
            // While it waits for nothing, it meets nothing, so it was last told when this read said.
            let free = Condition::Lacks(Index::Due.pk());
            if patiently(|| self.table.change(&update, &free)).await? {
                return Ok(());
            }
            turn.wait("a notice").await?;
        }
    }
}
