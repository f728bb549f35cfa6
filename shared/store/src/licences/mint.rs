//! Minting by an operator, free of charge (rule C1).
//!
//! Invariant: the key stands in one commit with the licence, and one put condition keeps keys unique. The licence is
//! the client's that is named, or waits for whoever turns out to be meant (rule C7).

use purser_domain::Refusal;
use purser_domain::basic::{ClientId, ClientRefid, EmailAddress, LicenceRefid, Time};
use purser_domain::licences::key::RANDOM_BYTES;
use purser_domain::licences::{
    KeyFormat, KeyHint, Licence, LicenceChange, LicenceKey, LicenceNotes, LicenceOwner, NotesChange, ProductReference,
};
use purser_domain::refusal::ResourceKind;

use crate::engine::command::answer;
use crate::engine::command::idempotency::Record;
use crate::engine::{Answer, CommandWrite, Condition, Decision, Key, Loaded, Request, Secrets, View, Write};
use crate::licences::licence::ShownLicence;
use crate::licences::{notes, product};
use crate::parties::client;
use crate::{Store, StoreError};

/// Whose a licence is to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MintFor {
    Client(ClientRefid),
    ClientId(ClientId),
    Email(EmailAddress),
}

#[derive(Debug)]
pub struct MintCommand {
    pub product: ProductReference,
    pub owner: MintFor,
    /// The key to use; `None` makes one in the product's format.
    pub key: Option<LicenceKey>,
    /// In what the licence departs from its product.
    pub change: LicenceChange,
    pub notes: NotesChange,
}

/// The refid and key of a licence to create.
#[derive(Debug, Clone)]
pub(crate) struct Drawn {
    pub(crate) refid: LicenceRefid,
    pub(crate) key: LicenceKey,
    pub(crate) hint: KeyHint,
}

impl Drawn {
    /// What a key that somebody gave determines.
    pub(crate) fn given(store: &Store, key: &LicenceKey) -> Result<Self, StoreError> {
        Ok(Self { refid: store.licence_refid(key)?, key: key.clone(), hint: key.hint() })
    }
}

/// The random bytes of a key to make. They are drawn once for each command, so that every try makes the same key.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Draw([u8; RANDOM_BYTES]);

impl Draw {
    pub(crate) fn new(secrets: &Secrets) -> Result<Self, StoreError> {
        secrets.random().map(Self)
    }

    pub(crate) fn key(&self, store: &Store, format: &KeyFormat, now: Time) -> Result<Drawn, StoreError> {
        let key = format.make(now, self.0);
        Ok(Drawn { refid: store.licence_refid(&key)?, hint: format.hint(&key), key })
    }
}

impl Store {
    /// Mints a licence that nobody pays for.
    pub async fn mint_licence<V: View<ShownLicence>>(
        &self,
        command: &MintCommand,
        request: &Request,
    ) -> Result<Answer, StoreError> {
        let (record, draw) = (self.record(request)?, Draw::new(&self.secrets)?);
        let mut keys = vec![product::key(&command.product)];
        keys.extend(self.owner_keys(&command.owner)?);
        self.command(&request.stamp.request, record.as_ref(), &keys, |loaded| {
            let product = product::read_loaded(loaded, &command.product)?;
            let product = product.ok_or(Refusal::NotFound(ResourceKind::Product))?;
            let unread = loaded.unread(named_by_address(&command.owner, loaded)?);
            if !unread.is_empty() {
                return Ok(Decision::Read(unread));
            }
            let owner = self.owner(&command.owner, loaded)?;
            let absent = self.still_absent(&command.owner, &owner, loaded)?;
            let drawn = match &command.key {
                Some(key) => Drawn::given(self, key)?,
                None => draw.key(self, &product.key_format, request.now)?,
            };
            let minted = Licence::mint(drawn.refid, drawn.hint, &product, owner, request.now);
            let licence = minted.with(&command.change)?;
            let notes = LicenceNotes::none_of(licence.refid.clone(), request.now);
            let notes = LicenceNotes { record: record.as_ref().and_then(Record::code), ..notes };
            let noted = notes.changed(command.notes.clone(), request.now);
            let kept = noted.or_else(|| notes.record.is_some().then(|| LicenceNotes { version: 1, ..notes.clone() }));
            let shown = ShownLicence::minted(licence, drawn.key.clone(), request.now);
            let shown = ShownLicence { notes: Some(kept.clone().unwrap_or(notes)), ..shown };
            let answer = answer::show::<V, _>(&shown)?;
            let mut writes = Vec::new();
            writes.extend(self.record_write(record.as_ref(), request, &answer)?);
            let put = self.mint(&shown.licence, &drawn.key, &request.stamp)?;
            writes.push(CommandWrite::unique(put, Refusal::DuplicateKey));
            if let Some(kept) = kept {
                // They are there if, and only if, the licence is.
                let noted = notes::write(&kept, &self.secrets, &request.stamp)?;
                writes.push(CommandWrite::unique(noted.write, Refusal::DuplicateKey));
            }
            writes.extend(absent);
            Ok(Decision::Commit { writes, answer: Answer::first(answer) })
        })
        .await
    }

    /// The keys at which the named owner may be, in the order in which they are looked at.
    fn owner_keys(&self, owner: &MintFor) -> Result<Vec<Key>, StoreError> {
        match owner {
            MintFor::Client(refid) => Ok(vec![client::key(refid)]),
            MintFor::ClientId(id) => self.client_keys(id),
            MintFor::Email(email) => Ok(vec![client::address_key(email)]),
        }
    }

    /// The checks that nobody has the named id or address by now, for a licence that is to wait for them: otherwise
    /// nothing would link it to a client that a stale read has missed.
    fn still_absent(
        &self,
        named: &MintFor,
        owner: &LicenceOwner,
        loaded: &Loaded,
    ) -> Result<Vec<CommandWrite>, StoreError> {
        if matches!(owner, LicenceOwner::Client { .. }) {
            return Ok(Vec::new());
        }
        // What remains of a deleted client stays where it is.
        let absent = self.owner_keys(named)?.into_iter().filter(|key| !loaded.has(key));
        Ok(absent.map(|key| CommandWrite::fresh(Write::Check(key, Condition::Absent))).collect())
    }

    fn owner(&self, owner: &MintFor, loaded: &Loaded) -> Result<LicenceOwner, StoreError> {
        let particulars = |keys: &[Key]| client::particulars(loaded, keys);
        let of = |client: purser_domain::parties::Client| LicenceOwner::Client {
            client: client.refid,
            client_id: client.client_id,
        };
        Ok(match owner {
            MintFor::Client(refid) => {
                let found = particulars(&[client::key(refid)])?;
                of(found.ok_or_else(|| Refusal::NotFound(ResourceKind::Client).for_client(None))?)
            }
            MintFor::ClientId(id) => {
                particulars(&self.client_keys(id)?)?.map_or_else(|| LicenceOwner::ClientId(id.canonical()), of)
            }
            MintFor::Email(email) => {
                let found = named_by_address(owner, loaded)?;
                let found = particulars(found.as_slice())?;
                found.map_or_else(|| LicenceOwner::Email(email.clone()), of)
            }
        })
    }
}

/// The client that has the named address, if one has it.
fn named_by_address(owner: &MintFor, loaded: &Loaded) -> Result<Option<Key>, StoreError> {
    let MintFor::Email(email) = owner else { return Ok(None) };
    Ok(client::with_address(loaded, email)?.as_ref().map(client::key))
}
