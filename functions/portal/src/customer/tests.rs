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

fn form() -> ResetForm {
    ResetForm {
        token: "the-token".into(),
        password: "password1234".into(),
        repeated: "password1234".into(),
        show: true,
    }
}

#[tokio::test]
async fn snapshot_of_confirm() {
    let page = ConfirmPage { brand: BRAND, token: "the-token" };
    assert_page("confirm", &html(page::show(StatusCode::OK, &page)).await);
    assert_page("confirmed", &html(confirmed(BRAND, Ok(acts::Done))).await);
}

#[tokio::test]
async fn snapshot_of_reset_password() {
    let config = config();
    let page = |show| ResetPage::new(&config, "the-token", show);
    assert_page("reset_password", &html(page::show(StatusCode::OK, &page(false))).await);
    assert_page("reset_password_shown", &html(page::show(StatusCode::OK, &page(true))).await);
    let differs = ResetPage { differs: true, ..page(false) };
    assert_page("reset_password_differs", &html(page::show(StatusCode::UNPROCESSABLE_ENTITY, &differs)).await);
    assert_page("password_set", &html(set(&config, &form(), Ok(acts::Done))).await);
}

#[tokio::test]
async fn snapshot_of_a_dead_link() {
    let invalid = || Problem::from(Refusal::InvalidToken);
    let answers = [confirmed(BRAND, Err(invalid())), set(&config(), &form(), Err(invalid()))];
    for answer in answers {
        assert_page("dead_link", &html(answer).await);
    }
}

#[tokio::test]
async fn snapshot_of_a_wrong_password_which_is_not_repeated() {
    let weak = Problem::invalid(acts::PASSWORD, "must not be one that many people use");
    let shown = html(set(&config(), &form(), Err(weak))).await;
    assert_page("reset_password_wrong", &shown);
    assert!(!shown.1.contains("password1234"), "{}", shown.1);
}

#[tokio::test]
async fn problems_unrelated_to_the_link_get_the_general_failure_page() {
    for answer in [set(&config(), &form(), Err(Problem::busy())), confirmed(BRAND, Err(Problem::busy()))] {
        assert_eq!(answer.headers()["retry-after"], "1");
        let (status, body) = html(answer).await;
        assert_eq!(status, 503);
        assert!(!body.contains("no longer works"), "{body}");
    }
}
