//! Licences: how they are given, how they live, and what is shown of them.

pub mod activating;
mod expiring;
mod keys;
mod life;
mod linking;
mod lists;
mod minting;
mod renewals;
mod seats_at_once;
pub mod signatures;
mod validating;

use purser_tests::prelude::*;

/// A reseller with credits, and a licence of a monthly product that it bought for a client.
pub struct Sold {
    pub partner: Partner,
    pub product: String,
    pub client: String,
    pub licence: String,
    pub provision: String,
    /// The key as the purchase showed it.
    pub key: String,
}

impl Sold {
    pub async fn new(world: &World) -> Self {
        Self::with(world, json!({})).await
    }

    /// One of a product with these members.
    pub async fn with(world: &World, members: Value) -> Self {
        let partner = world.partner("platinum", 10_000).await;
        let product = monthly(world, members).await;
        let client = world.client(&partner).await;
        let order = json!({"product": product, "client": client});
        let made = partner.caller.post_once("/v1/provisions", &world.fresh("order"), &order).await.expect(201);
        let licence = &made.json["licences"][0];
        let text = |member: &str| licence[member].as_str().unwrap().to_owned();
        let (provision, key) = (made.text("refid").to_owned(), text("key"));
        Self { licence: text("refid"), partner, product, client, provision, key }
    }

    pub fn path(&self, action: &str) -> String {
        format!("/v1/licences/{}{action}", self.licence)
    }
}

/// A product whose licences last a month, with other members as given.
pub async fn monthly(world: &World, more: Value) -> String {
    let reference = world.fresh("PROD");
    let mut body = json!({"reference": reference, "name": "Monthly", "price": 700, "term": "P1M"});
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let _made = world.operator.post("/v1/products", &body).await.expect(201);
    reference
}
