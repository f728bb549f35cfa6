//! Sessions in the table: `SE#user`, all sessions of a user in one item.
//!
//! Invariant: that a session was used is noted in `seen` (session to time) alone, and only while the session lasts; so
//! whoever may write no more than `seen` can neither make a session nor bring one back.

use purser_domain::refid::UserRefid;
use purser_domain::time::Time;

use crate::item::text;
use crate::keys::Key;
use crate::{Store, StoreError};

fn key(user: &UserRefid) -> Key {
    Key::alone("SE", user)
}

impl Store {
    /// Notes that the session `session` of `user` is in use. One that has ended meanwhile stays ended.
    pub async fn note_session_used(
        &self,
        user: &UserRefid,
        session: &str,
        now: Time,
    ) -> Result<(), StoreError> {
        let now = text(now.to_string());
        let _noted = self
            .table
            .replace_member(&key(user), "seen", session, now)
            .await?;
        Ok(())
    }
}
