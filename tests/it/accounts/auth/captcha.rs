//! CAPTCHA: a request passes only with a right answer that is given in time and used once (rule D2).

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::IntoResponse;
use purser_domain::people::Actor;
use purser_edge::App;
use purser_edge::caller::captcha::{CaptchaBody, CaptchaKind, Form};
use purser_store::engine::Stamp;
use purser_store::engine::item::Origin;
use purser_store::engine::secrets::Purpose;
use purser_tests::prelude::*;

const SITE: &str = "site-key";
const SECRET: &str = "hush hush & more=";

fn stamp(request: &str) -> Stamp {
    Stamp { actor: Actor::new("anybody"), request: request.to_owned(), origin: Origin::Api, cause: "test".to_owned() }
}

fn body(value: &Value) -> CaptchaBody {
    serde_json::from_value(value.clone()).unwrap()
}

/// The code of the problem that the CAPTCHA check of a sign-in answers with, or `None` if the request passes.
async fn asked(app: &App, value: Option<Value>, request: &str) -> Option<&'static str> {
    asked_for(app, Form::Login, value, request).await
}

async fn asked_for(app: &App, form: Form, value: Option<Value>, request: &str) -> Option<&'static str> {
    let given = value.as_ref().map(body);
    let answer = app.is_person(form, given.as_ref(), &stamp(request)).await;
    answer.err().map(|problem| problem.code())
}

/// Asks for a sum; returns its token and the right answer.
fn sum(app: &App) -> (String, u32) {
    let shown = app.captcha().unwrap();
    assert_eq!((shown.kind, shown.site_key), (CaptchaKind::Arithmetic, None));
    let question = shown.question.unwrap();
    let (one, other) = question.split_once(" + ").unwrap();
    let number = |text: &str| text.parse::<u32>().unwrap();
    (shown.token.unwrap(), number(one) + number(other))
}

async fn with_sums() -> World {
    World::with(None, &[("PURSER_CAPTCHA", "arithmetic")]).await
}

#[tokio::test]
async fn nobody_must_answer_unless_the_deployment_wants_it() {
    let world = World::new().await;
    let app = world.system().app();
    let shown = app.captcha().unwrap();
    assert_eq!((shown.kind, shown.required), (CaptchaKind::Arithmetic, false));
    for given in [None, Some(json!({"token": "x"}))] {
        let person = app.is_person(Form::Login, given.as_ref().map(body).as_ref(), &stamp("1")).await;
        assert_eq!(person.ok(), Some(false));
    }
    let (token, answer) = sum(app);
    let right = json!({"token": token, "answer": answer});
    assert_eq!(app.is_person(Form::Login, Some(&body(&right)), &stamp("2")).await.ok(), Some(true));
}

#[tokio::test]
async fn a_sum_counts_once() {
    let world = with_sums().await;
    let app = world.system().app();
    let before = world.size().await;
    let (token, answer) = sum(app);
    assert_eq!(world.size().await, before, "asking for a sum writes nothing");
    let right = json!({"token": token, "answer": answer});
    assert_eq!(asked(app, Some(right.clone()), "1").await, None);
    assert_eq!(asked(app, Some(right), "2").await, Some("captcha_failed"));
    let (other, _) = sum(app);
    assert_ne!(other, token);
}

#[tokio::test]
async fn a_wrong_answer_uses_a_sum_up() {
    let world = with_sums().await;
    let app = world.system().app();
    let (token, answer) = sum(app);
    let wrong = json!({"token": token, "answer": answer + 1});
    let right = json!({"token": token, "answer": answer});
    let (unanswered, its_answer) = sum(app);
    let given = [
        None,
        Some(wrong),
        Some(right),
        Some(json!({"token": unanswered})),
        Some(json!({"token": unanswered, "answer": its_answer})),
    ];
    for (n, given) in given.into_iter().enumerate() {
        let answered = asked(app, given, &n.to_string()).await;
        assert_eq!(answered, Some("captcha_failed"), "{n}");
    }
}

#[tokio::test]
async fn of_many_at_once_one_gets_through() {
    let world = with_sums().await;
    let app = world.system().app();
    let (token, answer) = sum(app);
    let tries = (0..8).map(|n| {
        let (app, given) = (app.clone(), json!({"token": token, "answer": answer}));
        tokio::spawn(async move { asked(&app, Some(given), &n.to_string()).await })
    });
    let mut passed = 0;
    for tried in tries.collect::<Vec<_>>() {
        passed += usize::from(tried.await.unwrap().is_none());
    }
    assert_eq!(passed, 1);
}

#[tokio::test]
async fn a_sum_must_be_done_in_five_minutes() {
    let world = with_sums().await;
    let app = world.system().app();
    for (seconds, code) in [(290, None), (301, Some("captcha_failed"))] {
        let (token, answer) = sum(app);
        world.system().clock().advance(SignedDuration::from_secs(seconds));
        let given = json!({"token": token, "answer": answer});
        assert_eq!(asked(app, Some(given), "r").await, code, "{seconds}");
    }
}

#[tokio::test]
async fn a_forged_token_is_refused_and_costs_nothing() {
    let (world, other) = (with_sums().await, with_sums().await);
    let app = world.system().app();
    let (token, answer) = sum(app);
    let (foreign, its_answer) = sum(other.system().app());
    let flipped = token.replacen(&token[40..41], if &token[40..41] == "A" { "B" } else { "A" }, 1);
    let before = world.size().await;
    for (token, answer) in [
        (flipped, answer),
        (foreign, its_answer),
        ("not_base_64!".to_owned(), 0),
        ("A".repeat(8_192), 0),
        (token[..20].to_owned(), answer),
    ] {
        let given = json!({"token": token, "answer": answer});
        assert_eq!(asked(app, Some(given), "r").await, Some("captcha_failed"));
    }
    assert_eq!(world.size().await, before);
}

#[test]
fn a_body_holds_nothing_else() {
    for bad in [
        json!({}),
        json!({"token": "x", "answer": "12"}),
        json!({"token": "x", "answer": -1}),
        json!({"token": "x", "more": 1}),
        json!({"token": ""}),
        json!({"token": "not visible ✓"}),
        json!({"token": "A".repeat(8_193)}),
        json!("x"),
    ] {
        assert!(serde_json::from_value::<CaptchaBody>(bad.clone()).is_err(), "{bad}");
    }
    let shown = format!("{:?}", body(&json!({"token": "hush"})));
    assert!(!shown.contains("hush"));
}

/// A stand-in for the siteverify of a service: it gives the answer that a test sets, and records what it was asked.
#[derive(Clone, Default)]
struct Siteverify {
    answer: Arc<Mutex<(u16, String)>>,
    heard: Arc<Mutex<Vec<Heard>>>,
}

#[derive(Debug, Clone, PartialEq)]
struct Heard {
    asked: String,
    kind: Option<String>,
    form: String,
}

impl Siteverify {
    async fn start(&self) -> String {
        let routes = Router::new().fallback(verify).with_state(self.clone());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move { axum::serve(listener, routes).await });
        format!("http://{address}/api/siteverify")
    }

    fn says(&self, status: u16, body: &str) {
        *self.answer.lock().unwrap() = (status, body.to_owned());
    }
}

async fn verify(
    State(stand_in): State<Siteverify>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    form: String,
) -> impl IntoResponse {
    let kind = headers.get("content-type");
    stand_in.heard.lock().unwrap().push(Heard {
        asked: format!("{method} {uri}"),
        kind: kind.map(|kind| kind.to_str().unwrap().to_owned()),
        form,
    });
    let (status, said) = stand_in.answer.lock().unwrap().clone();
    (StatusCode::from_u16(status).unwrap(), said)
}

async fn with_service(kind: &str, url: &str) -> World {
    let variables = [
        ("PURSER_CAPTCHA", kind),
        ("PURSER_CAPTCHA_SITE_KEY", SITE),
        ("PURSER_CAPTCHA_URL", url),
        ("PURSER_ALLOWED_ORIGINS", "https://shop.example:8443"),
    ];
    let world = World::with(None, &variables).await;
    let secret = json!({"secret": SECRET}).to_string();
    world.system().vault().put(Purpose::Captcha, secret).unwrap();
    world.read_secrets_again();
    world.system().apps().of("sign-up-reseller").unwrap().keeper.refresh().await;
    world
}

#[tokio::test]
async fn a_service_judges_by_its_protocol() {
    let judge = Siteverify::default();
    let world = with_service("recaptcha", &judge.start().await).await;
    // The role of this function has no right that concerns the service: the check has to work without one.
    let app = world.system().apps().of("sign-up-reseller").unwrap();
    let shown = json!(app.captcha().unwrap());
    let expected = json!({"kind": "recaptcha", "required": true, "question": null, "token": null, "site_key": SITE});
    assert_eq!(shown, expected);
    let given = json!({"token": "03AG&it=s"});
    for (status, said, code) in [
        (200, r#"{"success": true, "challenge_ts": "2026-01-01T00:00:00Z", "hostname": "shop.example"}"#, None),
        (200, r#"{"success": false, "error-codes": ["timeout-or-duplicate"]}"#, Some("captcha_failed")),
        (200, r#"{"success": false, "error-codes": ["invalid-input-response"]}"#, Some("captcha_failed")),
        (200, r#"{"success": false}"#, Some("captcha_failed")),
        // A wrong secret is a fault of the deployment, not of the caller, who is told to try again later.
        (200, r#"{"success": false, "error-codes": ["invalid-input-secret"]}"#, Some("busy")),
        (200, "<html>", Some("busy")),
        (500, r#"{"success": true, "hostname": "shop.example"}"#, Some("busy")),
        (302, "", Some("busy")),
    ] {
        judge.says(status, said);
        assert_eq!(asked(app, Some(given.clone()), "r").await, code, "{said}");
    }
    let heard = judge.heard.lock().unwrap().clone();
    let expected = Heard {
        asked: "POST /api/siteverify".to_owned(),
        kind: Some("application/x-www-form-urlencoded".to_owned()),
        form: "secret=hush%20hush%20%26%20more%3D&response=03AG%26it%3Ds".to_owned(),
    };
    assert!(heard.iter().all(|it| *it == expected), "{heard:?}");
    assert_eq!(heard.len(), 8, "each check asks the service once");
    // The service is not asked about a request that carries no CAPTCHA answer.
    assert_eq!(asked(app, None, "r").await, Some("captcha_failed"));
    assert_eq!(judge.heard.lock().unwrap().len(), 8);
}

/// An answer from another site, or given on another form, would be a person's who does not know what it is for.
#[tokio::test]
async fn an_answer_counts_for_this_form_on_a_page_of_this_deployment() {
    let own = json!("shop.example");
    let (none, login, register) = (Value::Null, json!("login"), json!("register"));
    let no_score = Value::Null;
    for (kind, cases) in [
        (
            "turnstile",
            vec![
                (&own, &login, &no_score, None),
                (&own, &register, &no_score, Some("captcha_failed")),
                (&own, &none, &no_score, Some("captcha_failed")),
                (&own, &json!(""), &no_score, Some("captcha_failed")),
                (&json!("evil.example"), &login, &no_score, Some("captcha_failed")),
                (&json!("shop.example.evil.example"), &login, &no_score, Some("captcha_failed")),
                (&Value::Null, &login, &no_score, Some("captcha_failed")),
            ],
        ),
        (
            "hcaptcha",
            vec![
                (&own, &none, &no_score, None),
                // What this service calls a score is 1 for the greatest risk.
                (&own, &none, &json!(0.1), None),
                (&json!("evil.example"), &none, &no_score, Some("captcha_failed")),
            ],
        ),
        (
            "recaptcha",
            vec![
                (&own, &none, &no_score, None),
                (&own, &login, &json!(0.5), None),
                (&own, &login, &json!(0.4), Some("captcha_failed")),
                // Version 3 knows actions, and the page of a stranger may leave them out.
                (&own, &none, &json!(0.9), Some("captcha_failed")),
                (&own, &json!(""), &json!(0.9), Some("captcha_failed")),
                (&own, &register, &json!(0.9), Some("captcha_failed")),
                (&json!("evil.example"), &login, &json!(0.9), Some("captcha_failed")),
            ],
        ),
    ] {
        let judge = Siteverify::default();
        let world = with_service(kind, &judge.start().await).await;
        let app = world.system().apps().of("sign-up-reseller").unwrap();
        for (hostname, action, score, code) in cases {
            let mut verdict = json!({"success": true, "hostname": hostname, "action": action, "score": score});
            verdict.as_object_mut().unwrap().retain(|_, member| !member.is_null());
            judge.says(200, &verdict.to_string());
            assert_eq!(asked(app, Some(json!({"token": "x"})), "r").await, code, "{kind} {verdict}");
        }
    }
}

#[tokio::test]
async fn each_form_has_an_action_of_its_own() {
    let judge = Siteverify::default();
    let world = with_service("turnstile", &judge.start().await).await;
    let app = world.system().apps().of("sign-up-reseller").unwrap();
    for (form, action) in [
        (Form::Register, "register"),
        (Form::Login, "login"),
        (Form::ResendConfirmation, "resend_confirmation"),
        (Form::ForgotPassword, "forgot_password"),
        (Form::SignUp, "sign_up"),
    ] {
        judge.says(200, &json!({"success": true, "hostname": "shop.example", "action": action}).to_string());
        assert_eq!(asked_for(app, form, Some(json!({"token": "x"})), "r").await, None, "{action}");
    }
}

#[tokio::test]
async fn nobody_gets_through_while_the_service_is_out_of_reach_or_has_no_secret() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let world = with_service("hcaptcha", &format!("http://{address}/siteverify")).await;
    let given = Some(json!({"token": "x"}));
    let app = world.system().apps().of("sign-up-reseller").unwrap();
    assert_eq!(asked(app, given.clone(), "r").await, Some("busy"));
    let judge = Siteverify::default();
    judge.says(200, r#"{"success": true, "hostname": "shop.example"}"#);
    let world = with_service("hcaptcha", &judge.start().await).await;
    world.system().vault().put(Purpose::Captcha, "{}".to_owned()).unwrap();
    world.read_secrets_again();
    let app = world.system().apps().of("customer-auth").unwrap();
    app.keeper.refresh().await;
    assert_eq!(asked(app, given, "r").await, Some("busy"));
    assert_eq!(judge.heard.lock().unwrap().len(), 0);
}

/// Otherwise each answer would be taken for one from somebody else's page.
#[tokio::test]
async fn a_deployment_that_knows_no_page_of_its_own_says_so() {
    let variables = [
        ("PURSER_CAPTCHA", "turnstile"),
        ("PURSER_CAPTCHA_SITE_KEY", SITE),
        ("PURSER_CAPTCHA_URL", "http://127.0.0.1:9/"),
        ("PURSER_PUBLIC_URL", ""),
    ];
    let world = World::with(None, &variables).await;
    let app = world.system().apps().of("customer-auth").unwrap();
    assert_eq!(asked(app, Some(json!({"token": "x"})), "r").await, Some("busy"));
}
