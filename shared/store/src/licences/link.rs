//! Linking: licences that wait for a client get the client that they are for (rule C7).
//!
//! Invariant: a licence is linked once, to a client that has its external id or whose user has confirmed its address,
//! as both are at the commit. An address that nobody has confirmed links nothing, because anybody may type it.

use purser_domain::Refusal;
use purser_domain::basic::{ClientRefid, LicenceRefid};
use purser_domain::licences::Licence;
use purser_domain::parties::Client;
use purser_domain::people::User;

use crate::engine::item::doc;
use crate::engine::{Answer, Consistency, Decision, Index, Key, List, Loaded, Request};
use crate::licences::licence::{is_licence, key};
use crate::parties::client;
use crate::people::user;
use crate::{Store, StoreError};

/// How many waiting licences are read at a time.
const LISTED: usize = 100;

impl Store {
    /// Links all licences that wait for this client. Returns how many.
    pub async fn link_licences(&self, client: &ClientRefid, request: &Request) -> Result<usize, StoreError> {
        let Some(client) = self.client_particulars(client, None).await? else { return Ok(0) };
        let mut lists = vec![self.waiting_for_id(&client.client_id)?];
        if self.has_proved(&client).await? {
            lists.push(self.waiting_for_address(&client.email)?);
        }
        let (mut linked, mut position) = (0, None);
        let list = List::ascending(Index::Status, lists);
        loop {
            let page = self.page(&list, LISTED, position).await?;
            for item in &page.items {
                let licence: Licence = doc(item)?;
                linked += usize::from(self.link(&licence.refid, &client.refid, request).await?);
            }
            position = page.position;
            if position.is_none() {
                return Ok(linked);
            }
        }
    }

    /// Links a licence, if it waits for a client that there is. Returns whether it did.
    pub async fn link_licence(&self, licence: &LicenceRefid, request: &Request) -> Result<bool, StoreError> {
        let item = self.table.get(&key(licence), Consistency::Strong).await?;
        let Some(item) = item.filter(is_licence) else { return Ok(false) };
        let waiting: Licence = doc(&item)?;
        let client = match (&waiting.client, &waiting.client_id, &waiting.email) {
            (None, Some(id), _) => self.named_by_id(&self.client_keys(id)?).await?,
            (None, None, Some(email)) => self.client_by_email(email).await?,
            _ => None,
        };
        match client {
            Some(client) => self.link(licence, &client, request).await,
            None => Ok(false),
        }
    }

    async fn named_by_id(&self, keys: &[Key]) -> Result<Option<ClientRefid>, StoreError> {
        let found = Loaded::of(keys, self.table.get_all(keys, Consistency::Strong).await?);
        Ok(client::particulars(&found, keys)?.map(|client| client.refid))
    }

    /// Whether the client's user has confirmed the client's address.
    async fn has_proved(&self, client: &Client) -> Result<bool, StoreError> {
        let Some(user) = &client.user else { return Ok(false) };
        let user = self.user(user).await?;
        Ok(user.is_some_and(|user| proves(&user, client)))
    }

    async fn link(&self, licence: &LicenceRefid, client: &ClientRefid, request: &Request) -> Result<bool, StoreError> {
        let (place, owner) = (key(licence), client::key(client));
        let keys = [place.clone(), owner.clone()];
        let mut linked = false;
        let done = self.command(&request.stamp.request, None, &keys, |loaded| {
            let unchanged = || Ok(Decision::Unchanged(Answer::first(Vec::new())));
            let waiting: Option<Licence> = loaded.get(&place).filter(|item| is_licence(item)).map(doc).transpose()?;
            let owner = client::particulars(loaded, std::slice::from_ref(&owner))?;
            let (Some(waiting), Some(owner)) = (waiting.filter(|it| it.client.is_none()), owner) else {
                return unchanged();
            };
            let unread = loaded.unread(owner.user.as_ref().map(user::key));
            if !unread.is_empty() {
                return Ok(Decision::Read(unread));
            }
            if !is_for(&waiting, &owner, loaded)? {
                return unchanged();
            }
            let Some(moved) = waiting.transferred(owner.refid, owner.client_id, request.now)? else {
                return unchanged();
            };
            linked = true;
            Ok(Decision::Commit {
                writes: vec![self.change(&waiting, &moved, &request.stamp)?],
                answer: Answer::first(Vec::new()),
            })
        });
        match done.await {
            Ok(_) => Ok(linked),
            // A licence that has ended needs no owner.
            Err(StoreError::Refused(Refusal::LicenceRevoked)) => Ok(false),
            Err(error) => Err(error),
        }
    }
}

/// Whether a licence that waits is for this client.
fn is_for(waiting: &Licence, client: &Client, loaded: &Loaded) -> Result<bool, StoreError> {
    if let Some(id) = &waiting.client_id {
        return Ok(id.canonical() == client.client_id.canonical());
    }
    let named = waiting.email.as_ref().is_some_and(|email| email.folded() == client.email.folded());
    let user = client.user.as_ref().map(|refid| user::read(loaded, refid)).transpose()?.flatten();
    Ok(named && user.is_some_and(|user| proves(&user, client)))
}

fn proves(user: &User, client: &Client) -> bool {
    user.confirmed_at.is_some() && user.email.folded() == client.email.folded()
}
