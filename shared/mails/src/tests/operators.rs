//! Snapshots of the report to operators about unused accounts. Those of the partner report are in
//! `partner_report/tests.rs`.

use purser_domain::basic::UserRefid;
use purser_domain::people::clean_up::{Reason, Stale};

use super::*;
use crate::accounts::{StaleAccounts, stale_accounts};

#[test]
fn snapshot_of_stale_accounts() {
    let app = app(&[]);
    let (to, name) = (address("olga@example.com"), name("Ольга"));
    for (snapshot, unconfirmed, dormant) in [("1", 1, 0), ("2", 1, 1), ("many", 0, 1_234)] {
        let reasons = [(Reason::Unconfirmed, unconfirmed), (Reason::Dormant, dormant)];
        let mut stale = StaleAccounts::default();
        for reason in reasons.into_iter().flat_map(|(reason, count)| std::iter::repeat_n(reason, count)) {
            let user = UserRefid::parse("US-0123456789ABCDEF").unwrap();
            let since = serde_json::from_value(json!("2026-10-01T12:00:00.000Z")).unwrap();
            stale.add(&user, Stale { reason, since });
        }
        let mail = stale_accounts(&app, &to, &name, &stale);
        assert_same_in_both(&format!("stale_accounts_{snapshot}"), mail);
    }
}
