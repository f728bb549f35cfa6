//! How far the stream has been delivered: the table lets go of what lies before, the stream's reader goes on behind it.

use std::path::Path;

/// The file beside the table that keeps the position.
pub const POSITION: &str = "stream-position";

/// The sequence number up to which a reader in `folder` has delivered everything, if there is one.
pub fn saved_position(folder: &Path) -> Option<String> {
    let text = std::fs::read_to_string(folder.join(POSITION)).ok()?;
    let position = text.trim();
    // Anything else is as good as none: reading all of it again does no harm.
    let digits = position.bytes().all(|it| it.is_ascii_digit());
    (digits && (21..=40).contains(&position.len())).then(|| position.to_owned())
}
