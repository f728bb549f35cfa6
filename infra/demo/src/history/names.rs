//! Made-up names of companies and people, with their e-mail addresses. names.json lists the words in them.
//!
//! Invariant: no two clients share an address, and every address is in a domain reserved for examples (RFC 2606), so
//! no real person ever gets an e-mail.

use std::collections::{BTreeMap, HashSet};
use std::sync::LazyLock;

use fastrand::Rng;
use serde::Deserialize;
use serde_json::{Map, Value, json};

#[derive(Deserialize)]
#[serde(bound(deserialize = "'de: 'static"))]
struct Words {
    stems: Vec<&'static str>,
    trades: Vec<&'static str>,
    first_names: Vec<&'static str>,
    partners: Vec<&'static str>,
    /// Country, city, and the beginning of a telephone number that nobody has.
    places: Vec<(&'static str, &'static str, &'static str)>,
    /// A country's usual form of company.
    forms: BTreeMap<&'static str, &'static str>,
}

#[expect(clippy::expect_used, reason = "the file is part of the program, and the tests read it")]
static WORDS: LazyLock<Words> = LazyLock::new(|| serde_json::from_str(include_str!("names.json")).expect("words"));

/// Makes up names, and remembers which addresses are taken.
#[derive(Debug, Default)]
pub(super) struct Names {
    taken: HashSet<String>,
    clients: u32,
}

/// A random element of `of`; the default value if `of` is empty.
pub(super) fn one<T: Copy + Default>(rng: &mut Rng, of: &[T]) -> T {
    rng.choice(of).copied().unwrap_or_default()
}

impl Names {
    /// The request body for a new client: usually a company, sometimes a person.
    pub fn client(&mut self, rng: &mut Rng) -> Value {
        let (country, city, prefix) = one(rng, &WORDS.places);
        let (stem, first) = (one(rng, &WORDS.stems), one(rng, &WORDS.first_names));
        let (name, email) = if rng.u32(..100) < 18 {
            let email = self.free(&format!("{}.{}", slug(first), slug(stem)), "example.net");
            (format!("{first} {stem}"), email)
        } else {
            let trade = one(rng, &WORDS.trades);
            let desk = one(rng, &["info", "office", "it", "billing", "licences"]);
            let email = self.free(&format!("{desk}.{}-{}", slug(stem), slug(trade)), "example.com");
            let form = WORDS.forms.get(country).map(|form| format!(" {form}")).unwrap_or_default();
            (format!("{stem} {trade}{form}"), email)
        };
        self.clients += 1;
        let mut body = Map::new();
        body.insert("name".into(), name.into());
        body.insert("email".into(), email.into());
        if rng.u32(..100) < 60 {
            let phone = format!("{prefix}{}", rng.u32(100..1000));
            body.insert("phone".into(), phone.into());
        }
        if rng.u32(..100) < 40 {
            let number = format!("CRM-{:06}", self.clients);
            body.insert("client_id".into(), number.into());
        }
        if rng.u32(..100) < 50 {
            let metadata = json!({"country": country, "city": city, "seats": rng.u32(1..400)});
            body.insert("metadata".into(), metadata);
        }
        body.into()
    }

    pub fn reseller(&mut self, rng: &mut Rng) -> (String, String) {
        let (stem, line) = (one(rng, &WORDS.stems), one(rng, &WORDS.partners));
        let local = format!("partners.{}-{}", slug(stem), slug(line));
        (format!("{stem} {line}"), self.free(&local, "example.com"))
    }

    /// An address that is not taken yet: with a number appended if necessary.
    fn free(&mut self, local: &str, domain: &str) -> String {
        let mut address = format!("{local}@{domain}");
        let mut number = 1;
        while !self.taken.insert(address.clone()) {
            number += 1;
            address = format!("{local}{number}@{domain}");
        }
        address
    }
}

/// A name in the form it takes in an e-mail address: lower-case ASCII letters and hyphens.
fn slug(name: &str) -> String {
    let plain = name.to_lowercase();
    let letters = plain.chars().filter_map(|letter| match letter {
        'a'..='z' => Some(letter),
        'ä' | 'å' | 'á' | 'ã' => Some('a'),
        'é' | 'è' | 'ë' => Some('e'),
        'í' | 'ı' => Some('i'),
        'ö' | 'ø' | 'ó' => Some('o'),
        'ü' => Some('u'),
        'ş' => Some('s'),
        'ń' => Some('n'),
        ' ' => Some('-'),
        _ => None,
    });
    letters.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_address_is_another_one_and_an_example() {
        let (mut names, mut rng) = (Names::default(), Rng::with_seed(1));
        let mut seen = HashSet::new();
        for _ in 0..6_000 {
            let body = names.client(&mut rng);
            let email = body["email"].as_str().unwrap().to_owned();
            let known: Result<purser_domain::basic::email::EmailAddress, _> = email.clone().try_into();
            assert!(known.is_ok(), "{email}");
            let example = email.ends_with("@example.com") || email.ends_with("@example.net");
            assert!(example && seen.insert(email.clone()), "{email}");
        }
    }
}
