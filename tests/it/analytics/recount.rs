//! Checking figures against what they count: a difference is reported and repaired, and a change still under way is not
//! a difference.

use purser_tests::prelude::*;

use super::{clients, figure, turn_to};

const DAY: &str = "day=2023-01-15";

async fn check(world: &World, query: &str) -> Value {
    let path = format!("/v1/analytics/figures/check?{query}");
    world.operator.get(&path).await.expect(200).json
}

/// A world whose figures of 15 January 2023 were rolled up three minutes ago, and the refid of its reseller.
async fn counted() -> (World, String) {
    let world = World::at("2023-01-15T09:59:00Z").await;
    let partner = world.partner("gold", 5_000).await;
    let product = world.product(100).await;
    let refids = clients(&world, &partner.caller, 2).await;
    let _standalone = clients(&world, &world.operator, 1).await;
    turn_to(&world, "2023-01-15T10:01:00Z");
    for (key, client) in refids.iter().enumerate() {
        let order = json!({"product": product, "client": client});
        let key = key.to_string();
        let bought = partner.caller.post_once("/v1/provisions", &key, &order);
        let _bought = bought.await.expect(201);
    }
    let path = format!("/v1/clients/{}", refids[1]);
    let _deleted = world.operator.delete(&path).await.expect(204);
    world.run_schedule("rollup").await;
    turn_to(&world, "2023-01-15T10:04:00Z");
    (world, partner.refid)
}

fn item(world: &World, pk: &str, sk: &str) -> Value {
    let mut items = world.items().into_iter();
    let found = items.find(|item| item["pk"]["S"] == pk && item["sk"]["S"] == sk);
    found.unwrap_or_else(|| panic!("no {pk} {sk}"))
}

fn row(world: &World) -> Value {
    let mut items = world.items().into_iter();
    let is_row = |item: &Value| {
        let of_client = item["sk"]["S"].as_str().unwrap().starts_with("CL-");
        of_client && item["kind"]["S"] == "timeline"
    };
    items.find(is_row).unwrap()
}

/// Queries for the day, its month, its year and all time.
fn periods() -> [String; 4] {
    let longer = |interval| format!("{DAY}&interval={interval}");
    [DAY.to_owned(), longer("monthly"), longer("yearly"), String::new()]
}

/// The differences in the day, its month, its year and all time, each as "period kind scope".
async fn differences(world: &World) -> BTreeSet<String> {
    let mut all = BTreeSet::new();
    for query in periods() {
        let said = check(world, &query).await;
        assert_eq!(said["under_way"], 0, "{said}");
        let shown = said["differences"].as_array().unwrap();
        assert_eq!(said["differing"], shown.len());
        for it in shown {
            let of = ["thing", "client", "reseller"].into_iter().find(|of| it[*of].is_string());
            let of = of.unwrap_or("everybody");
            all.insert(format!("{} {} {of}", it["period"].as_str().unwrap(), it["kind"].as_str().unwrap()));
        }
    }
    all
}

async fn mend(world: &World) {
    for query in periods() {
        let path = format!("/v1/analytics/figures/rebuild?{query}");
        let _mended = world.operator.act(&path).await.expect(200);
    }
    world.run_schedule("rollup").await;
}

/// Spoils something in the table. Expects that the check reports exactly `found`, and that a rebuild repairs it.
async fn spoil(world: &World, spoil: impl FnOnce(&World), found: &[&str]) {
    let expected: BTreeSet<String> = found.iter().map(|it| (*it).to_owned()).collect();
    spoil(world);
    assert_eq!(differences(world).await, expected);
    mend(world).await;
    assert_eq!(differences(world).await, BTreeSet::new());
    let status = figure(world, &world.operator, "clients/status").await;
    assert_eq!(status, json!({"active": 0, "pending": 3, "suspended": 0, "inactive": 0}));
}

#[tokio::test]
async fn figures_that_are_right_differ_nowhere_and_a_check_writes_nothing() {
    let (world, _) = counted().await;
    let before = world.state().await;
    let day = check(&world, DAY).await;
    // One reseller; three clients, of which one is deleted; a top-up and two purchases; two licences.
    assert_eq!((&day["things"], &day["differing"]), (&json!(9), &json!(0)));
    assert_eq!((&day["period"], &day["first_day"]), (&json!("2023-01-15"), &json!(null)));
    // Figures of each hour and of the day. Everybody's and the reseller's: clients (4), entries in two hours (6),
    // licences (4). Only everybody's: resellers (2). Licences also have hourly figures for each of two clients,
    // everybody's and the reseller's (4).
    assert_eq!(day["figures"], 4 + 6 + (4 + 4) + 2);
    for (query, period, figures) in [("monthly", "2023-01", 11), ("yearly", "2023", 7)] {
        let said = check(&world, &format!("{DAY}&interval={query}")).await;
        let expected = json!({"period": period, "first_day": null, "last_day": null, "things": 0, "figures": figures,
            "under_way": 0, "differing": 0, "differences": []});
        assert_eq!(said, expected);
    }
    let all = check(&world, "").await;
    let days = (&all["first_day"], &all["last_day"]);
    assert_eq!(days, (&json!("2023-01-15"), &json!("2023-01-15")));
    assert_eq!((&all["figures"], &all["differing"]), (&json!(11), &json!(0)));
    assert_eq!(check(&world, "day=2023-01-14").await["figures"], 0);
    assert_eq!(world.state().await, before);
}

#[tokio::test]
async fn an_empty_system_has_no_first_day() {
    let world = World::at("2023-01-15T09:59:00Z").await;
    let said = check(&world, "").await;
    assert_eq!((&said["first_day"], &said["last_day"]), (&json!(null), &json!(null)));
    assert_eq!((&said["figures"], &said["differing"]), (&json!(0), &json!(0)));
}

#[tokio::test]
async fn what_is_under_way_is_not_said_to_differ() {
    let world = World::at("2023-01-15T09:59:00Z").await;
    let _client = clients(&world, &world.operator, 1).await;
    world.system().settle().await;
    let said = check(&world, DAY).await;
    assert_eq!((&said["under_way"], &said["differing"]), (&json!(1), &json!(0)), "the client is not counted yet");
    let said = check(&world, &format!("{DAY}&interval=monthly")).await;
    assert_eq!((&said["under_way"], &said["differing"]), (&json!(1), &json!(0)));
    world.run_schedule("rollup").await;
    assert_eq!(check(&world, DAY).await["under_way"], 1, "the hour was rolled up too recently to be judged");
    turn_to(&world, "2023-01-15T10:02:00Z");
    let said = check(&world, DAY).await;
    assert_eq!((&said["under_way"], &said["differing"]), (&json!(0), &json!(0)));
    assert_eq!(said["figures"], 2);
}

#[tokio::test]
async fn what_is_kept_of_a_thing_and_should_not_be_so_is_found_and_mended() {
    let (world, _) = counted().await;
    // The figures were counted before the row was spoilt, so they are still right.
    let one_thing = ["2023-01-15T09 client thing"];
    spoil(&world, |world| world.remove(&row(world)), &one_thing).await;
    let changed = |member: &'static str, value: Value| {
        move |world: &World| {
            let mut row = row(world);
            row["doc"]["M"][member] = value;
            world.put_all(&[row]);
        }
    };
    spoil(&world, changed("counts", json!({"M": {"clients": {"N": "2"}}})), &one_thing).await;
    spoil(&world, changed("scopes", json!({"L": []})), &one_thing).await;
    let later = |world: &World| {
        let mut row = row(world);
        row["version"] = json!({"N": "99"});
        world.put_all(&[row]);
    };
    spoil(&world, later, &one_thing).await;
}

#[tokio::test]
async fn figures_that_are_not_what_they_count_are_found_and_mended() {
    let (world, reseller) = counted().await;
    let lose = |pk: String, sk: &'static str| move |world: &World| world.remove(&item(world, &pk, sk));
    let (all, own) = ("RU#CL#-".to_owned(), format!("RU#CL#{reseller}"));
    let losses: [(&String, &'static str, &[&str]); 6] = [
        (&all, "H#2023-01-15T09", &["2023-01-15T09 client everybody"]),
        (&all, "D#2023-01-15", &["2023-01-15 client everybody", "2023-01 client everybody"]),
        (&all, "M#2023-01", &["2023-01 client everybody", "2023 client everybody"]),
        (&own, "Y#2023", &["2023 client reseller", "all client reseller"]),
        (&own, "A", &["all client reseller"]),
        (&all, "A", &["all client everybody"]),
    ];
    for (pk, sk, found) in losses {
        spoil(&world, lose(pk.clone(), sk), found).await;
    }
    // A figure of a reseller that does not exist.
    let foreign = |world: &World| {
        let mut figure = item(world, &own, "D#2023-01-15");
        let nobody = "RS-0000000000000000";
        figure["pk"]["S"] = json!(format!("RU#CL#{nobody}"));
        figure["gsi2sk"]["S"] = json!(nobody);
        world.put_all(&[figure]);
    };
    spoil(&world, foreign, &["2023-01-15 client reseller", "2023-01 client reseller"]).await;
    // A counted timeline row of a client that does not exist.
    let mut strange = row(&world);
    strange["sk"]["S"] = json!("CL-0000000000000000");
    world.put_all(&[strange]);
    let mut mark = item(&world, "DM#CL#2023-01-15T09", ".");
    mark["gsi4pk"] = json!({"S": "DIRTY"});
    mark["gsi4sk"] = json!({"S": "2023-01-15T10:00:00.000Z#CL#2023-01-15T09"});
    world.put_all(&[mark]);
    world.run_schedule("rollup").await;
    let everybody = figure(&world, &world.operator, "clients/growth").await;
    assert_eq!(everybody, json!({"count": 4}));
    let counted = ["2023-01-15T09 client everybody", "2023-01-15 client everybody"];
    let found = differences(&world).await;
    assert!(counted.iter().all(|it| found.contains(*it)), "{found:?}");
    let found: Vec<&str> = found.iter().map(String::as_str).collect();
    spoil(&world, |_| {}, &found).await;
}

#[tokio::test]
async fn a_mark_that_does_not_know_where_things_stand_is_found_out_and_mended() {
    let world = World::at("2023-01-15T09:59:00Z").await;
    let refids = clients(&world, &world.operator, 12).await;
    world.run_schedule("rollup").await;
    let mut mark = item(&world, "DM#CL#2023-01-15T09", ".");
    mark["shards"] = json!({"NS": ["0"]});
    world.put_all(&[mark]);
    let path = format!("/v1/clients/{}/activate", refids[0]);
    let _active = world.operator.act(&path).await.expect(200);
    let growth = async || figure(&world, &world.operator, "clients/growth").await["count"].clone();
    assert_ne!(growth().await, 12);
    turn_to(&world, "2023-01-15T10:02:00Z");
    let found = differences(&world).await;
    assert!(found.contains("2023-01-15T09 client everybody"), "{found:?}");
    mend(&world).await;
    assert_eq!(differences(&world).await, BTreeSet::new());
    assert_eq!(growth().await, 12);
}
