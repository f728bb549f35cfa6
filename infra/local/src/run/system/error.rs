//! Why the system did not start.
//!
//! Invariant: what its owner can mend is said in words that name the file, the setting or the port.

use std::io;

use purser_edge::process::config::ConfigError;
use purser_store::StoreError;
use purser_store::engine::secrets::WeakSecret;
use thiserror::Error;

use crate::cloud::dynamo::DynamoError;
use crate::cloud::stream::StreamError;
use crate::cloud::timetable::NoSchedule;
use crate::run::folder::FolderError;
use crate::run::functions::Mismatch;
use crate::run::gateway::GatewayError;
use crate::template::TemplateError;
use crate::template::roles::PolicyError;

/// Why the system did not start.
#[derive(Debug, Error)]
pub enum StartError {
    /// The template is wrong.
    #[error(transparent)]
    Template(#[from] TemplateError),
    /// Template and code differ.
    #[error(transparent)]
    Mismatch(#[from] Mismatch),
    /// A schedule says no time.
    #[error(transparent)]
    Schedule(#[from] NoSchedule),
    /// The template's policies can't be judged.
    #[error(transparent)]
    Policy(#[from] PolicyError),
    /// The template's routes can't be served.
    #[error(transparent)]
    Gateway(#[from] GatewayError),
    /// The folder can't be used.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// The configuration is wrong.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The secret is too short.
    #[error(transparent)]
    Secret(#[from] WeakSecret),
    /// The table did not open.
    #[error(transparent)]
    Dynamo(#[from] DynamoError),
    /// The stream did not open.
    #[error(transparent)]
    Stream(#[from] StreamError),
    /// The system has no randomness.
    #[error(transparent)]
    Random(#[from] StoreError),
    /// A key that no request could carry.
    #[error("the operator key must not be empty, begin or end with a space, or hold control characters")]
    OperatorKey,
    /// Somebody else listens there.
    #[error("port {0} is in use; choose another with --port")]
    PortInUse(u16),
    /// The port can't be listened on.
    #[error("port {port}: {error}")]
    Port {
        /// The port.
        port: u16,
        /// What the system said.
        error: io::Error,
    },
    /// A stand-in did not start.
    #[error("starting the {what}: {error}")]
    StandIn {
        /// Which one.
        what: &'static str,
        /// What the system said.
        error: io::Error,
    },
}
