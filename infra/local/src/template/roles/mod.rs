//! What each function may do: the policies of template.yaml, enforced here as IAM enforces them in the cloud.
//!
//! Invariants: a call that no statement of its function allows never reaches a stand-in, and gets the response that
//! AWS would send; a policy that is not supported here stops the start. A role records which of its rights were used,
//! so that a test can name the rights that nothing uses.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use purser_store::engine::secrets::Purpose;
use serde_json::Value;
use thiserror::Error;

use crate::template::Template;

mod access;
mod attributes;
mod guard;
mod policy;

pub use access::Access;
pub use policy::Statement;

/// A policy that is not supported here. Names are logical ids.
#[derive(Debug, Error, PartialEq, Eq)]
#[error("template: {name}: in its policies, {problem}")]
pub struct PolicyError {
    name: String,
    problem: String,
}

impl PolicyError {
    fn new(name: &str, problem: String) -> Self {
        let name = name.to_owned();
        Self { name, problem }
    }
}

/// One right: an action on a resource, limited to a pattern of keys if the statement names keys.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Right {
    /// The function's handler, or the name of the managed policy.
    pub holder: String,
    /// For example `dynamodb:PutItem`.
    pub action: String,
    /// For example `Table/index/gsi1`: the resource's logical id, and what follows it in the ARN.
    pub resource: String,
    /// For example `CL#*`; none if the statement names no keys.
    pub keys: Option<String>,
}

impl fmt::Display for Right {
    fn fmt(&self, out: &mut fmt::Formatter) -> fmt::Result {
        let Self { holder, action, resource, keys } = self;
        write!(out, "{holder}: {action} on {resource}")?;
        keys.iter().try_for_each(|keys| write!(out, " {keys}"))
    }
}

/// The roles of all functions. Clones share their state.
#[derive(Debug, Clone)]
pub struct Roles {
    of: BTreeMap<String, Role>,
    rights: Arc<BTreeSet<Right>>,
    used: Arc<Mutex<BTreeSet<Right>>>,
}

#[derive(Debug, Clone)]
pub struct Role {
    function: String,
    statements: Arc<[Statement]>,
    sender: String,
    used: Arc<Mutex<BTreeSet<Right>>>,
}

impl Roles {
    /// Reads the roles of all functions from the template. `sender` is the deployment's own e-mail address, from
    /// which a role may allow e-mails.
    pub fn of(template: &Template, sender: &str) -> Result<Self, PolicyError> {
        let managed = policy::managed(&template.managed_policies)?;
        let used = Arc::default();
        let mut rights: BTreeSet<Right> = managed.values().flatten().flat_map(Statement::rights).collect();
        let mut of = BTreeMap::new();
        for function in &template.functions {
            let statements = policy::of_function(function, &managed)?;
            rights.extend(statements.iter().flat_map(Statement::rights));
            let role = Role {
                function: function.handler.clone(),
                statements: statements.into(),
                sender: sender.to_owned(),
                used: Arc::clone(&used),
            };
            of.insert(function.handler.clone(), role);
        }
        let rights = Arc::new(rights);
        Ok(Self { of, rights, used })
    }

    /// The role of a function, by its handler.
    pub fn get(&self, function: &str) -> Option<&Role> {
        self.of.get(function)
    }

    /// Every right that has not been used yet. A right of a managed policy counts as used once any function has used
    /// it.
    pub fn unused(&self) -> BTreeSet<Right> {
        let used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        self.rights.difference(&used).cloned().collect()
    }
}

impl Role {
    /// The secrets that the role allows to read.
    pub fn secrets(&self) -> Vec<Purpose> {
        let asks = |purpose: &Purpose| Access::to_secret(&format!("{}{}", policy::SECRET, purpose.into_str()));
        let may = |purpose: &Purpose| self.statements.iter().any(|it| it.allows(&asks(purpose), &self.sender));
        Purpose::ALL.iter().copied().filter(may).collect()
    }

    /// Judges a call as IAM does: a single statement must allow each access, including its keys.
    pub fn judge(&self, accesses: &[Access]) -> Result<(), Box<Access>> {
        if accesses.is_empty() {
            return Err(Box::new(Access::to_nothing()));
        }
        let mut used = BTreeSet::new();
        for access in accesses {
            let allowing = |it: &&Statement| it.allows(access, &self.sender);
            let Some(statement) = self.statements.iter().find(allowing) else {
                return Err(Box::new(access.clone()));
            };
            used.extend(statement.rights().into_iter().filter(|right| {
                right.action == access.action
                    && policy::like(&right.resource, &access.resource)
                    && right
                        .keys
                        .as_ref()
                        .is_none_or(|pattern| access.keys.iter().any(|key| policy::like(pattern, key)))
            }));
        }
        let mut noted = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        noted.extend(used);
        Ok(())
    }
}

/// A value or a list of values, which IAM treats alike.
fn one_or_more(value: &Value) -> Vec<&Value> {
    match value {
        Value::Array(many) => many.iter().collect(),
        Value::Null => Vec::new(),
        one => vec![one],
    }
}

#[cfg(test)]
mod tests;
