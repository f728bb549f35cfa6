//! Notes of a licence in the table: `LN#refid`.
//!
//! Invariant: they are no part of the licence's item or partition, so who erases notes can't touch a licence. Metadata
//! is sealed. Notes change only together with a look at the licence's version, so that `If-Match` holds for both.

use purser_domain::basic::{LicenceRefid, ResellerRefid, Time};
use purser_domain::licences::{Licence, LicenceNotes};

use crate::engine::item::{doc, item, metadata_of, put_metadata};
use crate::engine::{CommandWrite, Condition, Consistency, Item, Key, Loaded, Seal, Secrets, Stamp, Write};
use crate::licences::activation;
use crate::licences::licence::{self, ShownLicence, is_licence, sold_by};
use crate::{Store, StoreError};

pub(crate) fn key(refid: &LicenceRefid) -> Key {
    Key::alone("LN", refid)
}

impl Store {
    /// A licence with its notes, read strongly consistently, if `owner` sold it, where one is given.
    pub async fn licence(
        &self,
        refid: &LicenceRefid,
        owner: Option<&ResellerRefid>,
        now: Time,
    ) -> Result<Option<ShownLicence>, StoreError> {
        Ok(self.licence_and(refid, None, owner, now).await?.map(|(shown, _)| shown))
    }

    /// A licence with its notes, like [`Self::licence`], and how many times an installation was refused a seat today.
    pub async fn licence_today(
        &self,
        refid: &LicenceRefid,
        owner: Option<&ResellerRefid>,
        now: Time,
    ) -> Result<Option<(ShownLicence, u32)>, StoreError> {
        let refused = activation::refused(refid, now);
        let found = self.licence_and(refid, Some(&refused), owner, now).await?;
        Ok(found.map(|(shown, loaded)| (shown, activation::times_refused(&loaded, &refused))))
    }

    async fn licence_and(
        &self,
        refid: &LicenceRefid,
        also: Option<&Key>,
        owner: Option<&ResellerRefid>,
        now: Time,
    ) -> Result<Option<(ShownLicence, Loaded)>, StoreError> {
        let place = licence::key(refid);
        let mut keys = vec![place.clone(), key(refid)];
        keys.extend(also.cloned());
        let found = self.table.get_all(&keys, Consistency::Strong).await?;
        let found = Loaded::of(&keys, found);
        // What somebody else sold is not opened, because the time for that would tell that it is there (rule A8).
        match found.get(&place).filter(|item| is_licence(item) && sold_by(item, owner)) {
            Some(item) => Ok(Some((noted(licence::read(item, now)?, &found, &self.secrets)?, found))),
            None => Ok(None),
        }
    }
}

/// A licence with its notes, which are among the loaded items.
pub(super) fn noted(shown: ShownLicence, loaded: &Loaded, secrets: &Secrets) -> Result<ShownLicence, StoreError> {
    let notes = read(loaded, &shown.licence, secrets)?;
    Ok(ShownLicence { notes: Some(notes), ..shown })
}

/// The notes of a licence among the loaded items.
pub(super) fn read(loaded: &Loaded, licence: &Licence, secrets: &Secrets) -> Result<LicenceNotes, StoreError> {
    // Whether or not there are any, only who may open metadata reads them.
    secrets.must_have(Seal::Record)?;
    let key = key(&licence.refid);
    let Some(item) = loaded.get(&key) else {
        return Ok(LicenceNotes::none_of(licence.refid.clone(), licence.created_at));
    };
    let mut notes: LicenceNotes = doc(item)?;
    notes.metadata = metadata_of(item, secrets, &key.pk)?;
    Ok(notes)
}

/// The notes in an item, without the metadata.
pub(crate) fn particulars(item: &Item) -> Result<LicenceNotes, StoreError> {
    doc(item)
}

/// The write of notes that are one version newer than what is stored.
pub(super) fn write(notes: &LicenceNotes, secrets: &Secrets, stamp: &Stamp) -> Result<CommandWrite, StoreError> {
    let key = key(&notes.licence);
    let mut item = item(&key, "licence_notes", notes, stamp)?;
    put_metadata(&mut item, secrets, &key.pk, &notes.metadata)?;
    let replaces = notes.version.checked_sub(1).filter(|version| *version > 0);
    Ok(CommandWrite::fresh(Write::Put(item, Condition::of(replaces))))
}
