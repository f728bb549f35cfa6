//! The API's document as it is committed, so that a review sees what a change does to the API.

use std::fs;
use std::path::Path;

/// Writes the document instead of comparing it.
const UPDATE: &str = "UPDATE_OPENAPI";

#[test]
fn the_committed_routes_are_those_of_the_functions() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../functions/lambda/routes.txt");
    let routes = purser_api::http::fallback::listed(purser_lambda::functions());
    if std::env::var_os(UPDATE).is_some() {
        fs::write(&file, &routes).expect("routes.txt is written");
    }
    assert_eq!(fs::read_to_string(&file).unwrap_or_default(), routes, "{UPDATE}=1 writes it");
}

#[test]
fn the_committed_document_is_that_of_the_code() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../openapi.json");
    let document = purser_api::http::openapi::document().to_pretty_json().expect("JSON") + "\n";
    if std::env::var_os(UPDATE).is_some() {
        fs::write(&file, &document).expect("openapi.json is written");
    }
    let committed = fs::read_to_string(&file).unwrap_or_default();
    let pairs = committed.lines().zip(document.lines()).enumerate();
    let first = pairs.into_iter().find(|(_, (committed, made))| committed != made);
    assert!(
        committed == document,
        "openapi.json is not the document of the code; the first lines that differ: {first:#?}\n\
         {UPDATE}=1 cargo test --workspace --test it openapi writes it; then look at what changed for callers"
    );
}
