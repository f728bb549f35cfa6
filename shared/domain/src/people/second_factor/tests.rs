//! Codes from apps and recovery codes: what is accepted, and that it is accepted once.

use jiff::Timestamp;
use proptest::prelude::*;

use super::*;

fn at(seconds: i64) -> Time {
    Time::of(Timestamp::from_second(seconds).unwrap())
}

/// The secret of RFC 6238, appendix B.
fn of_the_rfc() -> TotpSecret {
    TotpSecret::new(*b"12345678901234567890")
}

/// Times in seconds, and the last six digits of the SHA-1 code that RFC 6238, appendix B, lists for them.
const VECTORS: [(i64, &str); 6] = [
    (59, "287082"),
    (1_111_111_109, "081804"),
    (1_111_111_111, "050471"),
    (1_234_567_890, "005924"),
    (2_000_000_000, "279037"),
    (20_000_000_000, "353130"),
];

#[test]
fn codes_are_those_of_rfc_6238() {
    for (seconds, code) in VECTORS {
        let step = u64::try_from(seconds).unwrap() / 30;
        assert_eq!(of_the_rfc().verify(code, at(seconds), None), Some(step));
        let grouped = format!("{} {}", &code[..3], &code[3..]);
        assert_eq!(of_the_rfc().verify(&grouped, at(seconds), None), Some(step));
    }
}

#[test]
fn a_clock_may_be_off_by_one_step() {
    let (seconds, code) = VECTORS[2];
    let secret = of_the_rfc();
    let step = u64::try_from(seconds).unwrap() / 30;
    let start = seconds - seconds % 30;
    for (from, to, found) in
        [(-60, -31, None), (-30, -1, Some(step)), (0, 29, Some(step)), (30, 59, Some(step)), (60, 89, None)]
    {
        for second in [from, to] {
            assert_eq!(secret.verify(code, at(start + second), None), found);
        }
    }
}

#[test]
fn a_code_is_good_once() {
    let (seconds, code) = VECTORS[2];
    let (secret, now) = (of_the_rfc(), at(seconds));
    let step = secret.verify(code, now, None).unwrap();
    for (last, found) in [(step - 2, Some(step)), (step - 1, Some(step)), (step, None), (step + 1, None)] {
        assert_eq!(secret.verify(code, now, Some(last)), found, "{last}");
    }
    // A code of an earlier step, which a device may still show, is refused, too.
    let before = secret.totp().generate((step - 1) * 30).to_string();
    assert_eq!(secret.verify(&before, now, None), Some(step - 1));
    assert_eq!(secret.verify(&before, now, Some(step)), None);
}

#[test]
fn what_is_no_code_is_refused() {
    let (seconds, code) = VECTORS[2];
    let long = "0".repeat(100_000);
    for bad in ["", "05047", "0504710", "+50471", "٠٥٠٤٧١", "0x5047", "050472", &long] {
        assert_eq!(of_the_rfc().verify(bad, at(seconds), None), None, "{bad:.9}");
    }
    let other = TotpSecret::new([7; SECRET_BYTES]);
    assert_eq!(other.verify(code, at(seconds), None), None);
    // There are no time steps before 1970, so the allowed skew must not reach below step 0.
    assert_eq!(of_the_rfc().verify(code, at(-1), None), None);
    assert_eq!(of_the_rfc().verify("755224", at(0), None), Some(0));
}

#[test]
fn an_app_is_told_everything_by_its_uri() {
    let email = EmailAddress::try_from("ada+1@analytical.example".to_owned()).unwrap();
    let secret = of_the_rfc();
    assert_eq!(secret.to_base32(), "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ");
    assert_eq!(
        secret.uri("Engines: Ada & Söhne", &email),
        "otpauth://totp/Engines%20Ada%20%26%20S%C3%B6hne:ada%2B1%40analytical.example\
         ?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Engines%20Ada%20%26%20S%C3%B6hne"
    );
    let sealed = TotpSecret::try_from(secret.as_bytes());
    assert_eq!(sealed, Ok(secret.clone()));
    assert_eq!(TotpSecret::try_from(&[0; 19][..]), Err(NoTotpSecret));
    assert_eq!(format!("{secret:?}"), "TotpSecret(…)");
}

#[test]
fn a_recovery_code_is_typed_as_people_type() {
    let shown = recovery_code([0, 0x44, 0x32, 0x14, 0xC7, 0x42, 0x54, 0xB6, 0x35, 0xCF]);
    assert_eq!(shown, "0123-4567-89AB-CDEF");
    let kept = recovery_hash(&shown).unwrap();
    for typed in ["0123456789abcdef", " OiZ3".replace('Z', "2").as_str()] {
        let typed = if typed.len() < 10 { format!("{typed} 4567-89AB cdef\n") } else { typed.to_owned() };
        assert_eq!(recovery_hash(&typed), Some(kept.clone()), "{typed}");
    }
    let long = "0".repeat(100_000);
    for bad in ["", "0123-4567", "0123-4567-89AB-CDEFG", "0123-4567-89AB-CDEU", &long] {
        assert_eq!(recovery_hash(bad), None, "{bad:.20}");
    }
    assert_eq!(format!("{kept:?}"), "RecoveryHash(…)");
}

proptest! {
    #[test]
    fn a_recovery_code_is_good_once(random in any::<[[u8; BYTES]; RECOVERY_CODES]>(), which in 0..RECOVERY_CODES) {
        let codes = random.map(recovery_code);
        let kept = codes.clone().map(|code| recovery_hash(&code).unwrap()).to_vec();
        let typed = codes[which].to_lowercase().replace('-', " ");
        let left = use_recovery_code(&kept, &typed).unwrap();
        prop_assert!(left.len() < kept.len());
        prop_assert_eq!(use_recovery_code(&left, &typed), None);
    }

    #[test]
    fn any_text_is_judged(code in "\\PC{0,20}", seconds in any::<u32>(), last in any::<Option<u64>>()) {
        let found = of_the_rfc().verify(&code, at(seconds.into()), last);
        prop_assert!(found.is_none() || code.chars().filter(char::is_ascii_digit).count() == 6);
        let _any = recovery_hash(&code);
    }
}
