//! A purchase as its buyer knows it: what it cost, and what of it has not returned yet.
//!
//! Invariant: what a refund of it must return is worked out here, from the answers, and not asked of the system.

use serde_json::Value;

use super::history::{Refund, Told, Wanted, licences};

/// A purchase, and what its refunds have taken of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Purchase {
    /// Its refid.
    pub refid: String,
    /// What has not been refunded, in credits.
    pub left: u64,
    /// Its licences that have not been refunded.
    pub open: Vec<String>,
    /// Its licences that have been.
    pub ended: Vec<String>,
}

impl Purchase {
    /// A purchase of which nothing has been refunded, as an answer shows it.
    pub fn of(provision: &Value) -> Option<Self> {
        Some(Self {
            refid: provision["refid"].as_str()?.to_owned(),
            left: provision["entry"]["amount"].as_u64()?,
            open: licences(provision).into_iter().map(ToOwned::to_owned).collect(),
            ended: Vec::new(),
        })
    }

    /// The purchases among these commands, as their refunds among them have left them.
    pub fn among(told: &[Told]) -> Vec<Self> {
        let bought = told.iter().filter(|it| it.command.wanted == Wanted::Entry && it.provision().is_some());
        let mut all: Vec<Self> = bought.filter_map(|it| Self::of(&it.done()?.json)).collect();
        for refund in told.iter().filter_map(Told::refund) {
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

    /// The refund of all that is left.
    pub fn rest(&self) -> Refund {
        Refund { provision: self.refid.clone(), licences: self.open.clone(), amount: self.left }
    }

    /// The refund of these of its open licences: all of a purchase's cost the same.
    pub fn part(&self, licences: Vec<String>) -> Refund {
        let one = self.left / self.open.len().max(1) as u64;
        Refund { provision: self.refid.clone(), amount: one * licences.len() as u64, licences }
    }
}
