//! Finds numbers in JSON that would not come back as they were sent.
//!
//! JSON numbers are kept as integers or as floats of 64 bits. Invariant: a number that is accepted is shown as the same
//! decimal later, and is not larger than the integers that every reader of JSON holds exactly (±2⁵³).

use serde_json::Number;

/// The largest integer up to which every integer is a float of 64 bits.
const MOST: u64 = 1 << 53;

/// The path to the first number in `json` that can't be kept as it is: names of members and places in lists. `json`
/// must be valid JSON.
pub fn first_inexact(json: &[u8]) -> Option<Vec<String>> {
    let mut scanner = Scanner { json, at: 0 };
    scanner.value(&mut Vec::new())
}

struct Scanner<'a> {
    json: &'a [u8],
    at: usize,
}

impl Scanner<'_> {
    fn peek(&mut self) -> Option<u8> {
        while self.json.get(self.at).is_some_and(u8::is_ascii_whitespace) {
            self.at += 1;
        }
        self.json.get(self.at).copied()
    }

    /// The text of a string, or of a number or another word, which begins here; moves behind it.
    fn token(&mut self) -> &str {
        let rest = self.json.get(self.at..).unwrap_or_default();
        let length = if rest.first() == Some(&b'"') {
            let mut escaped = false;
            let end = rest.iter().skip(1).position(|byte| {
                let ends = *byte == b'"' && !escaped;
                escaped = *byte == b'\\' && !escaped;
                ends
            });
            end.map_or(rest.len(), |end| end + 2)
        } else {
            let ends = |byte: &u8| b",]}:".contains(byte) || byte.is_ascii_whitespace();
            rest.iter().position(ends).unwrap_or(rest.len())
        };
        self.at += length;
        rest.get(..length).and_then(|token| std::str::from_utf8(token).ok()).unwrap_or_default()
    }

    /// Scans a value at this path; returns the path of a number in it that is not exact.
    fn value(&mut self, path: &mut Vec<String>) -> Option<Vec<String>> {
        match self.peek()? {
            opening @ (b'{' | b'[') => self.members(opening == b'{', path),
            b'"' => {
                self.token();
                None
            }
            _ => {
                let token = self.token();
                let number = token.starts_with(|c: char| c == '-' || c.is_ascii_digit());
                (number && !is_exact(token)).then(|| path.clone())
            }
        }
    }

    fn members(&mut self, named: bool, path: &mut Vec<String>) -> Option<Vec<String>> {
        self.at += 1;
        for place in 0.. {
            match self.peek()? {
                b'}' | b']' => {
                    self.at += 1;
                    return None;
                }
                b',' => self.at += 1,
                _ => {}
            }
            self.peek()?;
            let part = if named {
                let name: String = serde_json::from_str(self.token()).unwrap_or_default();
                self.peek()?;
                self.at += 1;
                name
            } else {
                place.to_string()
            };
            path.push(part);
            let found = self.value(path);
            path.pop();
            if found.is_some() {
                return found;
            }
        }
        None
    }
}

fn is_exact(token: &str) -> bool {
    let Ok(number) = token.parse::<f64>() else {
        return false;
    };
    let small = number.abs() <= 9_007_199_254_740_992.0
        && plain(token).is_none_or(|(digits, exponent)| {
            // 2⁵³ + 1 becomes 2⁵³ as a float.
            exponent < 0 || digits.is_empty() || digits.parse::<u64>().is_ok_and(|digits| digits <= MOST)
        });
    let Some(kept) = Number::from_f64(number).filter(|_| small) else {
        return false;
    };
    plain(token) == plain(&kept.to_string())
}

/// The digits of a decimal without zeros at either end, and the power of ten to multiply them with; `None` if that
/// power is beyond any number. The sign is left out: only zero can lose it.
fn plain(number: &str) -> Option<(String, i64)> {
    let number = number.trim_start_matches('-');
    let (mantissa, exponent) = number.split_once(['e', 'E']).unwrap_or((number, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let exponent: i64 = exponent.trim_start_matches('+').parse().ok()?;
    let digits = format!("{whole}{fraction}");
    let digits = digits.trim_start_matches('0');
    let short = digits.trim_end_matches('0');
    let zeros = i64::try_from(digits.len() - short.len()).ok()?;
    let places = i64::try_from(fraction.len()).ok()?;
    match short {
        "" => Some((String::new(), 0)),
        _ => Some((short.to_owned(), exponent.checked_sub(places)?.checked_add(zeros)?)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_not_come_back_is_found_where_it_stands() {
        for (json, found) in [
            (r#"{"a": 98765432109876543210}"#, Some("/a")),
            (r#"{"a": 9007199254740993}"#, Some("/a")),
            (r#"{"a": -9007199254740993.0}"#, Some("/a")),
            (r#"{"a": [1, {"b/c~": 0.12345678901234567890}]}"#, Some("/a/1/b/c~")),
            (r#"{"a": 1e300, "b": 2}"#, Some("/a")),
            (r#"{"a": 1e-400}"#, Some("/a")),
            (r#"{"a": 1.5e-9223372036854775808}"#, Some("/a")),
            (r#"{"a": 10e-99999999999999999999}"#, Some("/a")),
            (r#"{"a": 3.14159265358979323846}"#, Some("/a")),
            (r#"{"\u0061\"": {"x": "98765432109876543210"}, "b": [[], {}, 1e20]}"#, Some("/b/2")),
            (r#"{"a": 9007199254740992, "b": -9007199254740992, "c": 0.1, "d": 1.50, "e": 1e3, "f": -0.0}"#, None),
            (r#"{"a": 4111111111111111, "b": 0.30000000000000004, "c": 1E-7, "d": 123456.789e3, "e": 0e5}"#, None),
            (r#"{"a": "1e400", "b\\": "\\", "c": [true, false, null, "]"], "d": {}}"#, None),
            (" { } ", None),
        ] {
            let path = first_inexact(json.as_bytes()).map(|path| format!("/{}", path.join("/")));
            assert_eq!(path.as_deref(), found, "{json}");
        }
    }

    proptest::proptest! {
        #[test]
        fn every_float_comes_back_as_it_is_written(number in -9e15_f64..9e15) {
            let json = serde_json::json!({"a": number}).to_string();
            proptest::prop_assert_eq!(first_inexact(json.as_bytes()), None, "{}", json);
        }

        #[test]
        fn any_json_is_scanned_to_its_end(text in r#"([\[\{",:\]\}0-9eE.\\ -]|true|null){0,40}"#) {
            let whole = format!("[{text}, 98765432109876543210]");
            if serde_json::from_str::<serde_json::Value>(&whole).is_ok() {
                proptest::prop_assert!(first_inexact(whole.as_bytes()).is_some(), "{}", whole);
            }
        }
    }
}
