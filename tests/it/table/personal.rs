//! Where personal data is stored: docs/security.md names each kind of item that holds any, and how it ends (rule A9).

use std::collections::BTreeSet;

use purser_tests::prelude::*;

use super::stored::fill::{Filled, fill};

const SECURITY: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/security.md"));

/// Whether a text holds an e-mail address, a network address or a telephone number. Whatever holds a name holds one of
/// these, too.
fn is_personal(text: &str) -> bool {
    let words = text.split(|c: char| !c.is_alphanumeric() && !"@.+-_".contains(c));
    words.into_iter().any(|word| {
        let mail = word.split_once('@').is_some_and(|(name, host)| !name.is_empty() && host.contains('.'));
        mail || word.parse::<std::net::Ipv4Addr>().is_ok() || word.starts_with("+49")
    })
}

/// The kinds in the first column of the document's table.
fn listed() -> BTreeSet<String> {
    let (_, table) = SECURITY.split_once("| kind | holds | ends |").unwrap();
    let rows = table.lines().skip(2).take_while(|line| line.starts_with('|'));
    let kinds = rows.flat_map(|row| row.split('|').nth(1).unwrap_or_default().split('`').skip(1).step_by(2));
    kinds.map(str::to_owned).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn each_kind_of_item_that_holds_personal_data_is_listed_with_how_it_ends() {
    let parent = tempfile::tempdir().unwrap();
    let Filled { world, .. } = fill(parent.path().join("data")).await;
    let ever = world.ever_opened();
    let mut every: BTreeSet<String> = ever.iter().map(|it| it.kind.clone()).collect();
    // Where registrations need no confirmation, they bring a password.
    let other = World::with(None, &[("PURSER_CONFIRM_ADDRESS", "false")]).await;
    let body = json!({"email": "ada@example.com", "name": "Ada", "password": PASSWORD});
    let _received = other.nobody().post("/v1/auth/register", &body).await.expect(202);
    other.system().settle().await;
    every.extend(other.ever_opened().into_iter().map(|it| it.kind));
    let held: BTreeSet<String> = ever.iter().filter(|it| is_personal(&it.text)).map(|it| it.kind.clone()).collect();
    let listed = listed();
    let forgotten: Vec<&String> = held.difference(&listed).collect();
    assert_eq!(forgotten, [""; 0], "docs/security.md must say how these end");
    let unknown: Vec<&String> = listed.difference(&every).collect();
    assert_eq!(unknown, [""; 0], "docs/security.md names kinds that are not there");
}

#[test]
fn what_is_personal_is_seen() {
    for (text, personal) in [
        ("\"s\":\"ada@example.com\"", true),
        ("from 192.0.2.7.", false),
        ("\"192.0.2.7\"", true),
        ("+49 30 1234", true),
        ("US@RS-0123456789ABCDEF", false),
        ("2026-01-01T00:00:00.000Z#CL-1", false),
    ] {
        assert_eq!(is_personal(text), personal, "{text}");
    }
}
