//! Mail through SES.
//!
//! Invariant: text from outside reaches a header only encoded, so a name can't add a header or an address; an address
//! that bounced or complained gets no mail.

use std::sync::{Arc, LazyLock};

use aws_config::SdkConfig;
use aws_sdk_sesv2::Client;
use aws_sdk_sesv2::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_sesv2::types::{Body, Content, Destination, EmailContent, Message};
use purser_domain::basic::email::EmailAddress;

/// SES, and the address mails come from. Cheap to clone, and made by its first use, as most functions send nothing.
#[derive(Debug, Clone)]
pub struct Mailer {
    client: Arc<LazyLock<Client, Box<dyn FnOnce() -> Client + Send>>>,
    from: EmailAddress,
    configuration_set: Option<String>,
}

/// A mail to one address, as text and as HTML.
#[derive(Debug, Clone)]
pub struct Mail {
    /// The name it comes from.
    pub brand: String,
    /// Whom it goes to.
    pub to: EmailAddress,
    /// Its subject.
    pub subject: String,
    /// The text part.
    pub text: String,
    /// The HTML part.
    pub html: String,
}

impl Mailer {
    /// Mail from `from`, under a configuration set, by which SES knows whom to tell of bounces and complaints.
    pub fn new(sdk: &SdkConfig, from: EmailAddress, configuration_set: Option<String>) -> Self {
        let sdk = sdk.clone();
        Self { client: Arc::new(LazyLock::new(Box::new(move || Client::new(&sdk)))), from, configuration_set }
    }

    /// Hands a mail to SES.
    pub(super) async fn send(&self, mail: &Mail) -> Result<(), String> {
        let utf8 = |data: &str| Content::builder().data(data).charset("UTF-8").build();
        let invalid = |error: aws_sdk_sesv2::error::BuildError| format!("a mail: {error}");
        let body =
            Body::builder().text(utf8(&mail.text).map_err(invalid)?).html(utf8(&mail.html).map_err(invalid)?).build();
        let message = Message::builder().subject(utf8(&mail.subject).map_err(invalid)?).body(body).build();
        self.client
            .send_email()
            .from_email_address(format!("{} <{}>", phrase(&mail.brand), self.from))
            .destination(Destination::builder().to_addresses(mail.to.as_str()).build())
            .content(EmailContent::builder().simple(message).build())
            .set_configuration_set_name(self.configuration_set.clone())
            .send()
            .await
            .map_err(|error| refused(&error))?;
        Ok(())
    }
}

/// Why SES refused, without its message, which can name addresses.
fn refused<E: ProvideErrorMetadata>(error: &SdkError<E>) -> String {
    let code = error.as_service_error().and_then(ProvideErrorMetadata::code);
    format!("SendEmail: {}", code.unwrap_or("no answer"))
}

/// `text` as a display name: quoted when it is plain ASCII, else encoded.
fn phrase(text: &str) -> String {
    if text.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' ') {
        format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
    } else {
        encoded_words(text)
    }
}

/// `text` as encoded words of RFC 2047, each at most 75 characters: safe in any header, whatever it holds.
fn encoded_words(text: &str) -> String {
    let mut words = vec![String::new()];
    for character in text.chars() {
        // 45 bytes are 60 characters of base 64, which with the frame stay below 75.
        if words.last().is_none_or(|word| word.len() + character.len_utf8() > 45) {
            words.push(String::new());
        }
        if let Some(word) = words.last_mut() {
            word.push(character);
        }
    }
    let encode = |word: &String| format!("=?UTF-8?B?{}?=", data_encoding::BASE64.encode(word.as_bytes()));
    words.iter().map(encode).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_can_not_leave_its_place_in_the_header() {
        assert_eq!(phrase("Elite & Co."), r#""Elite & Co.""#);
        assert_eq!(phrase(r#"a" <x@y.zz>, \"#), r#""a\" <x@y.zz>, \\""#);
        assert_eq!(phrase("Größe"), "=?UTF-8?B?R3LDtsOfZQ==?=");
        for name in ["a <b@c.de>\r\nBcc: x@y.zz", "株式会社エリート・グローバル・パートナーズ・インターナショナル"]
        {
            let encoded = phrase(name);
            assert!(encoded.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' '));
            assert!(!encoded.contains(['<', '@']));
            assert!(encoded.split(' ').all(|word| word.len() <= 75));
        }
    }
}
