//! What parsers say, in words that say what is expected.
//!
//! Invariant: a message names no type of Rust and repeats nothing that the caller sent, except the names of parameters.

/// What serde says of a value in a body. The text continues a sentence that begins with the value's place.
pub(crate) fn in_words(message: &str) -> String {
    if let Some(rest) = message.strip_prefix("unknown variant ") {
        return expected(rest).map_or_else(|| message.to_owned(), one_of);
    }
    if ["invalid type: ", "invalid value: ", "invalid length "].iter().any(|it| message.starts_with(it)) {
        return expected(message).map_or_else(|| message.to_owned(), |kind| format!("must be {}", kind_of(kind)));
    }
    message.to_owned()
}

/// What serde says of a query. The text continues a sentence.
pub(crate) fn query_in_words(message: &str) -> String {
    let quoted = |prefix: &str| message.split_once(prefix)?.1.split('`').next();
    match quoted("unknown field `") {
        Some("") => return "a parameter has no name".to_owned(),
        Some(name) => return format!("{name} is not a known parameter"),
        None => {}
    }
    if let Some(name) = quoted("missing field `") {
        return format!("{name} is required");
    }
    if let Some(name) = quoted("duplicate field `") {
        return format!("{name} is given twice");
    }
    let Some((name, reason)) = message.split_once(": ") else { return in_words(message) };
    let reason = match reason {
        "invalid digit found in string"
        | "cannot parse integer from empty string"
        | "number too large to fit in target type"
        | "number too small to fit in target type" => "must be a whole number in range".to_owned(),
        "provided string was not `true` or `false`" => "must be true or false".to_owned(),
        other => in_words(other),
    };
    format!("{name} {reason}")
}

fn expected(message: &str) -> Option<&str> {
    message.rsplit_once("expected ").map(|(_, kind)| kind)
}

/// The choices in a list such as "one of `a`, `b`", "`a` or `b`" or "`a`".
fn one_of(choices: &str) -> String {
    let choices: Vec<&str> = choices.split('`').skip(1).step_by(2).collect();
    match choices.split_last() {
        Some((last, [])) => format!("must be {last}"),
        Some((last, others)) => format!("must be {} or {last}", others.join(", ")),
        None => "is not a known value".to_owned(),
    }
}

fn kind_of(kind: &str) -> &str {
    match kind {
        "u8" | "u16" | "u32" | "u64" | "usize" => "a whole number that is not negative",
        "i8" | "i16" | "i32" | "i64" | "isize" => "a whole number",
        "f32" | "f64" => "a number",
        "a string" => "text",
        "a boolean" => "true or false",
        "a sequence" => "a list",
        "a map" => "an object",
        "unit" => "null",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;

    #[derive(Debug, Deserialize)]
    #[serde(rename_all = "lowercase")]
    enum Choice {
        One,
        Two,
        Three,
    }

    #[derive(Debug, Deserialize)]
    #[serde(rename_all = "lowercase")]
    enum Pair {
        One,
        Two,
    }

    fn said<'de, T: Deserialize<'de> + std::fmt::Debug>(json: &'de str) -> String {
        in_words(serde_json::from_str::<T>(json).unwrap_err().to_string().split(" at line").next().unwrap())
    }

    #[test]
    fn what_is_expected_is_said_in_words() {
        assert_eq!(said::<u64>("\"x\""), "must be a whole number that is not negative");
        assert_eq!(said::<u64>("1.5"), "must be a whole number that is not negative");
        assert_eq!(said::<u64>("-1"), "must be a whole number that is not negative");
        assert_eq!(said::<i32>("null"), "must be a whole number");
        assert_eq!(said::<String>("[]"), "must be text");
        assert_eq!(said::<bool>("\"secret\""), "must be true or false");
        assert_eq!(said::<Vec<u8>>("{}"), "must be a list");
        assert_eq!(said::<serde_json::Map<String, serde_json::Value>>("7"), "must be an object");
        assert_eq!(said::<Choice>("\"four\""), "must be one, two or three");
        assert_eq!(said::<Pair>("\"four\""), "must be one or two");
        assert_eq!(in_words("must be from 1 to 100"), "must be from 1 to 100");
    }

    #[test]
    fn a_query_names_its_parameter() {
        for (message, words) in [
            ("unknown field `colour`, expected one of `cursor`, `limit`", "colour is not a known parameter"),
            ("colour: unknown field `colour`, expected `limit`", "colour is not a known parameter"),
            (": unknown field ``, expected `limit`", "a parameter has no name"),
            ("missing field `product`", "product is required"),
            ("duplicate field `limit`", "limit is given twice"),
            ("limit: invalid digit found in string", "limit must be a whole number in range"),
            ("limit: must be from 1 to 100", "limit must be from 1 to 100"),
            ("operators: provided string was not `true` or `false`", "operators must be true or false"),
            ("tier: unknown variant `tin`, expected one of `gold`, `platinum`", "tier must be gold or platinum"),
        ] {
            assert_eq!(query_in_words(message), words);
        }
    }
}
