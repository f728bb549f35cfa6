//! Each purpose apart, and what a root secret splits into.

use purser_domain::licences::KeyUse;

use super::*;

const SOON: i64 = 1_800_000_000;

fn at(seconds: i64) -> Time {
    Time::of(jiff::Timestamp::from_second(seconds).unwrap())
}

fn of_root() -> Secrets {
    Secrets::from_root(&[7; 32]).unwrap()
}

#[test]
fn draws_follow_from_a_seed_only_where_there_is_one() {
    let twice = |secrets: &Secrets| -> [[u8; 48]; 2] { [secrets.random().unwrap(), secrets.random().unwrap()] };
    let [one, other] = twice(&of_root().drawing_from(1));
    assert_ne!(one, other);
    assert_eq!(twice(&of_root().drawing_from(1)), [one, other]);
    assert_ne!(twice(&of_root().drawing_from(2)), [one, other]);
    assert_ne!(twice(&of_root()), twice(&of_root()));
}

#[test]
fn ids_are_stable_and_parts_do_not_run_together() {
    let bits = |secrets: &Secrets, parts: &[&str]| secrets.bits("client", parts).unwrap();
    assert_eq!(bits(&of_root(), &["a"]), bits(&of_root(), &["a"]));
    assert_ne!(bits(&of_root(), &["ab", "c"]), bits(&of_root(), &["a", "bc"]));
    assert_ne!(bits(&of_root(), &["a"]), bits(&Secrets::from_root(&[8; 32]).unwrap(), &["a"]));
    assert!(Secrets::from_root(&[7; 31]).is_err());
}

/// What a root secret splits into, as `infra/cloud/secrets` must split it, too. Changing a line loses every refid,
/// seal or known device.
#[test]
fn a_root_splits_into_these_keys() {
    let texts = split("abcdefghijklmnopqrstuvwxyz0123456789".as_bytes()).unwrap();
    let seals =
        r#"{"keys":[{"id":0,"key":"d0aae41527b50567573cbe898aa5e13d5d9cab5edaa5a312f079fee46108651c","from":0}]}"#;
    let expected = [
        (Purpose::Ids, r#"{"key":"e733c2a5cc932e84310178b33146b4799eb61ddc22c0a3669a4a8d455f70916c"}"#),
        (
            Purpose::Passes,
            concat!(
                r#"{"cursors":"79afa9b30bb6f15810415126d939baea5513d1d5696167ed81d10569aa0e9e74","#,
                r#""devices":"a5a12280424eb275d0b07ef13be4361b83eb9dd061a9f9501dc8a6c3424cfa7a"}"#
            ),
        ),
        (Purpose::Factors, seals),
        (Purpose::Records, seals),
        (Purpose::Licences, seals),
        (Purpose::Signing, r#"{"keys":["8d0c55d52598e62ea8d802eaa58f026883c90e0ce8724a1e01cad8737959eec1"]}"#),
    ];
    assert_eq!(texts, expected.map(|(purpose, text)| (purpose, text.to_owned())).into());
}

#[test]
fn a_seal_opens_only_in_its_place_and_whole() {
    let secrets = of_root();
    let mut sealed = secrets.seal(Seal::Record, "here", b"key").unwrap();
    assert_eq!(secrets.open(Seal::Record, "here", &sealed).unwrap(), b"key");
    assert!(secrets.open(Seal::Record, "there", &sealed).is_err());
    sealed[30] ^= 1;
    assert!(secrets.open(Seal::Record, "here", &sealed).is_err());
    assert!(secrets.open(Seal::Record, "here", &[]).is_err());
}

#[test]
fn seals_of_one_kind_do_not_open_with_the_keys_of_another() {
    let secrets = Secrets::new(Keys::read(&fresh(at(SOON)).unwrap(), at(SOON)).unwrap());
    let kinds = [Seal::Challenge, Seal::Factor, Seal::Record, Seal::Licence];
    for sealing in kinds {
        let sealed = secrets.seal(sealing, "here", b"key").unwrap();
        let opens = kinds.map(|opening| secrets.open(opening, "here", &sealed).is_ok());
        assert_eq!(opens, kinds.map(|opening| opening == sealing), "{sealing:?}");
    }
}

#[test]
fn without_the_keys_of_a_purpose_what_needs_them_fails_and_says_so() {
    let mut texts = fresh(at(SOON)).unwrap();
    texts.extend(Purpose::LATER.map(|later| (later, "{}".to_owned())));
    for lacking in Purpose::ALL {
        let given = texts.iter().filter(|(purpose, _)| *purpose != lacking);
        let given: Texts = given.map(|(purpose, text)| (*purpose, text.clone())).collect();
        let secrets = Secrets::new(Keys::read(&given, at(SOON)).unwrap());
        let seal = |seal| secrets.seal(seal, "here", b"key").map(|_| ());
        let done = [
            secrets.bits("client", &["a"]).map(|_| ()),
            secrets.cursor_mac("a", "b").map(|_| ()),
            seal(Seal::Factor),
            seal(Seal::Record),
            seal(Seal::Licence),
            secrets.signing().map(|_| ()),
            secrets.is_of_the_edge(b"").map(|_| ()),
            secrets.captcha().map(|_| ()),
            secrets.sign_answer(b"asked", b"told").map(|_| ()),
            secrets.published().map(|_| ()),
        ];
        for (purpose, done) in Purpose::ALL.iter().zip(done) {
            let said = format!("the store failed: this function may not have the secret {}", purpose.into_str());
            let refused = done.err().map(|error| error.to_string());
            assert_eq!(refused, (purpose == lacking).then_some(said));
        }
        assert_eq!(secrets.used(), Purpose::ALL);
    }
}

#[test]
fn replaced_keys_are_those_of_every_clone() {
    let (secrets, other) = (of_root(), of_root());
    let clone = secrets.clone();
    other.replace(Keys::read(&fresh(at(SOON)).unwrap(), at(SOON)).unwrap());
    secrets.replace(Keys::read(&split(&[8; 32]).unwrap(), at(SOON)).unwrap());
    let eight = Secrets::from_root(&[8; 32]).unwrap();
    assert_eq!(clone.bits("client", &["a"]).unwrap(), eight.bits("client", &["a"]).unwrap());
}

#[test]
fn a_text_of_another_form_is_no_secret_and_is_not_quoted() {
    for purpose in Purpose::ALL {
        // Of an edge and of a service, there may be none yet.
        let may_be_empty = Purpose::LATER.contains(purpose);
        let texts = ["", "[]", "{}", r#"{"key":"abc"}"#, r#"{"keys":[]}"#, r#"{"keys":["abc"]}"#];
        for text in texts.into_iter().filter(|text| *text != "{}" || !may_be_empty) {
            let error = Keys::read(&Texts::from([(*purpose, text.to_owned())]), at(SOON)).err().unwrap();
            let name = purpose.into_str();
            assert_eq!(error.to_string(), format!("the secret {name}: {NotASecret}"), "{text}");
        }
    }
}

#[test]
fn the_edge_shows_what_it_sends_or_what_it_sent_before() {
    let secrets = |text: &str| {
        let texts = Texts::from([(Purpose::Edge, text.to_owned())]);
        Secrets::new(Keys::read(&texts, at(SOON)).unwrap())
    };
    let [one, other] = ["1".repeat(64), "2".repeat(64)];
    let knows = |text: &str, shown: &str| secrets(text).is_of_the_edge(shown.as_bytes()).unwrap();
    let both = format!(r#"{{"sent":"{one}","before":"{other}"}}"#);
    let alone = format!(r#"{{"sent":"{one}"}}"#);
    for (text, shown, known) in [
        (both.as_str(), one.as_str(), true),
        (&both, &other, true),
        (&alone, &one, true),
        (&alone, &other, false),
        (&alone, &one[1..], false),
        (&alone, "", false),
        ("{}", "", false),
        ("{}", &one, false),
    ] {
        assert_eq!(knows(text, shown), known, "{text} {shown}");
    }
}

/// A deployment from before answers were signed gets a key once. One that is lost is not replaced by another, because
/// programs know it.
#[test]
fn a_key_of_answers_is_made_once_and_its_public_half_published() {
    let before = split(&[7; 32]).unwrap();
    let made = with_answer_key(before.clone(), [1; 32], at(SOON)).unwrap();
    let added: Vec<_> = made.keys().filter(|it| !before.contains_key(it)).collect();
    assert_eq!(added, [&Purpose::Answers, &Purpose::Published]);
    assert_eq!(with_answer_key(made.clone(), [2; 32], at(SOON + 1)).unwrap(), made);
    let keys = Secrets::new(Keys::read(&made, at(SOON)).unwrap());
    let [published] = keys.published().unwrap().try_into().unwrap();
    let own = AnswerKey::of(&[1; 32]);
    let expected = PublishedKey { r#use: KeyUse::Answers, public_key: own.public_key(), since: at(SOON) };
    assert_eq!(published, expected);
    assert_eq!(keys.sign_answer(b"asked", b"told").unwrap(), own.sign(b"asked", b"told"));
    let mut unpublished = made.clone();
    unpublished.remove(&Purpose::Published);
    assert_eq!(with_answer_key(unpublished, [2; 32], at(SOON + 1)).unwrap(), made);
    let mut lost = made;
    lost.remove(&Purpose::Answers);
    let error = with_answer_key(lost, [2; 32], at(SOON + 1)).err().unwrap().to_string();
    assert!(error.contains("it was there and is gone"), "{error}");
}

#[test]
fn the_key_of_answers_that_has_begun_signs() {
    let [one, other] = [[1; 32], [2; 32]].map(|key| (data_encoding::HEXLOWER.encode(&key), AnswerKey::of(&key)));
    let text =
        format!(r#"{{"keys":[{{"key":"{}","from":{SOON}}},{{"key":"{}","from":{}}}]}}"#, one.0, other.0, SOON + 9);
    for (now, signing) in [(SOON - 1, &one.1), (SOON, &one.1), (SOON + 8, &one.1), (SOON + 9, &other.1)] {
        let texts = Texts::from([(Purpose::Answers, text.clone())]);
        let keys = Secrets::new(Keys::read(&texts, at(now)).unwrap());
        assert_eq!(keys.sign_answer(b"a", b"b").unwrap(), signing.sign(b"a", b"b"), "{now}");
    }
}
