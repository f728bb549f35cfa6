//! What there is in every run: wallets, products, tiers, states.

/// The tier of each wallet at the start, and which of them is above it.
pub const WALLETS: [(&str, Option<usize>); 3] = [("platinum", None), ("standard", None), ("gold", Some(0))];

/// What is in each.
pub const OPENING: u64 = 3_000;

/// Price and tiers of the products.
pub const PRODUCTS: [(u64, Option<&[&str]>); 2] = [(100, None), (90, Some(&["gold", "platinum"]))];

/// The tiers, lowest first.
pub const TIERS: [&str; 3] = ["standard", "gold", "platinum"];

/// Where a reseller can stand.
pub const RESELLER_STATUSES: [&str; 2] = ["active", "suspended"];
