//! How many e-mails an address has received today, `MB#hmac#day`, and how many a reseller has caused, `MB#RS-…#day`.
//!
//! Invariant: an e-mail is counted before it is sent, and once for each event, however often the event is delivered:
//! the transaction that counts it notes so in the event's claim. Half of what an address may receive is for the links
//! that its owner asks for, and half for everything else, so that neither can use up the other. What a reseller causes
//! may use half of the latter, so that no reseller can keep an owner from learning of a theft of the account.

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::SignedDuration;
use purser_domain::basic::refid::code;
use purser_domain::basic::{EmailAddress, ResellerRefid, Time};

use crate::engine::item::{Stamp, number, part, text};
use crate::engine::{Answer, CommandWrite, Condition, Decision, Item, Key, Loaded, Update, Write};
use crate::events::claim;
use crate::{Store, StoreError};

const KIND: &str = "mails";
/// The attribute that counts the e-mails that a reseller caused.
const CAUSED: &str = "caused";
/// The attribute that counts the links of [`Share::Changes`].
const CHANGES: &str = "changes";
/// The attribute of a claim that says that the e-mail for its event has been counted.
const COUNTED: &str = "counted";
/// How long the counts of a day are kept.
const KEPT: SignedDuration = SignedDuration::from_hours(48);
const DAY: i64 = 24 * 60 * 60;

/// How many e-mails Purser sends in a day, in UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MailLimits {
    /// To one address, of all kinds together.
    pub per_recipient: u32,
    /// To the clients and the people of one reseller.
    pub per_reseller: u32,
}

/// Which half of what an address may receive an e-mail uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::IntoStaticStr)]
#[strum(serialize_all = "snake_case", const_into_str)]
pub enum Share {
    /// Links that work only for the owner of the address.
    Links,
    /// Links by which somebody who has an account takes the address. They count as links, and use at most half of what
    /// these may use: whoever owns the address has no use for them.
    Changes,
    /// Everything else.
    Notices,
}

impl Share {
    const fn most(self, limits: MailLimits) -> u32 {
        let notices = limits.per_recipient / 2;
        match self {
            Self::Links | Self::Changes => limits.per_recipient - notices,
            Self::Notices => notices,
        }
    }
}

/// The delivery of an event, whose consumer has claimed it, and that an e-mail is sent for.
#[derive(Debug, Clone, Copy)]
pub struct Mailing<'a> {
    pub consumer: &'a str,
    pub event: &'a str,
    pub stamp: &'a Stamp,
    pub now: Time,
}

/// What an e-mail is counted for.
pub(crate) struct Postage<'a> {
    mailing: Mailing<'a>,
    share: Share,
    limits: MailLimits,
    claim: Key,
    recipient: Key,
    reseller: Option<Key>,
}

/// The e-mail may be sent, once these writes are committed.
pub(crate) struct Paid {
    pub(crate) writes: Vec<CommandWrite>,
    /// Whether no other e-mail of this share will be sent today.
    pub(crate) is_last: bool,
}

impl Postage<'_> {
    pub(crate) fn keys(&self) -> Vec<Key> {
        [&self.claim, &self.recipient].into_iter().chain(&self.reseller).cloned().collect()
    }

    /// What is left to count, or `None` if the day's e-mails have been sent.
    pub(crate) fn pay(&self, loaded: &Loaded) -> Result<Option<Paid>, StoreError> {
        let most = self.most();
        let name = self.counted_as().into();
        let sent = count(loaded.get(&self.recipient), name);
        let changes = (self.share == Share::Changes).then(|| count(loaded.get(&self.recipient), CHANGES));
        let claim = loaded.get(&self.claim);
        let holder = claim.map(|claim| part::<Stamp>(claim, "by")).transpose()?;
        if holder.is_some_and(|holder| holder.request != self.mailing.stamp.request) {
            return Err(StoreError::Unreadable("another delivery has claimed the event meanwhile".into()));
        }
        if claim.is_some_and(|claim| claim.contains_key(COUNTED)) {
            return Ok(Some(Paid { writes: Vec::new(), is_last: sent >= most }));
        }
        let caused = self.reseller.as_ref().map_or(0, |reseller| count(loaded.get(reseller), CAUSED));
        if sent >= most || changes.is_some_and(|changes| changes >= most.div_ceil(2)) {
            return Ok(None);
        }
        if self.reseller.is_some() && caused >= self.limits.per_reseller {
            return Ok(None);
        }
        let request = text(&self.mailing.stamp.request);
        let counts = Update::of(self.claim.clone()).set(COUNTED, AttributeValue::Bool(true));
        let once = Condition::All(vec![Condition::Is("by.request", request), Condition::Lacks(COUNTED)]);
        // That the count is still as it was read tells exactly which e-mail is the last.
        let as_read = if sent == 0 { Condition::Lacks(name) } else { Condition::Is(name, number(sent)) };
        let one_more = self.one_more(&self.recipient, name);
        let one_more = if changes.is_some() { one_more.add(CHANGES, number(1)) } else { one_more };
        let mut writes = vec![Write::Update(counts, once), Write::Update(one_more, as_read)];
        if let Some(reseller) = &self.reseller {
            let left = Condition::AtMost(CAUSED, self.limits.per_reseller.saturating_sub(1));
            writes.push(Write::Update(self.one_more(reseller, CAUSED), left));
        }
        let writes = writes.into_iter().map(CommandWrite::fresh).collect();
        Ok(Some(Paid { writes, is_last: sent + 1 >= most }))
    }

    /// The most e-mails of this share that the address may have received after this one.
    fn most(&self) -> u32 {
        let most = self.share.most(self.limits);
        if self.share == Share::Notices && self.reseller.is_some() { most.div_ceil(2) } else { most }
    }

    /// The share whose count holds those of this one.
    fn counted_as(&self) -> Share {
        if self.share == Share::Changes { Share::Links } else { self.share }
    }

    fn one_more(&self, key: &Key, name: &'static str) -> Update {
        let until = self.mailing.now.plus(KEPT).unix_seconds();
        Update::of(key.clone()).set("kind", text(KIND)).set("ttl", number(until)).add(name, number(1))
    }
}

fn count(item: Option<&Item>, name: &str) -> u32 {
    item.and_then(|item| item.get(name)?.as_n().ok()?.parse().ok()).unwrap_or_default()
}

/// When the counts of the day begin anew.
pub(crate) fn tomorrow(now: Time) -> Time {
    now.plus(SignedDuration::from_secs(DAY - now.unix_seconds().rem_euclid(DAY)))
}

impl Store {
    pub(crate) fn postage<'a>(
        &self,
        mailing: Mailing<'a>,
        to: &EmailAddress,
        share: Share,
        reseller: Option<&ResellerRefid>,
    ) -> Result<Postage<'a>, StoreError> {
        let day = mailing.now.day();
        let address = code(self.secrets.bits("mailed address", &[&to.folded()])?);
        Ok(Postage {
            mailing,
            share,
            limits: self.policy.mails,
            claim: claim::key(mailing.consumer, mailing.event),
            recipient: Key::alone("MB", format_args!("{address}#{day}")),
            reseller: reseller.map(|reseller| Key::alone("MB", format_args!("{reseller}#{day}"))),
        })
    }

    /// Counts a notice to an address, which `reseller` caused if there is one. False: the day's notices have been sent,
    /// so this one must not be.
    pub async fn count_notice(
        &self,
        mailing: Mailing<'_>,
        to: &EmailAddress,
        reseller: Option<&ResellerRefid>,
    ) -> Result<bool, StoreError> {
        let postage = self.postage(mailing, to, Share::Notices, reseller)?;
        let mut may = false;
        let decide = |loaded: &Loaded| {
            let paid = postage.pay(loaded)?;
            may = paid.is_some();
            let writes = paid.map_or_else(Vec::new, |paid| paid.writes);
            let answer = Answer::first(Vec::new());
            Ok(if writes.is_empty() { Decision::Unchanged(answer) } else { Decision::Commit { writes, answer } })
        };
        self.command(&mailing.stamp.request, None, &postage.keys(), decide).await?;
        Ok(may)
    }
}
