//! Tests of which values a configuration accepts, and of its defaults.

use super::*;

fn read(name: &str, value: &str) -> Result<Config, ConfigError> {
    Config::read(|asked| match asked {
        asked if asked == name => Some(value.to_owned()),
        "PURSER_TABLE" | "PURSER_BUS" => Some("purser".into()),
        "PURSER_MAIL_FROM" => Some("purser@example.com".into()),
        _ => None,
    })
}

#[test]
fn defaults_are_those_of_the_specification() {
    let config = read("", "").unwrap();
    assert_eq!(config.discounts, Discounts::default());
    assert_eq!(config.low_credit_threshold, Credits::new(500));
    assert_eq!((config.client_status, config.credits_per_unit), (ClientStatus::Pending, 100));
}

#[test]
fn a_public_address_is_kept_as_it_is() {
    for url in ["https://purser.example.com", "http://127.0.0.1:3000", "https://example.com/purser"] {
        let config = read("PURSER_PUBLIC_URL", url).unwrap();
        assert_eq!(config.public_url.as_deref(), Some(url));
    }
    assert_eq!(read("PURSER_PUBLIC_URL", "").unwrap().public_url, None);
}

#[test]
fn no_origin_is_allowed_unless_it_is_named() {
    assert!(read("", "").unwrap().allowed_origins.is_empty());
    let two = read("PURSER_ALLOWED_ORIGINS", "https://shop.example, http://localhost:5173").unwrap();
    assert_eq!(
        two.allowed_origins,
        ["https://shop.example", "http://localhost:5173"].map(|it| Origin::parse(it).unwrap())
    );
}

#[test]
fn a_wrong_variable_is_named() {
    for (name, value) in [
        ("PURSER_TABLE", ""),
        ("PURSER_MAIL_FROM", "nobody"),
        ("PURSER_PUBLIC_URL", "purser.example.com"),
        ("PURSER_PUBLIC_URL", "http://purser.example.com"),
        ("PURSER_ALLOWED_ORIGINS", "*"),
        ("PURSER_ALLOWED_ORIGINS", "https://shop.example,"),
        ("PURSER_PUBLIC_URL", "https://purser.example.com/"),
        ("PURSER_PUBLIC_URL", "https://purser.example.com/#"),
        ("PURSER_PUBLIC_URL", "https://purser.example.com?a=b"),
        ("PURSER_PUBLIC_URL", "https://purser.example.com@evil.example"),
        ("PURSER_PUBLIC_URL", "javascript:alert(1)"),
        ("PURSER_PUBLIC_URL", "/customer"),
        ("PURSER_CLIENT_PREFIX", "client"),
        ("PURSER_CLIENT_STATUS", "new"),
        ("PURSER_DISCOUNT_GOLD", "10001"),
        ("PURSER_DISCOUNT_GOLD", "15%"),
        ("PURSER_LOW_CREDIT_THRESHOLD", "-1"),
        ("PURSER_AUTO_BIND_USER", "yes"),
        ("PURSER_CURRENCY", "dollars"),
        ("PURSER_CREDITS_PER_UNIT", "0"),
        ("PURSER_KEY_REQUESTS_PER_MINUTE", "-1"),
        ("PURSER_ADDRESS_REQUESTS_PER_MINUTE", "none"),
        ("PURSER_OPERATOR_KEY_SHA256", "abc"),
        ("PURSER_UNCONFIRMED_DAYS", "1"),
        ("PURSER_DORMANT_DAYS", "59"),
        ("PURSER_DORMANT_DAYS", "10001"),
        ("PURSER_PASSWORD_LENGTH", "7"),
        ("PURSER_PASSWORD_LENGTH", "257"),
        ("PURSER_PASSWORD_LENGTH", "long"),
        ("PURSER_CAPTCHA", "on"),
    ] {
        let error = read(name, value).unwrap_err();
        assert!(error.to_string().starts_with(name), "{error}");
    }
}

#[test]
fn a_captcha_is_whole_or_stops_the_start() {
    let read = |given: &[(&str, &str)]| {
        Config::read(|asked| match asked {
            "PURSER_TABLE" | "PURSER_BUS" => Some("purser".into()),
            "PURSER_MAIL_FROM" => Some("purser@example.com".into()),
            _ => given.iter().find(|(name, _)| *name == asked).map(|(_, value)| (*value).to_owned()),
        })
        .map(|config| config.accounts.captcha)
    };
    assert!(matches!(read(&[]), Ok(Captcha::Off)));
    let arithmetic = read(&[("PURSER_CAPTCHA", "arithmetic")]);
    assert!(matches!(arithmetic, Ok(Captcha::Arithmetic)));
    let site = ("PURSER_CAPTCHA_SITE_KEY", "site");
    for (kind, host) in
        [("turnstile", "challenges.cloudflare.com"), ("hcaptcha", "api.hcaptcha.com"), ("recaptcha", "www.google.com")]
    {
        let kind = ("PURSER_CAPTCHA", kind);
        let Ok(Captcha::Service(service)) = read(&[kind, site]) else { panic!("{kind:?}") };
        assert_eq!((service.url.host(), service.url.scheme_str()), (Some(host), Some("https")));
        let own = ("PURSER_CAPTCHA_URL", "https://judge.example/siteverify");
        let Ok(Captcha::Service(service)) = read(&[kind, site, own]) else { panic!("{kind:?}") };
        assert_eq!(service.url, own.1);
        let error = read(&[kind]).unwrap_err().to_string();
        assert!(error.starts_with(site.0), "{error}");
        for nowhere in ["/siteverify", "http://judge.example/siteverify"] {
            let error = read(&[kind, site, ("PURSER_CAPTCHA_URL", nowhere)]).unwrap_err().to_string();
            assert!(error.starts_with("PURSER_CAPTCHA_URL"), "{error}");
        }
    }
}
