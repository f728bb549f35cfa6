//! What each function works with: the same table, bus and clock for all, reached with each one's own rights.
//!
//! Invariant: a function never works with another one's rights, or with the laptop's own, which have no bounds.

use std::collections::BTreeMap;

use aws_config::SdkConfig;
use purser_edge::App;

use crate::template::roles::Roles;

/// What every function works with. Clones are the same.
#[derive(Debug, Clone)]
pub struct Apps {
    own: App,
    by_function: BTreeMap<String, App>,
}

impl Apps {
    /// What `own` is, for every function with its role.
    pub fn new(own: App, sdk: &SdkConfig, functions: &[&str], roles: &Roles) -> Self {
        let with_role = |function: &&str| {
            let sdk = roles.get(function)?.assume(sdk);
            let secrets = own.store.secrets().clone();
            let mut app = App::new((*own.config).clone(), secrets, &sdk, own.clock.clone());
            // Who called how often is counted once, whichever function was called.
            app.limits = own.limits.clone();
            app.origin = own.origin;
            // And who waits for a wallet does so in one line.
            app.store = app.store.in_line_with(&own.store);
            Some(((*function).to_owned(), app))
        };
        Self { by_function: functions.iter().filter_map(with_role).collect(), own }
    }

    /// The laptop's own, which may do anything.
    pub fn own(&self) -> &App {
        &self.own
    }

    /// A function's, by its handler; none for one that the template does not have.
    pub fn of(&self, function: &str) -> Option<&App> {
        self.by_function.get(function)
    }
}
