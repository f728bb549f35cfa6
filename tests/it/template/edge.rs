//! infra/cloud/edge.yaml, which is deployed apart: what it must say so that its limits can't be walked around.

/// The API decodes a path before a function sees it. A rule that does not would miss `/v1/auth/%6cogin`.
#[test]
fn the_web_acl_reads_paths_as_the_api_does() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../infra/cloud/edge.yaml");
    let text = std::fs::read_to_string(path).unwrap();
    let rules: Vec<&str> = text.split("FieldToMatch: { UriPath: {} }").skip(1).collect();
    assert_eq!(rules.len(), 2);
    for rule in rules {
        let transformations = rule.lines().find(|line| line.contains("TextTransformations")).unwrap();
        assert!(transformations.contains("URL_DECODE") && transformations.contains("NORMALIZE_PATH"), "{rule}");
    }
}
