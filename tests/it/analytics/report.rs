//! The monthly partner report, as the API answers it and as operators get it by e-mail (rule E2).

use purser_tests::prelude::*;

use super::{clients, figure, turn_to};

#[tokio::test]
async fn the_months_report_names_leaders_and_whom_to_promote_and_is_mailed_on_the_first() {
    let variables = [("PURSER_KEY_REQUESTS_PER_MINUTE", "0"), ("PURSER_ADDRESS_REQUESTS_PER_MINUTE", "0")];
    let world = World::with(None, &variables).await;
    let operator = world.invited(json!({"operator": true})).await;
    let today = world.system().clock().now().day();
    let month = purser_domain::analytics::period::Month::of(today);
    let (gold, platinum, standard, few) = (
        world.partner("gold", 1_000).await,
        world.partner("platinum", 500).await,
        world.partner("standard", 0).await,
        world.partner("standard", 0).await,
    );
    let bare = json!({"cost": 300, "description": "x"});
    let _bare = platinum.caller.post_once("/v1/provisions", "1", &bare).await.expect(201);
    for (partner, won) in [(&gold, 101), (&platinum, 103), (&standard, 102), (&few, 100)] {
        let _clients = clients(&world, &partner.caller, won).await;
    }
    let report = figure(&world, &world.operator, &format!("reports/partners?day={today}")).await;
    assert_eq!(report["month"], month.to_string());
    assert_eq!(report["liability"], 1_200);
    let leaders: Vec<_> =
        report["leaders"].as_array().unwrap().iter().map(|it| it["reseller"].as_str().unwrap()).collect();
    assert_eq!(leaders, [&platinum.refid, &standard.refid, &gold.refid, &few.refid]);
    assert_eq!(report["leaders"][0]["spent"], 300);
    // The report suggests a higher tier for each reseller that gained more than a hundred clients, unless it is
    // already in the highest tier.
    let suggested = report["suggestions"].as_array().unwrap().iter();
    let suggested: Vec<_> =
        suggested.map(|it| (it["reseller"].as_str().unwrap(), it["suggested"].as_str().unwrap())).collect();
    assert_eq!(suggested, [(standard.refid.as_str(), "gold"), (gold.refid.as_str(), "platinum")]);
    let before = figure(&world, &world.operator, "reports/partners").await;
    assert_eq!((&before["leaders"], &before["suggestions"]), (&json!([]), &json!([])));

    // On the first of next month, operators get this month's report by e-mail.
    turn_to(&world, &format!("{}T06:15:00Z", month.last().next().unwrap()));
    world.run_schedule("report-partners").await;
    let mails = world.all_mails().await;
    let report = |mail: &&Value| mail["subject"].as_str().unwrap().contains("Partner report");
    let reports: Vec<&Value> = mails.iter().filter(report).collect();
    assert_eq!(reports.len(), 1, "there is one operator to mail: {reports:?}");
    let mail = reports[0];
    assert!(mail.to_string().contains(&operator.email));
    for part in ["platinum", "103", "1,200", "101"] {
        assert!(mail["text"].as_str().unwrap().contains(part), "{part}: {mail}");
        assert!(mail["html"].as_str().unwrap().contains(part), "{part}");
    }
    let _refused = few.caller.get("/v1/analytics/reports/partners").await.refused(403, "forbidden");
}
