//! CAPTCHA challenges that were answered.
//!
//! Items: `CU#sha256` of the challenge's token, kept until an hour after the challenge expires. Invariant: the first
//! answer, right or wrong, uses up a challenge, so a challenge can't be passed around, and its answer can't be found by
//! trying.

use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::types::ReturnValuesOnConditionCheckFailure;
use jiff::SignedDuration;
use purser_domain::basic::Time;
use serde_json::json;

use crate::engine::item::{item, number, part};
use crate::engine::secrets::sha256_hex;
use crate::engine::table::classify;
use crate::engine::{Key, Stamp, Table};
use crate::{Store, StoreError};

/// How long a use is remembered after the challenge has expired, in case clocks differ.
const BEYOND: SignedDuration = SignedDuration::from_hours(1);

impl Store {
    /// Uses up the challenge with this token. Returns `false` if it was used before.
    pub async fn use_challenge(
        &self,
        token: &str,
        expires_at: Time,
        stamp: &Stamp,
        now: Time,
    ) -> Result<bool, StoreError> {
        let key = Key::alone("CU", sha256_hex(token.as_bytes()));
        let used = json!({"version": 1, "created_at": now});
        let mut used = item(&key, "used_challenge", &used, stamp)?;
        let until = expires_at.plus(BEYOND);
        used.insert("ttl".to_owned(), number(until.unix_seconds()));
        let put = self
            .table
            .put(used)
            .condition_expression("attribute_not_exists(pk)")
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        let Err(error) = Table::send(put).await else {
            return Ok(true);
        };
        match error.as_service_error() {
            Some(PutItemError::ConditionalCheckFailedException(failed)) => {
                let found = failed.item();
                let by = found.map(|item| part::<Stamp>(item, "by")).transpose()?;
                // The answer to this call got lost, and the SDK repeated the call.
                Ok(by.is_some_and(|by| by.request == stamp.request))
            }
            _ => Err(classify(&error).into()),
        }
    }
}
