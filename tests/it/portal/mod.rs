//! The pages behind the links in e-mails (rules D1, D3). They are for people, so even an error is a page.

use data_encoding::BASE64;
use purser_tests::lambda::{event, invoke};
use purser_tests::prelude::*;

const CONFIRM: &str = "/customer/confirm";
const CONFIRM_EMAIL: &str = "/customer/confirm-email";
const RESET: &str = "/customer/reset-password";
const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");
/// A token that becomes markup if a page does not escape it.
const HOSTILE: &str = "%22%3E%3Cscript%3Ealert(1)%3C/script%3E";

async fn post(world: &World, path: &str, form: &str) -> Reply {
    let body = Some(form.to_owned().into_bytes());
    world.nobody().send("POST", path, &[FORM], body).await
}

fn passwords(password: &str, repeated: &str) -> String {
    format!("token=abc&password={password}&repeated={repeated}")
}

/// The HTML of an answer, which must have the headers of a page and refer to nothing outside it.
#[track_caller]
fn page(reply: Reply, status: u16) -> String {
    let reply = reply.expect(status);
    for (name, value) in [
        ("content-type", "text/html; charset=utf-8"),
        ("cache-control", "no-store"),
        ("referrer-policy", "no-referrer"),
        ("x-frame-options", "DENY"),
        ("x-content-type-options", "nosniff"),
    ] {
        assert_eq!(reply.header(name), Some(value), "{name}");
    }
    assert_eq!(reply.header("set-cookie"), None);
    assert!(reply.header("x-request-id").is_some());
    let html = String::from_utf8(reply.bytes.clone()).unwrap();
    assert!(html.contains("<html lang=\"en\">") && html.contains("<h1>"), "{html}");
    for outside in ["http://", "https://", "src=", "<link", "<script", "javascript:", "style="] {
        assert!(!html.contains(outside), "{outside}: {html}");
    }
    let style = html.split("<style>").nth(1).unwrap();
    let style = style.split("</style>").next().unwrap();
    let hash = sha256(style);
    let policy = format!(
        "default-src 'none'; style-src 'sha256-{hash}'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    );
    assert_eq!(reply.header("content-security-policy"), Some(policy.as_str()));
    html
}

fn sha256(text: &str) -> String {
    let hash = purser_store::engine::secrets::sha256_hex(text.as_bytes());
    BASE64.encode(&data_encoding::HEXLOWER.decode(hash.as_bytes()).unwrap())
}

#[tokio::test]
async fn a_form_is_shown_for_any_token_and_nothing_is_looked_up() {
    let world = World::with(None, &[("PURSER_BRAND", "Vendor & <Co>")]).await;
    for path in [CONFIRM, CONFIRM_EMAIL, RESET] {
        for query in ["token=abc", "utm_source=mail&token=abc", "token=%2e%2e%2f%00"] {
            let reply = world.nobody().get(&format!("{path}?{query}")).await;
            assert_eq!(reply.header("purser-cost"), Some("calls=0 rcu=0 wcu=0 hashes=0"));
            let html = page(reply, 200);
            assert!(html.contains("Vendor &#38; &#60;Co&#62;"), "{html}");
            assert!(html.contains("<form method=\"post\""), "{html}");
        }
    }
    assert_eq!(world.size().await, 0);
}

#[tokio::test]
async fn a_link_without_a_token_is_told_like_a_dead_one() {
    let world = World::new().await;
    let dead = page(post(&world, CONFIRM_EMAIL, "token=abc&password=a").await, 422);
    for path in [CONFIRM, CONFIRM_EMAIL, RESET] {
        for query in ["", "?token=", "?tok"] {
            let html = page(world.nobody().get(&format!("{path}{query}")).await, 422);
            assert_eq!(html, dead, "{path}{query}");
        }
    }
}

#[tokio::test]
async fn a_token_that_opens_nothing_is_told_so_and_how_to_get_another() {
    let world = World::new().await;
    for (path, form) in [
        (CONFIRM, passwords("correct+horse+battery", "correct+horse+battery")),
        (CONFIRM_EMAIL, format!("token={HOSTILE}&password=a")),
        (RESET, passwords("correct+horse+battery", "correct+horse+battery")),
    ] {
        let html = page(post(&world, path, &form).await, 422);
        assert!(html.contains("This link no longer works"), "{html}");
    }
    assert_eq!(world.size().await, 0);
}

#[tokio::test]
async fn passwords_that_differ_are_told_at_the_field_and_not_repeated() {
    let world = World::new().await;
    let html = page(post(&world, RESET, &passwords("one-of-these", "the-other-one")).await, 422);
    assert!(html.contains("aria-invalid=\"true\" aria-describedby=\"differs\""), "{html}");
    assert!(html.contains("id=\"differs\""), "{html}");
    assert!(html.contains("name=\"token\" value=\"abc\""), "the form must keep the token: {html}");
    assert!(!html.contains("one-of-these") && !html.contains("the-other-one"), "{html}");
}

#[tokio::test]
async fn passwords_can_be_shown_without_a_script() {
    let world = World::new().await;
    let hidden = page(world.nobody().get(&format!("{RESET}?token=abc")).await, 200);
    let shown = page(world.nobody().get(&format!("{RESET}?token=abc&show=true")).await, 200);
    for (html, kind, label) in [(hidden, "password", "Show passwords"), (shown, "text", "Hide passwords")] {
        assert_eq!(html.matches(&format!("type=\"{kind}\" required")).count(), 2, "{html}");
        assert!(html.contains(label), "{html}");
        for field in ["password", "repeated"] {
            assert!(html.contains(&format!("<label for=\"{field}\">")), "{html}");
        }
    }
    let form = format!("{}&show=true", passwords("a", "b"));
    let again = page(post(&world, RESET, &form).await, 422);
    assert_eq!(again.matches("type=\"text\" required").count(), 2, "{again}");
}

#[tokio::test]
async fn what_a_link_or_a_form_holds_is_text() {
    let world = World::new().await;
    let differ = format!("token={HOSTILE}&password=a&repeated=b");
    for html in [
        page(world.nobody().get(&format!("{CONFIRM}?token={HOSTILE}")).await, 200),
        page(world.nobody().get(&format!("{RESET}?token={HOSTILE}")).await, 200),
        page(post(&world, RESET, &differ).await, 422),
    ] {
        let escaped = "value=\"&#34;&#62;&#60;script&#62;alert(1)&#60;/script&#62;\"";
        assert!(html.contains(escaped), "{html}");
    }
}

#[tokio::test]
async fn what_is_no_form_is_refused_on_a_page() {
    let world = World::new().await;
    let large = passwords(&"x".repeat(20_000), "x");
    let larger = passwords(&"x".repeat(600_000), "x");
    for (path, kind, body, status, said) in [
        (CONFIRM, "application/json", "{\"token\":\"abc\"}", 415, "could not read"),
        (RESET, "text/plain", "token=abc", 415, "could not read"),
        (CONFIRM, FORM.1, "", 422, "could not read"),
        (CONFIRM_EMAIL, FORM.1, "token=a&token=b", 422, "could not read"),
        (CONFIRM, FORM.1, "token=a&admin=true", 422, "could not read"),
        (RESET, FORM.1, "token=abc&password=a", 422, "could not read"),
        (RESET, FORM.1, &large, 413, "too long"),
        (RESET, FORM.1, &larger, 413, "too long"),
    ] {
        let body = Some(body.as_bytes().to_vec());
        let sent = world.nobody().send("POST", path, &[("content-type", kind)], body).await;
        let html = page(sent, status);
        assert!(html.contains(said), "{path} {kind}: {html}");
    }
    let odd = world.nobody().get(&format!("{RESET}?token=abc&show=perhaps")).await;
    let _page = page(odd, 400);
}

#[tokio::test]
async fn whoever_guesses_tokens_is_shut_out_on_a_page() {
    let world = World::with(None, &[("PURSER_ADDRESS_REQUESTS_PER_MINUTE", "60")]).await;
    for _ in 0..2 {
        let _dead = page(post(&world, CONFIRM_EMAIL, "token=guess&password=a").await, 422);
    }
    let shut_out = post(&world, CONFIRM_EMAIL, "token=guess&password=a").await;
    assert!(shut_out.header("retry-after").is_some());
    assert!(page(shut_out, 429).contains("Too many requests"));
    // Others may share the address, and their links work.
    let form = world.nobody().get(&format!("{CONFIRM}?token=abc")).await;
    assert!(form.header("retry-after").is_none(), "{}", form.status);
}

#[tokio::test]
async fn another_method_is_refused_and_pages_are_no_part_of_the_api() {
    let world = World::new().await;
    for path in [CONFIRM, CONFIRM_EMAIL, RESET] {
        for method in ["PUT", "DELETE", "PATCH"] {
            let refused = world.nobody().send(method, path, &[], None).await;
            assert_eq!(refused.header("allow"), Some("GET, HEAD, POST"), "{method} {path}");
            assert!(page(refused, 405).contains("Page not found"), "{method} {path}");
        }
    }
    let _unknown = world.nobody().get("/customer/elsewhere").await.refused(404, "not_found");
    let document = world.nobody().get("/openapi.json").await.expect(200);
    assert!(!String::from_utf8_lossy(&document.bytes).contains("/customer/"));
}

#[tokio::test]
async fn a_form_comes_through_lambda() {
    let world = World::new().await;
    let form = passwords("one-of-these", "the-other-one");
    let mut sent = event("POST", RESET, "", "");
    sent["headers"] = json!({"content-type": FORM.1});
    sent["body"] = json!(BASE64.encode(form.as_bytes()));
    sent["isBase64Encoded"] = json!(true);
    let html = page(invoke(&world, "customer-pages", sent).await, 422);
    assert!(html.contains("id=\"differs\""), "{html}");
}
