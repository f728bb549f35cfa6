//! Tells what should not be kept in metadata: credentials, by the words of their keys, and numbers of payment cards
//! (rule A6).
//!
//! Invariant: whole words are compared, so `secretary` is no `secret` and `japan` no `pan`.

use unicode_normalization::UnicodeNormalization;

/// Words of a key that name a credential or a payment card, in lower case. Some are two words to most people, and are
/// found either way.
const CREDENTIALS: [&str; 50] = [
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
    "credential",
    "credentials",
    "creditcard",
    "csc",
    "cvc",
    "cvc2",
    "cvv",
    "cvv2",
    "iban",
    "jwt",
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
    "pwd",
    "recoverycode",
    "refreshtoken",
    "secret",
    "secretkey",
    "secrets",
    "sessionid",
    "sshkey",
    "ssn",
    "token",
    "tokens",
    "totp",
];

/// The card schemes: how many first digits tell the scheme, from which number to which, and the least and the most
/// digits of a number.
const SCHEMES: [(usize, u32, u32, usize, usize); 16] = [
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
        CREDENTIALS.contains(&word) || CREDENTIALS.contains(&without_number)
    };
    let words = words(key);
    let mut pairs = words.windows(2).map(<[String]>::concat);
    // A key that is all capitals, or a capital for each letter, is one word after all.
    words.iter().any(|word| is_telling(word)) || pairs.any(|pair| is_telling(&pair)) || is_telling(&words.concat())
}

/// Whether a text is the number of a payment card: 13 to 19 digits, perhaps with spaces or hyphens, that pass the check
/// of Luhn, with the length and the first digits of a card scheme. The number of a telephone (IMEI) passes Luhn, too,
/// but belongs to no scheme.
pub(crate) fn is_card_number(text: &str) -> bool {
    let mut digits = Vec::new();
    for c in text.trim().chars() {
        match c.to_digit(10) {
            Some(digit) => digits.push(digit),
            None if c == ' ' || c == '-' => {}
            None => return false,
        }
    }
    if !(13..=19).contains(&digits.len()) {
        return false;
    }
    let luhn = digits.iter().rev().enumerate().map(|(at, digit)| match at % 2 {
        0 => *digit,
        _ => digit * 2 / 10 + digit * 2 % 10,
    });
    luhn.sum::<u32>() % 10 == 0 && is_of_a_scheme(&digits)
}

fn is_of_a_scheme(digits: &[u32]) -> bool {
    let first = |count: usize| digits.iter().take(count).fold(0, |number, digit| number * 10 + digit);
    let fits = |(count, from, to, least, most): &(usize, u32, u32, usize, usize)| {
        (*from..=*to).contains(&first(*count)) && (*least..=*most).contains(&digits.len())
    };
    SCHEMES.iter().any(fits)
}
