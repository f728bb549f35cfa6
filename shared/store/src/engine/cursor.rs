//! Cursors: where a list continues.
//!
//! Invariant: a cursor works only for the caller and the query it was given to. It names a position in the order of
//! the list, never a partition; the partition is always computed from the caller.

use data_encoding::BASE64URL_NOPAD;
use subtle::ConstantTimeEq;

use crate::Store;

const MAC: usize = 16;

/// The cursor was not given for this query.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InvalidCursor;

impl Store {
    /// A cursor for `position` in the list that `scope` describes (route, filters and tenant).
    pub fn cursor(&self, scope: &str, position: &str) -> String {
        let mac = self.secrets().cursor_mac(scope, position);
        BASE64URL_NOPAD.encode(&[&mac, position.as_bytes()].concat())
    }

    pub fn position(&self, scope: &str, cursor: &str) -> Result<String, InvalidCursor> {
        let bytes = BASE64URL_NOPAD.decode(cursor.as_bytes()).map_err(|_| InvalidCursor)?;
        let (mac, position) = bytes.split_first_chunk::<MAC>().ok_or(InvalidCursor)?;
        let position = std::str::from_utf8(position).map_err(|_| InvalidCursor)?;
        let expected = self.secrets().cursor_mac(scope, position);
        if bool::from(expected.ct_eq(mac)) { Ok(position.to_owned()) } else { Err(InvalidCursor) }
    }
}
