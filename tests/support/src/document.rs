//! The API's document as tests read it: operations, what they take, how they answer when all is well.
//!
//! Invariant: everything comes from the `/openapi.json` that is served, so what a client's author reads is what is
//! tested.

use serde_json::Value;

use crate::World;
use crate::schema::Schema;

/// The methods an OpenAPI path item can have.
const METHODS: [&str; 5] = ["get", "post", "put", "patch", "delete"];

/// The document.
#[derive(Debug, Clone)]
pub struct Document(Value);

/// A method at a path.
#[derive(Debug, Clone)]
pub struct Operation {
    /// In capitals.
    pub method: String,
    /// With `{…}` for each of its parameters.
    pub path: String,
    /// The status when all is well.
    pub success: u16,
    /// The schema of the JSON it takes as its body, if it takes any.
    pub body: Option<Value>,
    /// Whether it takes a picture as its body.
    pub takes_picture: bool,
    /// Whether that body can't be left out.
    pub needs_body: bool,
    /// What it takes in its query.
    pub query: Vec<Parameter>,
    /// The headers it reads.
    pub headers: Vec<Parameter>,
}

/// A parameter in a query or a header.
#[derive(Debug, Clone)]
pub struct Parameter {
    /// Its name.
    pub name: String,
    /// Whether it can't be left out.
    pub required: bool,
    /// The schema of what it must be.
    pub schema: Value,
}

impl Document {
    /// The document that `world` serves.
    pub async fn of(world: &World) -> Self {
        Self(world.nobody().get("/openapi.json").await.expect(200).json)
    }

    /// What the body of `operation` must be, if it takes one.
    pub fn body(&self, operation: &Operation) -> Option<Schema> {
        let body = operation.body.as_ref()?;
        Some(Schema::of_body(&self.0["components"]["schemas"], body, &operation.name()))
    }

    /// What `parameter` must be.
    pub fn parameter(&self, parameter: &Parameter) -> Schema {
        Schema::of_parameter(&self.0["components"]["schemas"], &parameter.schema, &parameter.name)
    }

    /// Every operation of the API.
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
    let mut statuses = operation["responses"].as_object().expect("responses").keys();
    let success = statuses.find_map(|status| status.parse().ok().filter(|code| *code < 400));
    Operation {
        method: method.to_uppercase(),
        path: path.to_owned(),
        success: success.unwrap_or_else(|| panic!("{method} {path} has no answer when all is well")),
        body,
        takes_picture: content.get("image/*").is_some(),
        needs_body: operation["requestBody"]["required"] == true,
        query: parameters("query"),
        headers: parameters("header"),
    }
}

impl Operation {
    /// Method and path, as in `GET /v1/clients`.
    pub fn name(&self) -> String {
        format!("{} {}", self.method, self.path)
    }

    /// Whether it reads this header, and whether it must be there.
    pub fn header(&self, name: &str) -> Option<&Parameter> {
        self.headers.iter().find(|header| header.name == name)
    }
}
