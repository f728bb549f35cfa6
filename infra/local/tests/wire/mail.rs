//! E-mails over the wire: what arrives in the mailbox, and what is refused.

use std::sync::Arc;

use aws_sdk_sesv2::types::{Body, Content, Destination, EmailContent, Message, MessageTag};
use purser_local::cloud::inside::Services;
use purser_local::cloud::ses::{self, Mailbox};

use crate::{now, reaching};

fn content(data: &str) -> Content {
    Content::builder().data(data).build().unwrap()
}

fn message(subject: &str, body: Option<Body>) -> EmailContent {
    let message = Message::builder().subject(content(subject)).set_body(body);
    EmailContent::builder().simple(message.build()).build()
}

#[tokio::test]
async fn a_mail_arrives_in_the_box() {
    let mailbox = Mailbox::open(None, now()).unwrap();
    let services = Arc::new(Services { post: ses::service(mailbox.clone(), Arc::new(|_| ())), ..Services::default() });
    let client = aws_sdk_sesv2::Client::new(&reaching(&services).await);
    let body = Body::builder().text(content("Hello")).html(content("<p>Hello</p>")).build();
    let to = Destination::builder().to_addresses("ann@example.com").cc_addresses("bob@example.com").build();
    let tag = MessageTag::builder().name("kind").value("welcome").build();
    let sent = client
        .send_email()
        .from_email_address("Purser <noreply@example.com>")
        .destination(to)
        .content(message("Welcome ✉", Some(body)))
        .email_tags(tag.unwrap())
        .send()
        .await
        .unwrap();
    let [mail] = mailbox.newest_first().try_into().unwrap();
    assert_eq!(sent.message_id(), Some(mail.id.as_str()));
    assert_eq!(mail.from, "Purser <noreply@example.com>");
    assert_eq!(mail.to, ["ann@example.com", "bob@example.com"]);
    assert_eq!(mail.subject, "Welcome ✉");
    assert_eq!(mail.text.as_deref(), Some("Hello"));
    assert_eq!(mail.html.as_deref(), Some("<p>Hello</p>"));
    assert_eq!(mail.tags["kind"], "welcome");
    assert_eq!(mail.sent_at, now()());
}

#[tokio::test]
async fn a_mail_that_lacks_a_part_is_refused() {
    let mailbox = Mailbox::open(None, now()).unwrap();
    let services = Arc::new(Services { post: ses::service(mailbox.clone(), Arc::new(|_| ())), ..Services::default() });
    let client = aws_sdk_sesv2::Client::new(&reaching(&services).await);
    let text = || Some(Body::builder().text(content("x")).build());
    let table = [
        ("", "ann@example.com", message("Hi", text()), "FromEmailAddress"),
        ("a@example.com", "", message("Hi", text()), "ToAddresses"),
        ("a@example.com", "ann@example.com", message("", text()), "Subject"),
        ("a@example.com", "ann@example.com", message("Hi", None), "Body"),
        ("a@example.com", "ann@example.com", EmailContent::builder().build(), "Simple"),
    ];
    for (from, to, content, part) in table {
        let to = Some(to.to_owned()).filter(|it| !it.is_empty());
        let to = Destination::builder().set_to_addresses(to.map(|it| vec![it]));
        let answer = client.send_email().from_email_address(from).destination(to.build()).content(content).send().await;
        let error = answer.unwrap_err().into_service_error();
        assert!(error.is_bad_request_exception(), "{part}: {error:?}");
        assert!(error.meta().message().unwrap().contains(part), "{error:?}");
    }
    assert!(mailbox.newest_first().is_empty());
}
