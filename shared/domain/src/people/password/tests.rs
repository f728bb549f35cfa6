//! Which passwords are accepted, and which are refused.

use proptest::prelude::*;

use super::*;

fn owner() -> (EmailAddress, Name) {
    let email = EmailAddress::try_from("ada.lovelace@analytical.example".to_owned()).unwrap();
    let name = Name::try_from("Ada Lovelace-Byron".to_owned()).unwrap();
    (email, name)
}

fn chosen(text: &str) -> Result<Password, WeakPassword> {
    let (email, name) = owner();
    let given = GivenPassword::try_from(text.to_owned())?;
    PasswordPolicy::default().accept(given, &email, Some(&name), "Purser")
}

#[test]
fn what_is_hard_to_guess_is_accepted_in_any_script() {
    for good in [
        "a quiet harbour at dusk",
        "a new harbour at midnight",
        "four grey geese by the mill",
        "ein ruhiger hafen am abend",
        "vK3-pq9T_zw1m",
        "    many spaces, and a comma    ",
        "пароль для аналитика 7",
        "🦀🐢🦊🐝🦉🐙🦔🐌🦚🐡🦜🐿",
        &"vK3-pq9T_zw1m, ".repeat(16),
    ] {
        assert!(chosen(good).is_ok(), "{good:?}: {:?}", chosen(good));
    }
}

#[test]
fn what_is_easy_to_guess_is_refused() {
    for common in [
        "passwordpassword",
        "Password12345",
        "123456789012",
        "aaaaaaaaaaaaaaaa",
        "qwertyuiop12",
        "iloveyou1234",
        // Words that somebody who knows the owner would try.
        "ada.lovelace@analytical.example",
        "Ada Lovelace-Byron",
        "lovelacelovelace",
        "analyticalada",
    ] {
        let refused = chosen(common).unwrap_err();
        let told = refused.to_string();
        assert!(matches!(refused, WeakPassword::Common { .. }), "{common}");
        assert!(told.starts_with("is too easy to guess"), "{told}");
        assert!(!told.contains(common), "{told}");
    }
    // For another owner, the same password is not among the first guesses.
    let (email, other) = ("x@y.example".to_owned(), "Someone".to_owned());
    let (email, other) = (EmailAddress::try_from(email), Name::try_from(other));
    let given = GivenPassword::try_from("ada.lovelace@analytical.example".to_owned()).unwrap();
    let accepted = PasswordPolicy::default().accept(given, &email.unwrap(), Some(&other.unwrap()), "Purser");
    assert!(accepted.is_ok());
}

#[test]
fn lengths_count_characters_of_the_normal_form() {
    let long = |n| "aé9_Ωz".chars().cycle().take(n).collect::<String>();
    assert_eq!(chosen(&long(11)), Err(WeakPassword::TooShort { least: 12 }));
    assert_eq!(chosen(""), Err(WeakPassword::TooShort { least: 12 }));
    let most = WeakPassword::TooLong { most: 256 };
    assert!(GivenPassword::try_from(long(256)).is_ok());
    for text in [long(257), "x".repeat(1_000_000), "\u{FDFA}".repeat(15)] {
        assert_eq!(GivenPassword::try_from(text).unwrap_err(), most);
    }
    // Each of these is three characters as typed, and one character in normal form.
    let decomposed = "\u{1112}\u{1161}\u{11AB}".repeat(256);
    assert!(GivenPassword::try_from(decomposed).is_ok());
    for (least, may) in [(0, false), (7, false), (8, true), (256, true), (257, false)] {
        assert_eq!(PasswordPolicy::at_least(least).is_ok(), may, "{least}");
    }
}

#[test]
fn keyboards_that_spell_alike_are_one() {
    let given = |text: &str| GivenPassword::try_from(text.to_owned()).unwrap();
    for (one, other) in [("caf\u{e9}", "cafe\u{301}"), ("ﬁre", "fire"), ("ｆｕｌｌ", "full"), ("\u{212b}", "\u{c5}")]
    {
        assert_eq!(given(one).as_bytes(), given(other).as_bytes(), "{one}");
    }
    for (one, other) in [("Fire", "fire"), ("fire", "fire "), (" fire", "fire")] {
        assert_ne!(given(one).as_bytes(), given(other).as_bytes(), "{one}");
    }
}

#[test]
fn nothing_shows_a_password() {
    let password = chosen("a quiet harbour at dusk").unwrap();
    let hash = PasswordHash::try_from("$argon2id$v=19$m=8,t=1,p=1$c2FsdA$aGFzaA".to_owned());
    let shown = format!("{:?} {:?} {:?}", password, password.0, hash.unwrap());
    assert_eq!(shown, "Password(…) GivenPassword(…) PasswordHash(…)");
}

#[test]
fn what_people_make_of_the_brand_or_the_season_is_easy() {
    for easy in [
        "Purser2026!!",
        "purser-2026-!",
        "PURSER202611",
        "Purser123456",
        "P.u.r.s.e.r26",
        "Summer2026!!",
        "winter-2025!",
        "Winter202627",
        "November2026!",
        "Spring!2026!",
        "autumnautumn",
        "Friday-2026-11",
        "SummerPurser26",
    ] {
        assert!(matches!(chosen(easy), Err(WeakPassword::Common { .. })), "{easy}");
    }
    for good in ["a quiet harbour in winter 2026", "purser of the autumn fleet, 7 oars"] {
        assert!(chosen(good).is_ok(), "{good}");
    }
}

#[test]
fn a_hash_reads_back() {
    let text = "\"$argon2id$v=19$m=8,t=1,p=1$c2FsdA$aGFzaA\"";
    let hash: PasswordHash = serde_json::from_str(text).unwrap();
    assert_eq!(serde_json::to_string(&hash).unwrap(), text);
    for bad in ["", "hunter2", "$a b", "$a\n"] {
        assert!(PasswordHash::try_from(bad.to_owned()).is_err(), "{bad}");
    }
}

proptest! {
    #[test]
    fn any_text_is_judged(text in "\\PC{0,300}", least in 8_usize..=256) {
        let (email, name) = owner();
        let Ok(given) = GivenPassword::try_from(text.clone()) else {
            prop_assert!(text.nfkc().count() > MOST || text.len() > MOST * 16);
            return Ok(());
        };
        let again = String::from_utf8(given.as_bytes().to_vec()).unwrap();
        prop_assert_eq!(GivenPassword::try_from(again).unwrap(), given.clone());
        let length = given.length();
        let policy = PasswordPolicy::at_least(least).unwrap();
        match policy.accept(given, &email, Some(&name), "Purser") {
            Ok(_) | Err(WeakPassword::Common { .. }) => prop_assert!(length >= least),
            Err(WeakPassword::TooShort { least: said }) => {
                prop_assert!(length < least && said == least);
            }
            Err(WeakPassword::TooLong { .. }) => prop_assert!(false, "a given password is never too long"),
        }
    }
}

#[test]
fn what_everybody_adds_makes_nothing_hard() {
    for easy in [
        "password password",
        "PASSWORD PASSWORD",
        "pass word pass word",
        "p.a.s.s.w.o.r.d",
        "correct horse battery staple",
        "correcthorsebatterystaple",
        "four random common words, no less",
        "Welcome2026!!",
        "Admin2026!!!!",
        "admin 2026 admin",
        "operator2026!",
        "reseller2026!",
        "licence2026!!",
        "companyname123",
        "Sommer2026!!!",
        "Frühling2026!",
        "Verano2026!!!",
        "Januar2026!!!",
        "1 2 3 4 5 6 7 8 9",
        "aaaa bbbb cccc",
        "abc def ghi jkl",
        "qwerty uiop asdf",
        "!QAZ2wsx#EDC",
        "iloveyou lovelace",
        "Berlin2026!!!",
        "London2026!!!",
        "Chelsea2026!!",
        "Tr0ub4dor&3!",
        "\u{200b}password2026",
        "пароль123456",
        "Changeme2026!",
    ] {
        assert!(matches!(chosen(easy), Err(WeakPassword::Common { .. })), "{easy}");
    }
}
