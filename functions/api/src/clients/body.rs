//! Request members that describe a client: a new one, or an existing one to choose.
//!
//! Invariant: `create-client` and `provision` accept the same members for a new client and report the same errors.

use std::fmt;

use purser_domain::basic::{ClientId, ClientRefid, EmailAddress, Name, Phone};
use purser_domain::parties::metadata::MAX_DEPTH;
use purser_domain::parties::{Metadata, MetadataError, NewClient};
use purser_edge::http::problem::Problem;
use purser_edge::prelude::*;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, Error, MapAccess, Visitor};
use serde_json::{Map, Value};

/// A client to create.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[schema(as = NewClient)]
#[serde(deny_unknown_fields, expecting = "an object")]
pub struct ClientBody {
    name: Name,
    /// Unique among all clients, ignoring case.
    email: EmailAddress,
    phone: Option<Phone>,
    /// Any JSON object, at most 16 KiB; keys that look like credentials are refused.
    #[schema(value_type = Option<Metadata>)]
    metadata: Option<Map<String, Value>>,
    /// The id by which other systems know the client; a new UUID if omitted. White space around it is dropped, and a
    /// UUID is stored in lower case. It can't be changed later.
    client_id: Option<ClientId>,
}

impl ClientBody {
    pub fn new(
        name: Name,
        email: EmailAddress,
        phone: Option<Phone>,
        metadata: Option<Map<String, Value>>,
        client_id: Option<ClientId>,
    ) -> Self {
        Self { name, email, phone, metadata, client_id }
    }

    /// How many addresses and external ids the body names.
    pub fn named(&self) -> u32 {
        1 + u32::from(self.client_id.is_some())
    }

    /// Validates the metadata, and chooses a `client_id` if the body has none.
    pub fn into_new(self) -> Result<NewClient, Problem> {
        let (client_id, older_ids) = if let Some(given) = self.client_id {
            (given.canonical(), given.older_spellings())
        } else {
            let drawn = ClientId::from_uuid(&uuid::Uuid::new_v4().to_string()).map_err(|_| Problem::internal())?;
            (drawn, Vec::new())
        };
        let metadata = metadata(&self.metadata.unwrap_or_default())?;
        Ok(NewClient { name: self.name, email: self.email, phone: self.phone, metadata, client_id, older_ids })
    }
}

/// Checks the object given as the member `metadata`; an error points into it. Null never stays, as in a change.
pub fn metadata(object: &Map<String, Value>) -> Result<Metadata, Problem> {
    Metadata::default().merged(object).map_err(metadata_problem)
}

fn metadata_problem(error: MetadataError) -> Problem {
    match error {
        MetadataError::Text(pointer) => {
            Problem::invalid(pointer, "must not contain control characters, line separators or bidirectional overrides")
        }
        MetadataError::TooDeep => Problem::invalid("/metadata", format!("must be nested at most {MAX_DEPTH} deep")),
        MetadataError::Refused(refusal) => refusal.into(),
    }
}

/// Fails if merging `patch` into `old` would be refused, with the pointer of the offending member.
pub fn check_merge(old: &Metadata, patch: Option<&Map<String, Value>>) -> Result<(), Problem> {
    let merged = patch.map(|patch| old.merged(patch)).transpose();
    merged.map(|_| ()).map_err(metadata_problem)
}

/// The client to buy for: the refid of an existing one (`"CL-…"`), or the members of a new one.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(untagged)]
pub enum ClientChoice {
    /// The refid of a client of the reseller.
    #[schema(value_type = ClientRefid)]
    Refid(String),
    /// A client to create.
    New(Box<ClientBody>),
}

impl ClientChoice {
    /// How many addresses and external ids the choice names.
    pub fn named(&self) -> u32 {
        match self {
            Self::Refid(_) => 0,
            Self::New(body) => body.named(),
        }
    }
}

impl<'de> Deserialize<'de> for ClientChoice {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ChoiceVisitor)
    }
}

/// Reads either form directly, without an intermediate value, so that an error inside a new client keeps its JSON
/// pointer.
struct ChoiceVisitor;

impl<'de> Visitor<'de> for ChoiceVisitor {
    type Value = ClientChoice;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the refid of a client, or a new client")
    }

    fn visit_str<E: Error>(self, refid: &str) -> Result<ClientChoice, E> {
        Ok(ClientChoice::Refid(refid.to_owned()))
    }

    fn visit_map<A: MapAccess<'de>>(self, members: A) -> Result<ClientChoice, A::Error> {
        ClientBody::deserialize(MapAccessDeserializer::new(members)).map(|body| ClientChoice::New(Box::new(body)))
    }
}
