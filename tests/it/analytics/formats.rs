//! The same figures as JSON, as a CSV table and as an SVG chart.

use purser_tests::prelude::*;

use super::{clients, figure};

#[tokio::test]
async fn a_trend_is_json_a_table_or_a_picture() {
    let world = World::at("2023-02-15T09:00:00Z").await;
    let partner = world.partner("standard", 5_000).await;
    let bare = json!({"cost": 7, "description": "x"});
    let _bare = partner.caller.post_once("/v1/provisions", "1", &bare).await.expect(201);
    world.run_schedule("rollup").await;
    let path = "/v1/analytics/credits/trends?start=2023-01-01&end=2023-02-28";
    let get = async |accept: &str| world.operator.send("GET", path, &[("accept", accept)], None).await;
    let table = get("text/csv").await;
    assert_eq!(table.status, 200);
    assert_eq!(table.header("content-type"), Some("text/csv; charset=utf-8; header=present"));
    assert_eq!(table.header("vary"), Some("accept"));
    assert_eq!(
        table.bytes,
        b"\"period\",\"value\",\"spent\"\r\n\"2023-01\",\"0\",\"0\"\r\n\"2023-02\",\"5000\",\"7\"\r\n"
    );
    let marked = get("text/csv; bom=true").await.expect(200);
    assert_eq!(marked.header("content-type"), table.header("content-type"));
    assert_eq!(marked.bytes, ["\u{feff}".as_bytes(), &table.bytes].concat());
    let picture = get("image/svg+xml, application/json;q=0.5").await;
    assert_eq!(picture.header("content-type"), Some("image/svg+xml"));
    let svg = String::from_utf8(picture.bytes.clone()).unwrap();
    for part in ["<svg", "Credits distributed and spent", "Distributed", "Spent"] {
        assert!(svg.contains(part), "{part}");
    }
    let json = get("*/*").await.expect(200);
    assert_eq!(json.json["buckets"][1], json!({"period": "2023-02", "value": 5_000, "spent": 7}));
    let _refused = get("application/pdf").await.refused(406, "not_acceptable");
}

#[tokio::test]
async fn a_ranking_is_json_or_a_table_that_runs_nothing() {
    let world = World::at("2023-02-15T09:00:00Z").await;
    let body = json!({"company_name": "=1+1", "email": "a@example.com"});
    let reseller = world.operator.post("/v1/resellers", &body).await.expect(201);
    let refid = reseller.text("refid").to_owned();
    let mut client = world.new_client();
    client["reseller"] = json!(refid);
    let _client = world.operator.post("/v1/clients", &client).await.expect(201);
    let _standalone = clients(&world, &world.operator, 1).await;
    let top = figure(&world, &world.operator, "resellers/top").await;
    assert_eq!(top["data"][0]["company"], "=1+1");
    let path = "/v1/analytics/resellers/top";
    let get = async |accept: &str| world.operator.send("GET", path, &[("accept", accept)], None).await;
    let table = String::from_utf8(get("text/csv").await.bytes.clone()).unwrap();
    let header = r#""reseller","company","tier","acquisitions","spent""#;
    let row = format!(r#""{refid}","'=1+1","standard","1","0""#);
    assert_eq!(table, format!("{header}\r\n{row}\r\n"));
    let _refused = get("image/svg+xml").await.refused(406, "not_acceptable");
}
