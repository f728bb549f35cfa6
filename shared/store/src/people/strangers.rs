//! What bounds strangers: the challenges that they answered, and how often they asked for an e-mail (rule D2).
//!
//! Items: `CU#sha256` of the challenge's token, kept until an hour after the challenge expires; `AB#hmac#hour`, what
//! was asked from a network address in an hour, whose name does not tell the address. Invariants: the first answer,
//! right or wrong, uses up a challenge, so a challenge can't be passed around, and its answer can't be found by trying.
//! What may cause an e-mail has been charged to its address first.

use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::types::ReturnValuesOnConditionCheckFailure;
use jiff::SignedDuration;
use purser_domain::Refusal;
use purser_domain::basic::Time;
use purser_domain::basic::refid::code;
use serde_json::json;

use crate::engine::item::{item, number, part};
use crate::engine::secrets::sha256_hex;
use crate::engine::table::budget::Budget;
use crate::engine::table::classify;
use crate::engine::{Key, Stamp, Table};
use crate::{Store, StoreError};

/// How long a use is remembered after the challenge has expired, in case clocks differ.
const BEYOND: SignedDuration = SignedDuration::from_hours(1);

impl Store {
    /// Charges a network address for a request that may cause an e-mail to somebody else. It may make `most` in an
    /// hour, and a tenth of them without the answer to a CAPTCHA; `person` is whether one came with this request.
    pub async fn charge_ask(&self, address: &str, person: bool, most: u32, now: Time) -> Result<(), StoreError> {
        let window = SignedDuration::from_hours(1);
        let whose = code(self.secrets.bits("asks", &[address])?);
        let hour = now.unix_seconds().div_euclid(window.as_secs());
        let most = if person { most } else { most.div_ceil(10) };
        let budget = Budget { key: Key::alone("AB", format!("{whose}#{hour}")), kind: "asks", most, window };
        match self.table.charge(budget, 1, now).await {
            Err(StoreError::Refused(Refusal::TooManyAttempts { .. })) if !person => {
                Err(Refusal::CaptchaRequired.into())
            }
            charged => charged,
        }
    }

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
