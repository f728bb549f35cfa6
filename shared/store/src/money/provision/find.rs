//! Reading provisions.

use purser_domain::basic::{EntryRefid, ResellerRefid, Time};
use purser_domain::money::Entry;

use crate::engine::{Consistency, Loaded};
use crate::money::refund;
use crate::money::sold::{Provision, sold_keys};
use crate::{Store, StoreError};

impl Store {
    /// The entry of a provision; `None` if the refid is of another kind of entry.
    pub async fn purchase(&self, refid: &EntryRefid) -> Result<Option<Entry>, StoreError> {
        let entry = self.entry(refid).await?;
        Ok(entry.filter(Entry::is_provision))
    }

    /// A provision with its clients, licences and refunds as they are now.
    ///
    /// With `seller`, only a provision that this reseller paid for is found. What belongs to another one is read no
    /// further than what does not exist, so that nobody learns of it by the work that it makes (rule A8).
    pub async fn find_provision(
        &self,
        refid: &EntryRefid,
        seller: Option<&ResellerRefid>,
        now: Time,
    ) -> Result<Option<Provision>, StoreError> {
        let entry = self.purchase(refid).await?;
        let Some(entry) = entry.filter(|entry| seller.is_none_or(|own| entry.reseller == *own)) else {
            return Ok(None);
        };
        let mut keys = vec![refund::key(refid)];
        keys.extend(sold_keys(&entry));
        let found = self.table.get_all(&keys, Consistency::Strong).await?;
        let mut found = Loaded::of(&keys, found);
        let keys = refund::entry_keys(&found, refid)?;
        let refunds = self.table.get_all(&keys, Consistency::Strong).await?;
        found.extend(Loaded::of(&keys, refunds));
        Ok(Some(Provision { sold: self.sold(&entry, &found, now)?, refunds: refund::entries(&found, refid)?, entry }))
    }
}
