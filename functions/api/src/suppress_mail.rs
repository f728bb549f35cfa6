//! `suppress-mail`: an address that bounced for good, or whose owner complained, is not mailed any more.
//!
//! Invariant: SES says so, through the account's own bus, of mails sent under the deployment's configuration set;
//! saying it twice changes nothing. A mailbox that is full or away may be mailed again.

use aws_lambda_events::eventbridge::EventBridgeEvent;
use purser_domain::email::EmailAddress;
use purser_edge::App;
use purser_edge::consumer::{Delivery, detail};
use purser_store::suppression::Suppression;
use serde::Deserialize;
use serde_json::Value;

/// What SES tells of a bounce.
#[derive(Debug, Deserialize)]
struct Bounced {
    bounce: Bounce,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Bounce {
    /// `Permanent`, `Transient` or `Undetermined`.
    bounce_type: String,
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
    let (recipients, reason) = match event.detail_type.as_str() {
        "Email Bounced" => {
            let Bounced { bounce } = detail(event.detail)?;
            if bounce.bounce_type != "Permanent" {
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
        let suppressed = app
            .store
            .suppress(&email, reason, delivery.stamp(), app.clock.now())
            .await;
        suppressed.map_err(|error| error.to_string())?;
    }
    Ok(())
}
