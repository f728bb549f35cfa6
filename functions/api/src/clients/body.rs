//! What a body says of a client: a new one, or one that exists.
//!
//! Invariant: a create and a provision read a new client alike, and point at the same faults.

use purser_domain::basic::refid::ClientRefid;
use std::fmt;

use purser_domain::basic::email::EmailAddress;
use purser_domain::basic::text::{ClientId, Name, Phone};
use purser_domain::money::provision::MOST_CLIENTS;
use purser_domain::parties::client::NewClient;
use purser_domain::parties::metadata::{MAX_DEPTH, Metadata, MetadataError};
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, Error, MapAccess, Visitor};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use purser_edge::http::problem::Problem;

/// A new client.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[schema(as = NewClient)]
#[serde(deny_unknown_fields, expecting = "an object")]
pub struct ClientBody {
    name: Name,
    /// Unique among all clients, whatever its case.
    email: EmailAddress,
    phone: Option<Phone>,
    /// Anything else, at most 16 KiB; keys that look like credentials are refused.
    #[schema(value_type = Option<Metadata>)]
    metadata: Option<Map<String, Value>>,
    /// The id other systems know it by; a UUID unless given. It can't be changed.
    client_id: Option<ClientId>,
}

impl ClientBody {
    /// The body of a new client.
    pub fn new(
        name: Name,
        email: EmailAddress,
        phone: Option<Phone>,
        metadata: Option<Map<String, Value>>,
        client_id: Option<ClientId>,
    ) -> Self {
        Self { name, email, phone, metadata, client_id }
    }

    /// The new client.
    pub fn into_new(self) -> Result<NewClient, Problem> {
        let client_id = match self.client_id {
            Some(client_id) => client_id,
            None => ClientId::from_uuid(&uuid::Uuid::new_v4().to_string()).map_err(|_| Problem::internal())?,
        };
        let metadata = metadata(self.metadata.unwrap_or_default())?;
        Ok(NewClient { name: self.name, email: self.email, phone: self.phone, metadata, client_id })
    }
}

/// The metadata that the member `metadata` of a body is.
pub fn metadata(object: Map<String, Value>) -> Result<Metadata, Problem> {
    Metadata::new(object).map_err(metadata_problem)
}

fn metadata_problem(error: MetadataError) -> Problem {
    let problem = match error {
        MetadataError::Text(pointer) => {
            Problem::invalid(pointer, "must not contain control characters or bidirectional overrides")
        }
        MetadataError::TooDeep => Problem::invalid("", format!("must be nested at most {MAX_DEPTH} deep")),
        // A refusal points into the whole body already.
        MetadataError::Refused(refusal) => return Problem::from(refusal),
    };
    problem.under("/metadata")
}

/// Says what is wrong with merging `patch` into `old`, by its pointer.
pub fn check_merge(old: &Metadata, patch: Option<&Map<String, Value>>) -> Result<(), Problem> {
    let merged = patch.map(|patch| old.merged(patch)).transpose();
    merged.map(|_| ()).map_err(metadata_problem)
}

/// A client: `"CL-…"`, or a new one.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(untagged)]
pub enum ClientChoice {
    /// A client of the reseller.
    #[schema(value_type = ClientRefid)]
    Refid(String),
    /// A client to create.
    New(Box<ClientBody>),
}

impl<'de> Deserialize<'de> for ClientChoice {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ChoiceVisitor)
    }
}

/// The clients of a bulk purchase: at least one, at most [`MOST_CLIENTS`].
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(try_from = "Vec<ClientChoice>", into = "Vec<ClientChoice>")]
pub struct ClientChoices(Vec<ClientChoice>);

impl ClientChoices {
    /// The clients, in order.
    pub fn into_inner(self) -> Vec<ClientChoice> {
        self.0
    }
}

impl TryFrom<Vec<ClientChoice>> for ClientChoices {
    type Error = String;
    fn try_from(clients: Vec<ClientChoice>) -> Result<Self, String> {
        if (1..=MOST_CLIENTS).contains(&clients.len()) {
            Ok(Self(clients))
        } else {
            Err(format!("must name 1 to {MOST_CLIENTS} clients"))
        }
    }
}

impl From<ClientChoices> for Vec<ClientChoice> {
    fn from(clients: ClientChoices) -> Self {
        clients.0
    }
}

/// Reads either form where it stands, so that a fault inside a new client keeps its pointer.
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
