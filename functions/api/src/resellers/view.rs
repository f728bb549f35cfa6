//! Resellers as the API shows them.
//!
//! Invariant: a response has only the members listed here, and no later version drops one.

use purser_domain::basic::{EmailAddress, Name, ResellerRefid, Time, UserRefid};
use purser_domain::money::{Credits, Tier};
use purser_domain::parties::{Metadata, Reseller, ResellerStatus};
use serde::Serialize;
use utoipa::ToSchema;

/// A reseller: a company that sells licences and pays for them with credits.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Reseller)]
pub struct ResellerView {
    refid: ResellerRefid,
    /// The first user, created together with the reseller.
    user: UserRefid,
    company_name: Name,
    email: EmailAddress,
    tier: Tier,
    status: ResellerStatus,
    hold_provisioning: bool,
    low_credit_threshold: Credits,
    /// The parent reseller, if any.
    #[schema(required = true)]
    parent: Option<ResellerRefid>,
    metadata: Metadata,
    created_at: Time,
    updated_at: Time,
    version: u64,
}

impl From<&Reseller> for ResellerView {
    fn from(reseller: &Reseller) -> Self {
        Self {
            refid: reseller.refid.clone(),
            user: reseller.user.clone(),
            company_name: reseller.company_name.clone(),
            email: reseller.email.clone(),
            tier: reseller.tier,
            status: reseller.status,
            hold_provisioning: reseller.hold_provisioning,
            low_credit_threshold: reseller.low_credit_threshold,
            parent: reseller.parent.clone(),
            metadata: reseller.metadata.clone(),
            created_at: reseller.created_at,
            updated_at: reseller.updated_at,
            version: reseller.version,
        }
    }
}
