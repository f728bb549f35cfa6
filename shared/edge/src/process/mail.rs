//! Sends e-mail through SES.
//!
//! Invariant: text from outside is encoded in headers, so that a name can't add a header or an address. Only
//! `Delivery::mail` calls `Mailer::send`, and it sends nothing to an address that bounced or complained, or that has
//! received its day's e-mails.

use std::sync::{Arc, LazyLock};

use aws_config::SdkConfig;
use aws_sdk_sesv2::Client;
use aws_sdk_sesv2::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_sesv2::types::{Body, Content, Destination, EmailContent, Message};
use purser_domain::basic::{EmailAddress, ResellerRefid};
pub use purser_store::events::mail_budget::Share;

/// The client of SES, and the sender's address. Cheap to clone. The SDK's client is created on first use, because
/// most functions send no e-mail.
#[derive(Debug, Clone)]
pub struct Mailer {
    client: Arc<LazyLock<Client, Box<dyn FnOnce() -> Client + Send>>>,
    from: EmailAddress,
    configuration_set: Option<String>,
}

#[derive(Debug, Clone)]
pub struct Mail {
    /// The sender's name.
    pub brand: String,
    pub to: EmailAddress,
    pub subject: String,
    pub text: String,
    pub html: String,
    pub share: Share,
    /// The reseller that caused the e-mail, if there is one, and whose budget it uses.
    pub reseller: Option<ResellerRefid>,
}

impl Mailer {
    /// A mailer that sends from the address `from`. The SES configuration set decides where bounces and complaints
    /// are reported.
    pub fn new(sdk: &SdkConfig, from: EmailAddress, configuration_set: Option<String>) -> Self {
        let sdk = sdk.clone();
        Self { client: Arc::new(LazyLock::new(Box::new(move || Client::new(&sdk)))), from, configuration_set }
    }

    pub(crate) async fn send(&self, mail: &Mail) -> Result<(), String> {
        let utf8 = |data: &str| Content::builder().data(data).charset("UTF-8").build();
        let invalid = |error: aws_sdk_sesv2::error::BuildError| format!("can't build an e-mail: {error}");
        let body =
            Body::builder().text(utf8(&mail.text).map_err(invalid)?).html(utf8(&mail.html).map_err(invalid)?).build();
        let message = Message::builder().subject(utf8(&mail.subject).map_err(invalid)?).body(body).build();
        self.client
            .send_email()
            .from_email_address(sender(&mail.brand, self.from.as_str()))
            .destination(Destination::builder().to_addresses(mail.to.as_str()).build())
            .content(EmailContent::builder().simple(message).build())
            .set_configuration_set_name(self.configuration_set.clone())
            .send()
            .await
            .map_err(|error| refused(&error))?;
        Ok(())
    }
}

/// The code of SES's error, without its message, which can contain addresses.
fn refused<E: ProvideErrorMetadata>(error: &SdkError<E>) -> String {
    let code = error.as_service_error().and_then(ProvideErrorMetadata::code);
    format!("SendEmail: {}", code.unwrap_or("no answer"))
}

/// The longest sender that SES takes, in characters as they are encoded.
const LONGEST_SENDER: usize = 320;

/// The sender with its name, which is cut at a character where the whole would be too long.
fn sender(name: &str, address: &str) -> String {
    let ends = name.char_indices().map(|(at, _)| at).skip(1).chain([name.len()]);
    let written = |end: usize| format!("{} <{address}>", phrase(name.get(..end).unwrap_or(name).trim_end()));
    let fits = ends.map(written).take_while(|sender| sender.len() <= LONGEST_SENDER).last();
    fits.unwrap_or_else(|| address.to_owned())
}

/// `text` as a display name: quoted if it is printable ASCII, otherwise encoded.
fn phrase(text: &str) -> String {
    if text.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' ') {
        format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
    } else {
        encoded_words(text)
    }
}

/// `text` as encoded words of RFC 2047, each of at most 75 characters. The result is safe in any header, whatever
/// `text` contains.
fn encoded_words(text: &str) -> String {
    let mut words = vec![String::new()];
    for character in text.chars() {
        // 45 bytes are 60 characters of Base64, and fewer than 75 with the delimiters.
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
    fn a_long_name_is_cut_at_a_character() {
        assert_eq!(sender("Elite & Co.", "a@b.example"), r#""Elite & Co." <a@b.example>"#);
        let address = format!("{}@example.com", "a".repeat(64));
        for name in ["👩".repeat(255), "a".repeat(255), "\"".repeat(255), "é ".repeat(127)] {
            let sender = sender(&name, &address);
            assert!((250..=LONGEST_SENDER).contains(&sender.len()), "{sender}");
            assert!(sender.ends_with(&format!(" <{address}>")), "{sender}");
            let (phrase, _) = sender.rsplit_once(' ').unwrap();
            for word in phrase.split(' ').filter_map(|word| word.strip_prefix("=?UTF-8?B?")) {
                let bytes = data_encoding::BASE64.decode(word.strip_suffix("?=").unwrap().as_bytes()).unwrap();
                assert!(name.contains(&String::from_utf8(bytes).unwrap()));
            }
        }
    }

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
