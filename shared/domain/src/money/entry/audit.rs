//! The proof of a wallet's history.
//!
//! Invariant: whoever changes, adds, takes out or reorders entries makes a break, unless all that follows and the
//! wallet are rewritten to fit; then a checkpoint shows it (docs/adr/0015).

use super::{Entry, EntryHash};
use crate::basic::refid::ResellerRefid;
use crate::money::credits::Credits;

/// A place where a wallet's history does not hold together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Break {
    /// The number of the entry, or the one that is missing.
    pub sequence: u64,
    /// What is wrong, for people.
    pub problem: &'static str,
}

/// A place that a history must pass through, because a checkpoint says so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Waypoint {
    /// The number of an entry; 0 before the first.
    pub sequence: u64,
    /// The hash of that entry.
    pub head: EntryHash,
}

/// Proves a wallet's history, oldest entry first (rule B11): numbers without gaps, hashes that chain, amounts
/// that add up, and that it is the one a checkpoint saw.
#[derive(Debug)]
pub struct Audit {
    wallet: ResellerRefid,
    next: u64,
    balance: Credits,
    head: EntryHash,
    through: Option<Waypoint>,
    breaks: Vec<Break>,
}

impl Audit {
    /// The audit of the history of `wallet`, which must pass `through` there, if anywhere.
    pub fn of(wallet: &ResellerRefid, through: Option<Waypoint>) -> Self {
        let before_all = Waypoint { sequence: 0, head: EntryHash::START };
        Self {
            wallet: wallet.clone(),
            next: 1,
            balance: Credits::ZERO,
            head: EntryHash::START,
            through: through.filter(|it| *it != before_all),
            breaks: Vec::new(),
        }
    }

    /// Takes an entry that can't be read, in the place of the next one.
    pub fn unreadable(&mut self) {
        self.breaks.push(Break { sequence: self.next, problem: "the entry can't be read" });
        self.next = self.next.saturating_add(1);
    }

    /// Takes the next entry, which is kept under its own refid or `misplaced`.
    pub fn entry(&mut self, entry: &Entry, misplaced: bool) {
        let moved = entry.kind.applied(self.balance, entry.amount);
        for (holds, problem) in [
            (entry.reseller == self.wallet, "the entry belongs to another wallet"),
            (!misplaced, "the entry is kept under another name"),
            (entry.sequence == self.next, "the sequence has a gap or a repeat"),
            (entry.previous_hash == self.head, "the entry does not follow the one before it"),
            (entry.hash == entry.computed_hash(), "the entry was changed after it was written"),
            (entry.has_its_parts(), "its parts do not belong to its type"),
            (entry.balance_before == self.balance, "the balance it found is not the one left before it"),
            (moved == Ok(entry.balance_after), "its amount does not lead to the balance it left"),
        ] {
            if !holds {
                self.breaks.push(Break { sequence: entry.sequence, problem });
            }
        }
        self.next = entry.sequence.saturating_add(1);
        self.balance = entry.balance_after;
        self.head = entry.hash;
        let here = Waypoint { sequence: entry.sequence, head: entry.hash };
        self.through = self.through.filter(|it| *it != here);
    }

    /// Compares the history with the wallet and the checkpoint, and says where it breaks.
    pub fn finish(mut self, balance: Credits, sequence: u64, head: EntryHash) -> Vec<Break> {
        if let Some(missed) = self.through {
            self.breaks
                .push(Break { sequence: missed.sequence, problem: "the history is not the one of the checkpoint" });
        }
        if self.next != sequence.saturating_add(1) {
            self.breaks.push(Break { sequence, problem: "the wallet counts another number of entries" });
        } else if (self.balance, self.head) != (balance, head) {
            self.breaks.push(Break { sequence, problem: "the wallet does not agree with its last entry" });
        }
        self.breaks
    }
}
