//! `reseal`: seals anew what older keys have sealed, a part at a time (docs/deploying.md, "Secrets").
//!
//! Invariant: nobody reaches it over HTTP. An operator who holds rights in the account calls it again and again, with
//! the place where the call before ended, until a whole walk finds nothing to renew (`infra/cloud/secrets`). It answers
//! numbers and places, never what it opens.

use purser_edge::App;
use purser_store::reseal::{Place, Sealed, Step};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// How many items one step reads.
const STEP: usize = 50;
/// For how many seconds a call begins new steps.
const BUSY: i64 = 10;

/// What to walk through, and where to go on.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    what: Sealed,
    #[serde(default)]
    place: Place,
}

#[derive(Debug, Default, Serialize)]
struct Walked {
    examined: usize,
    renewed: usize,
    next: Option<Place>,
}

pub async fn reseal(app: App, asked: Value) -> Result<Value, String> {
    let Asked { what, mut place } = serde_json::from_value(asked).map_err(|error| error.to_string())?;
    let begun = app.clock.now().unix_seconds();
    let mut walked = Walked::default();
    loop {
        let Step { examined, renewed, next } = app.store.reseal(what, place.clone(), STEP).await?;
        walked.examined += examined;
        walked.renewed += renewed;
        match next {
            Some(next) if app.clock.now().unix_seconds() - begun < BUSY => place = next,
            next => {
                walked.next = next;
                break;
            }
        }
    }
    let Walked { examined, renewed, .. } = walked;
    tracing::info!(?what, examined, renewed, "sealed anew");
    serde_json::to_value(walked).map_err(|error| error.to_string())
}
