//! Answers to requests that match no route.
//!
//! Invariant: an unknown path is 404, and a known path with another method is 405. Both are problems, and the same
//! for every caller.

use std::collections::BTreeSet;

use axum::extract::Request;
use http::HeaderValue;
use http::header::ALLOW;
use purser_edge::http::serve;
use purser_edge::prelude::*;
use utoipa::openapi::PathItem;

use crate::{Entry, Function};

/// The paths of all functions with their methods, to tell 405 from 404.
#[derive(Debug)]
pub struct Paths(Vec<(&'static str, Vec<&'static str>)>);

impl Paths {
    /// Reads what [`listed`] has written. A binary that asked its functions instead would have to contain all of them.
    pub fn read(list: &'static str) -> Self {
        let read =
            |line: &'static str| line.split_once(' ').map(|(path, methods)| (path, methods.split(' ').collect()));
        Self(list.lines().filter_map(read).collect())
    }
}

/// The paths of these functions, each in a line with its methods.
pub fn listed<'a>(functions: impl Iterator<Item = &'a Function>) -> String {
    let mut paths = utoipa::openapi::Paths::new();
    for function in functions {
        if let Entry::Http(routes) = function.entry {
            paths.merge(routes.document().paths);
        }
    }
    let lines: Vec<String> = paths.paths.iter().map(|(path, it)| format!("{path} {}", methods(it).join(" "))).collect();
    lines.join("\n") + "\n"
}

fn methods(item: &PathItem) -> Vec<&'static str> {
    let all = [
        ("GET", item.get.is_some()),
        ("HEAD", item.get.is_some()),
        ("POST", item.post.is_some()),
        ("PATCH", item.patch.is_some()),
        ("PUT", item.put.is_some()),
        ("DELETE", item.delete.is_some()),
    ];
    all.iter().filter(|(_, there)| *there).map(|(name, _)| *name).collect()
}

/// Answers a request without a route: 405 if the path has another method, otherwise 404.
pub fn elsewhere(paths: &Paths, request: &Request) -> Response {
    let path = request.uri().path();
    let fitting = paths.0.iter().filter(|(template, _)| fits(template, path));
    let methods: BTreeSet<&str> = fitting.flat_map(|(_, methods)| methods.clone()).collect();
    if methods.is_empty() {
        return Problem::not_found("path").into_response();
    }
    let mut response = serve::method_not_allowed().into_response();
    let methods: Vec<&str> = methods.into_iter().collect();
    if let Ok(methods) = HeaderValue::try_from(methods.join(", ")) {
        response.headers_mut().insert(ALLOW, methods);
    }
    response
}

/// Whether `path` matches `template`, in which `{…}` stands for one segment that is not empty.
pub fn fits(template: &str, path: &str) -> bool {
    let (template, path) = (template.split('/'), path.split('/'));
    template.clone().count() == path.clone().count()
        && template.zip(path).all(|(part, segment)| part == segment || (part.starts_with('{') && !segment.is_empty()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_template_fits_its_instances_only() {
        for (template, path, fitting) in [
            ("/v1/clients", "/v1/clients", true),
            ("/v1/clients/{refid}", "/v1/clients/CL-1", true),
            ("/v1/clients/{refid}", "/v1/clients/", false),
            ("/v1/clients/{refid}", "/v1/clients", false),
            ("/v1/clients/{refid}/activate", "/v1/clients/CL-1/suspend", false),
        ] {
            assert_eq!(fits(template, path), fitting, "{template} {path}");
        }
    }
}
