//! Reads bytes that are written as hexadecimal digits.

use data_encoding::HEXLOWER;

/// Decodes `N` bytes from exactly `2 * N` hexadecimal digits in lower case.
pub(crate) fn hex<const N: usize>(text: &str) -> Option<[u8; N]> {
    HEXLOWER.decode(text.as_bytes()).ok()?.try_into().ok()
}
