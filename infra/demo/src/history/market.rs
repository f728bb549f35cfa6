//! Who takes part in a history, and what can happen in it.

use fastrand::Rng;
use purser_domain::money::Tier;
use purser_domain::parties::ClientStatus;

use super::Plan;

/// Something that happens at a moment. The numbers are indexes into the history's offers, resellers or clients.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Act {
    Launch(usize),
    Reprice(usize),
    Onboard(usize),
    TopUp(usize),
    Upgrade(usize),
    Pause(usize),
    Resume(usize),
    /// A reseller pays for work without a product.
    Work(usize),
    /// The first number counts new clients. The second keeps acts at the same moment distinct.
    Win(u32, u32),
    Buy(usize),
    /// A client's first purchase is refunded.
    Refund(usize),
    Activate(usize),
    Suspend(usize),
    Deactivate(usize),
    /// A client's phone number or metadata changes.
    Edit(usize),
    /// A client is transferred to another reseller, or becomes standalone.
    Move(usize),
    Delete(usize),
}

#[derive(Debug, Clone)]
pub(super) struct Account {
    pub refid: String,
    pub key: String,
}

#[derive(Debug)]
pub(super) struct Partner {
    /// None until the reseller is onboarded.
    pub account: Option<Account>,
    pub parent: Option<usize>,
    pub tier: Tier,
    /// The reseller's share of all sales, relative to the other resellers.
    pub weight: u64,
    pub balance: u64,
    pub top_up: u64,
    /// The balance below which the reseller decides to add credits.
    pub reserve: u64,
    /// The longest time, in days, between that decision and the top-up.
    pub slow: u32,
    /// Whether a top-up is already scheduled.
    pub waits: bool,
    /// Whether the reseller may trade; false while suspended.
    pub open: bool,
}

#[derive(Debug)]
pub(super) struct Client {
    pub refid: String,
    pub owner: Option<usize>,
    /// None once the client is deleted.
    pub status: Option<ClientStatus>,
    /// Refid and seller of the first purchase, if it was for this client alone.
    pub sale: Option<(String, usize)>,
}

/// A product that resellers sell. `share` is its weight among all sales, `from` the percentage of the history after
/// which it is launched. The first [`OF_THE_DEMO`] offers exist from the beginning.
pub(super) struct Offer {
    pub reference: &'static str,
    pub name: &'static str,
    pub price: u64,
    pub tiers: Option<&'static [Tier]>,
    pub term: Option<&'static str>,
    pub uses: Option<u32>,
    pub share: u64,
    pub from: u32,
}

const fn offer(reference: &'static str, name: &'static str, price: u64, share: u64, from: u32) -> Offer {
    Offer { reference, name, price, tiers: None, term: Some("P1Y"), uses: None, share, from }
}

/// How many of [`OFFERS`] the demo itself creates.
pub(super) const OF_THE_DEMO: usize = 3;

pub(super) const OFFERS: [Offer; 8] = [
    offer("PROD-001", "Pro, one year", 700, 34, 0),
    Offer { tiers: Some(&[Tier::Gold, Tier::Platinum]), ..offer("PROD-002", "Team, one year", 2_400, 10, 0) },
    offer("PROD-003", "Lifetime", 5_000, 2, 0),
    Offer { uses: Some(1), ..offer("PROD-004", "Basic, one year", 190, 26, 0) },
    Offer { term: Some("P1M"), uses: Some(2), ..offer("PROD-005", "Starter, one month", 49, 8, 5) },
    offer("PROD-006", "Priority support, one year", 250, 8, 20),
    Offer { tiers: Some(&[Tier::Platinum]), ..offer("PROD-007", "Enterprise, one year", 9_500, 2, 30) },
    offer("PROD-008", "Pro with analytics, one year", 990, 18, 55),
];

impl Partner {
    /// The account of a reseller that is onboarded and may trade.
    pub fn trades(&self) -> Option<&Account> {
        self.account.as_ref().filter(|_| self.open)
    }
}

/// The resellers of a history in the order in which they are onboarded; the first is the demo's.
pub(super) fn partners(plan: &Plan, rng: &mut Rng) -> Vec<Partner> {
    let count = u64::from(plan.resellers.max(1));
    // The biggest reseller sells about a tenth of everything; most resellers are small.
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
        // Enough credits for about six weeks, in multiples of 500.
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
