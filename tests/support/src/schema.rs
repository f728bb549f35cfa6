//! The schemas in the API's document, as far as requests use them.
//!
//! Invariant: every schema must say how long a text or how large a number may be, and whether unknown members are
//! refused; otherwise reading it fails, because a caller could not know that either.

use std::collections::BTreeMap;

use serde_json::{Value, json};

/// The formats of ids. Text of another form is answered like an id that does not exist.
const IDS: [&str; 2] = ["refid", "product-reference"];

/// The operations of programs with a licence key. They ignore members that they do not know, because the programs out
/// there are older or newer than Purser.
pub const OF_PROGRAMS: [&str; 4] = [
    "POST /v1/licences/validate",
    "POST /v1/activations",
    "POST /v1/activations/heartbeat",
    "POST /v1/activations/deactivate",
];

/// The formats of texts whose example is valid, while others that fit the pattern need not be.
const FORMAL: [&str; 6] = ["term", "lease", "key-format", "domain", "cidr", "replace"];

/// What a value may be: one of the forms, or null if that is allowed.
#[derive(Debug, Clone)]
pub struct Schema {
    pub nullable: bool,
    /// The forms of a value other than null.
    pub forms: Vec<Form>,
}

#[derive(Debug, Clone)]
pub enum Form {
    /// The id of something that exists.
    Id,
    Choice(Vec<String>),
    Text {
        /// The minimum number of characters.
        least: usize,
        /// The maximum number of characters; `None` for a parameter, which is only compared with what exists.
        most: Option<usize>,
        kind: TextKind,
    },
    /// Text of a form that its pattern describes only roughly.
    Formal {
        example: String,
        least: usize,
        most: usize,
    },
    Whole {
        least: i64,
        most: i64,
    },
    Flag,
    List {
        items: Box<Schema>,
        least: usize,
        most: Option<usize>,
    },
    /// An object with these members and no others.
    Object(Vec<Member>),
    /// An object with arbitrary members: metadata.
    Metadata,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TextKind {
    /// Text in any script.
    Free,
    Email,
    Pattern,
    /// A moment of RFC 3339.
    Time,
    /// A password, which may be any text.
    Secret,
}

#[derive(Debug, Clone)]
pub struct Member {
    pub name: String,
    pub required: bool,
    pub schema: Schema,
}

/// Reads one schema. The `at` of its methods tells error messages where in the document the schema is.
struct Reader<'a> {
    named: &'a Value,
    bounded: bool,
}

impl Schema {
    /// Reads the schema of a body; `named` are the schemas that the document defines by name.
    pub fn of_body(named: &Value, schema: &Value, at: &str) -> Self {
        let bounded = true;
        Reader { named, bounded }.read(schema, at)
    }

    /// Reads the schema of a parameter, whose text may have any length.
    pub fn of_parameter(named: &Value, schema: &Value, at: &str) -> Self {
        let bounded = false;
        Reader { named, bounded }.read(schema, at)
    }

    /// Adds a form. Two objects are merged into one; a member that only one of them has becomes optional and
    /// nullable.
    fn add(&mut self, form: Form) {
        let object = self.forms.iter_mut().find_map(|there| match there {
            Form::Object(members) => Some(members),
            _ => None,
        });
        match (object, form) {
            (Some(there), Form::Object(more)) => {
                let mut all: BTreeMap<String, Vec<Member>> = BTreeMap::new();
                for member in there.drain(..).chain(more) {
                    all.entry(member.name.clone()).or_default().push(member);
                }
                there.extend(all.into_values().filter_map(|mut same| {
                    let both = same.len() > 1;
                    let required = both && same.iter().all(|member| member.required);
                    let nullable = !both || same.iter().any(|member| member.schema.nullable);
                    let mut member = same.pop()?;
                    member.required = required;
                    member.schema.nullable = nullable;
                    Some(member)
                }));
            }
            (_, form) => self.forms.push(form),
        }
    }

    pub fn types(&self) -> Vec<&'static str> {
        let null = self.nullable.then_some("null");
        self.forms.iter().map(Form::json_type).chain(null).collect()
    }

    /// The JSON pointers of all ids in a value whose own pointer is `at`. Of an array, only the first item is
    /// considered.
    pub fn ids(&self, at: &str) -> Vec<String> {
        let of_form = |form: &Form| match form {
            Form::Id => vec![at.to_owned()],
            Form::List { items, .. } => items.ids(&format!("{at}/0")),
            Form::Object(members) => {
                let of_member = |member: &Member| member.schema.ids(&format!("{at}/{}", member.name));
                members.iter().flat_map(of_member).collect()
            }
            _ => Vec::new(),
        };
        self.forms.iter().flat_map(of_form).collect()
    }

    /// A value of the right form. It need not refer to anything that exists.
    pub fn example(&self) -> Value {
        match self.forms.first().expect("a form") {
            Form::Id => json!("CL-0000000000000000"),
            Form::Choice(words) => json!(words[0]),
            Form::Formal { example, .. } => json!(example),
            Form::Text { kind: TextKind::Email, .. } => json!("somebody@example.com"),
            Form::Text { least, .. } => json!("x".repeat((*least).max(1))),
            Form::Whole { least, .. } => json!(least),
            Form::Flag => json!(true),
            Form::List { items, .. } => json!([items.example()]),
            Form::Object(members) => example(members),
            Form::Metadata => json!({}),
        }
    }
}

/// An object with the required ones of these members.
pub fn example(members: &[Member]) -> Value {
    let required = members.iter().filter(|member| member.required);
    required.map(|member| (member.name.clone(), member.schema.example())).collect()
}

impl Form {
    fn json_type(&self) -> &'static str {
        match self {
            Self::Id | Self::Choice(_) | Self::Text { .. } | Self::Formal { .. } => "string",
            Self::Whole { .. } => "integer",
            Self::Flag => "boolean",
            Self::List { .. } => "array",
            Self::Object(_) | Self::Metadata => "object",
        }
    }
}

impl Reader<'_> {
    fn read(&self, schema: &Value, at: &str) -> Schema {
        if let Some(name) = schema["$ref"].as_str() {
            let name = name.rsplit('/').next().unwrap_or_default();
            return self.read(&self.named[name], at);
        }
        if let Some(alternatives) = schema["oneOf"].as_array() {
            let read = alternatives.iter().map(|schema| self.read(schema, at));
            return read.fold(none(), |mut all, one| {
                all.nullable |= one.nullable;
                one.forms.into_iter().for_each(|form| all.add(form));
                all
            });
        }
        let types = match &schema["type"] {
            Value::String(one) => vec![one.as_str()],
            Value::Array(types) => types.iter().filter_map(Value::as_str).collect(),
            _ => panic!("{at}: the schema has no known type: {schema}"),
        };
        let mut read = none();
        for of_type in types {
            match of_type {
                "null" => read.nullable = true,
                _ => read.forms.push(self.form(of_type, schema, at)),
            }
        }
        read
    }

    fn form(&self, of_type: &str, schema: &Value, at: &str) -> Form {
        match of_type {
            "string" => self.text(schema, at),
            "integer" => Form::Whole { least: bound(schema, "minimum", at), most: bound(schema, "maximum", at) },
            "boolean" => Form::Flag,
            "array" => Form::List {
                items: Box::new(self.read(&schema["items"], &format!("{at}/0"))),
                least: length(schema, "minItems").unwrap_or(0),
                most: length(schema, "maxItems"),
            },
            "object" => self.object(schema, at),
            other => panic!("{at}: the schema has an unknown type: {other}"),
        }
    }

    fn text(&self, schema: &Value, at: &str) -> Form {
        let format = schema["format"].as_str();
        if format.is_some_and(|format| IDS.contains(&format)) {
            return Form::Id;
        }
        if let Some(words) = schema["enum"].as_array() {
            let words = words.iter().filter_map(Value::as_str);
            return Form::Choice(words.map(ToOwned::to_owned).collect());
        }
        let most = length(schema, "maxLength");
        let least = length(schema, "minLength");
        assert!(
            !self.bounded || (most.is_some() && (least.is_some() || format == Some("email"))),
            "{at}: the document must say how long this text may be (min_length, max_length), \
             or that it is the id of something (value_type = RefidShape)"
        );
        if format.is_some_and(|format| FORMAL.contains(&format)) {
            let example =
                schema["examples"][0].as_str().unwrap_or_else(|| panic!("{at}: the document needs an example"));
            let (least, most) = (least.unwrap_or(0), most.unwrap_or(usize::MAX));
            return Form::Formal { example: example.to_owned(), least, most };
        }
        let kind = match format {
            Some("email") => TextKind::Email,
            Some("date") => TextKind::Pattern,
            Some("date-time") => TextKind::Time,
            Some("password") => TextKind::Secret,
            Some(other) => panic!("{at}: the schema has an unknown format: {other}"),
            None if !schema["pattern"].as_str().unwrap_or("^[^").starts_with("^[^") => TextKind::Pattern,
            // A pattern that only forbids some characters still allows any alphabet.
            None => TextKind::Free,
        };
        let least = least.unwrap_or(0);
        Form::Text { least, most, kind }
    }

    fn object(&self, schema: &Value, at: &str) -> Form {
        let Some(properties) = schema["properties"].as_object() else {
            return Form::Metadata;
        };
        let strict = schema["additionalProperties"] == false;
        assert_eq!(strict, !OF_PROGRAMS.contains(&at), "{at}: does it refuse unknown members (deny_unknown_fields)?");
        let required: Vec<&Value> = schema["required"].as_array().into_iter().flatten().collect();
        let member = |(name, schema): (&String, &Value)| Member {
            name: name.clone(),
            required: required.iter().any(|required| *required == name),
            schema: self.read(schema, &format!("{at}/{name}")),
        };
        Form::Object(properties.iter().map(member).collect())
    }
}

fn none() -> Schema {
    let (nullable, forms) = (false, Vec::new());
    Schema { nullable, forms }
}

fn length(schema: &Value, name: &str) -> Option<usize> {
    schema[name].as_u64().and_then(|length| usize::try_from(length).ok())
}

#[track_caller]
fn bound(schema: &Value, name: &str, at: &str) -> i64 {
    let bound = schema[name].as_i64();
    bound.unwrap_or_else(|| panic!("{at}: the document must say the {name} of this number"))
}
