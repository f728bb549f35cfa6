//! Addresses that Purser no longer writes to, because an e-mail bounced or its recipient complained.
//!
//! Items: `SA#hmac` of the folded address, so that the item names no person. Invariant: a complaint is kept for good.
//! A bounce is forgotten after 90 days, because mailboxes come back, and never replaces a complaint.

use aws_sdk_dynamodb::operation::put_item::PutItemError;
use jiff::SignedDuration;
use purser_domain::basic::refid::code;
use purser_domain::basic::{EmailAddress, Time};
use serde::{Deserialize, Serialize};

use crate::engine::item::{doc, item, number, text};
use crate::engine::table::describe;
use crate::engine::{Consistency, Key, Stamp, Table};
use crate::{Store, StoreError};

/// How long an address that bounced gets no e-mails.
const BOUNCED_FOR: SignedDuration = SignedDuration::from_hours(90 * 24);

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Suppression {
    /// The mailbox does not exist, or accepts no e-mail.
    Bounce,
    /// The recipient reported an e-mail as unwanted.
    Complaint,
}

#[derive(Debug, Serialize, Deserialize)]
struct Suppressed {
    version: u64,
    created_at: Time,
    reason: Suppression,
    /// `None` means for good.
    until: Option<Time>,
}

impl Store {
    pub async fn suppress(
        &self,
        email: &EmailAddress,
        reason: Suppression,
        stamp: &Stamp,
        now: Time,
    ) -> Result<(), StoreError> {
        let until = match reason {
            Suppression::Bounce => Some(now.plus(BOUNCED_FOR)),
            Suppression::Complaint => None,
        };
        let suppressed = Suppressed { version: 1, created_at: now, reason, until };
        let key = self.suppression_key(email)?;
        let mut written = item(&key, "suppressed_address", &suppressed, stamp)?;
        if let Some(until) = until {
            written.insert("ttl".to_owned(), number(until.unix_seconds()));
        }
        let mut put = self.table.put(written);
        if reason == Suppression::Bounce {
            put = put
                .condition_expression("attribute_not_exists(pk) OR #doc.#reason = :bounce")
                .expression_attribute_names("#doc", "doc")
                .expression_attribute_names("#reason", "reason")
                .expression_attribute_values(":bounce", text("bounce"));
        }
        let Err(error) = Table::send(put).await else {
            return Ok(());
        };
        match error.as_service_error() {
            Some(PutItemError::ConditionalCheckFailedException(_)) => Ok(()),
            _ => Err(StoreError::Failed(format!("suppressing an address: {}", describe(&error)))),
        }
    }

    pub async fn suppression(&self, email: &EmailAddress, now: Time) -> Result<Option<Suppression>, StoreError> {
        let key = self.suppression_key(email)?;
        let found = self.table.get(&key, Consistency::Strong).await?;
        let found: Option<Suppressed> = found.as_ref().map(doc).transpose()?;
        // DynamoDB can take days to remove an expired item, which until then can still be read.
        let lasting = found.filter(|it| it.until.is_none_or(|until| until > now));
        Ok(lasting.map(|it| it.reason))
    }

    fn suppression_key(&self, email: &EmailAddress) -> Result<Key, StoreError> {
        let bits = self.secrets.bits("suppressed address", &[&email.folded()])?;
        Ok(Key::alone("SA", code(bits)))
    }
}
