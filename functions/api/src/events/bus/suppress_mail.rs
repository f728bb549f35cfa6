//! `suppress-mail`: stops e-mails to an address that bounced permanently, or whose owner complained.
//!
//! Invariant: only reports of SES count, received on the AWS account's default bus, about e-mails that were sent
//! under the deployment's configuration set. A repeated report changes nothing. A bounce that is not permanent, such
//! as that of a full mailbox, suppresses nothing.

use std::collections::BTreeMap;

use aws_lambda_events::eventbridge::EventBridgeEvent;
use purser_domain::basic::{EmailAddress, as_stored};
use purser_edge::App;
use purser_edge::events::consumer::{Delivery, detail};
use purser_store::events::suppression::Suppression;
use serde::Deserialize;
use serde_json::Value;

#[derive(Debug, Deserialize)]
struct Bounced {
    bounce: Bounce,
}

/// The part that all reports of SES have: the tags of the e-mail, its configuration set among them.
#[derive(Debug, Deserialize)]
struct MailEvent {
    mail: TaggedMail,
}

#[derive(Debug, Deserialize)]
struct TaggedMail {
    tags: BTreeMap<String, Vec<String>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Bounce {
    /// `Permanent`, `Transient` or `Undetermined`.
    #[serde(rename = "bounceType")]
    kind: String,
    /// A more precise reason, for instance that the address is on the AWS account's own suppression list.
    #[serde(rename = "bounceSubType", default)]
    reason: String,
    bounced_recipients: Vec<Recipient>,
}

#[derive(Debug, Deserialize)]
struct Complained {
    complaint: Complaint,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Complaint {
    complained_recipients: Vec<Recipient>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Recipient {
    email_address: String,
}

/// Suppresses the addresses that a report of SES names. An error asks for another delivery.
pub async fn suppress_mail(app: App, event: EventBridgeEvent<Value>) -> Result<(), String> {
    let delivery = Delivery::of_aws("suppress-mail", &event)?;
    // The AWS account's bus carries reports about every e-mail sent from the account, not only about Purser's.
    let MailEvent { mail } = detail(event.detail.clone())?;
    let sets = mail.tags.get("ses:configuration-set");
    let ours = app.config.mail_configuration_set.as_ref();
    if !ours.is_some_and(|ours| sets.is_some_and(|sets| sets.contains(ours))) {
        return Ok(());
    }
    let (recipients, reason) = match event.detail_type.as_str() {
        "Email Bounced" => {
            let Bounced { bounce } = detail(event.detail)?;
            // SES also reports a bounce when it didn't send an e-mail because its own list suppresses the address.
            // That says nothing new about the mailbox, and would renew our suppression for ever.
            let kept_back = bounce.reason.contains("Suppress");
            if bounce.kind != "Permanent" || kept_back {
                return Ok(());
            }
            (bounce.bounced_recipients, Suppression::Bounce)
        }
        "Email Complaint Received" => {
            let Complained { complaint } = detail(event.detail)?;
            (complaint.complained_recipients, Suppression::Complaint)
        }
        other => return Err(format!("{other} is neither a bounce nor a complaint")),
    };
    for recipient in recipients {
        // SES repeats addresses as the receiving side named them. Purser never wrote to one that is not valid.
        let Ok(email) = as_stored(|| EmailAddress::try_from(recipient.email_address)) else {
            continue;
        };
        let suppressed = app.store.suppress(&email, reason, delivery.stamp(), app.clock.now()).await;
        suppressed.map_err(|error| error.to_string())?;
    }
    Ok(())
}
