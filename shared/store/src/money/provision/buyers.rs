//! The clients that a purchase is for: clients that exist, and clients that the same commit creates (rules B6, B7).
//!
//! Invariant: a purchase names each client once. Another reseller's client is refused like one that does not exist.
//! Errors of a bulk purchase are reported by the client's index.

use std::collections::HashSet;

use purser_domain::Refusal;
use purser_domain::basic::{ClientRefid, ResellerRefid};
use purser_domain::parties::{Client, NewClient};
use purser_domain::refusal::ResourceKind;

use crate::engine::{CommandWrite, IdempotencyKey, Key, Loaded, Request};
use crate::parties::client::{Bind, bound, key, read_loaded};
use crate::{Policy, Store, StoreError};

#[derive(Debug, Clone, PartialEq)]
pub enum Buyer {
    Existing(ClientRefid),
    /// A client that the same commit creates.
    New(Box<NewClient>),
}

impl Buyer {
    pub(super) fn creation(&self) -> Option<&NewClient> {
        match self {
            Self::Existing(_) => None,
            Self::New(new) => Some(new),
        }
    }
}

#[derive(Debug, Clone, PartialEq)]
pub enum Buyers {
    One(Buyer),
    /// The buyers of a bulk purchase, in its order.
    Many(Vec<Buyer>),
}

/// A buyer as a client, with the writes that create it. There are none if the client exists already.
pub(super) struct Known {
    pub(super) client: Client,
    pub(super) creation: Vec<CommandWrite>,
}

impl Buyers {
    pub fn as_slice(&self) -> &[Buyer] {
        match self {
            Self::One(buyer) => std::slice::from_ref(buyer),
            Self::Many(buyers) => buyers,
        }
    }

    /// Each buyer with its index, or with `None` if the purchase is not a bulk purchase.
    fn placed(&self) -> impl Iterator<Item = (Option<usize>, &Buyer)> {
        let listed = matches!(self, Self::Many(_));
        let buyers = self.as_slice().iter().enumerate();
        buyers.map(move |(place, buyer)| (listed.then_some(place), buyer))
    }

    /// Which users the new clients among these buyers are bound to. A transaction has no room for the users of many
    /// clients, so `bind-client` binds the clients of a bulk purchase a moment later.
    fn bind(&self, policy: Policy) -> Bind {
        match self {
            Self::One(_) => policy.bind(),
            Self::Many(_) => Bind::No,
        }
    }

    pub(super) fn keys(&self, policy: Policy) -> Vec<Key> {
        let bind = self.bind(policy);
        let key_of = |buyer: &Buyer| match buyer {
            Buyer::Existing(refid) => Some(key(refid)),
            Buyer::New(new) => bind.keys(&new.email),
        };
        self.as_slice().iter().filter_map(key_of).collect()
    }

    /// The keys that the purchase reads next: the users that new clients will be bound to, unless they are loaded
    /// already.
    pub(super) fn unread(&self, policy: Policy, loaded: &Loaded) -> Result<Vec<Key>, StoreError> {
        let bind = self.bind(policy);
        let mut keys = Vec::new();
        for buyer in self.as_slice() {
            if let Buyer::New(new) = buyer {
                keys.extend(bind.unread(&new.email, loaded)?);
            }
        }
        Ok(keys)
    }
}

impl Store {
    /// The buyers as clients. Errors are collected, so that a refusal names all of them.
    pub(super) fn buyers(
        &self,
        reseller: &ResellerRefid,
        buyers: &Buyers,
        loaded: &Loaded,
        request: &Request<IdempotencyKey>,
    ) -> Result<Vec<Known>, StoreError> {
        let bind = buyers.bind(self.policy);
        let mut named = Named::default();
        let (mut known, mut refused) = (Vec::new(), Vec::new());
        for (place, buyer) in buyers.placed() {
            let found = self
                .buyer((reseller, &bind), buyer, loaded, request)
                .and_then(|found| Ok(named.once(buyer, &found.client).map(|()| found)?));
            match found {
                Ok(mut found) => {
                    for write in &mut found.creation {
                        write.taken = write.taken.take().map(|taken| taken.for_client(place));
                    }
                    known.push(found);
                }
                Err(StoreError::Refused(refusal)) => refused.push(refusal.for_client(place)),
                Err(error) => return Err(error),
            }
        }
        match Refusal::all(refused) {
            Some(refusal) => Err(refusal.into()),
            None => Ok(known),
        }
    }

    fn buyer(
        &self,
        (reseller, bind): (&ResellerRefid, &Bind),
        buyer: &Buyer,
        loaded: &Loaded,
        request: &Request<IdempotencyKey>,
    ) -> Result<Known, StoreError> {
        match buyer {
            Buyer::Existing(refid) => {
                let found = read_loaded(loaded, refid, &self.secrets)?;
                let owned = found.filter(|client| client.reseller.as_ref() == Some(reseller));
                Ok(Known { client: owned.ok_or(Refusal::NotFound(ResourceKind::Client))?, creation: Vec::new() })
            }
            Buyer::New(new) => {
                if self.older_keys(new)?.iter().any(|key| loaded.has(key)) {
                    return Err(Refusal::DuplicateClientId.into());
                }
                let refid = self.client_refid(&new.client_id)?;
                let (new, reseller) = ((**new).clone(), Some(reseller.clone()));
                let client = Client::create(new, refid, reseller, self.policy.client_status, request.now);
                let (client, login) = bound(client, bind, loaded, &request.stamp)?;
                let mut creation: Vec<CommandWrite> = self.client_writes(&client, &request.stamp)?.into();
                creation.extend(login);
                Ok(Known { client, creation })
            }
        }
    }
}

/// The clients that a purchase has named so far.
#[derive(Default)]
struct Named {
    refids: HashSet<ClientRefid>,
    addresses: HashSet<String>,
}

impl Named {
    /// Refuses a client that the purchase has named before, because one transaction can't write an item twice.
    fn once(&mut self, buyer: &Buyer, client: &Client) -> Result<(), Refusal> {
        let is_new = matches!(buyer, Buyer::New(_));
        if is_new && !self.addresses.insert(client.email.folded()) {
            return Err(Refusal::DuplicateEmail);
        }
        match (self.refids.insert(client.refid.clone()), is_new) {
            (true, _) => Ok(()),
            (false, true) => Err(Refusal::DuplicateClientId),
            (false, false) => Err(Refusal::NamedTwice),
        }
    }
}
