//! A strict reader for JSON bodies.
//!
//! Invariant: an accepted body is unambiguous. It is an object; duplicate members, unknown members and invalid UTF-8
//! are refused. An error about a value names it by its JSON pointer. Only programs with a licence key may send members
//! that Purser does not know ([`read_known`]).

use std::fmt;
use std::marker::PhantomData;

use purser_domain::basic::as_stored;
use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{DeserializeOwned, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

pub use purser_store::engine::command::answer::write;

pub use crate::http::faults::MemberError;
use crate::http::faults::{all_faults, escaped, fault};
use crate::http::numbers::first_inexact;
use crate::http::problem::{FieldError, Problem};

/// Any JSON value in which no object has the same member twice.
struct Strict(Value);

impl<'de> Deserialize<'de> for Strict {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(StrictVisitor).map(Self)
    }
}

struct StrictVisitor;

impl<'de> Visitor<'de> for StrictVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        let number = whole(value).map_or_else(|| Number::from_f64(value), |whole| Some(whole.into()));
        number.map(Value::Number).ok_or_else(|| E::custom("a number is out of range"))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut array = Vec::new();
        while let Some(Strict(item)) = items.next_element()? {
            array.push(item);
        }
        Ok(Value::Array(array))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let mut object = Map::new();
        while let Some(name) = members.next_key::<String>()? {
            let Strict(value) = members.next_value()?;
            if object.insert(name, value).is_some() {
                return Err(A::Error::custom("an object has the same member twice"));
            }
        }
        Ok(Value::Object(object))
    }
}

/// The integer that a JSON number is equal to, if any: JSON has only one type of number, so `1.0` and `1e0` mean 1.
/// Beyond 2⁵³ there is none, because a float is no longer exact.
fn whole(value: f64) -> Option<i64> {
    let fits = value.fract() == 0.0 && value.abs() <= 9_007_199_254_740_992.0;
    #[expect(clippy::cast_possible_truncation, reason = "it is whole, and fits")]
    fits.then_some(value as i64)
}

/// Reads a body. If it has faults, all of them are told, up to [`MOST_FAULTS`]; `example` is a body without any.
pub fn read<T: DeserializeOwned>(bytes: &[u8], example: impl FnOnce() -> Value) -> Result<T, Problem> {
    let Strict(value) = serde_json::from_slice(bytes).map_err(|error| unread(bytes, &error))?;
    let (read, mut faults) = typed(value, example)?;
    if let Some(inexact) = inexact(bytes).filter(|it| faults.iter().all(|known| known.pointer != it.pointer)) {
        faults.push(inexact);
    }
    read.filter(|_| faults.is_empty()).ok_or_else(|| Problem::with_faults(faults))
}

/// Reads a JSON value as a body: the body, or its faults.
fn typed<T: DeserializeOwned>(
    value: Value,
    example: impl FnOnce() -> Value,
) -> Result<(Option<T>, Vec<FieldError>), Problem> {
    // Derived types would also accept an array, with the fields in the order in which they are declared.
    if !value.is_object() {
        return Err(Problem::invalid("", "must be an object"));
    }
    Ok(match serde_path_to_error::deserialize(&value) {
        Ok(read) => (Some(read), Vec::new()),
        Err(error) => (None, all_faults::<T>(value, fault(&error), &example())),
    })
}

/// Reads the members of a body that `T` knows. Others are skipped, whatever they hold, because the program that sent
/// them may be newer than Purser.
pub fn read_known<T: DeserializeOwned>(bytes: &[u8], example: impl FnOnce() -> Value) -> Result<T, Problem> {
    if bytes.trim_ascii_start().starts_with(b"{")
        && let Ok(typed) = serde_json::from_slice(bytes)
    {
        return Ok(typed);
    }
    // Numbers that nobody keeps need not be exact, but one that is out of range stops the search for faults after the
    // first.
    match serde_json::from_slice(bytes) {
        Ok(Strict(value)) => {
            let (read, faults) = typed(value, example)?;
            read.ok_or_else(|| Problem::with_faults(faults))
        }
        Err(error) if error.to_string().starts_with(OUT_OF_RANGE) => {
            let mut text = serde_json::Deserializer::from_slice(bytes);
            serde_path_to_error::deserialize(&mut text).map_err(|error| Problem::with_faults(vec![fault(&error)]))
        }
        Err(error) => Err(unread(bytes, &error)),
    }
}

/// How the message of a number that JSON can hold and no type can begins.
const OUT_OF_RANGE: &str = "number out of range";

/// The first number of the body that would not be kept as it is.
fn inexact(bytes: &[u8]) -> Option<FieldError> {
    let path = first_inexact(bytes)?;
    let pointer: String = path.iter().fold(String::new(), |pointer, part| format!("{pointer}/{}", escaped(part)));
    Some(FieldError { pointer, detail: "can't be kept exactly as a number; send it as text".to_owned() })
}

/// Why a body is not even JSON that can be read.
fn unread(bytes: &[u8], error: &serde_json::Error) -> Problem {
    let message = error.to_string();
    if message.starts_with(OUT_OF_RANGE)
        && let Some(inexact) = inexact(bytes)
    {
        return Problem::with_faults(vec![inexact]);
    }
    let reason = if message.starts_with("recursion limit exceeded") {
        "it is nested too deep".to_owned()
    } else if error.is_data() {
        message
    } else {
        format!("see line {}, column {}", error.line(), error.column())
    };
    Problem::malformed(format!("The body is not valid JSON: {reason}."))
}

/// Reads a value that only looks something up, by the rules for what is stored: what older rules let in must be found.
pub fn looked_up<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    as_stored(|| T::deserialize(deserializer))
}

/// Reads a member that may be left out (`None`), null (`Some(None)`) or a value (`Some(Some(value))`).
pub fn present<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    T::deserialize(deserializer).map(Some)
}

/// Reads a member that may be left out, null, or an object. Derived types would also accept an array, with the fields
/// in the order in which they are declared.
pub fn object<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    deserializer.deserialize_option(ObjectVisitor(PhantomData))
}

struct ObjectVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for ObjectVisitor<T> {
    type Value = Option<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_unit<E>(self) -> Result<Option<T>, E> {
        Ok(None)
    }

    fn visit_none<E>(self) -> Result<Option<T>, E> {
        Ok(None)
    }

    fn visit_some<D: Deserializer<'de>>(self, some: D) -> Result<Option<T>, D::Error> {
        some.deserialize_map(self)
    }

    fn visit_map<A: MapAccess<'de>>(self, members: A) -> Result<Option<T>, A::Error> {
        T::deserialize(MapAccessDeserializer::new(members)).map(Some)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::http::problem::MOST_FAULTS;
    use purser_domain::basic::Name;
    use purser_domain::money::Amount;
    use serde_json::json;

    #[test]
    fn an_integer_is_one_however_it_is_written() {
        for (written, read_as) in [
            ("100", Some(100)),
            ("100.0", Some(100)),
            ("1e2", Some(100)),
            ("1000e-1", Some(100)),
            ("100.5", None),
            ("-100.0", None),
            ("1e13", None),
            ("1e300", None),
        ] {
            let body = format!("{{\"name\":\"a\",\"amounts\":[{written}]}}");
            let amounts = read::<Order>(body.as_bytes(), || json!({"name": "a"})).ok().map(|order| order.amounts);
            let amount = amounts.map(|amounts| amounts[0].credits().get());
            assert_eq!(amount, read_as, "{written}");
        }
        let read = read::<Value>(br#"{"a":[1.0,0.5,-0.0,1e15]}"#, || Value::Null).unwrap();
        assert_eq!(read.to_string(), r#"{"a":[1,0.5,0,1000000000000000]}"#);
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only whether it can be read matters")]
    struct Order {
        name: Name,
        #[serde(default)]
        amounts: Vec<Amount>,
        inner: Option<Box<Order>>,
    }

    fn refused(body: &str) -> (String, String) {
        let problem = read::<Order>(body.as_bytes(), || json!({"name": "a", "amounts": [1]})).unwrap_err();
        let text = format!("{problem:?}");
        let pointer = text.split("pointer: \"").nth(1).and_then(|rest| rest.split('"').next());
        (problem.code().to_owned(), pointer.unwrap_or("none").to_owned())
    }

    #[test]
    fn all_faults_are_told_each_once() {
        let example = || json!({"name": "a", "amounts": [1]});
        for (body, pointers) in [
            (r#"{"name":"","colour":1,"amounts":[0,1,-1]}"#, vec!["/name", "/colour", "/amounts/0", "/amounts/2"]),
            (r#"{"colour":1,"taste":2}"#, vec!["/colour", "/taste", "/name"]),
            (r#"{"name":"a","inner":{"name":7,"colour":1},"amounts":["x"]}"#, vec!["/inner/name", "/inner/colour"]),
            (r#"{"name":7,"amounts":98765432109876543210}"#, vec!["/name", "/amounts"]),
            // What the example lacks, or has otherwise.
            (
                r#"{"name":"a","inner":{"amounts":[0,1,0]}}"#,
                vec!["/inner/name", "/inner/amounts/0", "/inner/amounts/2"],
            ),
            (r#"{"name":"a","inner":{"inner":{}}}"#, vec!["/inner/name", "/inner/inner/name"]),
        ] {
            let problem = read::<Order>(body.as_bytes(), example).unwrap_err();
            let told: BTreeSet<&str> = problem.faults().iter().map(|it| it.pointer.as_str()).collect();
            let all: BTreeSet<&str> = pointers.into_iter().collect();
            assert!(told.is_superset(&all), "{body}: {told:?}");
            assert_eq!(told.len(), problem.faults().len());
        }
        let many = (0..100).fold(String::new(), |many, n| many + &format!(",\"x{n}\":1"));
        let problem = read::<Order>(format!("{{\"name\":\"a\"{many}}}").as_bytes(), example).unwrap_err();
        assert_eq!(problem.faults().len(), MOST_FAULTS);
    }

    #[test]
    fn each_fault_has_its_code_and_pointer() {
        for (body, code, pointer) in [
            ("", "malformed_request", "none"),
            ("{", "malformed_request", "none"),
            (r#"{"name":"a","name":"b"}"#, "malformed_request", "none"),
            (r#"{"name":"a","inner":{"name":"a","x":{"y":1,"y":2}}}"#, "malformed_request", "none"),
            ("[]", "invalid_fields", ""),
            (r#"["a",[1]]"#, "invalid_fields", ""),
            ("null", "invalid_fields", ""),
            ("1", "invalid_fields", ""),
            (r#"["a",[1],null]"#, "invalid_fields", ""),
            ("{}", "invalid_fields", "/name"),
            (r#"{"name":7}"#, "invalid_fields", "/name"),
            (r#"{"name":" "}"#, "invalid_fields", "/name"),
            (r#"{"name":"a","x/y":1}"#, "invalid_fields", "/x~1y"),
            (r#"{"name":"a","x`y":1}"#, "invalid_fields", "/x`y"),
            (r#"{"name":"a","amounts":[1,0]}"#, "invalid_fields", "/amounts/1"),
            (r#"{"name":"a","amounts":[1.5]}"#, "invalid_fields", "/amounts/0"),
            (r#"{"name":"a","amounts":[-1]}"#, "invalid_fields", "/amounts/0"),
            (r#"{"name":"a","amounts":[18446744073709551616]}"#, "invalid_fields", "/amounts/0"),
            (r#"{"name":"a","amounts":[1e400]}"#, "invalid_fields", "/amounts/0"),
            (r#"{"name":"a","inner":{}}"#, "invalid_fields", "/inner/name"),
            (r#"{"name":"a","inner":{"name":"a","z":1}}"#, "invalid_fields", "/inner/z"),
        ] {
            assert_eq!(refused(body), (code.to_owned(), pointer.to_owned()), "{body}");
        }
        assert_eq!(refused(&"[".repeat(1_000)).0, "malformed_request");
        assert_eq!(read::<Order>(b"{\"name\":\"\xff\"}", || Value::Null).unwrap_err().code(), "malformed_request");
    }
}
