//! Request members that say what a product or a licence grants.
//!
//! Invariant: products and licences take the same members and report the same errors.

use purser_domain::basic::UpTo;
use purser_domain::licences::{
    DomainRule, Feature, IpRange, LicenceKey, MOST_RULES, Term, Terms, TermsError, TermsKind,
};
use purser_edge::prelude::*;

pub type Features = UpTo<MOST_RULES, Feature>;
pub type Domains = UpTo<MOST_RULES, DomainRule>;
pub type IpRanges = UpTo<MOST_RULES, IpRange>;

/// What a body gives for a member that also has an older name.
pub fn either<T>(given: Option<T>, by_older_name: Option<T>, older: &str) -> Result<Option<T>, Problem> {
    match (given, by_older_name) {
        (Some(_), Some(_)) => Err(Problem::invalid(older, "is the older name of a member that is given, too")),
        (given, by_older_name) => Ok(given.or(by_older_name)),
    }
}

/// The terms of this kind and length.
pub fn terms(kind: Option<TermsKind>, term: Option<Term>) -> Result<Terms, Problem> {
    Terms::new(kind, term).map_err(wrong_terms)
}

pub fn wrong_terms(error: TermsError) -> Problem {
    Problem::invalid("/term", error.to_string())
}

/// What the fingerprint of a request covers of a key that it gives: the refid that the key determines, by a secret. A
/// key that could be guessed from a plain hash of the request would be in the table after all.
pub fn printed(app: &App, key: Option<&LicenceKey>) -> Result<Option<LicenceKey>, Problem> {
    let Some(key) = key else { return Ok(None) };
    let refid = app.store.licence_refid(key)?;
    LicenceKey::try_from(refid.to_string()).map(Some).map_err(|_| Problem::internal())
}
