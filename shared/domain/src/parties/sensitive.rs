//! Tells what should not be kept in metadata: credentials, by the words of their keys, and numbers of payment cards
//! (rule A6).
//!
//! Invariant: whole words are compared, so `secretary` is no `secret` and `japan` no `pan`.

use unicode_normalization::UnicodeNormalization;

use crate::basic::text::shows_nothing;

/// Words of a key that name a credential or a payment card, in lower case. Some are two words to most people, and are
/// found either way.
const CREDENTIALS: [&str; 57] = [
    "accesskey",
    "accesstoken",
    "apikey",
    "apitoken",
    "auth",
    "authorization",
    "authtoken",
    "bankaccount",
    "bearer",
    "cardno",
    "cardnumber",
    "ccn",
    "ccnumber",
    "ccv",
    "clientsecret",
    "contraseña",
    "credential",
    "credentials",
    "creditcard",
    "csc",
    "cvc",
    "cvc2",
    "cvn",
    "cvv",
    "cvv2",
    "encryptionkey",
    "iban",
    "jwt",
    "kennwort",
    "keyphrase",
    "mfa",
    "mnemonic",
    "otp",
    "pan",
    "passcode",
    "passphrase",
    "passwd",
    "password",
    "passwords",
    "pin",
    "pincode",
    "privatekey",
    "privkey",
    "pwd",
    "recoverycode",
    "refreshtoken",
    "secret",
    "secretkey",
    "secrets",
    "securitycode",
    "sessionid",
    "signingkey",
    "sshkey",
    "ssn",
    "token",
    "tokens",
    "totp",
];

/// What names a password even within a longer word, such as `oldpassword`.
const PASSWORDS: [&str; 4] = ["password", "passwd", "passphrase", "passwort"];

/// The card schemes: how many first digits tell the scheme, from which number to which, and the least and the most
/// digits of a number.
const SCHEMES: [(usize, u32, u32, usize, usize); 18] = [
    // Visa.
    (1, 4, 4, 13, 13),
    (1, 4, 4, 16, 16),
    (1, 4, 4, 19, 19),
    // Mastercard.
    (2, 51, 55, 16, 16),
    (4, 2221, 2720, 16, 16),
    // American Express.
    (2, 34, 34, 15, 15),
    (2, 37, 37, 15, 15),
    // Mir and Troy.
    (4, 2200, 2204, 16, 19),
    (4, 9792, 9792, 16, 16),
    // Diners Club.
    (3, 300, 305, 14, 19),
    (2, 36, 36, 14, 19),
    (2, 38, 39, 14, 19),
    // Discover.
    (4, 6011, 6011, 16, 19),
    (3, 644, 659, 16, 19),
    // JCB and UnionPay.
    (4, 3528, 3589, 16, 19),
    (2, 62, 62, 16, 19),
    // Maestro.
    (4, 5018, 5038, 13, 19),
    (4, 6759, 6763, 13, 19),
];

/// The words of a key, in lower case: `cardNumber`, `card_number`, `CARD-number` and `card number` have two each.
/// Full-width forms count as the characters that they stand for.
fn words(key: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let folded: Vec<char> = key.nfkc().collect();
    for (at, &c) in folded.iter().enumerate() {
        let after = |n: usize| folded.get(at + n).copied().unwrap_or(' ');
        let before = at.checked_sub(1).and_then(|at| folded.get(at)).copied().unwrap_or(' ');
        // A capital begins a word after a small letter or a digit, and before a small letter: `APIKey` is `API`, `Key`.
        let begins = c.is_uppercase() && (!before.is_uppercase() || after(1).is_lowercase());
        if begins || !c.is_alphanumeric() {
            words.push(String::new());
        }
        if let Some(word) = words.last_mut().filter(|_| c.is_alphanumeric()) {
            word.extend(c.to_lowercase());
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

/// Whether a word of a key, or two words together, name a credential or what is printed on a payment card.
pub(crate) fn names_a_credential(key: &str) -> bool {
    let is_telling = |word: &str| {
        let without_number = word.trim_end_matches(|c: char| c.is_numeric());
        let is_password = PASSWORDS.iter().any(|it| word.contains(it));
        is_password || CREDENTIALS.contains(&word) || CREDENTIALS.contains(&without_number)
    };
    let words = words(key);
    let mut pairs = words.windows(2).map(<[String]>::concat);
    // A key that is all capitals, or a capital for each letter, is one word after all.
    words.iter().any(|word| is_telling(word)) || pairs.any(|pair| is_telling(&pair)) || is_telling(&words.concat())
}

/// Whether a text is the number of a payment card, or holds one among other words: 13 to 19 digits that pass the check
/// of Luhn, with the length and the first digits of a card scheme. The number of a telephone (IMEI) passes Luhn, too,
/// but belongs to no scheme.
pub(crate) fn holds_a_card_number(text: &str) -> bool {
    let text = plain(text);
    let rows = text.split(|c: char| decimal(c).is_none() && !SEPARATORS.contains(&c));
    rows.into_iter().any(|row| {
        let digits = |group: &str| group.chars().filter_map(decimal).collect::<Vec<u32>>();
        let groups: Vec<Vec<u32>> = row.split(SEPARATORS).map(digits).collect();
        let is_all = row.trim() == text.trim();
        let mut some = (1..=MOST_GROUPS).flat_map(|count| groups.windows(count));
        is_all && is_card_number(&groups.concat())
            || some.any(|some| is_grouped_as_on_cards(some) && is_card_number(&some.concat()))
    })
}

/// What may stand between the digits of a card's number.
const SEPARATORS: [char; 5] = [' ', '-', '.', '_', '/'];

/// The most groups of digits of a card: four fours, and a rest.
const MOST_GROUPS: usize = 5;

/// A text with hyphens and spaces of one kind, without what can't be seen. A word with a letter in it is a letter, so
/// that the digits of a UUID are no number.
fn plain(text: &str) -> String {
    let (mut plain, mut word) = (String::new(), String::new());
    for c in text.nfkc().chain(std::iter::once('\n')) {
        if c.is_alphanumeric() {
            word.push(c);
        } else if c.is_whitespace() || !shows_nothing(c) {
            plain.push_str(if word.chars().all(|c| decimal(c).is_some()) { &word } else { "x" });
            word.clear();
            plain.push(match c {
                '\u{2010}'..='\u{2015}' | '\u{2212}' => '-',
                '\n' => 'x',
                c if c.is_whitespace() => ' ',
                c => c,
            });
        }
    }
    plain.trim_end_matches('x').to_owned()
}

/// Whether groups of digits are those of a card: fours, or of American Express and Diners Club.
fn is_grouped_as_on_cards(groups: &[Vec<u32>]) -> bool {
    let sizes: Vec<usize> = groups.iter().map(Vec::len).collect();
    let fours = |sizes: &[usize]| sizes.iter().all(|size| *size == 4);
    match sizes.split_last() {
        Some((last, before)) => before.is_empty() || fours(before) && *last <= 4 || matches!(sizes[..], [4, 6, 4 | 5]),
        None => false,
    }
}

/// The value of a decimal digit of any script: each script has its ten digits in a row.
fn decimal(c: char) -> Option<u32> {
    const ZEROS: [char; 12] = [
        '0', '\u{660}', '\u{6F0}', '\u{966}', '\u{9E6}', '\u{A66}', '\u{AE6}', '\u{B66}', '\u{BE6}', '\u{C66}',
        '\u{E50}', '\u{1040}',
    ];
    let digit = |zero: char| u32::from(c).checked_sub(u32::from(zero)).filter(|digit| *digit < 10);
    ZEROS.into_iter().find_map(digit)
}

fn is_card_number(digits: &[u32]) -> bool {
    if !(13..=19).contains(&digits.len()) {
        return false;
    }
    let luhn = digits.iter().rev().enumerate().map(|(at, digit)| match at % 2 {
        0 => *digit,
        _ => digit * 2 / 10 + digit * 2 % 10,
    });
    luhn.sum::<u32>() % 10 == 0 && is_of_a_scheme(digits)
}

fn is_of_a_scheme(digits: &[u32]) -> bool {
    let first = |count: usize| digits.iter().take(count).fold(0, |number, digit| number * 10 + digit);
    let fits = |(count, from, to, least, most): &(usize, u32, u32, usize, usize)| {
        (*from..=*to).contains(&first(*count)) && (*least..=*most).contains(&digits.len())
    };
    SCHEMES.iter().any(fits)
}
