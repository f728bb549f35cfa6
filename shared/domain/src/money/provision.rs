//! Provisions: a reseller pays credits and gets licences.
//!
//! Invariant: the decision is a pure function of the wallet, the product and the order. It debits exactly the tier
//! price and mints exactly the units that were ordered (rules B5, B6).

use crate::basic::number::number_type;
use crate::basic::refid::LicenceRefid;
use crate::basic::time::Time;
use crate::licences::key::KeyHint;
use crate::licences::licence::{Licence, LicenceOwner};
use crate::licences::product::Product;
use crate::money::credits::{Amount, Credits};
use crate::money::entry::Sale;
use crate::money::tier::{Discounts, Tier};
use crate::money::wallet::{Particulars, Posting, Wallet};
use crate::parties::client::Client;
use crate::refusal::Refusal;

// Each unit is a licence in the one transaction, and DynamoDB commits at most 100 items at once.
number_type!(
    /// How many units of a product one command buys.
    Quantity(u32), from 1 to 90, example 1
);

impl Quantity {
    pub const ONE: Self = Self(1);
}

/// How many clients one bulk purchase can be for. A new client takes three of the 100 items that DynamoDB commits at
/// once (client, address, licence); the entry and the wallet take two more (rule B7).
pub const MOST_CLIENTS: usize = 32;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quote {
    pub tier: Tier,
    /// The price of one unit after the tier's discount.
    pub unit_price: Credits,
    pub cost: Credits,
}

/// Computes the price of `quantity` units of `product` for `tier` (rules B2, B3).
pub fn quote(product: &Product, quantity: Quantity, tier: Tier, discounts: &Discounts) -> Result<Quote, Refusal> {
    product.must_sell_to(tier)?;
    let unit_price = discounts.price(tier, product.price.credits());
    // The cost is at most 90 × 10¹², far less than a wallet can hold, so the multiplication never fails.
    let cost = unit_price
        .checked_mul(u64::from(quantity.get()))
        .ok_or(Refusal::BalanceTooLarge { most: Credits::MAX_BALANCE })?;
    Ok(Quote { tier, unit_price, cost })
}

/// Decides a provision that names only a cost and no product; it gets no discount (rule B5).
pub fn decide_cost(wallet: &Wallet, cost: Amount, particulars: Particulars, now: Time) -> Result<Posting, Refusal> {
    wallet.must_provision()?;
    wallet.debit(cost.credits(), None, particulars, now)
}

/// One client of an order, and the licences to mint for that client.
#[derive(Debug, Clone, Copy)]
pub struct Line<'a> {
    pub client: &'a Client,
    /// One for each unit.
    pub licences: &'a [NewLicence],
}

/// The id of a licence to mint, and the hint of its key.
#[derive(Debug, Clone)]
pub struct NewLicence {
    pub refid: LicenceRefid,
    pub hint: KeyHint,
}

/// An order of a product, with the same number of units for each client (rules B6, B7).
#[derive(Debug, Clone, Copy)]
pub struct Order<'a> {
    pub product: &'a Product,
    pub lines: &'a [Line<'a>],
}

impl Order<'_> {
    fn quantity(&self) -> Result<Quantity, Refusal> {
        let units: usize = self.lines.iter().map(|line| line.licences.len()).sum();
        let too_large = Refusal::TooLarge { most: Quantity::MAX as usize, what: "licences" };
        Quantity::try_from(units as u64).or(Err(too_large))
    }
}

#[derive(Debug, Clone, PartialEq)]
pub struct Decision {
    pub posting: Posting,
    /// The licences, in the order of the order's lines.
    pub licences: Vec<Licence>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Renewal {
    pub posting: Posting,
    pub licence: Licence,
}

/// Decides a renewal that a reseller pays for: the debit of one unit of the product at today's tier price, and one more
/// term for the licence (rules B2, B3, C2).
pub fn decide_renewal(
    wallet: &Wallet,
    (licence, product): (&Licence, &Product),
    discounts: &Discounts,
    particulars: Particulars,
    now: Time,
) -> Result<Renewal, Refusal> {
    wallet.must_provision()?;
    let quote = quote(product, Quantity::ONE, wallet.tier, discounts)?;
    // What a reseller sold has a client, if perhaps one that was deleted.
    let client = licence.client.clone().ok_or(Refusal::NotRenewable)?;
    let (renewed, run) = licence.renewed(wallet.at(now))?;
    let sale = Sale {
        product: product.reference.clone(),
        quantity: Quantity::ONE.get(),
        list_price: product.price,
        tier: wallet.tier,
        discount: discounts.of(wallet.tier),
        clients: vec![client],
        licences: vec![licence.refid.clone()],
        renews: Some(run),
    };
    let posting = wallet.debit(quote.cost, Some(sale), particulars, now)?;
    Ok(Renewal { posting, licence: renewed })
}

/// Decides a provision of a product: the debit, and the licences that it pays for (rules B6, B7).
pub fn decide(
    wallet: &Wallet,
    order: Order<'_>,
    discounts: &Discounts,
    particulars: Particulars,
    now: Time,
) -> Result<Decision, Refusal> {
    wallet.must_provision()?;
    let quantity = order.quantity()?;
    let quote = quote(order.product, quantity, wallet.tier, discounts)?;
    let clients = order.lines.iter().map(|line| line.client.refid.clone());
    let sale = Sale {
        product: order.product.reference.clone(),
        quantity: quantity.get(),
        list_price: order.product.price,
        tier: wallet.tier,
        discount: discounts.of(wallet.tier),
        clients: clients.collect(),
        licences: order.lines.iter().flat_map(|line| line.licences).map(|it| it.refid.clone()).collect(),
        renews: None,
    };
    let posting = wallet.debit(quote.cost, Some(sale), particulars, now)?;
    let entry = &posting.entry;
    let mint = |client: &Client, new: &NewLicence| {
        let owner = LicenceOwner::Client { client: client.refid.clone(), client_id: client.client_id.clone() };
        let minted = Licence::mint(new.refid.clone(), new.hint.clone(), order.product, owner, entry.created_at);
        minted.sold(wallet.reseller.clone(), entry.refid.clone())
    };
    let of_line = |line: &Line<'_>| -> Vec<Licence> {
        let minted = line.licences.iter().map(|new| mint(line.client, new));
        minted.collect()
    };
    let licences = order.lines.iter().flat_map(of_line).collect();
    Ok(Decision { posting, licences })
}
