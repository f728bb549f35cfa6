//! Clients as the API shows them.
//!
//! Invariant: a response has only the members listed here, and no later version drops one. A reseller sees no user: it
//! would learn who has a login (rule A7).

use purser_domain::basic::{ClientId, ClientRefid, EmailAddress, Name, Phone, ResellerRefid, Time, UserRefid};
use purser_domain::parties::{Client, ClientStatus, Metadata};
use serde::Serialize;
use utoipa::ToSchema;

/// A client: the company or person that licences are for.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Client)]
pub struct ClientView {
    refid: ClientRefid,
    client_id: ClientId,
    name: Name,
    email: EmailAddress,
    #[schema(required = true)]
    phone: Option<Phone>,
    status: ClientStatus,
    /// The reseller that the client belongs to; null if the client is standalone.
    #[schema(required = true)]
    reseller: Option<ResellerRefid>,
    /// The user that the client is bound to, if any. Resellers are not told, and see null.
    #[schema(required = true)]
    user: Option<UserRefid>,
    metadata: Metadata,
    created_at: Time,
    updated_at: Time,
    version: u64,
}

impl From<&Client> for ClientView {
    fn from(client: &Client) -> Self {
        Self {
            refid: client.refid.clone(),
            client_id: client.client_id.clone(),
            name: client.name.clone(),
            email: client.email.clone(),
            phone: client.phone.clone(),
            status: client.status,
            reseller: client.reseller.clone(),
            user: client.user.clone(),
            metadata: client.metadata.clone(),
            created_at: client.created_at,
            updated_at: client.updated_at,
            version: client.version,
        }
    }
}

/// A view that can leave out which users clients are bound to.
pub trait ShowsUsers {
    fn hide_users(&mut self);
}

impl ShowsUsers for ClientView {
    fn hide_users(&mut self) {
        self.user = None;
    }
}

/// The view `V` as a reseller sees it.
#[derive(Debug, Serialize)]
#[serde(transparent)]
pub struct Resold<V>(V);

impl<T, V: for<'a> From<&'a T> + ShowsUsers> From<&T> for Resold<V> {
    fn from(shown: &T) -> Self {
        let mut view = V::from(shown);
        view.hide_users();
        Self(view)
    }
}

/// Evaluates an expression in which `$seen` is the type of view that the caller may see: `$view`, or what a reseller
/// sees of it.
macro_rules! seen_by {
    ($call:expr, $view:ident as $seen:ident => $shown:expr) => {
        if $call.caller.role.reseller().is_some() {
            type $seen = $crate::clients::view::Resold<$view>;
            $shown
        } else {
            type $seen = $view;
            $shown
        }
    };
}
pub(crate) use seen_by;
