//! Licences: what a client owns and activates with a key.
//!
//! Invariant: a licence keeps the terms that its product had at the sale, and the reseller that sold it. Later
//! changes of the product or of the client's reseller do not affect it (rule A5). Its end is the one that its tenure
//! has.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::basic::email::EmailAddress;
use crate::basic::refid::{ClientRefid, EntryRefid, LicenceRefid, ResellerRefid};
use crate::basic::text::ClientId;
use crate::basic::time::Time;
use crate::licences::key::KeyHint;
use crate::licences::product::{
    Grants, GrantsChange, ParallelUses, Product, ProductReference, Terms, TermsError, TermsKind,
};
use crate::licences::status::{LicenceStatus, ShownStatus, Standing, Step, Suspender};
use crate::licences::tenure::{RunNumber, Tenure};
use crate::licences::term::Term;
use crate::money::entry::Sale;
use crate::refusal::Refusal;

/// A licence as it is stored. The store keeps the key next to this document, sealed, and how many seats are taken.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Licence {
    pub refid: LicenceRefid,
    pub product: ProductReference,
    /// The client that owns the licence; `None` while the licence is unlinked.
    pub client: Option<ClientRefid>,
    /// The external id of the client that the licence is, or will be, linked to.
    pub client_id: Option<ClientId>,
    /// The e-mail address that will link the licence once a user confirms it; `None` for a linked licence.
    pub email: Option<EmailAddress>,
    pub reseller: Option<ResellerRefid>,
    /// The provision that paid for the licence.
    pub provision: Option<EntryRefid>,
    pub status: LicenceStatus,
    /// Who suspended it; nobody unless it is suspended.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub suspended_by: BTreeSet<Suspender>,
    pub terms: Terms,
    /// The terms that were bought, or an end that was set; `None` as long as it is the first term, which waits.
    #[serde(skip_serializing_if = "Option::is_none")]
    tenure: Option<Tenure>,
    /// How many installations may use the licence at the same time; `None` means any number.
    pub parallel_uses: Option<ParallelUses>,
    #[serde(default, skip_serializing_if = "Grants::is_empty")]
    pub grants: Grants,
    /// Until when new versions are covered; `None` means as long as the licence is valid.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub updates_until: Option<Time>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub support_until: Option<Time>,
    /// The end of the key; `None` for a licence from before there were hints.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key_hint: Option<KeyHint>,
    /// How often the licence was renewed, whatever was refunded since.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub renewals: u32,
    /// How often the key was replaced.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub rotations: u32,
    pub activated_at: Option<Time>,
    /// When the term ends; `None` before activation, and for terms without an end.
    pub expires_at: Option<Time>,
    pub created_at: Time,
    pub updated_at: Time,
    pub version: u64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_zero(number: &u32) -> bool {
    *number == 0
}

/// Whose a new licence is: a client's, or whoever's an external id or an address turns out to be (rule C7).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LicenceOwner {
    Client { client: ClientRefid, client_id: ClientId },
    ClientId(ClientId),
    Email(EmailAddress),
}

impl LicenceOwner {
    fn parts(self) -> (Option<ClientRefid>, Option<ClientId>, Option<EmailAddress>) {
        match self {
            Self::Client { client, client_id } => (Some(client), Some(client_id), None),
            Self::ClientId(client_id) => (None, Some(client_id), None),
            Self::Email(email) => (None, None, Some(email)),
        }
    }
}

/// The changes that an operator makes to the terms of a licence; `None` leaves a field as it is.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct LicenceChange {
    /// `Some(None)` lets the licence last for ever.
    pub expires_at: Option<Option<Time>>,
    pub kind: Option<TermsKind>,
    /// `Some(None)` removes the term.
    pub term: Option<Option<Term>>,
    pub parallel_uses: Option<Option<ParallelUses>>,
    pub grants: GrantsChange,
    pub updates_until: Option<Option<Time>>,
    pub support_until: Option<Option<Time>>,
}

impl Licence {
    /// A licence of `product` that nobody has paid for. Its term begins at activation (rule C2).
    pub fn mint(refid: LicenceRefid, hint: KeyHint, product: &Product, owner: LicenceOwner, now: Time) -> Self {
        let (client, client_id, email) = owner.parts();
        Self {
            refid,
            product: product.reference.clone(),
            client,
            client_id,
            email,
            reseller: None,
            provision: None,
            status: LicenceStatus::Pending,
            suspended_by: BTreeSet::new(),
            terms: product.terms,
            tenure: None,
            parallel_uses: product.parallel_uses,
            grants: product.grants.clone(),
            updates_until: None,
            support_until: None,
            key_hint: Some(hint),
            renewals: 0,
            rotations: 0,
            activated_at: None,
            expires_at: None,
            created_at: now,
            updated_at: now,
            version: 1,
        }
    }

    /// The licence as `provision` of `reseller` paid for it.
    #[must_use]
    pub fn sold(self, reseller: ResellerRefid, provision: EntryRefid) -> Self {
        Self { reseller: Some(reseller), provision: Some(provision), ..self }
    }

    /// The status as it is at `now`: the end of a term shows at its exact millisecond.
    pub fn status_at(&self, now: Time) -> ShownStatus {
        let expired = self.expires_at.is_some_and(|end| end <= now);
        match self.status {
            LicenceStatus::Revoked => ShownStatus::Revoked,
            LicenceStatus::Suspended => ShownStatus::Suspended,
            LicenceStatus::Pending | LicenceStatus::Active if expired => ShownStatus::Expired,
            LicenceStatus::Pending => ShownStatus::Pending,
            LicenceStatus::Active => ShownStatus::Active,
        }
    }

    /// The licence after a step of its status (rule C2); `None` if the step changes nothing. The first activation
    /// begins its term.
    pub fn after(&self, step: Step, now: Time) -> Result<Option<Self>, Refusal> {
        let standing = Standing { status: self.status, suspended_by: self.suspended_by.clone() };
        let Some(standing) = standing.after(step)? else { return Ok(None) };
        let begins = self.activated_at.is_none() && standing.status == LicenceStatus::Active;
        let stepped = Self { status: standing.status, suspended_by: standing.suspended_by, ..self.next_version(now) };
        Ok(Some(if begins { stepped.begun(now) } else { stepped }))
    }

    /// The licence with its term begun at `now`, and what is counted from then.
    fn begun(self, now: Time) -> Self {
        let of = |term: Option<Term>| term.map(|term| term.end(now, 1));
        Self {
            activated_at: Some(now),
            updates_until: self.updates_until.or_else(|| of(self.grants.updates_term)),
            support_until: self.support_until.or_else(|| of(self.grants.support_term)),
            ..self.lasting(|tenure| tenure.started(now))
        }
    }

    /// The licence in the status `revoked`, which is final; `None` if it was revoked before (rule C2).
    pub fn revoked(&self, now: Time) -> Option<Self> {
        self.after(Step::Revoke, now).ok().flatten()
    }

    /// The licence with another term, and the run that the term is in (rule C2).
    pub fn renewed(&self, now: Time) -> Result<(Self, RunNumber), Refusal> {
        if self.status == LicenceStatus::Revoked {
            return Err(Refusal::LicenceRevoked);
        }
        let number = RunNumber::after(self.renewals);
        let renewed = self.terms.term().and_then(|term| self.tenure().renewed(term, number, now));
        let (tenure, run) = renewed.ok_or(Refusal::NotRenewable)?;
        let renewals = self.renewals.saturating_add(1);
        Ok((Self { renewals, ..self.next_version(now) }.lasting(|_| tenure), run))
    }

    /// The licence without a term that was paid for and has been refunded (rule B10).
    #[must_use]
    pub fn without_term(&self, run: RunNumber, now: Time) -> Self {
        self.next_version(now).lasting(|tenure| tenure.without(run))
    }

    /// The licence after the price of this sale was refunded (rule B10); `None` if it had ended before.
    pub fn refunded(&self, sale: &Sale, now: Time) -> Option<Self> {
        match sale.renews {
            Some(run) => Some(self.without_term(run, now)),
            None => self.revoked(now),
        }
    }

    /// The licence as another client's (rule C2); `None` if it is that client's already.
    pub fn transferred(&self, client: ClientRefid, client_id: ClientId, now: Time) -> Result<Option<Self>, Refusal> {
        if self.status == LicenceStatus::Revoked {
            return Err(Refusal::LicenceRevoked);
        }
        if self.client.as_ref() == Some(&client) {
            return Ok(None);
        }
        let (client, client_id) = (Some(client), Some(client_id));
        Ok(Some(Self { client, client_id, email: None, ..self.next_version(now) }))
    }

    /// The licence with a new key.
    pub fn rekeyed(&self, hint: KeyHint, now: Time) -> Result<Self, Refusal> {
        if self.status == LicenceStatus::Revoked {
            return Err(Refusal::LicenceRevoked);
        }
        let rotations = self.rotations.saturating_add(1);
        Ok(Self { key_hint: Some(hint), rotations, ..self.next_version(now) })
    }

    /// The licence with `change` applied; `None` if that changes nothing. An end that is given replaces the terms that
    /// were bought.
    pub fn changed(&self, change: &LicenceChange, now: Time) -> Result<Option<Self>, Refusal> {
        let next = self.with(change)?;
        let differs = next != *self;
        Ok(differs.then(|| Self { updated_at: now.max(self.updated_at), version: self.version + 1, ..next }))
    }

    /// A new licence that departs from its product by `change`.
    pub fn with(&self, change: &LicenceChange) -> Result<Self, Refusal> {
        let wrong = |error: TermsError| Refusal::Invalid(vec![("/term".to_owned(), error.to_string())]);
        let mut grants = change.grants.applied(&self.grants);
        // Who says that there is no date wants none to be set by the activation.
        grants.updates_term = grants.updates_term.filter(|_| change.updates_until != Some(None));
        grants.support_term = grants.support_term.filter(|_| change.support_until != Some(None));
        let next = Self {
            terms: self.terms.changed(change.kind, change.term).map_err(wrong)?,
            parallel_uses: change.parallel_uses.unwrap_or(self.parallel_uses),
            grants,
            updates_until: change.updates_until.unwrap_or(self.updates_until),
            support_until: change.support_until.unwrap_or(self.support_until),
            ..self.clone()
        };
        Ok(match change.expires_at {
            Some(end) if end != self.expires_at || self.tenure().waits() => next.lasting(|_| Tenure::fixed(end)),
            Some(_) | None if next.terms.term() != self.terms.term() => {
                let term = next.terms.term();
                next.lasting(|tenure| tenure.in_terms_of(term))
            }
            Some(_) | None => next,
        })
    }

    /// The licence in its next version, because something changed that is kept beside it.
    #[must_use]
    pub fn touched(&self, now: Time) -> Self {
        self.next_version(now)
    }

    fn lasting(self, change: impl FnOnce(&Tenure) -> Tenure) -> Self {
        let tenure = change(&self.tenure());
        Self { expires_at: tenure.end(), tenure: Some(tenure), ..self }
    }

    fn tenure(&self) -> Tenure {
        self.tenure.clone().unwrap_or_else(|| Tenure::of(self.terms.term()))
    }

    fn next_version(&self, now: Time) -> Self {
        Self { updated_at: now.max(self.updated_at), version: self.version + 1, ..self.clone() }
    }
}

#[cfg(test)]
mod tests;
