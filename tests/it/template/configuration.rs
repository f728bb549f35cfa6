//! Configuration: a wrong variable stops the start, and the error names it.

use purser_local::run::system::{Options, System};

#[tokio::test]
async fn a_wrong_variable_stops_the_start_by_name() {
    for (name, value) in [
        ("PURSER_DISCOUNT_GOLD", "10001"),
        ("PURSER_CLIENT_PREFIX", "client"),
        ("PURSER_MAIL_FROM", "x"),
        ("PURSER_PUBLIC_URL", "purser.example.com"),
    ] {
        let options = Options {
            port: 0,
            folder: None,
            operator_key: None,
            variables: [(name.to_owned(), value.to_owned())].into(),
            ..Options::default()
        };
        let error = System::start(options).await.err().expect("a refusal").to_string();
        assert!(error.contains(name), "{error}");
    }
}
