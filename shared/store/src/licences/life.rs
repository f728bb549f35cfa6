//! What changes a licence after it was minted: its status, terms and notes, its owner, its length and its key.
//!
//! Invariant: each change is an update from the version that was read, which leaves what stands beside the document as
//! it is. A renewal that is paid for is one commit with its entry. Answers that are stored name nobody: they leave
//! notes and address out.

use purser_domain::Refusal;
use purser_domain::basic::{ClientRefid, LicenceRefid};
use purser_domain::licences::{Licence, LicenceNotes};
use purser_domain::money::{Particulars, provision};
use purser_domain::parties::Client;
use purser_domain::refusal::ResourceKind;

use crate::engine::command::answer;
use crate::engine::{Answer, CommandWrite, Decision, IdempotencyKey, Request, View};
use crate::licences::licence::{ShownLicence, Trace, key, read_loaded};
use crate::licences::notes::{self, noted};
use crate::licences::product;
use crate::money::entry::{self, Class};
use crate::money::wallet;
use crate::parties::client;
use crate::{Store, StoreError};

/// What a change leads to: the licence, the notes, or both; neither if nothing changes.
#[derive(Debug, Default)]
pub struct Changes {
    pub licence: Option<Licence>,
    pub notes: Option<LicenceNotes>,
}

impl From<Option<Licence>> for Changes {
    fn from(licence: Option<Licence>) -> Self {
        Self { licence, notes: None }
    }
}

impl Store {
    /// Changes a licence and its notes as `change` says. A licence for which `may` is false is refused like one that
    /// does not exist.
    pub async fn change_licence<V: View<ShownLicence>>(
        &self,
        refid: &LicenceRefid,
        request: &Request,
        may: impl Fn(&Licence) -> bool + Send + Sync,
        change: impl Fn(&ShownLicence) -> Result<Changes, Refusal> + Send + Sync,
    ) -> Result<Answer, StoreError> {
        let keys = [key(refid), notes::key(refid)];
        self.command(&request.stamp.request, None, &keys, |loaded| {
            let found = read_loaded(loaded, refid, request.now)?.filter(|shown| may(&shown.licence));
            let shown = noted(found.ok_or(Refusal::NotFound(ResourceKind::Licence))?, loaded, &self.secrets)?;
            let changes = change(&shown)?;
            self.committed::<V>(shown, changes, None, request)
        })
        .await
    }

    /// Gives a licence to a client of the caller's (rule C2).
    pub async fn transfer_licence<V: View<ShownLicence>>(
        &self,
        (found, to): (&Licence, &ClientRefid),
        request: &Request,
        may: impl Fn(&Licence) -> bool + Send + Sync,
        may_own: impl Fn(&Client) -> bool + Send + Sync,
        must: impl Fn(&Licence) -> Result<(), Refusal> + Send + Sync,
    ) -> Result<Answer, StoreError> {
        let (refid, to) = (&found.refid, client::key(to));
        let mut keys = vec![key(refid), notes::key(refid), to.clone()];
        keys.extend(found.client.as_ref().map(client::key));
        self.command(&request.stamp.request, None, &keys, |loaded| {
            let found = read_loaded(loaded, refid, request.now)?.filter(|shown| may(&shown.licence));
            let shown = noted(found.ok_or(Refusal::NotFound(ResourceKind::Licence))?, loaded, &self.secrets)?;
            let unread = loaded.unread(shown.licence.client.as_ref().map(client::key));
            if !unread.is_empty() {
                return Ok(Decision::Read(unread));
            }
            // What an operator has given to somebody else's client is that one's.
            let owner = shown.licence.client.as_ref().map(client::key);
            let owner = client::particulars(loaded, owner.as_slice())?;
            if owner.is_some_and(|owner| !may_own(&owner)) {
                return Err(Refusal::Forbidden.into());
            }
            must(&shown.licence)?;
            let client = client::particulars(loaded, std::slice::from_ref(&to))?.filter(&may_own);
            let client = client.ok_or_else(|| Refusal::NotFound(ResourceKind::Client).for_client(None))?;
            let moved = shown.licence.transferred(client.refid, client.client_id, request.now)?;
            let trace = Trace::of_owner(&shown.licence, request.now).filter(|_| moved.is_some());
            let trace = trace.map(|trace| trace.write(&request.stamp)).transpose()?;
            self.committed::<V>(shown, moved.into(), trace, request)
        })
        .await
    }

    /// Renews a licence for nothing, or from the wallet of the reseller that sold it (rule C2).
    pub async fn renew_licence<V: View<ShownLicence>>(
        &self,
        found: &Licence,
        payer: bool,
        request: &Request<IdempotencyKey>,
        must: impl Fn(&Licence) -> Result<(), Refusal> + Send + Sync,
    ) -> Result<Answer, StoreError> {
        match found.reseller.as_ref().filter(|_| payer) {
            Some(_) => self.renew_for_credits::<V>(found, request, must).await,
            None => self.renew_for_nothing::<V>(found, request, must).await,
        }
    }

    async fn renew_for_nothing<V: View<ShownLicence>>(
        &self,
        found: &Licence,
        request: &Request<IdempotencyKey>,
        must: impl Fn(&Licence) -> Result<(), Refusal> + Send + Sync,
    ) -> Result<Answer, StoreError> {
        let request = &Request { key: Some(request.key.clone()), stamp: request.stamp.clone(), now: request.now };
        let (record, refid) = (self.record(request)?, &found.refid);
        self.command(&request.stamp.request, record.as_ref(), &[key(refid)], |loaded| {
            let shown = read_loaded(loaded, refid, request.now)?;
            let shown = shown.ok_or(Refusal::NotFound(ResourceKind::Licence))?;
            must(&shown.licence)?;
            let (renewed, _) = shown.licence.renewed(request.now)?;
            let update = self.change(&shown.licence, &renewed, &request.stamp)?;
            let answer = answer::show::<V, _>(&ShownLicence { licence: renewed, ..shown }.nameless())?;
            let mut writes = Vec::new();
            writes.extend(self.record_write(record.as_ref(), request, &answer)?);
            writes.push(update);
            Ok(Decision::Commit { writes, answer: Answer::first(answer) })
        })
        .await
    }

    async fn renew_for_credits<V: View<ShownLicence>>(
        &self,
        found: &Licence,
        request: &Request<IdempotencyKey>,
        must: impl Fn(&Licence) -> Result<(), Refusal> + Send + Sync,
    ) -> Result<Answer, StoreError> {
        let unknown = Refusal::NotFound(ResourceKind::Licence);
        let reseller = found.reseller.as_ref().ok_or_else(|| unknown.clone())?;
        let (refid, stamp) = (&found.refid, &request.stamp);
        let entry_refid = self.entry_refid(reseller, Class::Renewal, &request.key.key)?;
        let record = entry::record(&entry_refid, request);
        let wallet_key = wallet::key(reseller);
        let keys = [wallet_key.clone(), product::key(&found.product), key(refid)];
        self.command(&stamp.request, Some(&record), &keys, |loaded| {
            let wallet = wallet::read(loaded, &wallet_key)?.ok_or(Refusal::InvalidReseller)?;
            let shown = read_loaded(loaded, refid, request.now)?.ok_or_else(|| unknown.clone())?;
            must(&shown.licence)?;
            let product = product::read_loaded(loaded, &found.product)?;
            let product = product.ok_or(Refusal::NotFound(ResourceKind::Product))?;
            let particulars = Particulars {
                refid: entry_refid.clone(),
                reference: None,
                description: None,
                actor: stamp.actor.clone(),
            };
            let subject = (&shown.licence, &product);
            let made = provision::decide_renewal(&wallet, subject, &self.policy.discounts, particulars, request.now)?;
            let update = self.change(&shown.licence, &made.licence, stamp)?;
            let trace = Trace::of_renewal(&shown.licence, entry_refid.clone(), made.posting.entry.created_at);
            let answer = answer::show::<V, _>(&ShownLicence { licence: made.licence, ..shown })?;
            let mut writes = vec![
                entry::write(self, &made.posting.entry, &record, &answer, stamp)?,
                wallet::write(&made.posting.wallet, Some(wallet.version), stamp)?,
                update,
            ];
            writes.extend(trace.map(|trace| trace.write(stamp)).transpose()?);
            Ok(Decision::Commit { writes, answer: Answer::first(answer) })
        })
        .await
    }

    /// The commit of these changes with what is written beside them, and the licence that they lead to as the answer.
    fn committed<V: View<ShownLicence>>(
        &self,
        shown: ShownLicence,
        changes: Changes,
        beside: Option<CommandWrite>,
        request: &Request,
    ) -> Result<Decision, StoreError> {
        let mut writes: Vec<CommandWrite> = beside.into_iter().collect();
        // Notes have no version of their own that callers see, so they change the licence's.
        let touched = changes.notes.as_ref().filter(|_| changes.licence.is_none());
        let licence = changes.licence.or_else(|| touched.map(|_| shown.licence.touched(request.now)));
        if let Some(licence) = &licence {
            writes.push(self.change(&shown.licence, licence, &request.stamp)?);
        }
        if let Some(noted) = &changes.notes {
            writes.push(notes::write(noted, &self.secrets, &request.stamp)?);
        }
        let licence = licence.unwrap_or(shown.licence);
        let shown = ShownLicence { licence, notes: changes.notes.or(shown.notes), ..shown };
        let answer = Answer::first(answer::show::<V, _>(&shown)?);
        Ok(if writes.is_empty() { Decision::Unchanged(answer) } else { Decision::Commit { writes, answer } })
    }
}
