//! What each function works with: the same table, bus and clock for all, but its own rights.
//!
//! Invariant: a function never works with the rights or secrets of another, or with the laptop's own rights, which are
//! unlimited.

use std::collections::BTreeMap;

use aws_config::SdkConfig;
use purser_edge::App;
use purser_edge::process::keeper::Keeper;

use crate::run::vault::Vault;
use crate::template::roles::Roles;

/// An [`App`] for each function, and the laptop's own. Clones share their state.
#[derive(Debug, Clone)]
pub struct Apps {
    own: App,
    by_function: BTreeMap<String, App>,
}

impl Apps {
    pub async fn new(
        own: App,
        sdk: &SdkConfig,
        functions: &[&str],
        roles: &Roles,
        vault: &Vault,
    ) -> Result<Self, String> {
        let mut by_function = BTreeMap::new();
        for function in functions {
            let Some(role) = roles.get(function) else { continue };
            let (sdk, secrets) = (role.assume(sdk), vault.source(&role.secrets()));
            let keeper = Keeper::start(secrets, own.clock.clone()).await?;
            let mut app = App::with((*own.config).clone(), keeper, &sdk, own.clock.clone());
            // Rate limits count a caller's requests to all functions together.
            app.limits = own.limits.clone();
            app.origin = own.origin;
            // Commands on the same wallet wait in one line, whichever functions run them.
            app.store = app.store.in_line_with(&own.store);
            by_function.insert((*function).to_owned(), app);
        }
        Ok(Self { own, by_function })
    }

    /// The laptop's own, which may do anything.
    pub fn own(&self) -> &App {
        &self.own
    }

    /// The [`App`] of a function, by its handler; none if the template has no such function.
    pub fn of(&self, function: &str) -> Option<&App> {
        self.by_function.get(function)
    }
}
