//! Isolation: SPEC A8. What is someone else's looks like what does not exist.

use purser_tests::World;
use serde_json::{Value, json};

#[tokio::test]
async fn someone_elses_looks_like_nothing() {
    let world = World::new().await;
    let (a, b) = (
        world.partner("standard", 1_000).await,
        world.partner("standard", 1_000).await,
    );
    let client = world.client(&b).await;
    let bare = json!({"cost": 1, "description": "x"});
    let provision = b
        .caller
        .post_once("/v1/provisions", "k", &bare)
        .await
        .expect(201);
    let before = world.size().await;
    let (own, refid) = (&b.refid, provision.text("refid"));
    let cases = [
        (
            "GET",
            format!("/v1/clients/{client}"),
            "/v1/clients/CL-0000000000000000",
        ),
        (
            "PATCH",
            format!("/v1/clients/{client}"),
            "/v1/clients/CL-0000000000000000",
        ),
        (
            "POST",
            format!("/v1/clients/{client}/activate"),
            "/v1/clients/CL-0000000000000000/activate",
        ),
        (
            "POST",
            format!("/v1/clients/{client}/suspend"),
            "/v1/clients/CL-0000000000000000/suspend",
        ),
        (
            "POST",
            format!("/v1/clients/{client}/deactivate"),
            "/v1/clients/CL-0000000000000000/deactivate",
        ),
        (
            "GET",
            format!("/v1/resellers/{own}"),
            "/v1/resellers/RS-0000000000000000",
        ),
        (
            "GET",
            format!("/v1/resellers/{own}/wallet"),
            "/v1/resellers/RS-0000000000000000/wallet",
        ),
        (
            "GET",
            format!("/v1/resellers/{own}/entries"),
            "/v1/resellers/RS-0000000000000000/entries",
        ),
        (
            "GET",
            format!("/v1/resellers/{own}/verify"),
            "/v1/resellers/RS-0000000000000000/verify",
        ),
        (
            "GET",
            format!("/v1/resellers/{own}/quote?product=P"),
            "/v1/resellers/RS-0000000000000000/quote?product=P",
        ),
        (
            "GET",
            format!("/v1/provisions/{refid}"),
            "/v1/provisions/PV-0000000000000000",
        ),
        (
            "GET",
            format!("/v1/clients?reseller={own}"),
            "/v1/clients?reseller=RS-0000000000000000",
        ),
    ];
    for (method, foreign, unknown) in cases {
        let mut answers = Vec::new();
        for path in [foreign.as_str(), unknown] {
            // A bad body and a missing key say nothing either: what does not exist comes first.
            for body in [json!({"name": "mine now"}), json!({"name": 7})] {
                let body = (method == "PATCH").then(|| body.to_string().into_bytes());
                let reply = a
                    .caller
                    .send(method, path, &[("content-type", "application/json")], body)
                    .await;
                answers.push(reply.refused(404, "not_found").bytes);
            }
            let _refused = world
                .nobody()
                .send(method, path, &[], None)
                .await
                .refused(401, "unauthenticated");
        }
        assert!(
            answers.iter().all(|answer| *answer == answers[0]),
            "{method} {foreign}"
        );
    }
    assert_eq!(world.size().await, before, "nothing changed");
    let untouched = b
        .caller
        .get(&format!("/v1/clients/{client}"))
        .await
        .expect(200);
    assert_eq!(
        (untouched.text("status"), untouched.number("version")),
        ("pending", 1)
    );
}

#[tokio::test]
async fn a_reseller_lists_its_own_clients_only() {
    let world = World::new().await;
    let (a, b) = (
        world.partner("standard", 0).await,
        world.partner("standard", 0).await,
    );
    let own = world.client(&a).await;
    let _foreign = world.client(&b).await;
    let _standalone = world
        .operator
        .post("/v1/clients", &world.new_client())
        .await
        .expect(201);
    for query in ["", "?status=pending", "?ownership=reselled"] {
        let list = a
            .caller
            .get(&format!("/v1/clients{query}"))
            .await
            .expect(200);
        let refids: Vec<&Value> = list.json["data"]
            .as_array()
            .unwrap()
            .iter()
            .map(|client| &client["refid"])
            .collect();
        assert_eq!(refids, [&json!(own)], "{query}");
    }
    let standalone = a
        .caller
        .get("/v1/clients?ownership=standalone")
        .await
        .expect(200);
    assert_eq!(standalone.json["data"], json!([]));
    let created = a
        .caller
        .post("/v1/clients", &world.new_client())
        .await
        .expect(201);
    assert_eq!(
        created.text("reseller"),
        a.refid,
        "its own key implies itself"
    );
    let mut for_b = world.new_client();
    for_b["reseller"] = json!(b.refid);
    let _refused = a
        .caller
        .post("/v1/clients", &for_b)
        .await
        .refused(404, "not_found");
}
