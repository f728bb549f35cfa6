//! Who takes part in a history, and what can happen.

use fastrand::Rng;
use purser_domain::money::tier::Tier;
use purser_domain::parties::client::ClientStatus;

use super::Plan;

/// What happens at a moment. Partners and clients go by their place among those that have come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Act {
    /// A product comes on the market.
    Launch(usize),
    /// A product costs something else from now on.
    Reprice(usize),
    /// A reseller is onboarded.
    Onboard(usize),
    /// A reseller's wallet is filled.
    TopUp(usize),
    /// A reseller is put into the next tier.
    Upgrade(usize),
    /// A reseller is suspended.
    Pause(usize),
    /// And may trade again.
    Resume(usize),
    /// A reseller pays for work that is no product.
    Work(usize),
    /// So many new clients come at once; the second number tells apart those that come at one moment.
    Win(u32, u32),
    /// A client buys once more.
    Buy(usize),
    /// A client's first purchase is refunded.
    Refund(usize),
    /// A client gets a status.
    Activate(usize),
    /// The same.
    Suspend(usize),
    /// The same.
    Deactivate(usize),
    /// A client's facts change.
    Edit(usize),
    /// A client goes to another reseller.
    Move(usize),
    /// A client is deleted.
    Delete(usize),
}

/// What a reseller is known by, once it is onboarded.
#[derive(Debug, Clone)]
pub(super) struct Account {
    pub refid: String,
    pub key: String,
}

/// A reseller of the history.
#[derive(Debug)]
pub(super) struct Partner {
    /// None until it is onboarded.
    pub account: Option<Account>,
    /// Which of the resellers before it is its parent.
    pub parent: Option<usize>,
    pub tier: Tier,
    /// How much it sells, beside others.
    pub weight: u64,
    pub balance: u64,
    /// What it adds to its wallet at a time.
    pub top_up: u64,
    /// Below what it thinks of it.
    pub reserve: u64,
    /// How many days that takes, at most.
    pub slow: u32,
    /// Whether a top-up is on its way.
    pub waits: bool,
    /// Whether it may trade.
    pub open: bool,
}

/// A client of the history.
#[derive(Debug)]
pub(super) struct Client {
    pub refid: String,
    pub owner: Option<usize>,
    /// None once it is deleted.
    pub status: Option<ClientStatus>,
    /// The first purchase, if it was for this client alone, and who sold it.
    pub sale: Option<(String, usize)>,
}

/// What is sold: reference, name, price, tiers, days and uses; how often, of all; and when it comes on the market, in
/// percent of the history. The first three are the demo's own, and there from the beginning.
pub(super) struct Offer {
    pub reference: &'static str,
    pub name: &'static str,
    pub price: u64,
    pub tiers: Option<&'static [Tier]>,
    pub days: Option<u32>,
    pub uses: Option<u32>,
    pub share: u64,
    pub from: u32,
}

const fn offer(reference: &'static str, name: &'static str, price: u64, share: u64, from: u32) -> Offer {
    Offer { reference, name, price, tiers: None, days: Some(365), uses: None, share, from }
}

/// How many of [`OFFERS`] are made by the demo itself.
pub(super) const OF_THE_DEMO: usize = 3;

/// All products.
pub(super) const OFFERS: [Offer; 8] = [
    offer("PROD-001", "Pro, one year", 700, 34, 0),
    Offer { tiers: Some(&[Tier::Gold, Tier::Platinum]), ..offer("PROD-002", "Team, one year", 2_400, 10, 0) },
    offer("PROD-003", "Lifetime", 5_000, 2, 0),
    Offer { uses: Some(1), ..offer("PROD-004", "Basic, one year", 190, 26, 0) },
    Offer { days: Some(31), uses: Some(2), ..offer("PROD-005", "Starter, one month", 49, 8, 5) },
    offer("PROD-006", "Priority support, one year", 250, 8, 20),
    Offer { tiers: Some(&[Tier::Platinum]), ..offer("PROD-007", "Enterprise, one year", 9_500, 2, 30) },
    offer("PROD-008", "Pro with analytics, one year", 990, 18, 55),
];

impl Partner {
    /// Whether it is there and may trade.
    pub fn trades(&self) -> Option<&Account> {
        self.account.as_ref().filter(|_| self.open)
    }
}

/// The resellers of a history, in the order in which they come; the first is the demo's.
pub(super) fn partners(plan: &Plan, rng: &mut Rng) -> Vec<Partner> {
    let count = u64::from(plan.resellers.max(1));
    // The biggest sells about a tenth, and there are many small ones.
    let mut weights: Vec<u64> = (0..count).map(|place| 10_000 / (place + 4)).collect();
    let own = weights.remove(weights.len().min(2) - 1);
    rng.shuffle(&mut weights);
    weights.insert(0, own);
    let all: u64 = weights.iter().sum();
    let mut partners: Vec<Partner> = Vec::new();
    for (place, weight) in weights.into_iter().enumerate() {
        let tier = match (place, weight * 1_000 / all, rng.u32(..100)) {
            (0, ..) => Tier::Gold,
            (_, 60.., 20..) => Tier::Platinum,
            (_, 25.., 30..) | (_, _, 90..) => Tier::Gold,
            _ => Tier::Standard,
        };
        // Credits for about six weeks, in round sums.
        let clients = u64::from(plan.clients) * weight / all;
        let weeks = u64::from(plan.days / 7).max(1);
        let top_up = (clients * 600 * 6 / weeks / 500 * 500).clamp(3_000, 250_000);
        let careless = rng.u32(..100) < 30;
        let parent = (place > 8 && place % 7 == 2).then(|| rng.usize(1..8));
        partners.push(Partner {
            account: None,
            parent,
            tier,
            weight,
            balance: 0,
            top_up,
            reserve: if careless { 700 } else { top_up / 4 },
            slow: if careless { 6 } else { 2 },
            waits: false,
            open: true,
        });
    }
    partners
}
