//! Provisions as the API shows them.
//!
//! Invariant: a response has only the members listed here, and no later version drops one.

use purser_domain::basic::EntryRefid;
use purser_domain::money::Credits;
use purser_store::money::sold::{Provision, Sold};
use serde::Serialize;
use utoipa::ToSchema;

use crate::clients::view::{ClientView, ShowsUsers};
use crate::ledger::view::EntryView;
use crate::licences::view::LicenceView;

/// A provision: one purchase with credits.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Provision)]
pub struct ProvisionView {
    refid: EntryRefid,
    /// The price that was paid, in credits.
    cost: Credits,
    /// The balance of the wallet after the purchase.
    balance: Credits,
    /// The client that the purchase was for. Null for a purchase without a product, for a purchase for several
    /// clients, and if the client was deleted or moved to another reseller since.
    #[schema(required = true)]
    client: Option<ClientView>,
    /// The licences that the purchase created; empty for a purchase without a product.
    licences: Vec<LicenceView>,
    entry: EntryView,
    /// The part of the cost that has been refunded, in credits.
    refunded: Credits,
    /// The ledger entries of its refunds, oldest first.
    refunds: Vec<EntryView>,
    /// Present for a purchase for several clients: each client with its licences. In the response to a refund each
    /// `client` is null; the licences still name their client.
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

impl ShowsUsers for ProvisionView {
    fn hide_users(&mut self) {
        let sold = self.results.iter_mut().flatten().filter_map(|sold| sold.client.as_mut());
        self.client.iter_mut().chain(sold).for_each(ShowsUsers::hide_users);
    }
}

/// One client of a purchase, with the licences bought for it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Sold)]
pub struct SoldView {
    /// Null if the client was deleted or moved to another reseller since, and in the response to a refund of a
    /// purchase for several clients.
    #[schema(required = true)]
    client: Option<ClientView>,
    /// The licences bought for this client.
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

/// A purchase for several clients.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = BulkProvision)]
pub struct BulkProvisionView {
    refid: EntryRefid,
    /// The price that was paid, in credits.
    cost: Credits,
    /// The balance of the wallet after the purchase.
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

impl ShowsUsers for BulkProvisionView {
    fn hide_users(&mut self) {
        self.results.iter_mut().filter_map(|sold| sold.client.as_mut()).for_each(ShowsUsers::hide_users);
    }
}

/// The response to a refund. It is stored for repeats, and the metadata of the clients may have grown since the
/// purchase. If there are several clients, it therefore leaves them out, so that no refund fails because its response
/// is too large to store.
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
