//! What exists at the start of every run: wallets, products, tiers and statuses.

/// The tier of each wallet at the start, and the index of its parent.
pub const WALLETS: [(&str, Option<usize>); 3] = [("platinum", None), ("standard", None), ("gold", Some(0))];

/// The credits in each wallet at the start.
pub const OPENING: u64 = 3_000;

/// The price of each product, and the tiers that may buy it (`None`: all).
pub const PRODUCTS: [(u64, Option<&[&str]>); 2] = [(100, None), (90, Some(&["gold", "platinum"]))];

/// The tiers, lowest first.
pub const TIERS: [&str; 3] = ["standard", "gold", "platinum"];

pub const RESELLER_STATUSES: [&str; 2] = ["active", "suspended"];
