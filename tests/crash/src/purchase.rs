//! A purchase as its caller knows it: what it cost, and what has not been refunded yet.
//!
//! Invariant: the amount that a refund must return is computed from earlier answers, and never read from the system.

use serde_json::Value;

use super::history::{Refund, Reported, Wanted, licences};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Purchase {
    pub refid: String,
    /// The credits that have not been refunded.
    pub left: u64,
    /// The licences that have not been refunded.
    pub open: Vec<String>,
    /// The licences that have been refunded.
    pub ended: Vec<String>,
}

impl Purchase {
    /// A purchase as its answer shows it, before any refund.
    pub fn of(provision: &Value) -> Option<Self> {
        Some(Self {
            refid: provision["refid"].as_str()?.to_owned(),
            left: provision["entry"]["amount"].as_u64()?,
            open: licences(provision).into_iter().map(ToOwned::to_owned).collect(),
            ended: Vec::new(),
        })
    }

    /// The purchases among these commands, with the refunds among these commands applied.
    pub fn among(told: &[Reported]) -> Vec<Self> {
        let bought = told.iter().filter(|it| it.command.wanted == Wanted::Entry && it.provision().is_some());
        let mut all: Vec<Self> = bought.filter_map(|it| Self::of(&it.done()?.json)).collect();
        for refund in told.iter().filter_map(Reported::refund) {
            for one in all.iter_mut().filter(|it| it.refid == refund.provision) {
                one.take(refund);
            }
        }
        all
    }

    fn take(&mut self, refund: &Refund) {
        self.left = self.left.saturating_sub(refund.amount);
        self.open.retain(|it| !refund.licences.contains(it));
        self.ended.extend_from_slice(&refund.licences);
    }

    pub fn rest(&self) -> Refund {
        Refund { provision: self.refid.clone(), licences: self.open.clone(), amount: self.left }
    }

    /// The refund of these open licences. All licences of a purchase cost the same.
    pub fn part(&self, licences: Vec<String>) -> Refund {
        let one = self.left / self.open.len().max(1) as u64;
        Refund { provision: self.refid.clone(), amount: one * licences.len() as u64, licences }
    }
}
