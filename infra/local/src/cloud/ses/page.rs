//! Shows the mailbox: as JSON for programs and as a page for people.
//!
//! Invariant: no e-mail can run a script or load anything. Its HTML is escaped inside the attribute of a sandboxed
//! frame, and the page's content security policy, which the frame inherits, allows nothing from outside.

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use axum::routing::get;
use axum::{Json, Router};
use serde_json::{Value, json};

use super::{Mail, Mailbox};
use crate::page;

#[derive(Template)]
#[template(path = "mailbox.html")]
struct Page {
    mails: Vec<Mail>,
}

#[expect(
    clippy::disallowed_methods,
    reason = "these paths exist on a laptop only; they are not part of the API or its document"
)]
pub fn routes(mailbox: Mailbox) -> Router {
    Router::new().route("/_local/mails", get(mails)).route("/_local/mailbox", get(mailbox_page)).with_state(mailbox)
}

/// `GET /_local/mails`: all e-mails, newest first.
pub async fn mails(State(mailbox): State<Mailbox>) -> Json<Value> {
    Json(json!({"data": mailbox.newest_first()}))
}

/// `GET /_local/mailbox`: all e-mails as a page.
pub async fn mailbox_page(State(mailbox): State<Mailbox>) -> Response {
    let page = Page { mails: mailbox.newest_first() };
    page::answer(&page)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use std::sync::Arc;

    use axum::http::header;
    use jiff::Timestamp;

    use super::*;

    fn mail(subject: &str, html: Option<&str>) -> Mail {
        Mail {
            id: subject.to_owned(),
            from: "Purser <noreply@example.com>".to_owned(),
            to: vec!["a@example.com".to_owned()],
            subject: subject.to_owned(),
            text: Some("Hello & <b>goodbye</b>".to_owned()),
            html: html.map(str::to_owned),
            sent_at: Timestamp::UNIX_EPOCH,
            headers: [("X-Cause".to_owned(), "test".to_owned())].into(),
            tags: [("kind".to_owned(), "welcome".to_owned())].into(),
        }
    }

    fn page(mails: Vec<Mail>) -> String {
        Page { mails }.render().unwrap()
    }

    #[test]
    fn a_hostile_mail_stays_inside_its_frame() {
        let subject = "<script>alert(1)</script>";
        let html = page(vec![mail(subject, Some(r#""></iframe><script>alert(2)</script>"#))]);
        assert!(!html.contains("<script"), "{html}");
        assert!(!html.contains("</iframe><"), "{html}");
        let sandbox = html.split("sandbox=\"").nth(1).unwrap();
        let sandbox = sandbox.split('"').next().unwrap();
        assert!(!sandbox.contains("allow-scripts") && !sandbox.contains("same-origin"));
        assert!(html.contains("Hello &#38; &#60;b&#62;goodbye"), "{html}");
    }

    #[test]
    fn an_empty_box_says_what_to_do() {
        let html = page(Vec::new());
        assert!(html.contains("No e-mails yet"), "{html}");
        assert!(html.contains("/v1/clients"), "{html}");
        assert!(html.contains("<html lang=\"en\">") && html.contains("<h1"));
    }

    #[tokio::test]
    async fn the_newest_mail_is_first_and_outlives_the_process() {
        let folder = tempfile::tempdir().unwrap();
        let now: crate::Now = Arc::new(|| Timestamp::UNIX_EPOCH);
        let mailbox = Mailbox::open(Some(folder.path()), now.clone()).unwrap();
        for subject in ["first", "second"] {
            mailbox.keep(mail(subject, None)).unwrap();
        }
        drop(mailbox);
        let again = Mailbox::open(Some(folder.path()), now).unwrap();
        let Json(listed) = mails(State(again.clone())).await;
        assert_eq!(listed["data"][0]["subject"], "second");
        assert_eq!(listed["data"][1]["sent_at"], "1970-01-01T00:00:00Z");
        let response = mailbox_page(State(again)).await;
        let policy = &response.headers()[header::CONTENT_SECURITY_POLICY];
        assert!(policy.to_str().unwrap().starts_with("default-src 'none'"));
    }
}
