//! Provisions, as the API shows them.
//!
//! Invariant: a member that stands here stays; nothing is shown that is not listed here.

use crate::clients::view::ClientView;
use crate::ledger::view::EntryView;
use crate::licences::view::LicenceView;
use purser_domain::basic::refid::EntryRefid;
use purser_domain::money::credits::Credits;
use purser_store::money::sold::{Provision, Sold};
use serde::Serialize;
use utoipa::ToSchema;

/// A provision: one purchase with credits.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Provision)]
pub struct ProvisionView {
    refid: EntryRefid,
    /// What it cost, in credits.
    cost: Credits,
    /// The balance it left.
    balance: Credits,
    /// Whom it was for; null for a bare cost, for several clients, and for one that was deleted or moved away since.
    #[schema(required = true)]
    client: Option<ClientView>,
    /// What it minted; empty for a bare cost.
    licences: Vec<LicenceView>,
    entry: EntryView,
    /// What of its cost has been refunded.
    refunded: Credits,
    /// The entries that refunded it, oldest first.
    refunds: Vec<EntryView>,
    /// Of a purchase for several clients, each with its licences. The answer to a refund leaves each `client` null; the
    /// licences name it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Vec<SoldView>)]
    results: Option<Vec<SoldView>>,
}

impl From<&Provision> for ProvisionView {
    fn from(provision: &Provision) -> Self {
        let sold = provision.sold.as_slice();
        let licences = sold.iter().flat_map(|sold| &sold.licences);
        let only = match sold {
            [only] => only.client.as_ref(),
            _ => None,
        };
        Self {
            refid: provision.entry.refid.clone(),
            cost: provision.entry.amount,
            balance: provision.entry.balance_after,
            client: only.map(ClientView::from),
            licences: licences.map(LicenceView::from).collect(),
            entry: EntryView::from(&provision.entry),
            refunded: provision.refunded(),
            refunds: provision.refunds.iter().map(EntryView::from).collect(),
            results: (sold.len() > 1).then(|| sold.iter().map(SoldView::from).collect()),
        }
    }
}

impl ProvisionView {
    /// The answer to a refund. It is remembered, and since they bought, what many clients hold may have grown beyond
    /// what can be; it leaves them out, so that no refund fails for that.
    pub fn of_refund(provision: &Provision) -> Self {
        let mut view = Self::from(provision);
        for sold in view.results.iter_mut().flatten() {
            sold.client = None;
        }
        view
    }
}

/// What a purchase was for one client.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Sold)]
pub struct SoldView {
    /// The client; null when it was deleted or moved away since, and in the answer to a refund.
    #[schema(required = true)]
    client: Option<ClientView>,
    /// Its licences.
    licences: Vec<LicenceView>,
}

impl From<&Sold> for SoldView {
    fn from(sold: &Sold) -> Self {
        Self {
            client: sold.client.as_ref().map(ClientView::from),
            licences: sold.licences.iter().map(LicenceView::from).collect(),
        }
    }
}

/// A purchase for many clients.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = BulkProvision)]
pub struct BulkProvisionView {
    refid: EntryRefid,
    /// What it cost.
    cost: Credits,
    /// The balance it left.
    balance: Credits,
    entry: EntryView,
    /// The clients in the order of the request, each with its licence.
    results: Vec<SoldView>,
}

impl From<&Provision> for BulkProvisionView {
    fn from(provision: &Provision) -> Self {
        Self {
            refid: provision.entry.refid.clone(),
            cost: provision.entry.amount,
            balance: provision.entry.balance_after,
            entry: EntryView::from(&provision.entry),
            results: provision.sold.iter().map(SoldView::from).collect(),
        }
    }
}

/// The answer to a refund. It is stored, and what many clients hold may have grown since they bought; so it leaves the
/// clients out, and no refund fails because its answer is too large.
#[derive(Debug, Serialize)]
#[serde(transparent)]
pub struct RefundView(ProvisionView);

impl From<&Provision> for RefundView {
    fn from(provision: &Provision) -> Self {
        let mut view = ProvisionView::from(provision);
        for sold in view.results.iter_mut().flatten() {
            sold.client = None;
        }
        Self(view)
    }
}
