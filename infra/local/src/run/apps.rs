//! What each function works with: the same table, bus and clock for all, but its own rights.
//!
//! Invariant: a function never works with the rights of another, or with the laptop's own rights, which are
//! unlimited.

use std::collections::BTreeMap;

use aws_config::SdkConfig;
use purser_edge::App;

use crate::template::roles::Roles;

/// An [`App`] for each function, and the laptop's own. Clones share their state.
#[derive(Debug, Clone)]
pub struct Apps {
    own: App,
    by_function: BTreeMap<String, App>,
}

impl Apps {
    pub fn new(own: App, sdk: &SdkConfig, functions: &[&str], roles: &Roles) -> Self {
        let with_role = |function: &&str| {
            let sdk = roles.get(function)?.assume(sdk);
            let secrets = own.store.secrets().clone();
            let mut app = App::new((*own.config).clone(), secrets, &sdk, own.clock.clone());
            // Rate limits count a caller's requests to all functions together.
            app.limits = own.limits.clone();
            app.origin = own.origin;
            // Commands on the same wallet wait in one line, whichever functions run them.
            app.store = app.store.in_line_with(&own.store);
            Some(((*function).to_owned(), app))
        };
        Self { by_function: functions.iter().filter_map(with_role).collect(), own }
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
