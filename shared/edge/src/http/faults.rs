//! Finds all faults of a body, of which a reader tells the first only.
//!
//! Invariant: finding them takes a bounded number of readings, whatever the body.

use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use serde_path_to_error::{Path, Segment};

use crate::http::problem::{FieldError, MOST_FAULTS};
use crate::http::words::in_words;

/// All faults of a body, of which `first` is known. Each is mended as in `example`, or by some value that fits, so that
/// the next one shows. If that is not enough, what contains the fault is replaced.
pub(crate) fn all_faults<T: DeserializeOwned>(mut value: Value, first: FieldError, example: &Value) -> Vec<FieldError> {
    let mut bad = first.clone();
    let mut faults = vec![first];
    // Each trial reads the whole body again.
    let mut trials = MOST_TRIALS;
    'faults: while faults.len() < MOST_FAULTS {
        for good in good_values(&bad, example) {
            let Some(left) = trials.checked_sub(1) else { break 'faults };
            trials = left;
            if !mend(&mut value, &bad.pointer, good) {
                continue;
            }
            let Err(error) = serde_path_to_error::deserialize::<_, T>(&value) else { break 'faults };
            // What goes with what can't be judged once a member has been mended.
            if MemberError::read(&error.inner().to_string()).is_some() {
                break 'faults;
            }
            let next = fault(&error);
            if !faults.iter().any(|known| known.pointer.starts_with(&next.pointer)) {
                bad = next.clone();
                faults.push(next);
                continue 'faults;
            }
        }
        match bad.pointer.rsplit_once('/') {
            Some((within, _)) if !within.is_empty() => bad.pointer = within.to_owned(),
            _ => break,
        }
    }
    faults
}

/// How often a body is read to find all of its faults.
const MOST_TRIALS: usize = 3 * MOST_FAULTS;

/// What may be put in the place of a fault, the best first; `None` takes the member away.
fn good_values(bad: &FieldError, example: &Value) -> Vec<Option<Value>> {
    let parent = bad.pointer.rsplit_once('/').map_or("", |(parent, _)| parent);
    // All items of a list are of one kind.
    let item = example.pointer(parent).filter(|parent| parent.is_array()).and_then(|list| list.get(0));
    let own = example.pointer(&bad.pointer).or(item);
    let choice = bad.detail.strip_prefix("must be ").and_then(|choices| choices.split([',', ' ']).next());
    let choice = choice.map(Value::from);
    let some = [json!("x"), json!("x@example.com"), json!(1)];
    let taken_away = std::iter::once(None).filter(|_| own.is_none());
    own.cloned().map(Some).into_iter().chain(taken_away).chain(choice.into_iter().chain(some).map(Some)).collect()
}

/// Puts `good` in the place of the value at `pointer`, or takes it away. Whether it did.
fn mend(value: &mut Value, pointer: &str, good: Option<Value>) -> bool {
    let Some((parent, name)) = pointer.rsplit_once('/') else { return false };
    let name = name.replace("~1", "/").replace("~0", "~");
    match (value.pointer_mut(parent), good) {
        (Some(Value::Object(members)), Some(good)) => {
            members.insert(name, good);
            true
        }
        (Some(Value::Object(members)), None) => members.remove(&name).is_some(),
        (Some(Value::Array(items)), Some(good)) => {
            let bad = name.parse().ok().and_then(|place: usize| items.get_mut(place));
            bad.map(|bad| *bad = good).is_some()
        }
        _ => false,
    }
}

pub(crate) fn fault(error: &serde_path_to_error::Error<serde_json::Error>) -> FieldError {
    let at = pointer(error.path());
    let message = error.inner().to_string();
    let missing = message.strip_prefix("missing field `").and_then(|rest| rest.strip_suffix('`'));
    let (pointer, detail) = if let Some(name) = missing {
        (format!("{at}/{}", escaped(name)), "is required".to_owned())
    } else if let Some((name, detail)) = MemberError::read(&message) {
        (format!("{at}/{}", escaped(name)), detail.to_owned())
    } else if message.starts_with("unknown field `") {
        // Here the path already ends with the member's name, so it is not read from the message.
        (at, "is not a known field".to_owned())
    } else {
        (at, in_words(&message))
    };
    FieldError { pointer, detail }
}

/// An error that a member has only in combination with other members. For types that are read with `serde(try_from)`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("member `{member}` {detail}")]
pub struct MemberError {
    pub member: &'static str,
    /// What is wrong with the member, for people; it continues a sentence that begins with the member's name.
    pub detail: &'static str,
}

impl MemberError {
    /// The member and the detail in a message. serde passes on only the text of an error, so they are parsed from it.
    fn read(message: &str) -> Option<(&str, &str)> {
        message.strip_prefix("member `")?.split_once("` ")
    }
}

fn pointer(path: &Path) -> String {
    path.iter().fold(String::new(), |pointer, segment| match segment {
        Segment::Seq { index } => format!("{pointer}/{index}"),
        Segment::Map { key } => format!("{pointer}/{}", escaped(key)),
        Segment::Enum { .. } | Segment::Unknown => pointer,
    })
}

/// A member's name as a part of a JSON pointer.
pub(crate) fn escaped(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}
