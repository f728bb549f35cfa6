//! Quotes and discounts: a provision costs what the quote says (rule B2).

use purser_tests::prelude::*;

#[tokio::test]
async fn quotes_are_what_a_provision_costs() {
    let world = World::new().await;
    for (base, standard, gold, platinum) in [(999, 999, 849, 699), (90, 90, 76, 63), (700, 700, 595, 490)] {
        let product = world.product(base).await;
        for (tier, price) in [("standard", standard), ("gold", gold), ("platinum", platinum)] {
            let partner = world.partner(tier, 10_000).await;
            let path = format!("/v1/resellers/{}/quote?product={product}&quantity=3", partner.refid);
            let quote = partner.caller.get(&path).await.expect(200);
            let expected = json!({
                "product": product, "quantity": 3, "tier": tier, "unit_price": price, "cost": 3 * price,
            });
            assert_eq!(quote.json, expected);
            let order = json!({"product": product, "quantity": 3, "client": world.new_client()});
            let made = partner.caller.post_once("/v1/provisions", "k", &order).await.expect(201);
            assert_eq!(made.number("cost"), 3 * price);
        }
    }
    let partner = world.partner("gold", 0).await;
    let quote = format!("/v1/resellers/{}/quote", partner.refid);
    let _refused = partner.caller.get(&format!("{quote}?product=NONE")).await.refused(404, "not_found");
    let _refused = partner.caller.get(&quote).await.refused(400, "malformed_request");
    let _refused = partner.caller.get(&format!("{quote}?product=P&quantity=0")).await.refused(400, "malformed_request");
}

#[tokio::test]
async fn discounts_are_configuration() {
    let world = World::with(None, &[("PURSER_DISCOUNT_GOLD", "3333")]).await;
    let partner = world.partner("gold", 0).await;
    let product = world.product(100).await;
    let quote = partner.caller.get(&format!("/v1/resellers/{}/quote?product={product}", partner.refid)).await;
    assert_eq!(quote.expect(200).number("unit_price"), 66);
}
