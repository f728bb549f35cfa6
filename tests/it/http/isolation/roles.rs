//! Who may do what: operators, resellers and customers, with an API key or in a session.
//!
//! Invariant: a session may do what an API key of the same role may, and no API key reaches a person's account.

use purser_tests::prelude::*;

use super::face;
use crate::http::operations::{Case, Ids, Party, WELL, Who, cases, is_nothing, variants, world};

/// Who sends a request, and with which credential.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum By {
    Anybody,
    SignedIn,
    ResellersKey,
    Member,
    OperatorsKey,
    Operator,
}

fn all_who_may(case: &Case) -> &'static [By] {
    match case.who {
        Who::Anybody => &[By::Anybody],
        Who::SignedIn => &[By::SignedIn],
        Who::Owner => &[By::ResellersKey, By::Member, By::OperatorsKey, By::Operator],
        Who::Operator | Who::OperatorByBody => &[By::OperatorsKey, By::Operator],
    }
}

/// Who sends a request about the records of `party`, whose reseller may have a `member` already.
async fn caller(world: &World, party: &Party, member: Option<&Caller>, operator: &Person, by: By) -> Caller {
    match by {
        By::Anybody => world.nobody(),
        By::SignedIn => party.caller(world, Who::SignedIn),
        By::ResellersKey => party.caller.clone(),
        By::Member => match member {
            Some(member) => member.clone(),
            None => world.member(&party.ids.reseller).await.caller,
        },
        By::OperatorsKey => world.operator.clone(),
        By::Operator => operator.caller.clone(),
    }
}

#[tokio::test]
async fn every_case_succeeds_for_those_who_may_and_shows_them_nobody_elses() {
    let world = world().await;
    let operator = world.invited(json!({"operator": true})).await;
    let others = Party::new(&world).await;
    let foreign = [others.ids.clone(), others.standalone(&world).await];
    let reading = Party::new(&world).await;
    let reads = world.member(&reading.ids.reseller).await.caller;
    for (case, operation) in cases(&world).await {
        for by in all_who_may(case) {
            // A request that changes something may use up the records that it names, so it gets records of its own.
            let (mut party, member) = match operation.method.as_str() {
                "GET" => (reading.clone(), Some(&reads)),
                _ => (Party::new(&world).await, None),
            };
            party.prepare(&world, case.needs).await;
            let request = (case.sample)(&party.ids).request(&operation, &world.fresh("k"));
            let caller = caller(&world, &party, member, &operator, *by).await;
            let reply = request.send(&caller).await;
            let body = String::from_utf8_lossy(&reply.bytes);
            let at = format!("{} as {by:?}: {body}", case.operation);
            assert_eq!(reply.status, operation.success, "{at}");
            assert!(!is_nothing(&reply), "{at}");
            if ![By::OperatorsKey, By::Operator].contains(by) {
                let owned = foreign.iter().flat_map(Ids::owned);
                let shown = owned.into_iter().find(|id| body.contains(id));
                assert_eq!(shown, None, "{at}");
            }
        }
    }
}

#[tokio::test]
async fn what_only_operators_do_is_forbidden_to_resellers() {
    let world = world().await;
    let party = Party::new(&world).await;
    let member = world.member(&party.ids.reseller).await.caller;
    let before = world.state().await;
    for (case, operation) in cases(&world).await {
        let request = (case.sample)(&party.ids).request(&operation, "k");
        let requests = match case.who {
            Who::Operator => variants(&operation, &request),
            Who::OperatorByBody => vec![(WELL, request)],
            Who::Anybody | Who::SignedIn | Who::Owner => continue,
        };
        for (what, request) in requests {
            for caller in [&party.caller, &member] {
                let reply = request.send(caller).await;
                let refused = (reply.status, reply.text("code"));
                assert_eq!(refused, (403, "forbidden"), "{} {what}", case.operation);
            }
        }
    }
    assert_eq!(world.state().await, before, "refused requests must change nothing");
}

#[tokio::test]
async fn customers_are_forbidden_all_alike_that_is_not_their_account() {
    let world = world().await;
    let (party, others) = (Party::new(&world).await, Party::new(&world).await);
    let customer = world.customer(&party.ids.reseller).await;
    let without_role = world.person().await;
    let me = customer.caller.get("/v1/me").await.expect(200);
    assert_eq!(me.json["roles"], json!(["customer"]));
    let own = Ids {
        client: me.text("client").to_owned(),
        email: customer.email.clone(),
        user: customer.refid.clone(),
        ..party.ids.clone()
    };
    let before = world.state().await;
    let expected = customer.caller.get("/v1/clients").await;
    let expected = face(&expected.refused(403, "forbidden"));
    for (case, operation) in cases(&world).await {
        if [Who::Anybody, Who::SignedIn].contains(&case.who) {
            continue;
        }
        for ids in [&own, &others.ids, &own.of_nothing()] {
            let request = (case.sample)(ids).request(&operation, "k");
            for (what, request) in variants(&operation, &request) {
                for caller in [&customer.caller, &without_role.caller] {
                    let seen = face(&request.send(caller).await);
                    assert_eq!(seen, expected, "{} {what}", case.operation);
                }
            }
        }
    }
    assert_eq!(world.state().await, before, "refused requests must change nothing");
}

#[tokio::test]
async fn a_key_has_no_account() {
    let world = world().await;
    let party = Party::new(&world).await;
    let before = world.state().await;
    let mut tried = 0;
    for (case, operation) in cases(&world).await {
        if case.who != Who::SignedIn {
            continue;
        }
        let request = (case.sample)(&party.ids).request(&operation, "k");
        for (what, request) in variants(&operation, &request) {
            for caller in [&party.caller, &world.operator] {
                let reply = request.send(caller).await;
                let refused = (reply.status, reply.text("code"));
                assert_eq!(refused, (403, "forbidden"), "{} {what}", case.operation);
                tried += 1;
            }
        }
    }
    assert!(tried > 40, "{tried}");
    assert_eq!(world.state().await, before, "refused requests must change nothing");
}

#[tokio::test]
async fn a_member_sees_its_own_colleagues_and_no_operator_among_them() {
    let world = world().await;
    let (a, b) = (Party::new(&world).await, Party::new(&world).await);
    let member = world.member(&a.ids.reseller).await;
    let foreign = world.member(&b.ids.reseller).await;
    let above = json!({"operator": true, "reseller": a.ids.reseller});
    let above = world.invited(above).await;
    let _alone = world.person().await;
    let listed = async |caller: &Caller, query: &str| {
        let list = caller.get(&format!("/v1/users{query}")).await.expect(200);
        let refids = list.json["data"].as_array().unwrap().clone();
        let refids = refids.iter().map(|it| it["refid"].as_str().unwrap().to_owned());
        refids.collect::<Vec<_>>()
    };
    let own = [member.refid.clone(), a.ids.user.clone()];
    for caller in [&member.caller, &a.caller] {
        assert_eq!(listed(caller, "").await, own);
        for query in ["?operators=true", "?email=a%40example.com"] {
            let refused = caller.get(&format!("/v1/users{query}")).await;
            let _refused = refused.refused(403, "forbidden");
        }
    }
    let of_a = format!("?reseller={}", a.ids.reseller);
    let all = listed(&world.operator, &of_a).await;
    assert_eq!(all, [above.refid.clone(), member.refid.clone(), a.ids.user.clone()]);
    assert_eq!(listed(&world.operator, "?operators=true").await, std::slice::from_ref(&above.refid));
    let address = format!("?email={}", foreign.email.to_uppercase().replace('@', "%40"));
    assert_eq!(listed(&world.operator, &address).await, [foreign.refid]);
}
