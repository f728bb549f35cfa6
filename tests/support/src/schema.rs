//! The schemas of the API's document, as far as requests use them.
//!
//! Invariant: a schema that leaves open how long a text or how large a number may be, or whether a member more
//! matters, is refused here: a client's author could not know either.

use std::collections::BTreeMap;

use serde_json::{Value, json};

/// The formats of ids: text of another form is treated like an id that does not exist.
const IDS: [&str; 2] = ["refid", "product-reference"];

/// What a value must be: one of the forms, or null where that is allowed.
#[derive(Debug, Clone)]
pub struct Schema {
    /// Whether it may be null.
    pub nullable: bool,
    /// What else it may be.
    pub forms: Vec<Form>,
}

/// One form of a value.
#[derive(Debug, Clone)]
pub enum Form {
    /// The id of something that exists.
    Id,
    /// One of these words.
    Choice(Vec<String>),
    /// Text of so many characters, of some kind.
    Text {
        /// The fewest characters.
        least: usize,
        /// The most characters; none: a parameter that is compared with what there is.
        most: Option<usize>,
        /// What kind of text.
        kind: TextKind,
    },
    /// A whole number within bounds.
    Whole {
        /// The smallest.
        least: i64,
        /// The largest.
        most: i64,
    },
    /// True or false.
    Flag,
    /// An array.
    List {
        /// What its items are.
        items: Box<Schema>,
        /// The fewest items.
        least: usize,
        /// The most items, where there is a limit.
        most: Option<usize>,
    },
    /// An object with these members and no other.
    Object(Vec<Member>),
    /// An object with any members: metadata.
    Metadata,
}

/// What kind of text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TextKind {
    /// Any script.
    Free,
    /// An e-mail address.
    Email,
    /// What a pattern says.
    Pattern,
    /// A password: anything.
    Secret,
}

/// A member of an object.
#[derive(Debug, Clone)]
pub struct Member {
    /// Its name.
    pub name: String,
    /// Whether it can't be left out.
    pub required: bool,
    /// What it must be.
    pub schema: Schema,
}

/// Reads one schema; `at` says where it stands when something is wrong with it.
struct Reader<'a> {
    named: &'a Value,
    bounded: bool,
}

impl Schema {
    /// A body's schema; `named` are the document's schemas.
    pub fn of_body(named: &Value, schema: &Value, at: &str) -> Self {
        let bounded = true;
        Reader { named, bounded }.read(schema, at)
    }

    /// The schema of a parameter, whose text may be of any length.
    pub fn of_parameter(named: &Value, schema: &Value, at: &str) -> Self {
        let bounded = false;
        Reader { named, bounded }.read(schema, at)
    }

    /// Allows one more form. Objects are one: what only one of them has may be left out, or be null.
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

    /// The JSON types it allows.
    pub fn types(&self) -> Vec<&'static str> {
        let null = self.nullable.then_some("null");
        self.forms.iter().map(Form::json_type).chain(null).collect()
    }

    /// The JSON pointers of all ids in a value, `at` being its own; of an array, those of its first item.
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

    /// A value of the right form, which need not name anything that exists.
    pub fn example(&self) -> Value {
        match self.forms.first().expect("a form") {
            Form::Id => json!("CL-0000000000000000"),
            Form::Choice(words) => json!(words[0]),
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

/// An object with what these members require.
pub fn example(members: &[Member]) -> Value {
    let required = members.iter().filter(|member| member.required);
    required.map(|member| (member.name.clone(), member.schema.example())).collect()
}

impl Form {
    fn json_type(&self) -> &'static str {
        match self {
            Self::Id | Self::Choice(_) | Self::Text { .. } => "string",
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
            _ => panic!("{at}: a schema without a type that these tests know: {schema}"),
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
            other => panic!("{at}: a schema of a type that these tests don't know: {other}"),
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
            "{at}: its document must say how long this text is (min_length, max_length), \
             or that it is the id of something (value_type = RefidShape)"
        );
        let kind = match format {
            Some("email") => TextKind::Email,
            Some("date") => TextKind::Pattern,
            Some("password") => TextKind::Secret,
            Some(other) => panic!("{at}: a format that these tests don't know: {other}"),
            // A pattern of what it must not hold leaves any script.
            None if !schema["pattern"].as_str().unwrap_or("^[^").starts_with("^[^") => TextKind::Pattern,
            None => TextKind::Free,
        };
        let least = least.unwrap_or(0);
        Form::Text { least, most, kind }
    }

    fn object(&self, schema: &Value, at: &str) -> Form {
        let Some(properties) = schema["properties"].as_object() else {
            return Form::Metadata;
        };
        assert_eq!(schema["additionalProperties"], false, "{at}: unknown members are refused (deny_unknown_fields)");
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
    bound.unwrap_or_else(|| panic!("{at}: its document must say the {name} of this number"))
}
