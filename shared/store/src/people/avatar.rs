//! Pictures of users in the table: `AV#refid` of the user, in no index.
//!
//! Invariant: a stored picture was encoded by Purser, never stored as it was uploaded. A new picture replaces the old
//! one. `UP#refid#hour` counts what a user has uploaded in an hour.

use jiff::SignedDuration;
use purser_domain::basic::{Time, UserRefid};
use serde_json::json;

use crate::engine::item::{bytes, bytes_of, item};
use crate::engine::table::budget::Budget;
use crate::engine::table::classify;
use crate::engine::{Consistency, Key, Request, Table, TableError};
use crate::{Store, StoreError};

pub(crate) fn key(user: &UserRefid) -> Key {
    Key::alone("AV", user)
}

/// How many pictures a user may upload in an hour, in UTC. To read one can take a second of a core.
pub const AN_HOUR: u32 = 10;

impl Store {
    /// Charges a user for uploading a picture. Refused if no more may be uploaded in this hour.
    pub async fn charge_upload(&self, user: &UserRefid, now: Time) -> Result<(), StoreError> {
        let key = Key::alone("UP", format!("{user}#{}", now.hour()));
        let budget = Budget { key, kind: "uploads", most: AN_HOUR, window: SignedDuration::from_hours(1) };
        self.table.charge(budget, 1, now).await
    }

    pub async fn avatar(&self, user: &UserRefid) -> Result<Option<Vec<u8>>, StoreError> {
        let item = self.table.get(&key(user), Consistency::Strong).await?;
        Ok(item.and_then(|item| bytes_of(&item, "picture").map(<[u8]>::to_vec)))
    }

    pub async fn keep_avatar(&self, user: &UserRefid, picture: &[u8], request: &Request) -> Result<(), StoreError> {
        let doc = json!({"version": 1, "created_at": request.now});
        let mut put = item(&key(user), "avatar", &doc, &request.stamp)?;
        put.insert("picture".to_owned(), bytes(picture.to_vec()));
        let put = Table::send(self.table.put(put)).await;
        put.map_err(|error| TableError::into(classify(&error)))
    }

    /// Removes the picture of a user, if there is one.
    pub async fn remove_avatar(&self, user: &UserRefid) -> Result<(), StoreError> {
        Ok(self.table.delete(&key(user)).await?)
    }
}
