//! `migrate`: API keys from before keys had owners go to the keyrings of their makers (docs/rules.md, "Credentials"),
//! and clients and resellers from before lists could be searched are found (rule A5).
//!
//! Invariant: it may be interrupted and run again at any time; what is done already is left alone. No key ends by it.

use purser_domain::basic::{ApiKeyRefid, ResellerRefid};
use serde::Deserialize;

use crate::api::{Api, ApiError};
use crate::progress::{Progress, counted, say};
use crate::{Failure, Outcome};

#[derive(Debug, Deserialize)]
struct Reseller {
    refid: ResellerRefid,
}

#[derive(Debug, Deserialize)]
struct Adopted {
    adopted: u64,
    orphans: Vec<ApiKeyRefid>,
}

#[derive(Debug, Deserialize)]
struct Rebuilt {
    done: u64,
    next_cursor: Option<String>,
}

pub async fn migrate(api: &Api) -> Result<Outcome, Failure> {
    rebuild_search(api, "clients", "client").await?;
    rebuild_search(api, "resellers", "reseller").await?;
    adopt_all(api).await
}

/// Makes all clients or all resellers found.
async fn rebuild_search(api: &Api, of: &'static str, one: &str) -> Result<(), Failure> {
    let progress = Progress::begin(of, None);
    let (mut all, mut cursor) = (0, String::new());
    loop {
        let part: Rebuilt = api.act(&format!("/v1/analytics/search/rebuild?of={of}{cursor}")).await?;
        progress.done(part.done);
        all += part.done;
        match part.next_cursor {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    drop(progress);
    say(&format!("{} can be found", counted(all, one)));
    Ok(())
}

/// Adopts the keys of the operators and of each reseller, and names those whose makers have gone.
async fn adopt_all(api: &Api) -> Result<Outcome, Failure> {
    let progress = Progress::begin("resellers looked at", None);
    let mut whole = adopt(api, "").await?;
    let mut cursor = None;
    loop {
        let page = api.page::<Reseller>("/v1/resellers", cursor.as_deref()).await?;
        for reseller in &page.data {
            let part = adopt(api, &format!("?reseller={}", reseller.refid)).await?;
            whole.adopted += part.adopted;
            whole.orphans.extend(part.orphans);
            progress.done(1);
        }
        cursor = page.next_cursor;
        if cursor.is_none() {
            break;
        }
    }
    drop(progress);
    say(&format!("{} put on the keyrings of their makers", counted(whole.adopted, "API key")));
    for key in &whole.orphans {
        say(&format!("{key}: its maker is gone, is suspended, or may do less than the key; revoke it or replace it"));
    }
    Ok(Outcome::of(!whole.orphans.is_empty(), true))
}

async fn adopt(api: &Api, query: &str) -> Result<Adopted, ApiError> {
    api.act(&format!("/v1/api-keys/adopt{query}")).await
}
