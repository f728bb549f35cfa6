//! Licences: what a client owns and activates with a key.
//!
//! Invariant: a licence keeps the terms that its product had at the sale, and the reseller that sold it. Later
//! changes of the product or of the client's reseller do not affect it (rule A5).

use serde::{Deserialize, Serialize};

use crate::basic::email::EmailAddress;
use crate::basic::refid::{ClientRefid, EntryRefid, LicenceRefid, ResellerRefid};
use crate::basic::text::ClientId;
use crate::basic::time::Time;
use crate::licences::product::{ParallelUses, Product, ProductReference, Terms};

/// A licence key in clear text. `Debug` does not show the key, so it can't get into a log.
#[derive(Clone, PartialEq, Eq)]
pub struct LicenceKey(String);

impl LicenceKey {
    /// Wraps a key; the issuer must have made it unguessable.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The key in clear text, as the customer types it.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for LicenceKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("LicenceKey(…)")
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum LicenceStatus {
    /// The licence was minted, and its term has not begun.
    Pending,
    /// The licence is in use.
    Active,
    /// The licence can't be used for the time being.
    Suspended,
    /// The licence has ended for good.
    Revoked,
}

/// A licence as it is stored. The store keeps the key next to this document, sealed.
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
    pub terms: Terms,
    /// How many installations may use the licence at the same time; `None` means any number.
    pub parallel_uses: Option<ParallelUses>,
    /// How many installations use the licence now.
    pub activations: u32,
    pub activated_at: Option<Time>,
    /// When the term ends; `None` before activation, and for terms without an end.
    pub expires_at: Option<Time>,
    pub created_at: Time,
    pub updated_at: Time,
    pub version: u64,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Owner {
    pub client: ClientRefid,
    pub client_id: ClientId,
}

impl Licence {
    /// A licence of `product`, paid for by `provision`. Its term begins at activation (rule C2).
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

    /// The licence in the status `revoked`, which is final; `None` if it was revoked before (rule C2).
    pub fn revoked(&self, now: Time) -> Option<Self> {
        (self.status != LicenceStatus::Revoked).then(|| Self {
            status: LicenceStatus::Revoked,
            updated_at: now.max(self.updated_at),
            version: self.version + 1,
            ..self.clone()
        })
    }
}
