//! Activations in the table: `AC#licence / refid` as long as an installation holds a seat; and, for [`KEPT`], how it
//! last lost one: `AD#licence / refid`.
//!
//! Invariant: the licence counts in `seats` how many items `AC#` it has. Both change in one commit, which is made only
//! if the licence is as it was judged, so a limit is exceeded under no concurrency (docs/adr/0035). They are partitions
//! of their own, so that who puts and erases installations can't touch a licence.

use jiff::SignedDuration;
use purser_domain::basic::{ActivationRefid, ClientRefid, LicenceRefid, Time};
use purser_domain::licences::{Activation, EndReason, Fingerprint, Moment};
use sha2::{Digest, Sha256};

use crate::engine::command::turn::patiently;
use crate::engine::item::{attribute, doc, item, number, number_of, text};
use crate::engine::keys::by_time;
use crate::engine::table::{Range, Source};
use crate::engine::{
    Answer, CommandWrite, Condition, Consistency, Decision, Index, Item, Key, List, Loaded, Page, Paging, Request,
    Stamp, Update, Write,
};
use crate::licences::licence::{self, SEATS};
use crate::{Store, StoreError};

/// The kind of an installation's item while it holds a seat.
pub(crate) const KIND: &str = "activation";
/// The kind of what is kept of it afterwards.
pub(crate) const ENDED: &str = "ended_activation";

/// For how long an installation that gave its seat back is remembered.
const KEPT: SignedDuration = SignedDuration::from_hours(90 * 24);

/// The place of an installation that holds a seat.
pub(crate) fn live(licence: &LicenceRefid, refid: &ActivationRefid) -> Key {
    Key { pk: lives(licence), sk: refid.to_string() }
}

/// The partition of those that hold a seat.
pub(crate) fn lives(licence: &LicenceRefid) -> String {
    format!("AC#{licence}")
}

/// The place of an installation that held a seat.
pub(crate) fn past(licence: &LicenceRefid, refid: &ActivationRefid) -> Key {
    Key { pk: pasts(licence), sk: refid.to_string() }
}

/// The partition of those that held a seat.
pub(crate) fn pasts(licence: &LicenceRefid) -> String {
    format!("AD#{licence}")
}

/// The update that erases how an installation names itself, and where it is (rule A9). `None` if that was done before,
/// or if it took its seat from an owner other than `of`, where one is given.
pub(crate) fn nameless(item: &Item, of: Option<&ClientRefid>) -> Result<Option<Update>, StoreError> {
    let Activation { licence, refid, client, fingerprint, domain, address, ended, .. } = doc(item)?;
    let named = fingerprint.is_some() || domain.is_some() || address.is_some();
    let meant = of.is_none_or(|of| client.as_ref() == Some(of));
    let place = if ended.is_none() { live(&licence, &refid) } else { past(&licence, &refid) };
    let update = Update::of(place).remove("doc.fingerprint").remove("doc.domain").remove("doc.address");
    Ok((named && meant).then_some(update))
}

/// The partition of the status index that lists those that hold a seat of a licence, or those that held one.
fn list_key(licence: &LicenceRefid, ended: bool) -> String {
    format!("{}@{licence}", if ended { "AD" } else { "AC" })
}

/// What became of a seat that was taken back.
#[derive(Debug, Clone, PartialEq)]
pub struct Unseated {
    /// The installation without its seat.
    pub activation: Activation,
    /// Whether it had one until now.
    pub freed: bool,
}

impl Store {
    /// The refid of an installation. It depends on the licence and the name alone, so a repeat finds the same one.
    pub(crate) fn activation_refid(
        &self,
        licence: &LicenceRefid,
        fingerprint: &Fingerprint,
    ) -> Result<ActivationRefid, StoreError> {
        let bits = self.secrets.bits("activation", &[licence.as_str(), fingerprint.as_str()])?;
        Ok(ActivationRefid::new(&self.prefixes.activation, bits))
    }

    /// Takes the seat of an installation back. `None` if it never had one, as far as is remembered; nothing changes if
    /// it has given its seat back before.
    pub async fn unseat(
        &self,
        licence: &LicenceRefid,
        refid: &ActivationRefid,
        why: EndReason,
        request: &Request,
    ) -> Result<Option<Unseated>, StoreError> {
        let keys = [live(licence, refid), past(licence, refid)];
        let mut unseated: Option<Unseated> = None;
        self.command(&request.stamp.request, None, &keys, |loaded| {
            let answer = Answer::first(Vec::new());
            let held = read(loaded, &keys[0])?;
            // A seat that was taken again since the first try is another one.
            let again =
                unseated.as_ref().zip(held.as_ref()).is_some_and(|(it, held)| it.activation.version <= held.version);
            let Some(held) = held.filter(|_| !again) else {
                if !again {
                    let past = read(loaded, &keys[1])?;
                    unseated = past.map(|activation| Unseated { activation, freed: false });
                }
                return Ok(Decision::Unchanged(answer));
            };
            let (activation, mut writes) = end(&held, why, request)?;
            let freed = Update::of(licence::key(licence)).add(SEATS, number(-1));
            writes.push(CommandWrite::fresh(Write::Update(freed, Condition::Has("doc".to_owned()))));
            unseated = Some(Unseated { activation, freed: true });
            Ok(Decision::Commit { writes, answer })
        })
        .await?;
        Ok(unseated)
    }

    /// Takes the seat of the installation with this name back, because its program says so.
    pub async fn unseat_named(
        &self,
        licence: &LicenceRefid,
        fingerprint: &Fingerprint,
        request: &Request,
    ) -> Result<Option<Unseated>, StoreError> {
        let refid = self.activation_refid(licence, fingerprint)?;
        self.unseat(licence, &refid, EndReason::Program, request).await
    }

    /// All who hold a seat of a licence, or the first `most` of them, read strongly consistently.
    pub(super) async fn holders(
        &self,
        licence: &LicenceRefid,
        most: Option<i32>,
    ) -> Result<Vec<Activation>, StoreError> {
        let (source, pk) = (Source::Table(Consistency::Strong), lives(licence));
        let items = match most {
            Some(limit) => {
                let range = Range { source, ..Range::of(Index::Status, pk, limit) };
                patiently(|| self.table.query(&range)).await?.items
            }
            None => patiently(|| self.table.partition(source, &pk, None)).await?,
        };
        items.iter().map(doc).collect()
    }

    /// A page of the installations that hold a seat of a licence, or of those that held one, newest first.
    pub async fn activations(
        &self,
        licence: &LicenceRefid,
        ended: bool,
        paging: Paging,
    ) -> Result<Page<Activation>, StoreError> {
        let list = List::descending(Index::Status, vec![list_key(licence, ended)]);
        self.paged(list, paging).await?.map(|item| doc(&item))
    }

    /// Counts that an activation was refused today. What is told does not wait for a table that is busy.
    pub async fn count_refused(&self, licence: &LicenceRefid, now: Time) {
        let update = Update::of(refused(licence, now))
            .add("refused", number(1))
            .set("kind", text("refused_activations"))
            .set("ttl", number(now.plus(KEPT).unix_seconds()));
        if let Err(error) = self.table.change(&update, &Condition::Nothing).await {
            tracing::warn!(%error, "a refused activation was not counted");
        }
    }
}

/// Where refused activations are counted on this day, in UTC.
pub(super) fn refused(licence: &LicenceRefid, now: Time) -> Key {
    Key { pk: format!("AR#{licence}"), sk: now.day().to_string() }
}

/// When a request is made, apart from others.
pub(super) fn moment(request: &Request) -> Moment {
    let digest: [u8; 32] = Sha256::digest(&request.stamp.request).into();
    let [apart, ..] = digest;
    (request.now, apart)
}

/// How many were refused, as the loaded item says.
pub(super) fn times_refused(loaded: &Loaded, key: &Key) -> u32 {
    loaded.get(key).and_then(|item| number_of(item, "refused")).unwrap_or_default()
}

/// The activation among the loaded items.
pub(super) fn read(loaded: &Loaded, key: &Key) -> Result<Option<Activation>, StoreError> {
    loaded.get(key).map(doc).transpose()
}

pub(super) fn listed(place: &Key, kind: &str, activation: &Activation, stamp: &Stamp) -> Result<Item, StoreError> {
    let mut item = item(place, kind, activation, stamp)?;
    let at = by_time(activation.created_at, activation.refid.as_str());
    Index::Status.place(&mut item, list_key(&activation.licence, activation.ended.is_some()), at);
    Ok(item)
}

/// That the item is as it was read. Its version does not count how often it was seen.
fn as_read(held: &Activation) -> Condition {
    let seen = Condition::Is("doc.last_seen_at", text(held.last_seen_at.to_string()));
    Condition::All(vec![Condition::Version(held.version), seen])
}

/// The update of what is noted of an installation that uses its seat, if it is as it was read.
pub(super) fn touch(held: &Activation, seen: &Activation) -> Result<(Update, Condition), StoreError> {
    let mut update = Update::of(live(&held.licence, &held.refid));
    update = update.set("doc.last_seen_at", attribute(&seen.last_seen_at)?);
    if (&held.domain, held.address) != (&seen.domain, seen.address) {
        update = update.set("doc.domain", attribute(&seen.domain)?).set("doc.address", attribute(&seen.address)?);
    }
    Ok((update, as_read(held)))
}

/// An installation after it lost its seat, and the writes of that.
pub(super) fn end(
    held: &Activation,
    why: EndReason,
    request: &Request,
) -> Result<(Activation, Vec<CommandWrite>), StoreError> {
    let ended = held.ended(why, moment(request));
    let mut kept = listed(&past(&held.licence, &held.refid), ENDED, &ended, &request.stamp)?;
    kept.insert("ttl".to_owned(), number(request.now.plus(KEPT).unix_seconds()));
    let gone = Write::Delete(live(&held.licence, &held.refid), as_read(held));
    Ok((ended, vec![CommandWrite::fresh(gone), CommandWrite::fresh(Write::Put(kept, Condition::Nothing))]))
}
