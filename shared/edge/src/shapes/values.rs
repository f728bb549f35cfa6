//! The forms of single values in JSON: texts, ids and figures.
//!
//! Invariant: a form admits what the domain's type of that name admits, as far as JSON Schema can tell. These types
//! hold nothing; they lend the API's document their form. `make fuzz` tries both sides of each.

use std::borrow::Cow;

use purser_domain::money::credits::{Amount, Credits};
use serde_json::json;
use utoipa::openapi::schema::{AdditionalProperties, KnownFormat, SchemaFormat, Type};
use utoipa::openapi::{ObjectBuilder, RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

/// Not blank, and without control characters and bidirectional overrides; otherwise any script (docs/rules.md, "Text").
const TEXT: &str = concat!(
    r"^[^\u0000-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]*",
    r"[^\s\u0000-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]",
    r"[^\u0000-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]*$",
);
/// A prefix of capital letters, a dash, 80 bits without look-alikes.
const REFID: &str = "^[A-Z]{1,8}-[0-9A-HJKMNP-TV-Z]{16}$";
/// Unreserved in a URL, and no dot segment.
const REFERENCE: &str = r"^(\.{0,2}[A-Za-z0-9_~-][A-Za-z0-9._~-]*|\.{3,})$";
const HASH: &str = "^[0-9a-f]{64}$";
const SIGNATURE: &str = "^[0-9a-f]{128}$";
/// The most entries of a wallet that sort in their order.
const MOST_SEQUENCE: u64 = 999_999_999_999;
/// Visible and ASCII.
const VISIBLE: &str = "^[!-~]+$";
/// Symbols, in groups or not.
const CODE: &str = "^[0-9A-Za-z -]*[0-9A-Za-z-][0-9A-Za-z -]*$";

fn text(least: usize, most: usize, pattern: &str) -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::String).min_length(Some(least)).max_length(Some(most)).pattern(Some(pattern))
}

fn refid() -> ObjectBuilder {
    ObjectBuilder::new()
        .schema_type(Type::String)
        .format(Some(SchemaFormat::Custom("refid".to_owned())))
        .pattern(Some(REFID))
}

fn reference() -> ObjectBuilder {
    let format = SchemaFormat::Custom("product-reference".to_owned());
    text(1, 64, REFERENCE).format(Some(format))
}

fn credits(least: u64, most: u64) -> ObjectBuilder {
    ObjectBuilder::new()
        .schema_type(Type::Integer)
        .format(Some(SchemaFormat::KnownFormat(KnownFormat::Int64)))
        .minimum(Some(least))
        .maximum(Some(most))
}

fn secret(least: usize, most: usize) -> ObjectBuilder {
    ObjectBuilder::new()
        .schema_type(Type::String)
        .format(Some(SchemaFormat::KnownFormat(KnownFormat::Password)))
        .min_length(Some(least))
        .max_length(Some(most))
}

fn object() -> ObjectBuilder {
    ObjectBuilder::new().additional_properties(Some(AdditionalProperties::FreeForm(true)))
}

fn day() -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::String).format(Some(SchemaFormat::KnownFormat(KnownFormat::Date)))
}

fn binary() -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::String).format(Some(SchemaFormat::KnownFormat(KnownFormat::Binary)))
}

fn email() -> ObjectBuilder {
    ObjectBuilder::new()
        .schema_type(Type::String)
        .format(Some(SchemaFormat::KnownFormat(KnownFormat::Email)))
        .max_length(Some(254))
}

macro_rules! forms {
    ($($shape:ident $name:literal $form:expr, $example:tt, $says:literal;)*) => {$(
        #[doc = $says]
        #[derive(Debug)]
        pub struct $shape;

        impl PartialSchema for $shape {
            fn schema() -> RefOr<Schema> {
                let example = json!($example);
                $form.description(Some($says)).examples([example]).build().into()
            }
        }

        impl ToSchema for $shape {
            fn name() -> Cow<'static, str> {
                $name.into()
            }
        }
    )*};
}

forms! {
    NameShape "Name" text(1, 255, TEXT), "Acme Corporation",
        "A name, in any script.";
    PhoneShape "Phone" text(1, 64, TEXT), "+44 20 7946 0000",
        "A telephone number as people write it.";
    DescriptionShape "Description" text(1, 500, TEXT), "First top-up",
        "What something is for.";
    ReferenceShape "Reference" text(1, 255, TEXT), "INV-2026-001",
        "The caller's own name of a top-up or a transfer.";
    ClientIdShape "ClientId" text(1, 255, TEXT), "CUST-4711",
        "The id other systems know a client by.";
    EmailShape "Email" email(), "billing@acme.example",
        "An e-mail address in ASCII; the domain in its `xn--` form.";
    NewReferenceShape "NewProductReference" text(1, 64, REFERENCE), "PROD-001",
        "What orders will call a product, like `PROD-001`.";
    ProductReferenceShape "ProductReference" reference(), "PROD-001",
        "What orders call a product, like `PROD-001`.";
    ClientRefidShape "ClientRefid" refid(), "CL-7ZK3M9QWX2ABCDEF",
        "The id of a client, like `CL-7ZK3M9QWX2ABCDEF`.";
    ResellerRefidShape "ResellerRefid" refid(), "RS-7ZK3M9QWX2ABCDEF",
        "The id of a reseller, like `RS-7ZK3M9QWX2ABCDEF`.";
    UserRefidShape "UserRefid" refid(), "US-7ZK3M9QWX2ABCDEF",
        "The id of a login, like `US-7ZK3M9QWX2ABCDEF`.";
    LicenceRefidShape "LicenceRefid" refid(), "LI-7ZK3M9QWX2ABCDEF",
        "The id of a licence, like `LI-7ZK3M9QWX2ABCDEF`.";
    ProvisionRefidShape "ProvisionRefid" refid(), "PV-7ZK3M9QWX2ABCDEF",
        "The id of a provision, like `PV-7ZK3M9QWX2ABCDEF`.";
    EntryRefidShape "EntryRefid" refid(), "PV-7ZK3M9QWX2ABCDEF",
        "The id of a ledger entry; a purchase's is its provision's, too.";
    ApiKeyRefidShape "ApiKeyRefid" refid(), "AK-7ZK3M9QWX2ABCDEF",
        "The id of an API key, like `AK-7ZK3M9QWX2ABCDEF`.";
    MetadataShape "Metadata" object(), {"segment": "Enterprise"},
        "Whatever its owner keeps here, at most 16 KiB of JSON.";
    HashShape "Hash" text(64, 64, HASH), "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        "SHA-256, hexadecimal.";
    DayShape "Day" day(), "2026-01-31",
        "A day, in UTC.";
    PublicKeyShape "PublicKey" text(64, 64, HASH), "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "A public key of Ed25519, hexadecimal.";
    SignatureShape "Signature" text(128, 128, SIGNATURE), ("0".repeat(128)),
        "A signature of Ed25519, hexadecimal.";
    SequenceShape "Sequence" credits(0, MOST_SEQUENCE), 42,
        "The number of an entry in its wallet; 0 before the first.";
    IdempotencyKeyShape "IdempotencyKey" text(1, 255, VISIBLE), "order-2026-001",
        "The caller's own name of a command; a UUID, say.";
    AmountShape "Amount" credits(1, Amount::MAX), 1000,
        "Credits that move, or a price.";
    ThresholdShape "Threshold" credits(0, Amount::MAX), 500,
        "A balance to be warned below.";
    PasswordShape "Password" secret(0, 256), "correct horse battery staple",
        "A password, at most 256 characters in any script.";
    NewPasswordShape "NewPassword" secret(8, 256), "correct horse battery staple",
        "A password nobody guesses: 12 characters, or as many as the deployment asks for, and none of the common ones.";
    CodeShape "Code" text(1, 64, CODE), "123456",
        "Six digits of an app, or a code for recovery.";
    DeviceShape "Device" text(1, 128, VISIBLE), "US-7ZK3M9QWX2ABCDEF.7ZK3M9QWX2ABCDEF.kA3p7c0dS9yYq1mUe5oXbA",
        "What shows that somebody has signed in from a device before; opaque.";
    TokenShape "Token" text(1, 128, VISIBLE), "q0aVnAhvbOEdpGvmVCS1Ib1qD9rKc4oS3kWwqT2m1uY",
        "The token of a link in a mail; opaque.";
    ChallengeShape "Challenge" text(1, 8192, VISIBLE), "q0aVnAhvbOEdpGvmVCS1Ib1qD9rKc4oS3kWwqT2m1uY",
        "The token of a CAPTCHA's challenge, or what reCAPTCHA gave the page; opaque.";
    SumShape "Sum" credits(0, u32::MAX.into()), 12,
        "The answer to a question of arithmetic.";
    PictureShape "Picture" binary(), "(bytes)",
        "A picture, as it is.";
    CreditsShape "Credits" credits(0, Credits::MAX_BALANCE.get()), 490,
        "A number of credits.";
}
