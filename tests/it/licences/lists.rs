//! Lists of licences (rule C6): by client, reseller, product, status and end.

use jiff::SignedDuration;
use purser_tests::prelude::*;

use super::Sold;

async fn listed(caller: &Caller, query: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut cursor = String::new();
    loop {
        let page = caller.get(&format!("/v1/licences?limit=2{query}{cursor}")).await.expect(200);
        let refids = page.json["data"].as_array().unwrap().iter().map(|it| it["refid"].as_str().unwrap().to_owned());
        found.extend(refids);
        match page.json["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return found,
        }
    }
}

#[tokio::test]
async fn licences_are_listed_by_client_reseller_product_status_and_end() {
    let world = World::at("2026-01-31T10:00:00Z").await;
    let mut sold = Vec::new();
    for _ in 0..6 {
        sold.push(Sold::new(&world).await);
        world.system().clock().advance(SignedDuration::from_mins(1));
    }
    let [pending, active, suspended, expired, revoked, renewed] = sold.as_slice() else { panic!("six") };
    for begun in [active, suspended, expired, revoked, renewed] {
        let _begun = world.operator.act(&begun.path("/activate")).await.expect(200);
    }
    let _suspended = world.operator.act(&suspended.path("/suspend")).await.expect(200);
    let _revoked = world.operator.act(&revoked.path("/revoke")).await.expect(200);
    for long in [active, renewed] {
        let _renewed = world.operator.post_once(&long.path("/renew"), &long.licence, &json!({})).await.expect(200);
    }
    world.system().clock().advance(SignedDuration::from_hours(29 * 24));
    let refids = |of: &[&Sold]| of.iter().map(|it| it.licence.clone()).collect::<Vec<_>>();
    let newest_first: Vec<&Sold> = sold.iter().rev().collect();
    for (query, expected) in [
        (String::new(), newest_first),
        ("&order=asc".to_owned(), sold.iter().collect()),
        ("&status=pending".to_owned(), vec![pending]),
        ("&status=active".to_owned(), vec![renewed, active]),
        ("&status=suspended".to_owned(), vec![suspended]),
        ("&status=expired".to_owned(), vec![expired]),
        ("&status=revoked".to_owned(), vec![revoked]),
        ("&expiring_before=2026-03-01T00:00:00Z".to_owned(), vec![revoked, expired, suspended]),
        ("&expiring_before=2026-03-01T00:00:00Z&status=suspended".to_owned(), vec![suspended]),
        (format!("&client={}", active.client), vec![active]),
        (format!("&reseller={}", active.partner.refid), vec![active]),
        (format!("&product={}", active.product), vec![active]),
        (format!("&product={}&client={}", active.product, pending.client), vec![]),
        (format!("&reseller={}&client={}", active.partner.refid, pending.client), vec![]),
        ("&product=a%2Fb".to_owned(), vec![]),
    ] {
        assert_eq!(listed(&world.operator, &query).await, refids(&expected), "{query}");
    }
    let own = &active.partner.caller;
    assert_eq!(listed(own, "").await, refids(&[active]));
    assert_eq!(listed(own, &format!("&client={}", active.client)).await, refids(&[active]));
    assert_eq!(listed(own, &format!("&client={}", pending.client)).await, [""; 0]);
    let foreign = format!("/v1/licences?reseller={}", pending.partner.refid);
    let _unknown = own.get(&foreign).await.refused(404, "not_found");
    let moment = world.operator.get(&expired.path("")).await.expect(200);
    let moment = format!("&expiring_before={}", moment.text("expires_at"));
    assert!(!listed(&world.operator, &moment).await.contains(&expired.licence), "it expires at that moment");
}
