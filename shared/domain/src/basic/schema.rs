//! The JSON schemas of values. Each schema is declared next to the check of its type, with the same bounds.
//!
//! Invariant: a schema admits exactly what its type admits, as far as JSON Schema can express it. `make fuzz` tries
//! accepted and refused values of each schema.

pub use utoipa::openapi::KnownFormat;
use utoipa::openapi::schema::{AdditionalProperties, SchemaFormat, Type};
use utoipa::openapi::{ArrayBuilder, ObjectBuilder};

/// Any script, but not blank, and without control characters, separators and bidirectional overrides. One character
/// must show something; those above U+FFFF stand for themselves here, because patterns have no common escape for them.
const TEXT: &str = concat!(
    r"^[^\u0000-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069]*",
    r"[^\s\u0000-\u001f\u007f-\u009f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e",
    r"\u2060-\u206f\u2800\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb",
    "\u{1BCA0}-\u{1BCA3}\u{1D173}-\u{1D17A}\u{E0000}-\u{E0FFF}]",
    r"[^\u0000-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069]*$",
);

/// Declares the schema of a type, under the type's own name in the API document or under another one. The functions
/// of this module build the schema.
#[macro_export]
macro_rules! value_schema {
    ($type:ident, $says:expr, $form:expr, $example:expr) => {
        $crate::value_schema!($type as stringify!($type), $says, $form, $example);
    };
    ($type:ident as $name:expr, $says:expr, $form:expr, $example:expr) => {
        impl utoipa::PartialSchema for $type {
            fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
                use $crate::basic::schema::*;
                // A doc comment begins with a space.
                $form.description(Some($says.trim())).examples([serde_json::json!($example)]).build().into()
            }
        }

        impl utoipa::ToSchema for $type {
            fn name() -> std::borrow::Cow<'static, str> {
                $name.into()
            }
        }
    };
}

fn string() -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::String)
}

/// Text of `least` to `most` characters that matches `pattern`.
pub fn pattern(least: usize, most: usize, pattern: &str) -> ObjectBuilder {
    string().min_length(Some(least)).max_length(Some(most)).pattern(Some(pattern))
}

/// Text that people type, of at most `most` characters.
pub fn text(most: usize) -> ObjectBuilder {
    pattern(1, most, TEXT)
}

/// Visible ASCII, at most `most` characters.
pub fn visible(most: usize) -> ObjectBuilder {
    pattern(1, most, "^[!-~]+$")
}

/// Letters, digits, spaces and dashes, at most `most` characters, and not only spaces.
pub fn code(most: usize) -> ObjectBuilder {
    pattern(1, most, "^[0-9A-Za-z -]*[0-9A-Za-z-][0-9A-Za-z -]*$")
}

/// Exactly `digits` hexadecimal digits in lower case.
pub fn hex(digits: usize) -> ObjectBuilder {
    pattern(digits, digits, &format!("^[0-9a-f]{{{digits}}}$"))
}

/// Text in a format that JSON Schema defines.
pub fn formatted(format: KnownFormat) -> ObjectBuilder {
    string().format(Some(SchemaFormat::KnownFormat(format)))
}

/// An id. Purser's own `format` marks it as one: text of another form is treated like an id that does not exist.
pub fn id(form: ObjectBuilder, format: &str) -> ObjectBuilder {
    form.format(Some(SchemaFormat::Custom(format.to_owned())))
}

/// Text of a form that its pattern describes only roughly; Purser's own `format` names it.
pub fn formal(form: ObjectBuilder, format: &str) -> ObjectBuilder {
    form.format(Some(SchemaFormat::Custom(format.to_owned())))
}

/// A prefix of capital letters, a dash, and `symbols` symbols without look-alikes.
pub fn refid(symbols: usize) -> ObjectBuilder {
    let pattern = format!("^[A-Z]{{1,8}}-[0-9A-HJKMNP-TV-Z]{{{symbols}}}$");
    id(string().pattern(Some(pattern)), "refid")
}

/// A password of `least` to `most` characters.
pub fn secret(least: usize, most: usize) -> ObjectBuilder {
    formatted(KnownFormat::Password).min_length(Some(least)).max_length(Some(most))
}

/// A whole number from `least` to `most`.
pub fn integer(least: u64, most: u64) -> ObjectBuilder {
    let format = if i32::try_from(most).is_ok() { KnownFormat::Int32 } else { KnownFormat::Int64 };
    ObjectBuilder::new()
        .schema_type(Type::Integer)
        .format(Some(SchemaFormat::KnownFormat(format)))
        .minimum(Some(least))
        .maximum(Some(most))
}

/// A list of values of `T`, at least one.
pub fn some_of<T: utoipa::PartialSchema>() -> ArrayBuilder {
    ArrayBuilder::new().items(T::schema()).min_items(Some(1))
}

pub fn object() -> ObjectBuilder {
    ObjectBuilder::new().additional_properties(Some(AdditionalProperties::FreeForm(true)))
}
