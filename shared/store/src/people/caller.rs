//! Who a bearer token belongs to, and the standing of its reseller: one strongly consistent batch read.
//!
//! Invariant: a token names its tenant, but that says only where to look. The wallet that is read belongs to the
//! reseller that key or sessions name.

use purser_domain::basic::{ApiKeyRefid, ResellerRefid, UserRefid};
use purser_domain::parties::ResellerStatus;
use purser_domain::people::session::Seen;
use purser_domain::people::{ApiKey, Role, Sessions};

use crate::engine::item::doc;
use crate::engine::{Consistency, Key, Loaded};
use crate::money::wallet;
use crate::people::{api_key, session};
use crate::{Store, StoreError};

/// The standing of a caller's reseller; `None` for a caller without one.
pub type Standing = Option<ResellerStatus>;

impl Store {
    /// An API key, and the standing of its reseller. `tenant` is the reseller that the token names.
    pub async fn caller_by_key(
        &self,
        refid: &ApiKeyRefid,
        tenant: Option<&ResellerRefid>,
    ) -> Result<Option<(ApiKey, Standing)>, StoreError> {
        let key = api_key::key(refid);
        let loaded = self.caller(&key, tenant).await?;
        let Some(found) = loaded.get(&key).map(doc::<ApiKey>).transpose()? else {
            return Ok(None);
        };
        let reseller = match &found.role {
            Role::Reseller(reseller) => Some(reseller.clone()),
            Role::Operator | Role::Customer => None,
        };
        let standing = self.standing(&loaded, tenant, reseller.as_ref()).await?;
        Ok(standing.map(|standing| (found, standing)))
    }

    /// The sessions of a user, when each was last used, and the standing of the user's reseller. `tenant` is the
    /// reseller that the token names.
    pub async fn caller_by_session(
        &self,
        user: &UserRefid,
        tenant: Option<&ResellerRefid>,
    ) -> Result<Option<(Sessions, Seen, Standing)>, StoreError> {
        let loaded = self.caller(&session::key(user), tenant).await?;
        let Some((sessions, seen)) = session::read(&loaded, user)? else {
            return Ok(None);
        };
        let standing = self.standing(&loaded, tenant, sessions.reseller.as_ref()).await?;
        Ok(standing.map(|standing| (sessions, seen, standing)))
    }

    async fn caller(&self, key: &Key, tenant: Option<&ResellerRefid>) -> Result<Loaded, StoreError> {
        let keys: Vec<Key> = [Some(key.clone()), tenant.map(wallet::key)].into_iter().flatten().collect();
        let found = self.table.get_all(&keys, Consistency::Strong).await?;
        Ok(Loaded::of(&keys, found))
    }

    /// The standing of `reseller`; the outer `None` if the token names another tenant. A token that names none, as
    /// older ones, costs one more read.
    async fn standing(
        &self,
        loaded: &Loaded,
        tenant: Option<&ResellerRefid>,
        reseller: Option<&ResellerRefid>,
    ) -> Result<Option<Standing>, StoreError> {
        let found = match (tenant, reseller) {
            (None, None) => return Ok(Some(None)),
            (Some(named), Some(own)) if named == own => wallet::read(loaded, &wallet::key(own))?,
            (Some(_), _) => return Ok(None),
            (None, Some(own)) => {
                let keys = [wallet::key(own)];
                let found = self.table.get_all(&keys, Consistency::Strong).await?;
                wallet::read(&Loaded::of(&keys, found), &keys[0])?
            }
        };
        Ok(found.map(|wallet| Some(wallet.status)))
    }
}
