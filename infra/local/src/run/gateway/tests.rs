//! Which function a request reaches, and which templates are refused.

use axum::body::{Body, to_bytes};
use axum::extract::Path;
use axum::routing::get;

use super::*;

const TABLE: &str = "
Resources:
  Table:
    Type: AWS::DynamoDB::Table
    Properties:
      KeySchema: [{AttributeName: pk, KeyType: HASH}]
      AttributeDefinitions: [{AttributeName: pk, AttributeType: S}]
";

/// A template with these functions, each with its events as `method path`.
fn template(functions: &[(&str, &[&str])]) -> Template {
    let event = |(place, route): (usize, &&str)| {
        let (method, path) = route.split_once(' ').unwrap();
        format!("E{place}: {{Type: HttpApi, Properties: {{Method: {method}, Path: '{path}'}}}}, ")
    };
    let function = |(name, routes): &(&str, &[&str])| {
        let events: String = routes.iter().enumerate().map(event).collect();
        format!(
            "  {name}: {{Type: 'AWS::Serverless::Function', Properties: {{Handler: {name}, \
             Events: {{{events}}}}}}}\n"
        )
    };
    let text = TABLE.to_owned() + &functions.iter().map(function).collect::<String>();
    Template::parse(&text).unwrap()
}

fn named(name: &str) -> Router {
    let name = name.to_owned();
    Router::new().fallback(async move || name)
}

/// Every function has code, except one.
fn coded(name: &str) -> Option<Router> {
    (name != "uncoded").then(|| named(name))
}

async fn text(response: Response) -> String {
    let bytes = to_bytes(response.into_body(), 1_000).await.unwrap();
    String::from_utf8(bytes.to_vec()).unwrap()
}

async fn ask(router: &Router, method: &str, path: &str) -> Response {
    let request = Request::builder().method(method).uri(path);
    let request = request.body(Body::empty()).unwrap();
    router.clone().oneshot(request).await.unwrap()
}

#[tokio::test]
async fn a_request_reaches_the_function_that_the_template_says() {
    let template = template(&[
        ("front", &["any $default", "get /"]),
        ("list", &["get /v1/clients"]),
        ("create", &["post /v1/clients"]),
        ("read", &["get /v1/clients/{refid}"]),
        // The same segment under a different parameter name.
        ("act", &["post /v1/clients/{client}/activate"]),
        ("fixed", &["get /v1/clients/export", "any /v1/any"]),
        ("one", &["put /v1/any"]),
    ]);
    let router = routes(&template, coded).unwrap();
    for (method, path, function) in [
        ("GET", "/v1/clients", "list"),
        ("GET", "/v1/clients?limit=1", "list"),
        ("POST", "/v1/clients", "create"),
        ("GET", "/v1/clients/CL-1", "read"),
        ("GET", "/v1/clients/export", "fixed"),
        ("POST", "/v1/clients/CL-1/activate", "act"),
        ("DELETE", "/v1/any", "fixed"),
        ("PUT", "/v1/any", "one"),
        ("GET", "/", "front"),
        // Known paths with another method.
        ("DELETE", "/v1/clients", "front"),
        ("PURGE", "/v1/clients/CL-1", "front"),
        ("GET", "/v1/clients/CL-1/activate", "front"),
        // Unknown paths, except `%FF`, which is a refid as far as routing goes.
        ("GET", "/v1/clients/", "front"),
        ("GET", "/v1/clients/a/b/c", "front"),
        ("GET", "/v1/clients/%FF", "read"),
        ("GET", "/elsewhere", "front"),
    ] {
        let response = ask(&router, method, path).await;
        assert!(response.headers().get("allow").is_none(), "{method} {path}");
        assert_eq!(text(response).await, function, "{method} {path}");
    }
}

#[tokio::test]
#[expect(clippy::disallowed_methods, reason = "a function made up for a test")]
async fn a_function_sees_its_own_parameters_only() {
    let template = template(&[("front", &["any $default"]), ("read", &["get /a/{x}/{y}"])]);
    let own = Router::new().route(
        "/a/{first}/{second}",
        get(async |Path((first, second)): Path<(String, String)>| format!("{first}+{second}")),
    );
    let functions = |name: &str| match name {
        "read" => Some(own.clone()),
        other => coded(other),
    };
    let router = routes(&template, functions).unwrap();
    assert_eq!(text(ask(&router, "GET", "/a/1/2").await).await, "1+2");
}

#[tokio::test]
async fn a_nearer_path_without_the_method_gives_way_to_one_that_has_it() {
    let template = template(&[("front", &["any $default"]), ("read", &["get /a/{id}"]), ("write", &["post /a/all"])]);
    let functions = |name: &str| {
        let name = name.to_owned();
        Some(Router::new().fallback(async move || name))
    };
    let router = routes(&template, functions).unwrap();
    for (method, path, function) in [
        ("POST", "/a/all", "write"),
        ("GET", "/a/all", "read"),
        ("GET", "/a/1", "read"),
        ("POST", "/a/1", "front"),
        ("PUT", "/a/all", "front"),
    ] {
        let answer = text(ask(&router, method, path).await).await;
        assert_eq!(answer, function, "{method} {path}");
    }
}

#[tokio::test]
async fn the_cost_of_a_request_is_shown() {
    let template = template(&[("front", &["any $default"])]);
    let cost = Cost { calls: 3, rcu: 1.5, wcu: 6.0, hashes: 2 };
    let functions = move |_: &str| Some(Router::new().fallback(async move || axum::Extension(cost)));
    let router = routes(&template, functions).unwrap();
    let response = ask(&router, "GET", "/").await;
    let shown = "calls=3 rcu=1.5 wcu=6 hashes=2";
    assert_eq!(response.headers()["purser-cost"], shown);
    let router = routes(&template, coded).unwrap();
    let response = ask(&router, "GET", "/").await;
    assert!(response.headers().get("purser-cost").is_none());
}

#[test]
fn routes_that_mean_two_things_or_none_are_refused() {
    let refused = |functions: &[(&str, &[&str])]| routes(&template(functions), coded).unwrap_err();
    let front: (&str, &[&str]) = ("front", &["any $default"]);
    assert_eq!(refused(&[]), GatewayError::NoDefault);
    assert_eq!(refused(&[("front", &["get /"])]), GatewayError::NoDefault);
    assert_eq!(
        refused(&[front, ("other", &["any $default"])]).to_string(),
        "template: other: the route `ANY $default` is defined twice"
    );
    assert_eq!(
        refused(&[front, ("a", &["get /x/{y}"]), ("b", &["get /x/{z}"])]).to_string(),
        "template: b: the route `GET /x/{z}` is defined twice"
    );
    assert_eq!(refused(&[front, ("uncoded", &["get /x"])]), GatewayError::NoRoutes("uncoded".to_owned()));
    for path in ["x", "/{}", "/{proxy+}", "/a{b}", "/%41", "/_local/x", "/docs", "/.."] {
        let route = format!("get {path}");
        let error = refused(&[front, ("odd", &[&route])]);
        let function = "odd".to_owned();
        let path = path.to_owned();
        assert_eq!(error, GatewayError::Path { function, path });
    }
}
