//! Search: by which texts clients and resellers are found.
//!
//! Invariant: text is compared folded, so case, accents, and compatible forms of a letter make no difference. What is
//! found by a text is found by each beginning of it, too.

use unicode_normalization::UnicodeNormalization;

use crate::basic::text::{shows_nothing, text_type};
use crate::basic::{EmailAddress, Name};

/// How many words of a name it can be found by. Each costs rows in the table.
const WORDS: usize = 4;

text_type!(
    /// What to search for: the beginning of a name, of one of the first four words of it, or of an e-mail address. Case
    /// and accents make no difference.
    Search, most 100, example "acme"
);

impl Search {
    pub fn folded(&self) -> String {
        folded(self.as_str())
    }

    pub fn finds(&self, name: &Name, email: &EmailAddress) -> bool {
        let wanted = self.folded();
        found_by(name, email).iter().any(|text| text.starts_with(&wanted))
    }
}

/// The folded texts by which a client or reseller is found: its name, from each of the first words on, and its
/// address.
pub fn found_by(name: &Name, email: &EmailAddress) -> Vec<String> {
    let name = folded(name.as_str());
    let words = std::iter::once(0).chain(name.match_indices(' ').map(|(space, _)| space + 1));
    let mut texts: Vec<String> = words.take(WORDS).filter_map(|at| name.get(at..).map(ToOwned::to_owned)).collect();
    texts.push(folded(email.as_str()));
    texts
}

/// Letters are taken apart from their accents, which are left out. Upper case comes first, because it has one form for
/// letters that have several in lower case, such as sigma. Words are parted by one space.
fn folded(text: &str) -> String {
    let cased = text.nfkd().flat_map(char::to_uppercase).flat_map(char::to_lowercase);
    let is_accent = |c: &char| ('\u{300}'..='\u{36F}').contains(c);
    let kept: String = cased.nfkd().filter(|c| !is_accent(c) && (c.is_whitespace() || !shows_nothing(*c))).collect();
    let words: Vec<&str> = kept.split_whitespace().collect();
    // Text of accents alone stands for itself, so that no text is found by everything.
    if words.is_empty() { text.trim().to_owned() } else { words.join(" ") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> Name {
        Name::try_from(text.to_owned()).unwrap()
    }

    #[test]
    fn case_accents_and_forms_make_no_difference() {
        for (one, other) in [
            ("Müller", "MULLER"),
            ("Straße", "STRASSE"),
            ("ΟΔΟΣ", "οδος"),
            ("İstanbul", "istanbul"),
            ("Ａｃｍｅ　株式会社", "acme 株式会社"),
            ("ﬁnance", "FINANCE"),
            ("  Acme \u{a0} Ltd ", "acme ltd"),
            ("می\u{200c}خواهم", "میخواهم"),
            ("e\u{301}clair", "éclair"),
            ("한글", "\u{1112}\u{1161}\u{11ab}\u{1100}\u{1173}\u{11af}"),
        ] {
            assert_eq!(folded(one), folded(other), "{one:?}");
        }
        assert_ne!(folded("株式"), folded("会社"));
        assert_ne!(folded("\u{301}"), "");
    }

    #[test]
    fn a_name_is_found_from_each_of_its_first_words_on() {
        let email = EmailAddress::try_from("Ops@Acme.example".to_owned()).unwrap();
        for (name, texts) in [
            (name("Acme"), vec!["acme", "ops@acme.example"]),
            (name("Great Northern Rail"), vec!["great northern rail", "northern rail", "rail", "ops@acme.example"]),
            (name("a b c d e f"), vec!["a b c d e f", "b c d e f", "c d e f", "d e f", "ops@acme.example"]),
        ] {
            assert_eq!(found_by(&name, &email), texts);
        }
    }
}
