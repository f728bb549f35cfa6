//! The SES mailbox simulator: addresses that bounce or complain, as they do in the cloud.
//!
//! Invariant: only an e-mail sent under a configuration set causes events, because that set says where SES sends
//! them.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::Mail;
use crate::{ACCOUNT, REGION};

const SIMULATOR: &str = "simulator.amazonses.com";

/// The events that SES puts on the account's default bus about an e-mail sent under the configuration set `set`.
pub(super) fn events(mail: &Mail, set: &str) -> Vec<Value> {
    let told = |to: &String| {
        let (mailbox, domain) = to.rsplit_once('@')?;
        // The label after a plus sign keeps addresses distinct and has no meaning for the simulator.
        let (mailbox, _) = mailbox.split_once('+').unwrap_or((mailbox, ""));
        if domain != SIMULATOR {
            return None;
        }
        let time = mail.sent_at.to_string();
        let recipients = json!([{"emailAddress": to}]);
        let (kind, mut detail) = match mailbox {
            "bounce" => {
                let bounce = json!({
                    "feedbackId": mail.id, "bounceType": "Permanent", "bounceSubType": "General",
                    "bouncedRecipients": recipients, "timestamp": time,
                });
                ("Email Bounced", json!({"eventType": "Bounce", "bounce": bounce}))
            }
            "complaint" => {
                let complaint = json!({
                    "feedbackId": mail.id, "complainedRecipients": recipients, "timestamp": time,
                });
                let detail = json!({"eventType": "Complaint", "complaint": complaint});
                ("Email Complaint Received", detail)
            }
            _ => return None,
        };
        if let Value::Object(members) = &mut detail {
            let tags = json!({"ses:configuration-set": [set]});
            let about = json!({
                "timestamp": time, "source": mail.from, "messageId": mail.id, "destination": mail.to, "tags": tags,
            });
            members.insert("mail".to_owned(), about);
        }
        Some(envelope(kind, set, mail.sent_at, &detail))
    };
    mail.to.iter().filter_map(told).collect()
}

fn envelope(kind: &str, set: &str, time: Timestamp, detail: &Value) -> Value {
    json!({
        "version": "0",
        "id": uuid::Uuid::new_v4().to_string(),
        "detail-type": kind,
        "source": "aws.ses",
        "account": ACCOUNT,
        "time": time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
        "region": REGION,
        "resources": [format!("arn:aws:ses:{REGION}:{ACCOUNT}:configuration-set/{set}")],
        "detail": detail,
    })
}
