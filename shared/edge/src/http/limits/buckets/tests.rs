//! Tests of how many requests buckets let through, and of how many buckets are kept.

use proptest::prelude::*;

use super::*;

const NOW: i64 = 1_770_000_000 * SECOND;

fn taken(buckets: &Buckets<u32>, now: i64) -> u32 {
    let mut count = 0;
    while buckets.take(0, now).is_ok() {
        count += 1;
    }
    count
}

#[test]
fn a_minutes_worth_may_be_taken_at_once_and_comes_back_at_the_rate() {
    for per_minute in [1, 2, 7, 60, 6_000] {
        let buckets = Buckets::new(per_minute);
        assert_eq!(taken(&buckets, NOW), per_minute);
        assert_eq!(taken(&buckets, NOW + BURST / 2), per_minute / 2);
        assert_eq!(taken(&buckets, NOW + 10 * BURST), per_minute);
    }
}

#[test]
fn nothing_is_refused_without_a_limit_and_nothing_kept() {
    let buckets = Buckets::new(0);
    for name in 0..1_000 {
        assert_eq!(buckets.take(name, NOW), Ok(()));
        buckets.charge(name, 1_000, NOW);
    }
    assert_eq!(buckets.full_at.lock().unwrap().len(), 0);
}

#[test]
fn one_bucket_does_not_empty_another() {
    let buckets = Buckets::new(60);
    assert_eq!(taken(&buckets, NOW), 60);
    assert_eq!(buckets.take(1, NOW), Ok(()));
}

#[test]
fn a_charge_that_is_not_there_is_a_debt() {
    let buckets = Buckets::new(60);
    assert_eq!(buckets.take(0, NOW), Ok(()));
    buckets.charge(0, 50, NOW);
    buckets.charge(0, 50, NOW);
    // 101 requests were taken from a bucket of 60, so there is one again after 42 have been refilled.
    assert_eq!(buckets.take(0, NOW), Err(42));
    assert_eq!(buckets.take(0, NOW + 41 * SECOND), Err(1));
    assert_eq!(buckets.take(0, NOW + 42 * SECOND), Ok(()));
}

#[test]
fn the_number_of_buckets_is_bounded_and_debtors_are_remembered() {
    let buckets = Buckets::new(60);
    for debtor in 0..100 {
        buckets.charge(debtor, 1_000, NOW);
    }
    for name in 0..100_000 {
        let _admitted = buckets.take(100 + name, NOW + i64::from(name));
        assert!(buckets.full_at.lock().unwrap().len() <= MOST, "{name}");
    }
    for debtor in 0..100 {
        assert!(buckets.take(debtor, NOW + SECOND).is_err(), "{debtor}");
    }
    // Once all buckets are full again, none is kept.
    let later = NOW + 1_000 * BURST;
    let mut all = buckets.full_at.lock().unwrap();
    make_room(&mut all, later);
    assert_eq!(all.len(), 0);
}

#[derive(Debug, Clone)]
enum Step {
    Pass(i64),
    Take,
    Charge(u32),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        1 => (0..90 * SECOND).prop_map(Step::Pass),
        2 => (0..3 * SECOND).prop_map(Step::Pass),
        12 => Just(Step::Take),
        1 => (0..100_u32).prop_map(Step::Charge),
    ]
}

proptest! {
    #[test]
    fn no_stretch_of_time_lets_more_through_than_its_rate_and_a_burst(
        per_minute in 1_u32..500, steps in prop::collection::vec(step(), 1..400),
    ) {
        let buckets = Buckets::new(per_minute);
        let (mut now, mut through) = (NOW, Vec::new());
        for step in steps {
            match step {
                Step::Pass(time) => now += time,
                Step::Charge(cost) => buckets.charge(0, cost, now),
                Step::Take if buckets.take(0, now).is_ok() => through.push(now),
                Step::Take => {}
            }
        }
        for (from, start) in through.iter().enumerate() {
            for (to, end) in through.iter().enumerate().skip(from) {
                let most = (end - start + BURST) / buckets.interval;
                prop_assert!(i64::try_from(to - from + 1).unwrap() <= most);
            }
        }
    }

    #[test]
    fn what_is_refused_is_told_truly_when_to_come_back(
        per_minute in 1_u32..500, charges in prop::collection::vec(0..600_u32, 0..5), passed in 0..BURST,
    ) {
        let buckets = Buckets::new(per_minute);
        for charge in charges {
            buckets.charge(0, charge, NOW);
        }
        taken(&buckets, NOW);
        let now = NOW + passed;
        if let Err(seconds) = buckets.take(0, now) {
            let back = now + i64::try_from(seconds).unwrap() * SECOND;
            prop_assert!(seconds >= 1);
            prop_assert!(buckets.take(0, back - SECOND).is_err());
            prop_assert_eq!(buckets.take(0, back), Ok(()));
        }
    }
}
