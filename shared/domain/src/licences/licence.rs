//! Licences: keys that clients own.
//!
//! Invariant: a licence keeps the terms of its product as they were at the sale, and the reseller that sold it;
//! later changes of either leave it alone (rule A5).

use serde::{Deserialize, Serialize};

use crate::basic::email::EmailAddress;
use crate::basic::refid::{ClientRefid, EntryRefid, LicenceRefid, ResellerRefid};
use crate::basic::text::ClientId;
use crate::basic::time::Time;
use crate::licences::product::{ParallelUses, Product, ProductReference, Terms};

/// A licence key in clear text. Its `Debug` shows nothing of it, so that no log does.
#[derive(Clone, PartialEq, Eq)]
pub struct LicenceKey(String);

impl LicenceKey {
    /// The key `text`, which the issuer made unguessable.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The key as the customer types it.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for LicenceKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("LicenceKey(…)")
    }
}

/// Where a licence stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum LicenceStatus {
    /// Minted; its term has not begun.
    Pending,
    /// In use.
    Active,
    /// Barred for the time being.
    Suspended,
    /// Ended for good.
    Revoked,
}

/// A licence as it is kept; the store keeps its key sealed, beside the document.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Licence {
    /// Its public id.
    pub refid: LicenceRefid,
    /// What was sold.
    pub product: ProductReference,
    /// Who owns it; none while unlinked.
    pub client: Option<ClientRefid>,
    /// The external id it is or will be linked by.
    pub client_id: Option<ClientId>,
    /// The address it will be linked by, once a user confirms it; none for a linked licence.
    pub email: Option<EmailAddress>,
    /// The reseller that sold it.
    pub reseller: Option<ResellerRefid>,
    /// The provision that paid for it.
    pub provision: Option<EntryRefid>,
    /// Where it stands.
    pub status: LicenceStatus,
    /// What it grants, and for how long.
    pub terms: Terms,
    /// How many installations may use it at a time; none: unlimited.
    pub parallel_uses: Option<ParallelUses>,
    /// How many installations use it.
    pub activations: u32,
    /// When its term began.
    pub activated_at: Option<Time>,
    /// When its term ends.
    pub expires_at: Option<Time>,
    /// When it was minted.
    pub created_at: Time,
    /// When it last changed.
    pub updated_at: Time,
    /// Counts its changes from 1.
    pub version: u64,
}

/// For whom a licence is minted.
#[derive(Debug, Clone, PartialEq)]
pub struct Owner {
    /// The client.
    pub client: ClientRefid,
    /// Its external id.
    pub client_id: ClientId,
}

impl Licence {
    /// A licence of `product`, paid for by `provision`; its term starts at activation (rule C2).
    pub fn mint(
        refid: LicenceRefid,
        product: &Product,
        owner: Owner,
        reseller: ResellerRefid,
        provision: EntryRefid,
        now: Time,
    ) -> Self {
        Self {
            refid,
            product: product.reference.clone(),
            client: Some(owner.client),
            client_id: Some(owner.client_id),
            email: None,
            reseller: Some(reseller),
            provision: Some(provision),
            status: LicenceStatus::Pending,
            terms: product.terms,
            parallel_uses: product.parallel_uses,
            activations: 0,
            activated_at: None,
            expires_at: None,
            created_at: now,
            updated_at: now,
            version: 1,
        }
    }

    /// The licence ended for good; `None` when it is already (rule C2).
    pub fn revoked(&self, now: Time) -> Option<Self> {
        (self.status != LicenceStatus::Revoked).then(|| Self {
            status: LicenceStatus::Revoked,
            updated_at: now.max(self.updated_at),
            version: self.version + 1,
            ..self.clone()
        })
    }
}
