//! `suppress-mail`: an address that bounced for good, or whose owner complained, is not mailed any more.
//!
//! Invariant: SES says so, through the account's own bus, of mails sent under the deployment's configuration set;
//! saying it twice changes nothing. A mailbox that is full or away may be mailed again.

use std::collections::BTreeMap;

use aws_lambda_events::eventbridge::EventBridgeEvent;
use purser_domain::basic::email::EmailAddress;
use purser_edge::App;
use purser_edge::events::consumer::{Delivery, detail};
use purser_store::events::suppression::Suppression;
use serde::Deserialize;
use serde_json::Value;

/// What SES tells of a bounce.
#[derive(Debug, Deserialize)]
struct Bounced {
    bounce: Bounce,
}

/// What SES tells of any mail: the tags it was sent with, its configuration set among them.
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
    /// Why, for instance because the account has a list of its own that the address is on.
    #[serde(rename = "bounceSubType", default)]
    reason: String,
    bounced_recipients: Vec<Recipient>,
}

/// What SES tells of a complaint.
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

/// Stops mailing whom an event of SES is about. An error asks for another delivery.
pub async fn suppress_mail(app: App, event: EventBridgeEvent<Value>) -> Result<(), String> {
    let delivery = Delivery::of_aws("suppress-mail", &event)?;
    // The account's bus carries what becomes of everybody's mails.
    let MailEvent { mail } = detail(event.detail.clone())?;
    let sets = mail.tags.get("ses:configuration-set");
    let ours = app.config.mail_configuration_set.as_ref();
    if !ours.is_some_and(|ours| sets.is_some_and(|sets| sets.contains(ours))) {
        return Ok(());
    }
    let (recipients, reason) = match event.detail_type.as_str() {
        "Email Bounced" => {
            let Bounced { bounce } = detail(event.detail)?;
            // What SES itself kept back says nothing new of the mailbox, and would renew our own memory for ever.
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
        // SES writes an address as the receiving side named it; what is none was never mailed by us.
        let Ok(email) = EmailAddress::try_from(recipient.email_address) else {
            continue;
        };
        let suppressed = app.store.suppress(&email, reason, delivery.stamp(), app.clock.now()).await;
        suppressed.map_err(|error| error.to_string())?;
    }
    Ok(())
}
