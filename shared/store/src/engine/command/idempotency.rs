//! Idempotency: one key, one effect, one answer (rule B8).
//!
//! Invariant: the record of an idempotency key is written in the same transaction as the effect, on condition that it
//! is absent, so exactly one of any number of concurrent repeats takes effect. The record of a money command is its
//! ledger entry; any other create has a record of its own, which is kept for 40 days.

use jiff::SignedDuration;
use purser_domain::Refusal;
use purser_domain::basic::{EntryRefid, RecordCode, Time};
use serde::Serialize;
use serde_json::json;
use sha2::{Digest, Sha256};

use crate::engine::command::answer::{self, Answer};
use crate::engine::command::{CommandWrite, Request};
use crate::engine::item::{Item, bytes, bytes_of, item, number, text};
use crate::engine::keys::Key;
use crate::engine::secrets::Secrets;
use crate::engine::table::{Condition, Update, Write};
use crate::{Store, StoreError};

/// How long the record of a create that moves no credits is kept. The API promises 30 days.
const KEPT: SignedDuration = SignedDuration::from_hours(40 * 24);
/// The attribute of a record that says when its answer was erased.
const ERASED: &str = "erased";

/// Hash of everything in which a repeat must equal the first request: version, route, tenant and canonical body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fingerprint([u8; 32]);

impl Fingerprint {
    /// The fingerprint of the parsed body, so that white space, the order of members and explicit defaults make no
    /// difference.
    pub fn of(route: &str, tenant: &str, body: &impl Serialize) -> Result<Self, StoreError> {
        // A `Value` sorts the members of its objects.
        let canonical = serde_json::to_value(body).map_err(|error| StoreError::Failed(error.to_string()))?;
        let text = json!(["purser request 1", route, tenant, canonical]).to_string();
        Ok(Self(Sha256::digest(text).into()))
    }
}

#[derive(Debug, Clone)]
pub struct IdempotencyKey {
    /// The tenant of the caller. Tenants can't see or use each other's keys.
    pub tenant: String,
    pub key: String,
    pub fingerprint: Fingerprint,
    /// Why today's rules refuse the body. It is judged only if no record shows that the request is a repeat: rules may
    /// have become stricter since the first one.
    pub doubt: Option<Refusal>,
}

/// What the item is that serves as a record.
#[derive(Debug, Clone)]
pub(crate) enum Form {
    /// The ledger entry that the command appends.
    Entry(EntryRefid),
    /// An item of its own.
    Own(RecordCode),
}

/// Where the answer to a command is stored, and for which request.
#[derive(Debug, Clone)]
pub(crate) struct Record {
    pub(crate) key: Key,
    pub(crate) fingerprint: Fingerprint,
    pub(crate) doubt: Option<Refusal>,
    pub(crate) form: Form,
    /// Text that the record's item already holds, and that its stored answer therefore need not repeat.
    pub(crate) context: fn(&Item) -> Result<String, StoreError>,
}

impl Record {
    /// Adds the fingerprint and the answer to the item that is the record.
    pub(crate) fn remember(&self, item: &mut Item, secrets: &Secrets, body: &[u8]) -> Result<(), StoreError> {
        item.insert("print".to_owned(), bytes(self.fingerprint.0.to_vec()));
        item.insert("answer".to_owned(), bytes(answer::pack(secrets, &self.key.pk, &(self.context)(item)?, body)?));
        Ok(())
    }

    /// The stored answer. Refused if the record belongs to another request.
    pub(crate) fn recall(&self, item: &Item, secrets: &Secrets) -> Result<Answer, StoreError> {
        if bytes_of(item, "print") != Some(self.fingerprint.0.as_slice()) {
            return Err(Refusal::IdempotencyKeyReused.into());
        }
        if item.contains_key(ERASED) {
            return Err(self.answer_erased());
        }
        let packed = bytes_of(item, "answer").ok_or_else(|| StoreError::Unreadable("a record has no answer".into()))?;
        Ok(Answer { body: answer::unpack(secrets, &self.key.pk, &(self.context)(item)?, packed)?, replayed: true })
    }

    /// The code of a record that is an item of its own.
    pub(crate) fn code(&self) -> Option<RecordCode> {
        match &self.form {
            Form::Own(code) => Some(code.clone()),
            Form::Entry(_) => None,
        }
    }

    fn answer_erased(&self) -> StoreError {
        let entry = match &self.form {
            Form::Entry(refid) => Some(refid.clone()),
            Form::Own(_) => None,
        };
        Refusal::AnswerErased { entry }.into()
    }
}

/// Where a record that is an item of its own is kept.
pub(crate) fn record_key(code: &RecordCode) -> Key {
    Key::alone("IK", code)
}

/// The update that erases the answer of a record, at `now`. The record itself stays, so that no repeat takes effect.
pub(crate) fn erase(record: Key, now: Time) -> Update {
    Update::of(record).remove("answer").set(ERASED, text(now))
}

impl Store {
    /// The record of a create that moves no credits; `None` if the request has no idempotency key.
    pub(crate) fn record(&self, request: &Request) -> Result<Option<Record>, StoreError> {
        let Some(IdempotencyKey { tenant, key, fingerprint, doubt }) = request.key.as_ref() else {
            return Ok(None);
        };
        let code = RecordCode::new(self.secrets.bits("idempotency", &[tenant, key])?);
        let context = |_: &Item| Ok(String::new());
        let (key, fingerprint, doubt) = (record_key(&code), *fingerprint, doubt.clone());
        Ok(Some(Record { key, fingerprint, doubt, form: Form::Own(code), context }))
    }

    /// The write of a record that is an item of its own; `None` if there is no record.
    pub(crate) fn record_write(
        &self,
        record: Option<&Record>,
        request: &Request,
        body: &[u8],
    ) -> Result<Option<CommandWrite>, StoreError> {
        let Some(record) = record else {
            return Ok(None);
        };
        let doc = json!({"version": 1, "created_at": request.now});
        let mut item = item(&record.key, "idempotency", &doc, &request.stamp)?;
        let expiry = request.now.plus(KEPT).unix_seconds();
        item.insert("ttl".to_owned(), number(expiry));
        record.remember(&mut item, &self.secrets, body)?;
        let put = Write::Put(item, Condition::Absent);
        Ok(Some(CommandWrite::fresh(put)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_of_members_makes_no_difference_and_everything_else_does() {
        let body = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap();
        let print = |route, tenant, text| Fingerprint::of(route, tenant, &body(text)).unwrap();
        let first = print("POST /v1/provisions", "RS-1", r#"{"cost":20,"description":"x"}"#);
        assert_eq!(first, print("POST /v1/provisions", "RS-1", r#"{ "description":"x", "cost":20 }"#));
        for other in [
            print("POST /v1/credits", "RS-1", r#"{"cost":20,"description":"x"}"#),
            print("POST /v1/provisions", "RS-2", r#"{"cost":20,"description":"x"}"#),
            print("POST /v1/provisions", "RS-1", r#"{"cost":21,"description":"x"}"#),
        ] {
            assert_ne!(first, other);
        }
    }
}
