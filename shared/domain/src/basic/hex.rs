//! Bytes as hexadecimal digits.

use data_encoding::HEXLOWER;

/// `N` bytes from twice as many hexadecimal digits in lower case.
pub(crate) fn hex<const N: usize>(text: &str) -> Option<[u8; N]> {
    HEXLOWER.decode(text.as_bytes()).ok()?.try_into().ok()
}
