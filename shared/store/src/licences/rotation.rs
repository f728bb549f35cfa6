//! Keys after the first: rotating and revealing them (rule C9).
//!
//! Items: `LI#refid` of a later key points to the licence, which stays where its first key puts it. Invariant: first
//! and later keys share one name space, so one put condition keeps all of them unique, also those that no longer
//! count. Only the key that the licence names in `keyed` counts; without it, its first.

use purser_domain::Refusal;
use purser_domain::basic::{LicenceRefid, Time};
use purser_domain::licences::{Fingerprint, Licence, LicenceKey};
use purser_domain::refusal::ResourceKind;
use serde::{Deserialize, Serialize};

use crate::engine::command::answer;
use crate::engine::command::turn::patiently;
use crate::engine::item::{doc, item, text, text_of};
use crate::engine::{Answer, CommandWrite, Condition, Consistency, Decision, Key, Loaded, Request, View, Write};
use crate::licences::activation;
use crate::licences::licence::{KEYED, ShownLicence, Unlocked, is_licence, key, open, read, read_loaded, sealed};
use crate::licences::mint::{Draw, Drawn};
use crate::licences::notes::{self, noted};
use crate::licences::product;
use crate::{Store, StoreError};

/// Where a later key leads to.
#[derive(Debug, Serialize, Deserialize)]
struct Pointer {
    licence: LicenceRefid,
    created_at: Time,
    version: u64,
}

/// What a key leads to.
#[derive(Debug)]
pub enum KeyTarget {
    Licence(Box<Unlocked>),
    /// The key was a licence's, which has another one by now.
    Former,
    /// No licence ever had it.
    Nothing,
}

impl Store {
    /// What a key opens, with the installation of this name if it holds a seat, read strongly consistently: one read,
    /// and one more if it is not the licence's first key.
    pub async fn unlock(
        &self,
        licence_key: &LicenceKey,
        installation: Option<&Fingerprint>,
        now: Time,
    ) -> Result<KeyTarget, StoreError> {
        let refid = self.licence_refid(licence_key)?;
        let first = self.open(&refid, installation).await?;
        let Some(found) = first.get(&key(&refid)) else { return Ok(KeyTarget::Nothing) };
        let (licence, loaded) = if is_licence(found) {
            (refid.clone(), first)
        } else {
            let Pointer { licence, .. } = doc(found)?;
            let loaded = self.open(&licence, installation).await?;
            (licence, loaded)
        };
        let lost = || StoreError::Unreadable("a key leads to no licence".into());
        let found = loaded.get(&key(&licence)).filter(|item| is_licence(item)).ok_or_else(lost)?;
        let shown = read(found, now)?;
        if text_of(found, KEYED).unwrap_or(licence.as_str()) != refid.as_str() {
            return Ok(KeyTarget::Former);
        }
        let place = self.installation_key(&licence, installation)?;
        let activation = place.map(|place| activation::read(&loaded, &place)).transpose()?.flatten();
        Ok(KeyTarget::Licence(Box::new(Unlocked { shown, activation, loaded })))
    }

    async fn open(&self, licence: &LicenceRefid, installation: Option<&Fingerprint>) -> Result<Loaded, StoreError> {
        let mut keys = vec![key(licence)];
        keys.extend(self.installation_key(licence, installation)?);
        Ok(Loaded::of(&keys, patiently(|| self.table.get_all(&keys, Consistency::Strong)).await?))
    }

    fn installation_key(&self, licence: &LicenceRefid, name: Option<&Fingerprint>) -> Result<Option<Key>, StoreError> {
        let refid = name.map(|name| self.activation_refid(licence, name)).transpose()?;
        Ok(refid.map(|refid| activation::live(licence, &refid)))
    }

    /// Gives a licence another key, at once: the one before opens nothing any more. `given` is the key to use; without
    /// one, it is made in the product's format.
    pub async fn rotate_key<V: View<ShownLicence>>(
        &self,
        found: &Licence,
        given: Option<&LicenceKey>,
        request: &Request,
        must: impl Fn(&Licence) -> Result<(), Refusal> + Send + Sync,
    ) -> Result<Answer, StoreError> {
        let (refid, stamp, draw) = (&found.refid, &request.stamp, Draw::new(&self.secrets)?);
        let record = self.record(request)?;
        let keys = [key(refid), product::key(&found.product)];
        self.command(&stamp.request, record.as_ref(), &keys, |loaded| {
            let shown = read_loaded(loaded, refid, request.now)?;
            let shown = shown.ok_or(Refusal::NotFound(ResourceKind::Licence))?;
            must(&shown.licence)?;
            let product = product::read_loaded(loaded, &found.product)?;
            let product = product.ok_or(Refusal::NotFound(ResourceKind::Product))?;
            let drawn = match given {
                Some(key) => Drawn::given(self, key)?,
                None => draw.key(self, &product.key_format, request.now)?,
            };
            // Its first key is the licence's own place, which one transaction can't write twice.
            if drawn.refid == *refid {
                return Err(Refusal::DuplicateKey.into());
            }
            let rekeyed = shown.licence.rekeyed(drawn.hint, request.now)?;
            let place = key(refid);
            let (update, condition) = self.update(&shown.licence, &rekeyed, stamp)?;
            let update =
                update.set("sealed", sealed(&self.secrets, &place, &drawn.key)?).set(KEYED, text(drawn.refid.as_str()));
            let shown = ShownLicence { licence: rekeyed, key: Some(drawn.key), ..shown }.nameless();
            let answer = answer::show::<V, _>(&shown)?;
            let mut writes = Vec::new();
            writes.extend(self.record_write(record.as_ref(), request, &answer)?);
            let pointer = Pointer { licence: refid.clone(), created_at: request.now, version: 1 };
            let put = item(&key(&drawn.refid), "licence_key", &pointer, stamp)?;
            writes.push(CommandWrite::unique(Write::Put(put, Condition::Absent), Refusal::DuplicateKey));
            writes.push(CommandWrite::fresh(Write::Update(update, condition)));
            Ok(Decision::Commit { writes, answer: Answer::first(answer) })
        })
        .await
    }

    /// A licence with its key, read strongly consistently.
    pub async fn reveal_key(&self, refid: &LicenceRefid, now: Time) -> Result<Option<ShownLicence>, StoreError> {
        let keys = [key(refid), notes::key(refid)];
        let found = Loaded::of(&keys, self.table.get_all(&keys, Consistency::Strong).await?);
        let Some(shown) = read_loaded(&found, refid, now)? else { return Ok(None) };
        let shown = noted(shown, &found, &self.secrets)?;
        let Some(item) = found.get(&key(refid)) else { return Ok(None) };
        Ok(Some(ShownLicence { key: Some(open(item, &self.secrets)?), ..shown }))
    }
}
