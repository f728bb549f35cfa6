//! Figures over the calendar: month ends, leap years, turns of the year, midnight, and ranges that cut into their
//! first and last bucket.

use purser_tests::prelude::*;

use super::{clients, figure, turn_to, values};

#[tokio::test]
async fn buckets_end_at_midnight_and_cut_ones_hold_what_is_in_the_range() {
    let world = World::at("2023-12-31T23:59:59.999Z").await;
    let moments = [
        "2023-12-31T23:59:59.999Z",
        "2024-01-01T00:00:00Z",
        "2024-01-31T12:00:00Z",
        "2024-02-28T23:59:59.999Z",
        "2024-02-29T00:00:00Z",
        "2024-02-29T23:59:59.999Z",
        "2024-03-01T00:00:00Z",
        "2024-12-31T23:59:59.999Z",
        "2025-02-28T08:00:00Z",
    ];
    for moment in moments {
        turn_to(&world, moment);
        let _client = clients(&world, &world.operator, 1).await;
    }
    for (query, expected) in [
        ("interval=yearly&start=2023-01-01&end=2025-12-31", vec![("2023", 1), ("2024", 7), ("2025", 1)]),
        ("interval=yearly&start=2024-02-29&end=2025-02-27", vec![("2024", 4)]),
        ("start=2024-01-01&end=2024-03-31", vec![("2024-01", 2), ("2024-02", 3), ("2024-03", 1)]),
        ("start=2024-01-02&end=2024-02-28", vec![("2024-01", 1), ("2024-02", 1)]),
        (
            "interval=daily&start=2024-02-28&end=2024-03-01",
            vec![("2024-02-28", 1), ("2024-02-29", 2), ("2024-03-01", 1)],
        ),
        ("interval=daily&start=2024-02-29&end=2024-02-29", vec![("2024-02-29", 2)]),
        ("interval=daily&start=2023-12-31&end=2024-01-01", vec![("2023-12-31", 1), ("2024-01-01", 1)]),
    ] {
        let trend = figure(&world, &world.operator, &format!("clients/signups?{query}")).await;
        let expected: Vec<(String, i64)> = expected.into_iter().map(|(it, n)| (it.to_owned(), n)).collect();
        assert_eq!(values(&trend), expected, "{query}");
        // The total over the same days is the sum of the buckets, whatever their length.
        let days = query.trim_start_matches("interval=yearly&").trim_start_matches("interval=daily&");
        let growth = figure(&world, &world.operator, &format!("clients/growth?{days}")).await;
        let sum: i64 = expected.iter().map(|(_, n)| n).sum();
        assert_eq!(growth, json!({"count": sum}), "{query}");
    }
    // Buckets without clients are listed too: a leap year has 366 days.
    let all = figure(&world, &world.operator, "clients/signups?interval=daily&start=2024-01-01&end=2024-12-31").await;
    assert_eq!(all["buckets"].as_array().unwrap().len(), 366);
    assert_eq!(all["buckets"][59]["period"], "2024-02-29");
}

#[tokio::test]
async fn without_days_a_trend_ends_today() {
    let world = World::at("2024-03-31T12:00:00Z").await;
    for (query, first, last, count) in [
        ("", "2023-04", "2024-03", 12),
        ("?interval=daily", "2024-03-02", "2024-03-31", 30),
        ("?interval=yearly", "2020", "2024", 5),
        ("?end=2023-02-10", "2022-03", "2023-02", 12),
        ("?start=2024-02-29", "2024-02", "2024-03", 2),
    ] {
        let path = format!("/v1/analytics/clients/signups{query}");
        let trend = world.operator.get(&path).await.expect(200).json;
        let buckets = trend["buckets"].as_array().unwrap();
        let ends = (buckets[0]["period"].as_str(), buckets[buckets.len() - 1]["period"].as_str());
        assert_eq!((ends, buckets.len()), ((Some(first), Some(last)), count), "{query}");
    }
}

#[tokio::test]
async fn ranges_have_limits_and_say_them() {
    let world = World::at("2024-03-31T12:00:00Z").await;
    let get = async |query: &str| world.operator.get(&format!("/v1/analytics/{query}")).await;
    for query in [
        "clients/signups?interval=daily&start=2021-01-01&end=2024-01-01",
        "clients/signups?start=2014-01-01&end=2023-12-31",
        "clients/signups?interval=yearly&start=1925-01-01&end=2024-12-31",
        "resellers/top?start=2014-01-15&end=2023-12-31",
        "resellers/top?end=9999-12-31",
        "clients/growth?start=0001-01-01&end=9999-12-31",
    ] {
        let _allowed = get(query).await.expect(200);
    }
    for (query, why) in [
        ("clients/signups?interval=daily&start=2021-01-01&end=2024-01-02", "a daily range has at most 1096 buckets"),
        ("clients/signups?start=2014-01-01&end=2024-01-01", "a monthly range has at most 120 buckets"),
        ("clients/signups?interval=yearly&start=1925-01-01&end=2025-01-01", "a yearly range has at most 100 buckets"),
        ("resellers/top?start=2014-01-01&end=2024-01-01", "a monthly range has at most 120 buckets"),
        ("clients/growth?start=2024-02-01&end=2024-01-31", "end is before start"),
        ("clients/growth?start=2023-02-29", "must be a day like 2026-01-31"),
        ("clients/signups?interval=weekly", "interval must be daily, monthly or yearly"),
        ("resellers/top?limit=101", "must be from 1 to 100"),
    ] {
        let refused = get(query).await.refused(400, "malformed_request");
        assert!(refused.text("detail").contains(why), "{}", refused.text("detail"));
    }
}
