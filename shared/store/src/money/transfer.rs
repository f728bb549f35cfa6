//! Transfers (rule B10): two wallets, two entries, one commit.
//!
//! Invariant: the entry in the sending wallet is the record of the idempotency key. The refid of the entry in the
//! receiving wallet is derived from that entry's refid, and both are written in one transaction, so neither exists
//! without the other.

use purser_domain::Refusal;
use purser_domain::basic::{Description, Reference, ResellerRefid};
use purser_domain::money::transfer::End;
use purser_domain::money::{Amount, Entry, Particulars, transfer};
use purser_domain::people::Actor;
use purser_domain::refusal::ResourceKind;

use crate::engine::command::answer;
use crate::engine::{Answer, Decision, IdempotencyKey, Key, Request, View};
use crate::money::entry::{self, Class};
use crate::money::wallet;
use crate::parties::reseller;
use crate::{Store, StoreError};

/// Who orders a transfer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sender {
    /// An operator, between any two wallets.
    Operator,
    Owner,
}

#[derive(Debug)]
pub struct TransferCommand<'a> {
    pub sender: Sender,
    pub from: &'a ResellerRefid,
    pub to: &'a ResellerRefid,
    pub amount: Amount,
    /// The caller's name for the transfer. Unlike the reference of a top-up, it need not be unique.
    pub reference: Option<Reference>,
    pub description: Option<Description>,
}

impl TransferCommand<'_> {
    /// The actor in the receiving wallet's entry. The receiver sees only the sending reseller, not which of its API
    /// keys or users sent the credits.
    fn shown_to_receiver(&self, actor: &Actor) -> Actor {
        match self.sender {
            Sender::Operator => actor.clone(),
            Sender::Owner => Actor::new(self.from.as_str()),
        }
    }
}

impl Store {
    /// Moves credits from one wallet to another. The answer shows the entry in the sending wallet.
    pub async fn transfer_credits<V: View<Entry>>(
        &self,
        command: &TransferCommand<'_>,
        request: &Request<IdempotencyKey>,
    ) -> Result<Answer, StoreError> {
        let stamp = &request.stamp;
        let refid = self.entry_refid(command.from, Class::TransferOut, &request.key.key)?;
        let other = self.entry_refid(command.to, Class::TransferIn, refid.as_str())?;
        let record = entry::record(&refid, request);
        let (from_key, to_key) = (wallet::key(command.from), wallet::key(command.to));
        let profile_key = reseller::key(command.to);
        let mut keys: Vec<Key> = vec![from_key.clone(), to_key.clone()];
        if command.sender == Sender::Owner {
            keys.push(profile_key.clone());
        }
        let particulars = |refid, actor| Particulars {
            refid,
            reference: command.reference.clone(),
            description: command.description.clone(),
            actor,
        };
        self.command(&stamp.request, Some(&record), &keys, |loaded| {
            let unknown = Refusal::NotFound(ResourceKind::Reseller);
            let from = wallet::read(loaded, &from_key)?.ok_or(unknown)?;
            if command.reference.as_ref().is_some_and(Reference::is_reserved) {
                return Err(Refusal::ReferenceReserved.into());
            }
            if command.sender == Sender::Owner {
                let to = reseller::read_loaded(loaded, &profile_key, &self.secrets)?;
                transfer::must_send(&from, to.as_ref())?;
            }
            let to = wallet::read(loaded, &to_key)?.ok_or(Refusal::InvalidRecipient)?;
            let end = |wallet, refid, actor| End { wallet, particulars: particulars(refid, actor) };
            let sender = end(&from, refid.clone(), stamp.actor.clone());
            let receiver = end(&to, other.clone(), command.shown_to_receiver(&stamp.actor));
            let made = transfer::decide(sender, receiver, command.amount, request.now)?;
            let answer = answer::show::<V, _>(&made.sent.entry)?;
            Ok(Decision::Commit {
                writes: vec![
                    entry::write(self, &made.sent.entry, &record, &answer, stamp)?,
                    wallet::write(&made.sent.wallet, Some(from.version), stamp)?,
                    entry::write_alone(&made.received.entry, stamp)?,
                    wallet::write(&made.received.wallet, Some(to.version), stamp)?,
                ],
                answer: Answer::first(answer),
            })
        })
        .await
    }
}
