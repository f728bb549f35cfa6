//! The wire protocol of SES v2 (REST JSON), as far as `SendEmail` with simple content needs it.
//!
//! Invariant: an e-mail that SES would refuse because a part is missing is refused here with the same error, so that
//! code that sends one fails on a laptop, too.

use std::collections::BTreeMap;

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Mail, Mailbox, PostOffice, simulator};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Request {
    #[serde(default)]
    from_email_address: String,
    #[serde(default)]
    destination: Destination,
    #[serde(default)]
    content: Content,
    configuration_set_name: Option<String>,
    #[serde(default)]
    email_tags: Vec<Named>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Destination {
    #[serde(rename = "ToAddresses")]
    to: Vec<String>,
    #[serde(rename = "CcAddresses")]
    copy: Vec<String>,
    #[serde(rename = "BccAddresses")]
    blind_copy: Vec<String>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase")]
struct Content {
    simple: Option<Simple>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Simple {
    #[serde(default)]
    subject: Part,
    #[serde(default)]
    body: Body,
    #[serde(default)]
    headers: Vec<Named>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase")]
struct Body {
    text: Option<Part>,
    html: Option<Part>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase")]
struct Part {
    data: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Named {
    name: String,
    value: String,
}

pub(super) async fn send_email(
    State(PostOffice { mailbox, tell }): State<PostOffice>,
    method: Method,
    uri: Uri,
    body: Bytes,
) -> Response {
    if (method, uri.path()) != (Method::POST, "/v2/email/outbound-emails") {
        return refuse(StatusCode::NOT_FOUND, "NotFoundException", "only SendEmail is served here");
    }
    let request = match serde_json::from_slice::<Request>(&body) {
        Ok(request) => request,
        Err(error) => return bad_request(&error.to_string()),
    };
    let set = request.configuration_set_name.clone();
    let mail = match request.into_mail(&mailbox) {
        Ok(mail) => mail,
        Err(missing) => return bad_request(missing),
    };
    let answer = json!({"MessageId": mail.id});
    let events = set.map_or_else(Vec::new, |set| simulator::events(&mail, &set));
    match mailbox.keep(mail) {
        Ok(()) => {
            for event in &events {
                tell(event);
            }
            respond(StatusCode::OK, &answer)
        }
        Err(error) => refuse(StatusCode::INTERNAL_SERVER_ERROR, "InternalServiceErrorException", &error.to_string()),
    }
}

impl Request {
    fn into_mail(self, mailbox: &Mailbox) -> Result<Mail, &'static str> {
        let Some(simple) = self.content.simple else {
            return Err("Content.Simple is required; no other content is served here");
        };
        if self.from_email_address.trim().is_empty() {
            return Err("FromEmailAddress is required");
        }
        let destination = self.destination;
        if destination.to.iter().all(|it| it.trim().is_empty()) {
            return Err("Destination.ToAddresses must name at least one address");
        }
        if simple.subject.data.trim().is_empty() {
            return Err("Content.Simple.Subject is required");
        }
        let text = simple.body.text.map(|it| it.data);
        let html = simple.body.html.map(|it| it.data);
        if text.is_none() && html.is_none() {
            return Err("Content.Simple.Body needs a Text or an Html part");
        }
        let mut to = destination.to;
        to.extend(destination.copy);
        to.extend(destination.blind_copy);
        Ok(Mail {
            id: uuid::Uuid::new_v4().to_string(),
            from: self.from_email_address,
            to,
            subject: simple.subject.data,
            text,
            html,
            sent_at: (mailbox.now)(),
            headers: by_name(simple.headers),
            tags: by_name(self.email_tags),
        })
    }
}

fn by_name(named: Vec<Named>) -> BTreeMap<String, String> {
    named.into_iter().map(|it| (it.name, it.value)).collect()
}

fn bad_request(message: &str) -> Response {
    refuse(StatusCode::BAD_REQUEST, "BadRequestException", message)
}

fn refuse(status: StatusCode, kind: &str, message: &str) -> Response {
    let mut response = respond(status, &json!({"message": message}));
    // SES names the kind of error in a header; the body holds only a message.
    if let Ok(kind) = kind.parse() {
        response.headers_mut().insert("x-amzn-errortype", kind);
    }
    response
}

fn respond(status: StatusCode, body: &Value) -> Response {
    (status, axum::Json(body)).into_response()
}
