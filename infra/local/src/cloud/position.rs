//! How far the stream has been delivered. The stream's reader continues after this position, and the table may delete
//! old records before it.

use std::path::Path;

/// The file beside the table that holds the position.
pub const POSITION: &str = "stream-position";

/// The sequence number up to which the reader in `folder` has delivered everything; none if no valid one is saved.
pub fn saved_position(folder: &Path) -> Option<String> {
    let text = std::fs::read_to_string(folder.join(POSITION)).ok()?;
    let position = text.trim();
    // An invalid position counts as none: delivering the whole stream again does no harm.
    let digits = position.bytes().all(|it| it.is_ascii_digit());
    (digits && (21..=40).contains(&position.len())).then(|| position.to_owned())
}
