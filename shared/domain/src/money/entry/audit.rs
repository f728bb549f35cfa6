//! Verifies the history of a wallet.
//!
//! Invariant: changing, adding, removing or reordering entries makes a break, unless all later entries and the wallet
//! are rewritten to fit. In that case a checkpoint shows it (docs/adr/0015).

use super::{Entry, EntryHash};
use crate::basic::refid::ResellerRefid;
use crate::money::credits::Credits;

/// A point at which the history of a wallet is inconsistent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Break {
    /// The number of the entry, even if the entry is missing.
    pub sequence: u64,
    pub problem: &'static str,
}

/// An entry that a history must contain, because a checkpoint recorded it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Waypoint {
    /// The number of the entry; 0 means before the first entry.
    pub sequence: u64,
    pub head: EntryHash,
}

/// Verifies a wallet's history, starting at the oldest entry (rule B11): the numbers have no gaps, the hashes form a
/// chain, the amounts add up, and the history contains the entry that a checkpoint recorded.
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
    /// Starts the audit of the history of `wallet`; if `through` is given, the history must contain that entry.
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

    /// Notes that the next entry exists but can't be read.
    pub fn unreadable(&mut self) {
        self.breaks.push(Break { sequence: self.next, problem: "the entry can't be read" });
        self.next = self.next.saturating_add(1);
    }

    /// Takes the next entry; `misplaced` says that it is stored under a key that does not belong to its refid.
    pub fn entry(&mut self, entry: &Entry, misplaced: bool) {
        let moved = entry.kind.applied(self.balance, entry.amount);
        for (holds, problem) in [
            (entry.reseller == self.wallet, "the entry belongs to another wallet"),
            (!misplaced, "the entry is stored under the key of another entry"),
            (entry.sequence == self.next, "the sequence has a gap or a repeat"),
            (entry.previous_hash == self.head, "the entry does not follow the one before it"),
            (entry.hash == entry.computed_hash(), "the entry was changed after it was written"),
            (entry.has_its_parts(), "its parts do not fit its type"),
            (entry.balance_before == self.balance, "the balance before it is not the balance after the previous entry"),
            (moved == Ok(entry.balance_after), "the balance after it does not follow from its amount"),
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

    /// Ends the audit by comparing the history with the wallet and the checkpoint, and returns all breaks.
    pub fn finish(mut self, balance: Credits, sequence: u64, head: EntryHash) -> Vec<Break> {
        if let Some(missed) = self.through {
            self.breaks
                .push(Break { sequence: missed.sequence, problem: "the history is not the one in the checkpoint" });
        }
        if self.next != sequence.saturating_add(1) {
            self.breaks.push(Break { sequence, problem: "the wallet has counted a different number of entries" });
        } else if (self.balance, self.head) != (balance, head) {
            self.breaks.push(Break { sequence, problem: "the wallet does not match its last entry" });
        }
        self.breaks
    }
}
