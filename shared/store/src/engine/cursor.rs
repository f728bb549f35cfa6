//! Cursors: where a list continues.
//!
//! Invariant: a cursor works only for the caller and the query it was given to. It names a position in the order of
//! the list, never a partition; the partition is always computed from the caller.

use data_encoding::BASE64URL_NOPAD;
use subtle::ConstantTimeEq;

use crate::{Store, StoreError};

const MAC: usize = 16;

impl Store {
    /// A cursor for `position` in the list that `scope` describes (route, filters and tenant).
    pub fn cursor(&self, scope: &str, position: &str) -> Result<String, StoreError> {
        let mac = self.secrets().cursor_mac(scope, position)?;
        Ok(BASE64URL_NOPAD.encode(&[&mac, position.as_bytes()].concat()))
    }

    /// The position that `cursor` names; `None` if the cursor was not given for this list.
    pub fn position(&self, scope: &str, cursor: &str) -> Result<Option<String>, StoreError> {
        let bytes = BASE64URL_NOPAD.decode(cursor.as_bytes()).ok();
        let parts = bytes.as_deref().and_then(<[u8]>::split_first_chunk::<MAC>);
        let Some((mac, Ok(position))) = parts.map(|(mac, position)| (mac, std::str::from_utf8(position))) else {
            return Ok(None);
        };
        let expected = self.secrets().cursor_mac(scope, position)?;
        Ok(bool::from(expected.ct_eq(mac)).then(|| position.to_owned()))
    }
}
