//! Compares the checkpoints of several days with each other, and entries with the checkpoints.
//!
//! Invariant: the comparison needs neither a secret nor the deployment; anyone who kept the parts and knows the
//! public key can make it. Whatever is wrong is reported as a [`Discrepancy`]. A forged part proves nothing, so
//! nothing is compared with it.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::chain::Chain;
use super::{Forged, Part, PublicKey, WalletHead, as_hex};
use crate::basic::refid::ResellerRefid;
use crate::basic::time::Day;
use crate::money::credits::Credits;
use crate::money::entry::{EntryHash, EntryType};

/// What is wrong with checkpoints, or with entries that are compared with them.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Discrepancy {
    #[error("{date} part {part}: {why}")]
    Forged { date: Day, part: u32, why: Forged },
    #[error("{date} part {part}: there are two different versions of it")]
    TwoParts { date: Day, part: u32 },
    #[error("{date} part {part} is missing")]
    PartMissing { date: Day, part: u32 },
    #[error("{date} part {part} comes after the part that is marked as the last")]
    AfterTheLast { date: Day, part: u32 },
    #[error("{date}: the last part is missing")]
    LastMissing { date: Day },
    #[error("there is no checkpoint between {earlier} and {later}")]
    DaysMissing { earlier: Day, later: Day },
    #[error("{date}: {reseller} is listed twice")]
    WalletTwice { date: Day, reseller: ResellerRefid },
    #[error("{reseller} is listed on {earlier} and missing on {later}")]
    Vanished { reseller: ResellerRefid, earlier: Day, later: Day },
    #[error("{reseller} went back from entry {from} on {earlier} to entry {to} on {later}")]
    WentBack { reseller: ResellerRefid, earlier: Day, from: u64, later: Day, to: u64 },
    #[error("{reseller}: entry {sequence} on {later} is not the one on {earlier}")]
    Rewritten { reseller: ResellerRefid, sequence: u64, earlier: Day, later: Day },
    #[error("{reseller} is in none of the given checkpoints")]
    NoCheckpoint { reseller: ResellerRefid },
    #[error("{reseller}: entry {sequence} does not follow the one before it")]
    Unchained { reseller: ResellerRefid, sequence: u64 },
    #[error("{reseller}: entry {sequence}: the balance after it does not follow from its amount")]
    Miscounted { reseller: ResellerRefid, sequence: u64 },
    #[error("{reseller}: entry {sequence} is not the one in the checkpoint of {date}")]
    OtherHistory { reseller: ResellerRefid, sequence: u64, date: Day },
    #[error("{reseller}: entry {sequence}, the last one on {date}, is not among the given entries")]
    NotGiven { reseller: ResellerRefid, sequence: u64, date: Day },
}

/// The result of comparing a set of parts.
#[derive(Debug, Default)]
pub struct Chronicle {
    pub days: BTreeSet<Day>,
    /// The states of each wallet, oldest day first. They come only from parts with a valid signature.
    pub heads: BTreeMap<ResellerRefid, Vec<(Day, WalletHead)>>,
    pub discrepancies: Vec<Discrepancy>,
}

impl Chronicle {
    /// Judges `parts`, which may be in any order, by the key that should have signed the first of them, and by those
    /// that follow it. A part that is given twice counts once.
    pub fn of(parts: Vec<Part>, key: &PublicKey) -> Self {
        let mut days: BTreeMap<Day, Vec<Part>> = BTreeMap::new();
        for part in parts {
            let day = days.entry(part.date).or_default();
            if !day.contains(&part) {
                day.push(part);
            }
        }
        let mut chronicle = Self { days: days.keys().copied().collect(), ..Self::default() };
        let mut chain = Chain::from(*key);
        for (date, mut parts) in days {
            parts.sort_by_key(|part| part.part);
            let before = chronicle.discrepancies.len();
            chronicle.must_be_whole(date, &parts);
            let genuine = chronicle.genuine(parts, &mut chain);
            // If the day has a discrepancy, its parts may be incomplete, so a missing wallet proves nothing.
            let whole = chronicle.discrepancies.len() == before;
            chronicle.compare(date, &genuine, whole);
        }
        chronicle
    }

    /// The gaps between the first and the last day. A gap is a discrepancy only if the caller gave all days, not a
    /// selection of them.
    pub fn gaps(&self) -> Vec<Discrepancy> {
        let pairs = self.days.iter().zip(self.days.iter().skip(1));
        let apart = pairs.filter(|(earlier, later)| earlier.next() != Some(**later));
        let gap = |(earlier, later): (&Day, &Day)| Discrepancy::DaysMissing { earlier: *earlier, later: *later };
        apart.map(gap).collect()
    }

    fn must_be_whole(&mut self, date: Day, parts: &[Part]) {
        let (mut expected, mut ended) = (1, false);
        for Part { part, last, .. } in parts {
            let part = *part;
            if part < expected {
                self.discrepancies.push(Discrepancy::TwoParts { date, part });
                continue;
            }
            // A forged number can be huge, so only the first missing part of each gap is reported.
            if part > expected {
                let part = expected;
                self.discrepancies.push(Discrepancy::PartMissing { date, part });
            }
            if ended {
                self.discrepancies.push(Discrepancy::AfterTheLast { date, part });
            }
            ended |= *last;
            expected = part.saturating_add(1);
        }
        if !ended {
            self.discrepancies.push(Discrepancy::LastMissing { date });
        }
    }

    /// Keeps the parts of a day that its key signed, and reports the others.
    fn genuine(&mut self, parts: Vec<Part>, chain: &mut Chain) -> Vec<Part> {
        let verdicts = chain.judge(&parts);
        let signed = |(part, verdict): (Part, Result<(), Forged>)| match verdict {
            Ok(()) => Some(part),
            Err(why) => {
                let Part { date, part, .. } = part;
                self.discrepancies.push(Discrepancy::Forged { date, part, why });
                None
            }
        };
        parts.into_iter().zip(verdicts).filter_map(signed).collect()
    }

    /// Compares a day with the latest known state of each wallet, and then adds the day to the known states.
    fn compare(&mut self, date: Day, parts: &[Part], whole: bool) {
        let mut seen = BTreeSet::new();
        for head in parts.iter().flat_map(|part| &part.wallets) {
            let reseller = head.reseller.clone();
            if !seen.insert(reseller.clone()) {
                self.discrepancies.push(Discrepancy::WalletTwice { date, reseller });
                continue;
            }
            let known = self.heads.entry(reseller).or_default();
            let change = known.last().and_then(|it| changed(it, date, head));
            known.push((date, head.clone()));
            self.discrepancies.extend(change);
        }
        let missing = self.heads.iter().filter(|(it, _)| !seen.contains(*it));
        let vanished = missing.filter_map(|(reseller, known)| {
            let (earlier, _) = known.last()?;
            Some(Discrepancy::Vanished { reseller: reseller.clone(), earlier: *earlier, later: date })
        });
        if whole {
            self.discrepancies.extend(vanished.collect::<Vec<_>>());
        }
    }

    /// Reports what is wrong with these entries of a wallet: each entry must follow the previous one in hash and
    /// balance, and they must contain every state that the checkpoints recorded.
    pub fn follow(&self, reseller: &ResellerRefid, mut links: Vec<Link>) -> Vec<Discrepancy> {
        let Some(heads) = self.heads.get(reseller) else {
            let reseller = reseller.clone();
            return vec![Discrepancy::NoCheckpoint { reseller }];
        };
        links.sort_by_key(|link| link.sequence);
        // Pages that overlap list an entry twice.
        links.dedup();
        // The hash of the entry before the first given one is known. The balance is known only if a checkpoint recorded
        // that entry, or no entry comes before.
        let mut places = BTreeMap::new();
        match links.first() {
            None => drop(places.insert(0, (EntryHash::START, Some(Credits::ZERO)))),
            Some(first) => {
                let before = first.sequence.saturating_sub(1);
                let start = (before == 0).then_some(Credits::ZERO);
                let stood = |head: &WalletHead| {
                    let there = head.sequence == before && head.head == first.previous_hash;
                    there.then_some(head.balance)
                };
                let balance = start.or_else(|| heads.iter().find_map(|(_, head)| stood(head)));
                places.insert(before, (first.previous_hash, balance));
            }
        }
        let mut found = Vec::new();
        for link in &links {
            let (reseller, sequence) = (reseller.clone(), link.sequence);
            let before = sequence.checked_sub(1);
            let before = before.and_then(|it| places.get(&it));
            let starts = sequence != 1 || link.previous_hash == EntryHash::START;
            let follows = before.is_some_and(|(hash, _)| *hash == link.previous_hash);
            let moved = before.and_then(|(_, balance)| *balance);
            let moved = moved.map(|balance| link.kind.applied(balance, link.amount));
            if !(follows && starts) || places.contains_key(&sequence) {
                found.push(Discrepancy::Unchained { reseller, sequence });
            } else if moved.is_some_and(|moved| moved != Ok(link.balance_after)) {
                found.push(Discrepancy::Miscounted { reseller, sequence });
            }
            places.insert(link.sequence, (link.hash, Some(link.balance_after)));
        }
        found.extend(heads.iter().filter_map(|(date, head)| {
            let (reseller, sequence, date) = (reseller.clone(), head.sequence, *date);
            match places.get(&sequence) {
                None => Some(Discrepancy::NotGiven { reseller, sequence, date }),
                Some((hash, balance)) => {
                    let same = *hash == head.head && balance.is_none_or(|it| it == head.balance);
                    (!same).then_some(Discrepancy::OtherHistory { reseller, sequence, date })
                }
            }
        }));
        found
    }
}

fn changed(known: &(Day, WalletHead), later: Day, head: &WalletHead) -> Option<Discrepancy> {
    let (earlier, before) = known;
    let reseller = head.reseller.clone();
    match head.sequence.cmp(&before.sequence) {
        std::cmp::Ordering::Less => {
            Some(Discrepancy::WentBack { reseller, earlier: *earlier, from: before.sequence, later, to: head.sequence })
        }
        std::cmp::Ordering::Equal if before != head => {
            Some(Discrepancy::Rewritten { reseller, sequence: head.sequence, earlier: *earlier, later })
        }
        _ => None,
    }
}

/// The fields of a saved entry that link it into the history.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Link {
    /// The number of the entry, counted from 1.
    pub sequence: u64,
    #[serde(rename = "type")]
    pub kind: EntryType,
    pub amount: Credits,
    pub balance_after: Credits,
    #[serde(with = "as_hex")]
    pub previous_hash: EntryHash,
    #[serde(with = "as_hex")]
    pub hash: EntryHash,
}

#[cfg(test)]
mod tests;
