//! Tests of the failure pages, and helpers for the tests of all pages.
//!
//! Each page is a snapshot in `src/snapshots`; review changes to them like code.

use axum::body::to_bytes;
use insta::Settings;

use super::*;

pub async fn html(response: Response) -> (u16, String) {
    let status = response.status().as_u16();
    let bytes = to_bytes(response.into_body(), 1 << 20).await.unwrap();
    (status, String::from_utf8(bytes.into()).unwrap())
}

/// Compares a page with its snapshot, in which the style sheet is replaced by `…`.
#[track_caller]
pub fn assert_page(snapshot: &str, (status, html): &(u16, String)) {
    let shown = format!("{status}\n\n{}\n", html.replace(STYLE, "…"));
    let mut settings = Settings::clone_current();
    settings.set_snapshot_path("../../snapshots");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!(snapshot, shown));
}

#[tokio::test]
async fn snapshot_of_failures() {
    for status in [404, 405, 413, 415, 422, 429, 500, 503] {
        let (title, text) = failure(StatusCode::from_u16(status).unwrap());
        let page = Message { brand: "Purser", title, text: &[text] };
        let shown = html(show(StatusCode::from_u16(status).unwrap(), &page)).await;
        assert_page(&format!("failure_{status}"), &shown);
    }
}
