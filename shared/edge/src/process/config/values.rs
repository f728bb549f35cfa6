//! Parsers for the values of environment variables. Their errors say what a valid value looks like.

use std::fmt::Display;
use std::str::FromStr;
use strum::VariantArray;

use http::Uri;
use jiff::SignedDuration;
use purser_domain::basic::{EmailAddress, Prefix};
use purser_domain::money::{BasisPoints, Credits};
use purser_domain::parties::ClientStatus;

use super::origin::LOOPBACK;

fn said(error: impl Display) -> String {
    error.to_string()
}

/// The `value` if it is valid, or otherwise an error that says what it `must` be.
fn valid<T>(value: T, is_valid: bool, must: impl Display) -> Result<T, String> {
    if is_valid { Ok(value) } else { Err(format!("must be {must}")) }
}

#[expect(clippy::unnecessary_wraps, reason = "every variable is read by a function of this form")]
pub(super) fn text(text: &str) -> Result<String, String> {
    Ok(text.to_owned())
}

pub(super) fn plain<T: FromStr<Err: Display>>(text: &str) -> Result<T, String> {
    text.parse().map_err(|error| format!("{text:?}: {error}"))
}

pub(super) fn positive(text: &str) -> Result<u64, String> {
    let number = plain(text)?;
    valid(number, number > 0, "at least 1")
}

/// How many e-mails an address may get in a day, of which half are links.
pub(super) fn mails(text: &str) -> Result<u32, String> {
    let number = plain(text)?;
    valid(number, number >= 2, "at least 2")
}

pub(super) fn credits(text: &str) -> Result<Credits, String> {
    plain(text).map(Credits::new)
}

pub(super) fn basis_points(text: &str) -> Result<BasisPoints, String> {
    BasisPoints::try_from(plain::<u64>(text)?).map_err(said)
}

/// A duration of 1 to 1000 units of `unit` minutes each.
pub(super) fn times_minutes(unit: i64) -> impl FnOnce(&str) -> Result<SignedDuration, String> {
    move |text| {
        let count: i64 = plain(text)?;
        valid((), (1..=1_000).contains(&count), "from 1 to 1000")?;
        Ok(SignedDuration::from_mins(count * unit))
    }
}

/// A duration of `least` to 10000 days.
pub(super) fn days(least: i64) -> impl FnOnce(&str) -> Result<SignedDuration, String> {
    move |text| {
        let days: i64 = plain(text)?;
        valid((), (least..=10_000).contains(&days), format_args!("from {least} to 10000"))?;
        Ok(SignedDuration::from_hours(24 * days))
    }
}

pub(super) fn email(text: &str) -> Result<EmailAddress, String> {
    EmailAddress::try_from(text.to_owned()).map_err(said)
}

pub(super) fn prefix(text: &str) -> Result<Prefix, String> {
    text.parse().map_err(said)
}

pub(super) fn client_status(text: &str) -> Result<ClientStatus, String> {
    let status = ClientStatus::VARIANTS.iter().copied().find(|status| status.into_str() == text);
    status.ok_or_else(|| "must be pending, active, suspended or inactive".to_owned())
}

pub(super) fn currency(text: &str) -> Result<String, String> {
    let is_code = text.len() == 3 && text.bytes().all(|byte| byte.is_ascii_uppercase());
    valid(text.to_owned(), is_code, "an ISO 4217 code like USD")
}

pub(super) fn sha256(text: &str) -> Result<String, String> {
    let is_hash = text.len() == 64 && text.bytes().all(|byte| b"0123456789abcdef".contains(&byte));
    valid(text.to_owned(), is_hash, "64 lower-case hexadecimal digits")
}

/// An address to which paths can be appended.
pub(super) fn public_url(text: &str) -> Result<String, String> {
    let uri = text.parse::<Uri>().map_err(said)?;
    // A user name before an @ could be mistaken for the host.
    let open = uri.authority().is_some_and(|it| !it.as_str().contains('@'));
    let is_base = is_safe(&uri) && open && !text.contains(['?', '#']) && !text.ends_with('/');
    valid(text.to_owned(), is_base, "like https://purser.example.com, without a slash at the end")
}

pub(super) fn safe_url(text: &str) -> Result<Uri, String> {
    let uri = text.parse().ok().filter(is_safe);
    uri.ok_or_else(|| "must be an https address, or one of this machine".to_owned())
}

/// Whether nobody on the way reads or changes what is sent there.
fn is_safe(uri: &Uri) -> bool {
    uri.scheme_str() == Some("https") || is_http(uri) && uri.host().is_some_and(|host| LOOPBACK.contains(&host))
}

fn is_http(uri: &Uri) -> bool {
    matches!(uri.scheme_str(), Some("http" | "https"))
}
