//! Why the system did not start.
//!
//! Invariant: an error that the user can fix names the file, the setting or the port.

use std::io;

use purser_edge::process::config::ConfigError;
use purser_store::StoreError;
use thiserror::Error;

use crate::cloud::dynamo::DynamoError;
use crate::cloud::stream::StreamError;
use crate::cloud::timetable::NoSchedule;
use crate::run::folder::FolderError;
use crate::run::functions::Mismatch;
use crate::run::gateway::GatewayError;
use crate::template::TemplateError;
use crate::template::roles::PolicyError;

#[derive(Debug, Error)]
pub enum StartError {
    #[error(transparent)]
    Template(#[from] TemplateError),
    #[error(transparent)]
    Mismatch(#[from] Mismatch),
    #[error(transparent)]
    Schedule(#[from] NoSchedule),
    #[error(transparent)]
    Policy(#[from] PolicyError),
    #[error(transparent)]
    Gateway(#[from] GatewayError),
    #[error(transparent)]
    Folder(#[from] FolderError),
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error("{0}")]
    Secrets(String),
    #[error(transparent)]
    Dynamo(#[from] DynamoError),
    #[error(transparent)]
    Stream(#[from] StreamError),
    /// The system provides no random numbers.
    #[error(transparent)]
    Random(#[from] StoreError),
    #[error("the operator key must not be empty, begin or end with a space, or hold control characters")]
    OperatorKey,
    #[error("port {0} is in use; choose another with --port")]
    PortInUse(u16),
    #[error("port {port}: {error}")]
    Port { port: u16, error: io::Error },
    #[error("starting the {what}: {error}")]
    StandIn { what: &'static str, error: io::Error },
}
