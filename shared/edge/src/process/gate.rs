//! What stands between callers and the routes of a function: the configuration, the limits, and the secrets.

use std::sync::Arc;

use purser_store::engine::Secrets;
use purser_store::engine::secrets::{Keys, Purpose};

use crate::http::limits::Limits;
use crate::process::app::{App, StartError, configuration, keeper};
use crate::process::clock::Clock;
use crate::process::config::Config;
use crate::process::keeper::Keeper;
use crate::process::sdk;

#[derive(Debug, Clone)]
pub struct Gate {
    pub config: Arc<Config>,
    pub limits: Limits,
    pub keeper: Keeper,
}

impl Gate {
    pub fn of(app: &App) -> Self {
        Self { config: Arc::clone(&app.config), limits: app.limits.clone(), keeper: app.keeper.clone() }
    }

    /// What stands before the routes of a function that needs no [`App`], in the cloud. It asks AWS for nothing if no
    /// secret is needed.
    pub async fn from_environment(secrets: &[Purpose]) -> Result<Self, StartError> {
        let (config, clock) = (configuration()?, Clock::default());
        let keeper = if secrets.iter().any(|it| config.needs(*it)) {
            keeper(&config, &sdk::settings(), secrets, &clock).await?
        } else {
            Keeper::fixed(Secrets::new(Keys::default()), clock.clone())
        };
        Ok(Self { limits: Limits::new(&config, clock), config: Arc::new(config), keeper })
    }
}
