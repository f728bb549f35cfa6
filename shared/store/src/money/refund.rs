//! Refunds (rule B10): credits are returned and licences revoked, or renewals taken off, in one commit.
//!
//! Items: the entry, which is also the record of the idempotency key; and `RD#provision`, which keeps what has been
//! refunded of a provision. Invariant: each refund replaces that item in the version that was read, so however many
//! refunds run at once, no licence and no bare cost is refunded twice. Licences may be revoked for other reasons at
//! the same time.

use purser_domain::Refusal;
use purser_domain::basic::{Description, EntryRefid, LicenceRefid, Time};
use purser_domain::money::refund::{self, Part};
use purser_domain::money::{Entry, Particulars, Refunds};
use purser_domain::refusal::ResourceKind;

use crate::engine::command::answer;
use crate::engine::item::{doc, item};
use crate::engine::{
    Answer, CommandWrite, Condition, Decision, IdempotencyKey, Key, Loaded, Request, Stamp, View, Write,
};
use crate::money::entry::{self, Class};
use crate::money::sold::{Provision, Sold, sold_keys};
use crate::money::wallet;
use crate::{Store, StoreError};

pub(crate) fn key(provision: &EntryRefid) -> Key {
    Key::alone("RD", provision)
}

fn read(loaded: &Loaded, provision: &EntryRefid) -> Result<Option<Refunds>, StoreError> {
    loaded.get(&key(provision)).map(doc).transpose()
}

pub(crate) fn entry_keys(loaded: &Loaded, provision: &EntryRefid) -> Result<Vec<Key>, StoreError> {
    let refunds = read(loaded, provision)?;
    let entries = refunds.iter().flat_map(|refunds| &refunds.entries);
    Ok(entries.map(entry::key).collect())
}

/// The entries that refunded a provision, oldest first.
pub(crate) fn entries(loaded: &Loaded, provision: &EntryRefid) -> Result<Vec<Entry>, StoreError> {
    let keys = entry_keys(loaded, provision)?;
    let entry = |key: &Key| doc(must_have(loaded, key)?);
    keys.iter().map(entry).collect()
}

/// The item at a key that another item names. Only a stale read can miss it.
fn must_have<'a>(loaded: &'a Loaded, key: &Key) -> Result<&'a crate::engine::item::Item, StoreError> {
    let missing = || StoreError::Unreadable(format!("the item {} does not exist", key.pk));
    loaded.get(key).ok_or_else(missing)
}

fn write(refunds: &Refunds, stamp: &Stamp) -> Result<CommandWrite, StoreError> {
    let condition = match refunds.version {
        1 => Condition::Absent,
        version => Condition::Version(version - 1),
    };
    let item = item(&key(&refunds.provision), "refunds", refunds, stamp)?;
    Ok(CommandWrite::fresh(Write::Put(item, condition)))
}

#[derive(Debug)]
pub struct RefundCommand<'a> {
    pub purchase: &'a Entry,
    pub part: Part,
    pub description: Option<Description>,
}

impl Store {
    /// Returns credits to the wallet that paid, and revokes the licences that they paid for.
    pub async fn refund<V: View<Provision>>(
        &self,
        command: &RefundCommand<'_>,
        request: &Request<IdempotencyKey>,
    ) -> Result<Answer, StoreError> {
        let (purchase, stamp) = (command.purchase, &request.stamp);
        let refid = self.entry_refid(&purchase.reseller, Class::Refund, &request.key.key)?;
        let record = entry::record(&refid, request);
        let wallet_key = wallet::key(&purchase.reseller);
        let mut keys = vec![wallet_key.clone(), key(&purchase.refid)];
        keys.extend(sold_keys(purchase));
        self.command(&stamp.request, Some(&record), &keys, |loaded| {
            let unread = loaded.unread(entry_keys(loaded, &purchase.refid)?);
            if !unread.is_empty() {
                return Ok(Decision::Read(unread));
            }
            let unknown = Refusal::NotFound(ResourceKind::Provision);
            let wallet = wallet::read(loaded, &wallet_key)?.ok_or(unknown)?;
            let particulars = Particulars {
                refid: refid.clone(),
                reference: None,
                description: command.description.clone(),
                actor: stamp.actor.clone(),
            };
            let so_far = read(loaded, &purchase.refid)?;
            let (so_far, part) = (so_far.as_ref(), &command.part);
            let decision = refund::decide(&wallet, purchase, so_far, part, particulars, request.now)?;
            let made = &decision.posting.entry;
            let (mut sold, at) = (self.sold(purchase, loaded, request.now)?, made.created_at);
            let endings = self.take_back(&mut sold, (purchase, &decision.licences), at, stamp)?;
            let mut refunds = entries(loaded, &purchase.refid)?;
            refunds.push(made.clone());
            let answer = answer::show::<V, _>(&Provision { entry: purchase.clone(), sold, refunds })?;
            let mut writes = vec![
                entry::write(self, made, &record, &answer, stamp)?,
                wallet::write(&decision.posting.wallet, Some(wallet.version), stamp)?,
                write(&decision.refunds, stamp)?,
            ];
            writes.extend(endings);
            Ok(Decision::Commit { writes, answer: Answer::first(answer) })
        })
        .await
    }

    /// Revokes the refunded licences in `sold`, or takes off the term that they were renewed by, and returns the
    /// writes. A licence that has ended already needs no write.
    fn take_back(
        &self,
        sold: &mut [Sold],
        (purchase, refunded): (&Entry, &[LicenceRefid]),
        now: Time,
        stamp: &Stamp,
    ) -> Result<Vec<CommandWrite>, StoreError> {
        let mut writes = Vec::new();
        let mut found = 0;
        for shown in sold.iter_mut().flat_map(|sold| &mut sold.licences) {
            if !refunded.contains(&shown.licence.refid) {
                continue;
            }
            found += 1;
            let left = purchase.sale.as_ref().and_then(|sale| shown.licence.refunded(sale, now));
            if let Some(left) = left {
                writes.push(self.change(&shown.licence, &left, stamp)?);
                shown.licence = left;
            }
        }
        if found != refunded.len() {
            return Err(StoreError::Unreadable("a licence of a provision does not exist".into()));
        }
        Ok(writes)
    }
}
