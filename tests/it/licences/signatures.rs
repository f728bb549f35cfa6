//! How a program knows that an answer is Purser's, and the answer to what it asked (rule C3): as a program would do it,
//! over HTTP, with the published keys and nothing of Purser's own code.

use std::collections::BTreeMap;
use std::sync::Arc;

use data_encoding::BASE64URL_NOPAD;
use ed25519_dalek::{Signature, VerifyingKey};
use purser_local::run::system::Options;
use purser_local::template::Template;
use purser_store::engine::secrets::Purpose;
use purser_tests::lambda::{event, invoke};
use purser_tests::prelude::*;
use purser_tests::schema::OF_PROGRAMS;
use sha2::{Digest, Sha256};

use super::Sold;
use crate::http::operations::{self, Party, cases};

/// What a program knows: the published keys of answers.
pub struct Program(BTreeMap<String, VerifyingKey>);

impl Program {
    pub async fn new(world: &World) -> Self {
        let listed = world.nobody().get("/v1/signing-keys").await.expect(200).json;
        let keys = listed["data"].as_array().unwrap().iter().filter(|key| key["use"] == "answers");
        let read = |key: &Value| {
            let bytes = BASE64URL_NOPAD.decode(key["public_key"].as_str().unwrap().as_bytes()).unwrap();
            let key_bytes = bytes.try_into().unwrap();
            (key["kid"].as_str().unwrap().to_owned(), VerifyingKey::from_bytes(&key_bytes).unwrap())
        };
        Self(keys.map(read).collect())
    }

    /// Whether these bytes are the answer to these bytes.
    pub fn believes(&self, asked: &[u8], signature: &str, answer: &[u8]) -> bool {
        let Some((kid, sig)) = parts(signature) else { return false };
        let Some(key) = self.0.get(&kid) else { return false };
        let asked = BASE64URL_NOPAD.encode(&Sha256::digest(asked));
        let signed = [format!("purser-answer-v1.{kid}.{asked}.").as_bytes(), answer].concat();
        key.verify_strict(&signed, &Signature::from_bytes(&sig)).is_ok()
    }

    pub fn believes_reply(&self, asked: &[u8], reply: &Reply) -> bool {
        reply.header("purser-signature").is_some_and(|signature| self.believes(asked, signature, &reply.bytes))
    }
}

/// The name of the key and the signature in the header.
fn parts(signature: &str) -> Option<(String, [u8; 64])> {
    let (kid, sig) = signature.strip_prefix("kid=\"")?.strip_suffix('"')?.split_once("\", sig=\"")?;
    Some((kid.to_owned(), BASE64URL_NOPAD.decode(sig.as_bytes()).ok()?.try_into().ok()?))
}

async fn ask(world: &World, body: &str) -> Reply {
    let headers = [("content-type", "application/json")];
    world.nobody().send("POST", "/v1/licences/validate", &headers, Some(body.into())).await
}

async fn keys(world: &World) -> Value {
    world.nobody().get("/v1/signing-keys").await.expect(200).json["data"].clone()
}

#[tokio::test]
async fn a_program_believes_the_answer_to_what_it_asked_and_no_other() {
    let world = World::new().await;
    let program = Program::new(&world).await;
    let sold = Sold::new(&world).await;
    let _active = world.operator.act(&sold.path("/activate")).await.expect(200);
    // The bytes are what counts, not what they mean.
    let good = format!("{{ \"nonce\":\"\\u0037\", \"newer\": [1e3],\n\"key\":\"{}\" }}", sold.key);
    for (asked, status, code) in [
        (good.as_str(), 200, "valid"),
        (r#"{"key": "AAAAA-AAAAA-AAAAA-AAAAA-AAAAA"}"#, 200, "not_found"),
        (r#"{"key": 7}"#, 422, "invalid_fields"),
        ("{", 400, "malformed_request"),
    ] {
        let told = ask(&world, asked).await.expect(status);
        assert_eq!(told.text("code"), code);
        let signature = told.header("purser-signature").unwrap();
        let (asked, answer) = (asked.as_bytes(), told.bytes.as_slice());
        assert!(program.believes(asked, signature, answer), "{code}");
        // A bit of the question, of the answer, or of the header.
        for place in [0, asked.len() - 1] {
            assert!(!program.believes(&flipped(asked, place), signature, answer), "{code}: asked {place}");
        }
        for place in [0, answer.len() / 2, answer.len() - 1] {
            assert!(!program.believes(asked, signature, &flipped(answer, place)), "{code}: told {place}");
        }
        for place in 0..signature.len() {
            // The highest bit would make it no text.
            let other = String::from_utf8(flipped(signature.as_bytes(), place)).unwrap();
            assert!(!program.believes(asked, &other, answer), "{code}: {other}");
        }
        assert!(!program.believes(b"", signature, answer) && !program.believes(asked, signature, b""));
    }
    let [one, other] = [ask(&world, &good).await, ask(&world, &good.replace("0037", "0038")).await];
    assert_ne!(one.json["nonce"], other.json["nonce"]);
    assert!(!program.believes(good.as_bytes(), other.header("purser-signature").unwrap(), &other.bytes));
}

/// `bytes` with another bit in one place.
fn flipped(bytes: &[u8], place: usize) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    bytes[place] ^= 1;
    bytes
}

/// API Gateway may send a body in base64; what the program has sent is signed.
#[tokio::test]
async fn the_bytes_that_the_program_sent_count_however_they_arrive() {
    let world = World::new().await;
    let program = Program::new(&world).await;
    let asked = r#"{"key": "AAAAA-AAAAA-AAAAA-AAAAA-AAAAA"}"#;
    let mut event = event("POST", "/v1/licences/validate", "", "");
    event["headers"] = json!({"content-type": "application/json", "host": "api.example.com"});
    event["body"] = json!(data_encoding::BASE64.encode(asked.as_bytes()));
    event["isBase64Encoded"] = json!(true);
    let told = invoke(&world, "validate-licence", event).await.expect(200);
    assert!(program.believes_reply(asked.as_bytes(), &told));
}

/// Whatever a program asks with its key alone is signed.
#[tokio::test]
async fn every_answer_to_a_program_is_signed() {
    let world = operations::world().await;
    let program = Program::new(&world).await;
    let mut answered = 0;
    for (case, operation) in cases(&world).await {
        let by_key = purser_edge::http::serve::is_by_key(&operation.path);
        assert_eq!(by_key, OF_PROGRAMS.contains(&case.operation), "{}", case.operation);
        if !by_key {
            continue;
        }
        answered += 1;
        let party = Party::ready_for(&world, case.needs).await;
        let request = (case.sample)(&party.ids).request(&operation, "k");
        let reply = request.send(&world.nobody()).await.expect(operation.success);
        let asked = request.body.clone().unwrap_or_default();
        assert!(program.believes_reply(&asked, &reply), "{}: {reply:?}", case.operation);
    }
    assert!(answered >= OF_PROGRAMS.len());
}

/// A forged refusal would stop a program as surely as a forged yes would start one.
#[tokio::test]
async fn a_seat_that_is_refused_is_refused_by_purser() {
    let world = World::new().await;
    let program = Program::new(&world).await;
    let sold = Sold::with(&world, json!({"parallel_uses": 1})).await;
    for (path, name, status) in [
        ("/v1/activations", "one", 201),
        ("/v1/activations", "one", 200),
        ("/v1/activations", "other", 409),
        ("/v1/activations/heartbeat", "one", 200),
        ("/v1/activations/heartbeat", "other", 409),
        ("/v1/activations/deactivate", "one", 200),
    ] {
        let asked = json!({"key": sold.key, "fingerprint": name});
        let told = world.nobody().post(path, &asked).await.expect(status);
        assert!(program.believes_reply(asked.to_string().as_bytes(), &told), "{path} {name}: {told:?}");
    }
}

#[tokio::test]
async fn what_is_refused_before_it_is_judged_is_not_signed() {
    let world = World::with(None, &[("PURSER_ADDRESS_REQUESTS_PER_MINUTE", "2")]).await;
    let large = " ".repeat(600 * 1024);
    assert_eq!(ask(&world, &large).await.refused(413, "payload_too_large").header("purser-signature"), None);
    let wrong = world.nobody().get("/v1/licences/validate").await.refused(401, "unauthenticated");
    assert_eq!(wrong.header("purser-signature"), None);
    let waits = ask(&world, "{}").await.refused(429, "rate_limited");
    assert_eq!(waits.header("purser-signature"), None);
}

#[tokio::test]
async fn a_key_is_the_same_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let open = async || World::with(Some(folder.path().join("purser")), &[]).await;
    let world = open().await;
    let before = keys(&world).await;
    let asked = r#"{"key": "no key"}"#;
    let told = ask(&world, asked).await.expect(200);
    world.end().await;
    let world = open().await;
    assert_eq!(keys(&world).await, before);
    let program = Program::new(&world).await;
    assert!(program.believes_reply(asked.as_bytes(), &told));
    assert!(program.believes_reply(asked.as_bytes(), &ask(&world, asked).await));
    world.end().await;
    let other = Program::new(&World::new().await).await;
    assert!(!other.believes_reply(asked.as_bytes(), &told), "each deployment has a key of its own");
}

#[tokio::test]
async fn anybody_may_read_the_keys_and_keep_them_for_an_hour() {
    let world = World::at("2026-01-05T09:00:00Z").await;
    let from = [("origin", "https://anywhere.example")];
    let listed = world.nobody().send("GET", "/v1/signing-keys", &from, None).await.expect(200);
    let [key] = listed.json["data"].as_array().unwrap().as_slice() else { panic!("{listed:?}") };
    let (kid, public_key) = (key["kid"].as_str().unwrap(), key["public_key"].as_str().unwrap());
    let bytes = BASE64URL_NOPAD.decode(public_key.as_bytes()).unwrap();
    assert_eq!((bytes.len(), kid), (32, &data_encoding::HEXLOWER.encode(&Sha256::digest(&bytes))[..16]));
    let expected = json!({
        "kid": kid, "use": "answers", "algorithm": "Ed25519", "public_key": public_key, "status": "active",
        "since": "2026-01-05T09:00:00.000Z",
    });
    assert_eq!(key, &expected);
    assert_eq!(listed.header("cache-control"), Some("max-age=3600"));
    assert_eq!(listed.header("access-control-allow-origin"), Some("*"));
    let preflight = [from[0], ("access-control-request-method", "GET"), ("access-control-request-headers", "x")];
    let allowed = world.nobody().send("OPTIONS", "/v1/signing-keys", &preflight, None).await.expect(200);
    assert_eq!(allowed.header("access-control-allow-origin"), Some("*"));
    assert_eq!(allowed.header("access-control-allow-methods"), Some("GET,HEAD"));
    // The function that lists keys can't sign with them.
    let secrets = world.system().apps().of("read-signing-keys").unwrap().store.secrets();
    let error = secrets.sign_answer(b"", b"").err().unwrap().to_string();
    assert!(error.contains("may not have the secret answers"), "{error}");
}

/// Operators can't replace the key yet, but functions and programs that run now will understand it.
#[tokio::test]
async fn a_key_is_listed_before_it_signs_and_after() {
    let world = World::at("2026-01-05T09:00:00Z").await;
    let day = SignedDuration::from_hours(24);
    let begins = (world.system().clock().timestamp() + day).as_second();
    let other = purser_domain::licences::AnswerKey::of(&[7; 32]).public_key();
    add(&world, Purpose::Answers, json!({"key": "07".repeat(32), "from": begins}));
    add(&world, Purpose::Published, json!({"use": "answers", "public_key": String::from(other), "from": begins}));
    world.read_secrets_again();
    let program = Program::new(&world).await;
    let asked = r#"{"key": "no key"}"#;
    let mut signed = Vec::new();
    for statuses in [["active", "next"], ["retired", "active"]] {
        let listed = keys(&world).await;
        assert_eq!([&listed[0]["status"], &listed[1]["status"]], statuses.map(|status| json!(status)).each_ref());
        let told = ask(&world, asked).await.expect(200);
        // Whoever has read the list a day before knows the key.
        assert!(program.believes_reply(asked.as_bytes(), &told));
        let (kid, _) = parts(told.header("purser-signature").unwrap()).unwrap();
        assert_eq!(kid, listed[usize::from(statuses[0] == "retired")]["kid"]);
        signed.push(kid);
        world.system().clock().advance(day);
    }
    assert_ne!(signed[0], signed[1]);
}

fn add(world: &World, purpose: Purpose, key: Value) {
    let vault = world.system().vault();
    let mut secret: Value = serde_json::from_str(&vault.texts().unwrap()[&purpose]).unwrap();
    secret["keys"].as_array_mut().unwrap().push(key);
    vault.put(purpose, secret.to_string()).unwrap();
}

/// An answer that can't be signed is none.
#[tokio::test]
async fn a_function_without_the_key_tells_programs_nothing() {
    const TEMPLATE: &str = include_str!("../../../template.yaml");
    let right = "!Ref EdgePolicy, !Ref AnswersPolicy, ";
    assert!(TEMPLATE.contains(right));
    let template = Template::parse(&TEMPLATE.replace(right, "!Ref EdgePolicy, ")).unwrap();
    let world = World::start(Options { template: Some(Arc::new(template)), ..Options::default() }).await;
    let _failed = ask(&world, r#"{"key": "no key"}"#).await.refused(500, "internal_error");
}
