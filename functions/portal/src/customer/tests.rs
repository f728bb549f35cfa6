//! Snapshots of the customer's pages in each of their states.

use purser_domain::Refusal;

use super::*;
use crate::kit::page::tests::{assert_page, html};

const BRAND: &str = "Vendor & <Co> 株式会社";

fn config() -> Config {
    let config = Config::read(|name| match name {
        "PURSER_TABLE" | "PURSER_BUS" => Some("purser".to_owned()),
        "PURSER_MAIL_FROM" => Some("purser@example.com".to_owned()),
        "PURSER_BRAND" => Some(BRAND.to_owned()),
        _ => None,
    });
    config.unwrap()
}

fn form() -> PasswordForm {
    PasswordForm {
        token: "the-token".into(),
        name: "Ada <Lovelace>".into(),
        password: "password1234".into(),
        repeated: "password1234".into(),
        show: true,
    }
}

const PAGES: [(&str, &Purpose); 3] =
    [("confirm", &CONFIRM), ("confirm_email", &CONFIRM_EMAIL), ("reset_password", &RESET)];

#[tokio::test]
async fn snapshot_of_each_form_and_of_what_follows() {
    let config = config();
    for (name, purpose) in PAGES {
        let page = |show| purpose.page(&config, "the-token", show, "");
        assert_page(name, &html(page::show(StatusCode::OK, &page(false))).await);
        assert_page(&format!("{name}_shown"), &html(page::show(StatusCode::OK, &page(true))).await);
        assert_page(&format!("{name}_done"), &html(purpose.answer(&config, &form(), Ok(acts::Done))).await);
    }
    let differs = PasswordForm { repeated: "other".into(), ..form() };
    let differs = CONFIRM.differing(&config, &differs).unwrap();
    assert_page("confirm_differs", &html(differs).await);
    assert!(CONFIRM.differing(&config, &form()).is_none());
}

#[tokio::test]
async fn snapshot_of_a_dead_link() {
    for (_, purpose) in PAGES {
        let dead = purpose.answer(&config(), &form(), Err(Refusal::InvalidToken.into()));
        assert_page("dead_link", &html(dead).await);
    }
}

#[tokio::test]
async fn snapshot_of_a_wrong_field_where_no_password_is_repeated() {
    let weak = || Problem::invalid(acts::PASSWORD, "must not be one that many people use");
    let name = || Problem::invalid(acts::NAME, "must be at most 255 characters");
    for (snapshot, purpose, problem) in [
        ("confirm_wrong_name", &CONFIRM, name()),
        ("confirm_email_wrong", &CONFIRM_EMAIL, Refusal::WrongPassword.into()),
        ("reset_password_wrong", &RESET, weak()),
    ] {
        let shown = html(purpose.answer(&config(), &form(), Err(problem))).await;
        assert_page(snapshot, &shown);
        assert!(!shown.1.contains("password1234"), "{}", shown.1);
    }
}

#[tokio::test]
async fn problems_unrelated_to_the_link_get_the_general_failure_page() {
    for (_, purpose) in PAGES {
        let answer = purpose.answer(&config(), &form(), Err(Problem::busy()));
        assert_eq!(answer.headers()["retry-after"], "1");
        let (status, body) = html(answer).await;
        assert_eq!(status, 503);
        assert!(!body.contains("no longer works"), "{body}");
    }
}
