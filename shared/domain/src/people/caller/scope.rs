//! Scopes: which rights of its role an API key or a user has.
//!
//! Invariant: each request needs exactly one scope ([`crate::people::Caller::must_have`]), and nobody grants a scope
//! that they lack.

use crate::basic::choice::read_by_name;
use std::collections::BTreeSet;

use derive_more::IntoIterator;
use serde::{Deserialize, Serialize};
use strum::{IntoStaticStr, VariantArray};

/// One of the rights of a role.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Serialize,
    Deserialize,
    VariantArray,
    IntoStaticStr,
    strum::EnumString,
    strum::VariantNames,
)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(try_from = "String", rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
pub enum Scope {
    /// To see whatever the role may see.
    Read,
    /// To create clients, and to buy for them.
    Sell,
    /// To change and delete: clients, products, resellers.
    Manage,
    /// To decide who has access: people and API keys.
    Admin,
    /// To move credits other than by a purchase: top-ups, refunds, transfers.
    Money,
}

read_by_name!(Scope);

/// At least one scope. Naming a scope twice is naming it once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, IntoIterator)]
#[serde(try_from = "BTreeSet<Scope>")]
pub struct Scopes(BTreeSet<Scope>);

impl Scopes {
    pub fn all() -> Self {
        Self::of(Scope::VARIANTS)
    }

    pub(crate) fn of(scopes: &[Scope]) -> Self {
        Self(scopes.iter().copied().collect())
    }

    /// The scope of the deployment's first key: it lets the first operator in, and operators who are locked out.
    pub fn admin() -> Self {
        Self::of(&[Scope::Admin])
    }

    pub fn has(&self, scope: Scope) -> bool {
        self.0.contains(&scope)
    }

    /// Whether `others` has all of these scopes.
    pub fn are_within(&self, others: &Self) -> bool {
        self.0.is_subset(&others.0)
    }
}

impl TryFrom<BTreeSet<Scope>> for Scopes {
    type Error = String;

    fn try_from(scopes: BTreeSet<Scope>) -> Result<Self, String> {
        if scopes.is_empty() { Err("must name at least one scope".to_owned()) } else { Ok(Self(scopes)) }
    }
}

#[cfg(feature = "schema")]
crate::value_schema!(
    Scopes,
    "Scopes: which rights of its role an API key or a user has. At least one.",
    some_of::<Scope>(),
    ["read", "sell"]
);

/// What a member of a reseller may do.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, strum::EnumString, strum::VariantNames,
)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(try_from = "String", rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
pub enum ResellerRole {
    /// May look.
    Viewer,
    /// May look, create clients, and buy for them.
    Buyer,
    /// May do whatever the reseller may do.
    #[default]
    Owner,
}

read_by_name!(ResellerRole);

impl ResellerRole {
    pub fn scopes(self) -> Scopes {
        match self {
            Self::Viewer => Scopes::of(&[Scope::Read]),
            Self::Buyer => Scopes::of(&[Scope::Read, Scope::Sell]),
            Self::Owner => Scopes::all(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_role_has_the_scopes_of_the_one_below_it() {
        let [viewer, buyer, owner] =
            [ResellerRole::Viewer, ResellerRole::Buyer, ResellerRole::Owner].map(ResellerRole::scopes);
        assert!(viewer.are_within(&buyer) && buyer.are_within(&owner));
        assert!(!owner.are_within(&buyer) && !buyer.are_within(&viewer));
        for (scope, from) in [
            (Scope::Read, [true, true, true]),
            (Scope::Sell, [false, true, true]),
            (Scope::Manage, [false, false, true]),
            (Scope::Admin, [false, false, true]),
            (Scope::Money, [false, false, true]),
        ] {
            assert_eq!([&viewer, &buyer, &owner].map(|it| it.has(scope)), from, "{scope:?}");
        }
    }

    #[test]
    fn scopes_are_a_set_that_is_never_empty() {
        let read = |text| serde_json::from_str::<Scopes>(text);
        assert_eq!(read(r#"["sell","read","sell"]"#).unwrap(), ResellerRole::Buyer.scopes());
        assert_eq!(serde_json::to_string(&ResellerRole::Buyer.scopes()).unwrap(), r#"["read","sell"]"#);
        assert!(read("[]").is_err());
        assert!(read(r#"["write"]"#).is_err());
    }
}
