//! The caller of a request, and what it may access.
//!
//! Invariant: a reseller reaches only what carries its own refid (rule A8). [`Caller::owns`] is the only place that
//! decides this, and whatever it denies is answered as if it did not exist.

pub mod api_key;
pub mod scope;

use serde::{Deserialize, Serialize};

use crate::basic::refid::ResellerRefid;
use crate::people::caller::scope::{Scope, Scopes};
use crate::refusal::{Refusal, ResourceKind};

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Runs the partner network and sees everything.
    Operator,
    /// Acts for one reseller and sees only what belongs to that reseller.
    Reseller(ResellerRefid),
    /// A user who acts only for themselves. The user's record names the client that the user is bound to. No API key
    /// has this role.
    Customer,
}

impl Role {
    pub fn reseller(&self) -> Option<&ResellerRefid> {
        match self {
            Self::Reseller(reseller) => Some(reseller),
            Self::Operator | Self::Customer => None,
        }
    }
}

/// The name of a role.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = Role))]
pub enum RoleName {
    /// See [`Role::Operator`].
    Operator,
    /// See [`Role::Reseller`].
    Reseller,
    /// See [`Role::Customer`].
    Customer,
}

/// Who did something, as records name them: the refid of an API key or a user, or `operator` for the first key. In a
/// record that another reseller reads, it is the refid of the acting reseller.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Actor(String);

impl Actor {
    /// Who acts with the deployment's first key.
    pub const DEPLOYMENT: &str = "operator";

    pub fn new(name: impl Into<String>) -> Self {
        Self(name.into())
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    pub actor: Actor,
    pub role: Role,
    /// Which rights of the role the caller has.
    pub scopes: Scopes,
}

impl Caller {
    /// Whether the caller may see and change what belongs to the reseller `owner`, or to no reseller if it is `None`.
    pub fn owns(&self, owner: Option<&ResellerRefid>) -> bool {
        match &self.role {
            Role::Operator => true,
            Role::Reseller(own) => owner == Some(own),
            Role::Customer => false,
        }
    }

    /// Refuses what needs a scope that the caller lacks.
    pub fn must_have(&self, scope: Scope) -> Result<(), Refusal> {
        if self.scopes.has(scope) { Ok(()) } else { Err(Refusal::Forbidden) }
    }

    /// Refuses to grant scopes of which the caller lacks one.
    pub fn must_have_all(&self, granted: &Scopes) -> Result<(), Refusal> {
        if granted.are_within(&self.scopes) { Ok(()) } else { Err(Refusal::Forbidden) }
    }

    pub fn must_operate(&self) -> Result<(), Refusal> {
        match self.role {
            Role::Operator => Ok(()),
            Role::Reseller(_) | Role::Customer => Err(Refusal::Forbidden),
        }
    }

    /// The reseller that the caller acts for: a reseller's own, or the one that an operator names. If a reseller
    /// names another reseller, the answer does not reveal whether that one exists.
    pub fn reseller(&self, named: Option<ResellerRefid>) -> Result<Option<ResellerRefid>, Refusal> {
        match (&self.role, named) {
            (Role::Operator, named) => Ok(named),
            (Role::Reseller(own), None) => Ok(Some(own.clone())),
            (Role::Reseller(own), Some(named)) if *own == named => Ok(Some(named)),
            (Role::Reseller(_), Some(_)) => Err(Refusal::NotFound(ResourceKind::Reseller)),
            (Role::Customer, _) => Err(Refusal::Forbidden),
        }
    }

    /// The scope of idempotency keys and cursors: the reseller, all operators together, or the customer.
    pub fn tenant(&self) -> &str {
        match &self.role {
            Role::Operator => "operator",
            Role::Reseller(own) => own.as_str(),
            Role::Customer => self.actor.as_str(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refid(code: &str) -> Option<ResellerRefid> {
        ResellerRefid::parse(&format!("RS-{}", code.repeat(16)))
    }

    #[test]
    fn a_reseller_owns_its_own_and_nothing_else() {
        let (Some(a), Some(b)) = (refid("A"), refid("B")) else {
            return assert!(refid("A").is_some());
        };
        let caller = |actor, role| Caller { actor: Actor::new(actor), role, scopes: Scopes::all() };
        let operator = caller(Actor::DEPLOYMENT, Role::Operator);
        let reseller = caller("AK-1", Role::Reseller(a.clone()));
        for (owner, its) in [(None, false), (Some(&a), true), (Some(&b), false)] {
            assert_eq!(reseller.owns(owner), its);
            assert!(operator.owns(owner));
        }
        assert_eq!(reseller.reseller(None), Ok(Some(a.clone())));
        assert_eq!(reseller.reseller(Some(b.clone())), Err(Refusal::NotFound(ResourceKind::Reseller)));
        assert_eq!(operator.reseller(None), Ok(None));
        assert_eq!(operator.reseller(Some(b.clone())), Ok(Some(b)));
        assert_eq!(reseller.must_operate(), Err(Refusal::Forbidden));
    }
}
