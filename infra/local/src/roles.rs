//! What each function may do: the policies of template.yaml, held to here as IAM holds to them in the cloud.
//!
//! Invariants: a call that no statement of its function allows never reaches a stand-in, and is answered as AWS
//! answers it; a policy that this file can't judge stops the start. What was used of a role is remembered, so that a
//! test can name the rights that nothing uses.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::Value;
use thiserror::Error;

use crate::template::Template;

mod access;
mod guard;
mod policy;

pub use access::Access;
pub use policy::Statement;

/// A policy that can't be judged here. Names are logical ids.
#[derive(Debug, Error, PartialEq, Eq)]
#[error("template: {function}: in its policies, {problem}")]
pub struct PolicyError {
    function: String,
    problem: String,
}

/// One right: an action on a resource, and where keys are named, on what begins like this.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Right {
    /// The function's handler.
    pub function: String,
    /// Like `dynamodb:PutItem`.
    pub action: String,
    /// Like `Table/index/gsi1`: the resource's name in the template, and what follows it.
    pub resource: String,
    /// Like `CL#*`; none where the statement names no keys.
    pub keys: Option<String>,
}

impl fmt::Display for Right {
    fn fmt(&self, out: &mut fmt::Formatter) -> fmt::Result {
        let Self {
            function,
            action,
            resource,
            keys,
        } = self;
        let keys = keys.as_deref().unwrap_or_default();
        write!(out, "{function}: {action} on {resource} {keys}")
    }
}

/// The roles of all functions. Clones are the same roles.
#[derive(Debug, Clone)]
pub struct Roles(BTreeMap<String, Role>);

/// What one function may do.
#[derive(Debug, Clone)]
pub struct Role {
    function: String,
    statements: Arc<[Statement]>,
    sender: String,
    used: Arc<Mutex<BTreeSet<Right>>>,
}

impl Roles {
    /// The roles that the template gives its functions. Managed policies are left out: they are about the start of
    /// a function, which is another one here.
    /// Mail may come from `sender` where it may come from the deployment's own address.
    pub fn of(template: &Template, sender: &str) -> Result<Self, PolicyError> {
        let role = |spec: &crate::template::FunctionSpec| {
            let statements = policy::statements(&spec.policies).map_err(|problem| PolicyError {
                function: spec.logical_id.clone(),
                problem,
            })?;
            let role = Role {
                function: spec.handler.clone(),
                statements: statements.into(),
                sender: sender.to_owned(),
                used: Arc::default(),
            };
            Ok((spec.handler.clone(), role))
        };
        template
            .functions
            .iter()
            .map(role)
            .collect::<Result<_, _>>()
            .map(Self)
    }

    /// The role of a function, by its handler.
    pub fn get(&self, function: &str) -> Option<&Role> {
        self.0.get(function)
    }

    /// Every right that nothing has used so far.
    pub fn unused(&self) -> Vec<Right> {
        self.0.values().flat_map(Role::unused).collect()
    }
}

impl Role {
    /// Judges a call as IAM does: each access must be allowed by one statement, keys and all.
    pub fn judge(&self, accesses: &[Access]) -> Result<(), Access> {
        if accesses.is_empty() {
            return Err(Access::to_nothing());
        }
        let mut used = BTreeSet::new();
        for access in accesses {
            let allowing = |it: &&Statement| it.allows(access, &self.sender);
            let Some(statement) = self.statements.iter().find(allowing) else {
                return Err(access.clone());
            };
            used.extend(
                statement
                    .rights(&self.function)
                    .into_iter()
                    .filter(|right| {
                        right.action == access.action
                            && policy::like(&right.resource, &access.resource)
                            && right.keys.as_ref().is_none_or(|pattern| {
                                access.keys.iter().any(|key| policy::like(pattern, key))
                            })
                    }),
            );
        }
        let mut noted = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        noted.extend(used);
        Ok(())
    }

    fn unused(&self) -> Vec<Right> {
        let used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        let rights = self
            .statements
            .iter()
            .flat_map(|statement| statement.rights(&self.function));
        rights.filter(|right| !used.contains(right)).collect()
    }
}

/// A value that is one thing or a list of them, as IAM takes both for the same.
fn one_or_more(value: &Value) -> Vec<&Value> {
    match value {
        Value::Array(many) => many.iter().collect(),
        Value::Null => Vec::new(),
        one => vec![one],
    }
}

#[cfg(test)]
#[path = "roles/tests.rs"]
mod tests;
