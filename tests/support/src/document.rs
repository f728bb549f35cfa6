//! The API's document as tests read it: the operations, their inputs, and their successful answers.
//!
//! Invariant: everything comes from the `/openapi.json` that is served, so the tests rely on exactly what callers of
//! the API read.

use serde_json::Value;

use crate::World;
use crate::schema::Schema;

const METHODS: [&str; 5] = ["get", "post", "put", "patch", "delete"];

#[derive(Debug, Clone)]
pub struct Document(Value);

#[derive(Debug, Clone)]
pub struct Operation {
    /// In capital letters.
    pub method: String,
    /// With `{…}` for each path parameter.
    pub path: String,
    pub success: u16,
    /// The schema of the JSON body, if the operation takes one.
    pub body: Option<Value>,
    pub takes_picture: bool,
    pub needs_body: bool,
    pub query: Vec<Parameter>,
    pub headers: Vec<Parameter>,
}

#[derive(Debug, Clone)]
pub struct Parameter {
    pub name: String,
    pub required: bool,
    pub schema: Value,
}

impl Document {
    pub async fn of(world: &World) -> Self {
        Self(world.nobody().get("/openapi.json").await.expect(200).json)
    }

    pub fn body(&self, operation: &Operation) -> Option<Schema> {
        let body = operation.body.as_ref()?;
        Some(Schema::of_body(&self.0["components"]["schemas"], body, &operation.name()))
    }

    pub fn parameter(&self, parameter: &Parameter) -> Schema {
        Schema::of_parameter(&self.0["components"]["schemas"], &parameter.schema, &parameter.name)
    }

    pub fn operations(&self) -> Vec<Operation> {
        let paths = self.0["paths"].as_object().expect("paths");
        let of_path = |(path, item): (&String, &Value)| {
            let there = METHODS.iter().filter(|method| item.get(**method).is_some());
            there.map(|method| operation(method, path, &item[*method])).collect::<Vec<_>>()
        };
        paths.iter().flat_map(of_path).collect()
    }
}

fn operation(method: &str, path: &str, operation: &Value) -> Operation {
    let content = &operation["requestBody"]["content"];
    let body = content.get("application/json");
    let body = body.map(|body| body["schema"].clone());
    let parameters = |place: &str| {
        let all = operation["parameters"].as_array().into_iter().flatten();
        all.filter(|parameter| parameter["in"] == place)
            .map(|parameter| Parameter {
                name: parameter["name"].as_str().expect("a name").to_owned(),
                required: parameter["required"] == true,
                schema: parameter["schema"].clone(),
            })
            .collect()
    };
    // What makes something answers with 201 the first time.
    let statuses = operation["responses"].as_object().expect("responses").keys();
    let success = statuses.filter_map(|status| status.parse().ok().filter(|code| *code < 300)).max();
    Operation {
        method: method.to_uppercase(),
        path: path.to_owned(),
        success: success.unwrap_or_else(|| panic!("{method} {path} has no successful answer")),
        body,
        takes_picture: content.get("image/*").is_some(),
        needs_body: operation["requestBody"]["required"] == true,
        query: parameters("query"),
        headers: parameters("header"),
    }
}

impl Operation {
    /// The method and the path, as in `GET /v1/clients`.
    pub fn name(&self) -> String {
        format!("{} {}", self.method, self.path)
    }

    pub fn header(&self, name: &str) -> Option<&Parameter> {
        self.headers.iter().find(|header| header.name == name)
    }
}
