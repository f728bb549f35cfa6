//! Resellers in the table: the profile `RS#refid`, its wallet, and the reseller's first user (`US#refid` with the
//! address guard `EU#address`).
//!
//! Invariant: these four items are created together or not at all (rule B1). What decides about spending (tier,
//! status, hold, threshold) changes in profile and wallet in one transaction.

use std::collections::HashMap;

use purser_domain::Refusal;
use purser_domain::basic::{ResellerRefid, UserRefid};
use purser_domain::money::{Tier, Wallet};
use purser_domain::parties::search::found_by;
use purser_domain::parties::{NewReseller, Reseller, ResellerStatus, Search};
use purser_domain::people::User;
use purser_domain::refusal::ResourceKind;

use crate::engine::command::answer;
use crate::engine::command::idempotency::Record;
use crate::engine::item::{doc, item, metadata_of, put_metadata};
use crate::engine::keys::by_time;
use crate::engine::{
    Answer, CommandWrite, Condition, Consistency, Created, Decision, Filter, Index, Item, Key, List, Loaded, Page,
    Paging, Request, Secrets, Stamp, View, Write,
};
use crate::parties::search::{self, Party};
use crate::people::user;
use crate::{Store, StoreError};

pub(super) const KIND: &str = "reseller";

pub(crate) fn key(refid: &ResellerRefid) -> Key {
    Key::alone("RS", refid)
}

/// Which resellers a list shows. Every condition that is given must hold.
#[derive(Debug, Clone, Default)]
pub struct ResellerFilter {
    pub tier: Option<Tier>,
    pub status: Option<ResellerStatus>,
    pub parent: Option<ResellerRefid>,
    pub created: Created,
    pub search: Option<Search>,
}

impl ResellerFilter {
    pub fn shows(&self, reseller: &Reseller) -> bool {
        self.tier.is_none_or(|tier| reseller.tier == tier)
            && self.status.is_none_or(|status| reseller.status == status)
            && (self.parent.is_none() || self.parent == reseller.parent)
            && self.created.holds(reseller.created_at)
            && self.search.as_ref().is_none_or(|search| search.finds(&reseller.company_name, &reseller.email))
    }
}

impl Store {
    pub fn new_reseller_refid(&self) -> Result<ResellerRefid, StoreError> {
        Ok(ResellerRefid::new(&self.prefixes.reseller, self.secrets.random()?))
    }

    /// A reseller, read strongly consistently.
    pub async fn reseller(&self, refid: &ResellerRefid) -> Result<Option<Reseller>, StoreError> {
        let item = self.table.get(&key(refid), Consistency::Strong).await?;
        item.map(|item| read(&item, &self.secrets)).transpose()
    }

    /// The resellers among `refids` that exist, without their metadata. The read may be stale.
    pub async fn resellers_named(
        &self,
        refids: &[ResellerRefid],
    ) -> Result<HashMap<ResellerRefid, Reseller>, StoreError> {
        let keys: Vec<Key> = refids.iter().map(key).collect();
        let found = self.table.get_all(&keys, Consistency::Eventual).await?;
        let resellers = found.values().map(doc::<Reseller>);
        resellers.map(|reseller| reseller.map(|reseller| (reseller.refid.clone(), reseller))).collect()
    }

    /// A page of resellers: newest first, or in the order of the texts that a search has found.
    pub async fn resellers(&self, filter: &ResellerFilter, paging: Paging) -> Result<Page<Reseller>, StoreError> {
        if let Some(search) = &filter.search {
            let shown = |item: &Item| read(item, &self.secrets).map(|it| Some(it).filter(|it| filter.shows(it)));
            return self.search((search, vec![search::RESELLERS.to_owned()]), "RS", paging, shown).await;
        }
        let tier = filter.tier.map(|tier| ("tier", tier.into_str()));
        let status = filter.status.map(|status| ("status", status.into_str()));
        let parent = filter.parent.as_ref().map(|it| ("parent", it.as_str()));
        let filters = [tier, status, parent].into_iter().flatten();
        let filters = filters.map(|(member, value)| Filter::Is(member, value.to_owned())).collect();
        let list = List::descending(Index::Kind, vec!["RS".into()]).filtered(filters);
        self.paged(list.between(filter.created.between()), paging).await?.map(|item| read(&item, &self.secrets))
    }

    /// Creates a reseller with its wallet and first user (rule B1), as a child of `parent` if that is given.
    pub async fn onboard_reseller<V: View<Reseller>>(
        &self,
        refid: &ResellerRefid,
        new: &NewReseller,
        parent: Option<&ResellerRefid>,
        request: &Request,
    ) -> Result<Answer, StoreError> {
        let parts = [&new.email.folded(), refid.as_str()];
        let user = UserRefid::new(&self.prefixes.user, self.secrets.bits("user", &parts)?);
        let parent = parent.map(key);
        let keys: Vec<Key> = parent.iter().cloned().collect();
        let record = self.record(request)?;
        self.command(&request.stamp.request, record.as_ref(), &keys, |loaded| {
            let parent = match &parent {
                Some(key) => Some(read_loaded(loaded, key, &self.secrets)?.ok_or(Refusal::InvalidParent)?),
                None => None,
            };
            let (refid, user) = (refid.clone(), user.clone());
            let reseller = Reseller::onboard(new.clone(), refid, user, parent.as_ref(), request.now)?;
            let answer = answer::show::<V, _>(&reseller)?;
            let mut writes = Vec::new();
            writes.extend(self.record_write(record.as_ref(), request, &answer)?);
            let first = User { record: record.as_ref().and_then(Record::code), ..first_login(&reseller) };
            writes.extend(user::creation(&first, &request.stamp)?);
            let profile = write(&reseller, &self.secrets, &request.stamp)?;
            let profile = Write::Put(profile, Condition::Absent);
            writes.push(CommandWrite::fresh(profile));
            let wallet = Wallet::open(&reseller);
            writes.push(crate::money::wallet::write(&wallet, None, &request.stamp)?);
            Ok(Decision::Commit { writes, answer: Answer::first(answer) })
        })
        .await
    }

    /// Replaces a reseller with what `change` makes of profile and wallet, and keeps the wallet in step. `None` means
    /// that nothing needs to change.
    pub async fn change_reseller<V: View<Reseller>>(
        &self,
        refid: &ResellerRefid,
        request: &Request,
        change: impl Fn(&Reseller, &Wallet) -> Result<Option<Reseller>, Refusal> + Send + Sync,
    ) -> Result<Answer, StoreError> {
        let stamp = &request.stamp;
        let (profile, wallet) = (key(refid), crate::money::wallet::key(refid));
        let keys = [profile.clone(), wallet.clone()];
        self.command(&stamp.request, None, &keys, |loaded| {
            let unknown = Refusal::NotFound(ResourceKind::Reseller);
            let reseller = read_loaded(loaded, &profile, &self.secrets)?;
            let old = crate::money::wallet::read(loaded, &wallet)?;
            let (reseller, old) = reseller.zip(old).ok_or(unknown)?;
            let Some(changed) = change(&reseller, &old)? else {
                return Ok(Decision::Unchanged(Answer::first(answer::show::<V, _>(&reseller)?)));
            };
            let put = Write::Put(write(&changed, &self.secrets, stamp)?, Condition::Version(reseller.version));
            let mut writes = vec![CommandWrite::fresh(put)];
            // The wallet may have been read at an earlier moment than the profile. So if anything that affects spending
            // changes, the wallet is written, on condition of its version, even if it seems to be in step already.
            let following = old.following(&changed);
            let seems_the_same = following.agrees_with(&reseller) && old.agrees_with(&changed);
            if !seems_the_same {
                writes.push(crate::money::wallet::write(&following, Some(old.version), stamp)?);
            }
            Ok(Decision::Commit { writes, answer: Answer::first(answer::show::<V, _>(&changed)?) })
        })
        .await
    }
}

/// The first user of a reseller. This user has no password until the person sets one.
fn first_login(reseller: &Reseller) -> User {
    let (email, name) = (reseller.email.clone(), reseller.company_name.clone());
    User {
        reseller: Some(reseller.refid.clone()),
        ..User::new(reseller.user.clone(), email, name, reseller.created_at)
    }
}

impl Party for Reseller {
    fn refid(&self) -> &str {
        self.refid.as_str()
    }

    fn texts(&self) -> Vec<String> {
        found_by(&self.company_name, &self.email)
    }

    fn partitions(&self) -> Vec<String> {
        vec![search::RESELLERS.to_owned()]
    }
}

pub(crate) fn read(item: &Item, secrets: &Secrets) -> Result<Reseller, StoreError> {
    let mut reseller: Reseller = doc(item)?;
    reseller.metadata = metadata_of(item, secrets, &key(&reseller.refid).pk)?;
    Ok(reseller)
}

pub(crate) fn read_loaded(loaded: &Loaded, key: &Key, secrets: &Secrets) -> Result<Option<Reseller>, StoreError> {
    loaded.get(key).map(|item| read(item, secrets)).transpose()
}

fn write(reseller: &Reseller, secrets: &Secrets, stamp: &Stamp) -> Result<Item, StoreError> {
    let key = key(&reseller.refid);
    let mut item = item(&key, KIND, reseller, stamp)?;
    Index::Kind.place(&mut item, "RS".into(), by_time(reseller.created_at, reseller.refid.as_str()));
    put_metadata(&mut item, secrets, &key.pk, &reseller.metadata)?;
    Ok(item)
}
