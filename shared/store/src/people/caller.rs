//! Who a bearer token belongs to, and the standing of its reseller: one strongly consistent batch read.
//!
//! Invariant: a token names its tenant, but that says only where to look. The wallet that is read belongs to the
//! reseller that key or sessions name.

use purser_domain::basic::{ApiKeyRefid, ResellerRefid, Time, UserRefid};
use purser_domain::money::Wallet;
use purser_domain::parties::ResellerStatus;
use purser_domain::people::session::Seen;
use purser_domain::people::{ApiKey, Sessions};

use crate::engine::{Consistency, Key, Loaded};
use crate::money::wallet;
use crate::people::api_key::item;
use crate::people::session;
use crate::{Store, StoreError};

/// The standing of a caller's reseller; `None` for a caller without one.
pub type Standing = Option<ResellerStatus>;

/// The reseller that a token names, and its wallet, as they were read with the key or the sessions.
#[derive(Debug)]
pub struct Tenancy {
    named: Option<ResellerRefid>,
    wallet: Option<Wallet>,
}

impl Store {
    /// An API key, when it was last used, and the tenancy of its token. `None` if the key has ended.
    pub async fn caller_by_key(
        &self,
        refid: &ApiKeyRefid,
        tenant: Option<ResellerRefid>,
    ) -> Result<Option<(ApiKey, Option<Time>, Tenancy)>, StoreError> {
        let key = item::key(refid);
        let (loaded, tenancy) = self.read_caller(&key, tenant).await?;
        let Some(found) = loaded.get(&key) else { return Ok(None) };
        let seen = item::last_used(found)?;
        Ok(item::read(found)?.map(|key| (key, seen, tenancy)))
    }

    /// The sessions of a user, when each was last used, and the tenancy of the token.
    pub async fn caller_by_session(
        &self,
        user: &UserRefid,
        tenant: Option<ResellerRefid>,
    ) -> Result<Option<(Sessions, Seen, Tenancy)>, StoreError> {
        let (loaded, tenancy) = self.read_caller(&session::key(user), tenant).await?;
        Ok(session::read(&loaded, user)?.map(|(sessions, seen)| (sessions, seen, tenancy)))
    }

    async fn read_caller(&self, key: &Key, named: Option<ResellerRefid>) -> Result<(Loaded, Tenancy), StoreError> {
        let of_tenant = named.as_ref().map(wallet::key);
        let keys: Vec<Key> = [Some(key.clone()), of_tenant.clone()].into_iter().flatten().collect();
        let loaded = Loaded::of(&keys, self.table.get_all(&keys, Consistency::Strong).await?);
        let wallet = of_tenant.map(|key| wallet::read(&loaded, &key)).transpose()?.flatten();
        Ok((loaded, Tenancy { named, wallet }))
    }

    /// The standing of `reseller`, the caller's own; the outer `None` if the token names another tenant. A token that
    /// names none, as older ones, costs one more read, so ask only once the token's secret has proven right.
    pub async fn standing(
        &self,
        tenancy: Tenancy,
        reseller: Option<&ResellerRefid>,
    ) -> Result<Option<Standing>, StoreError> {
        let wallet = match (tenancy.named, reseller) {
            (None, None) => return Ok(Some(None)),
            (Some(named), Some(own)) if named == *own => tenancy.wallet,
            (Some(_), _) => return Ok(None),
            (None, Some(own)) => {
                let key = wallet::key(own);
                let found = self.table.get_all(std::slice::from_ref(&key), Consistency::Strong).await?;
                wallet::read(&Loaded::of(std::slice::from_ref(&key), found), &key)?
            }
        };
        Ok(wallet.map(|wallet| Some(wallet.status)))
    }
}
