//! Tests that the labels of axes are exact, do not overlap, and are placed where people expect them.

use proptest::prelude::*;

use super::*;
use crate::trend::tests::buckets;

#[test]
fn figures_are_written_exactly_and_as_people_read_them() {
    for (figures, written) in [
        (&[][..], "0 1"),
        (&[0], "0 1"),
        (&[7], "0 2 4 6 8"),
        (&[10_000], "0 2,000 4,000 6,000 8,000 10,000"),
        (&[1_200_000], "0 0.5\u{a0}M 1\u{a0}M 1.5\u{a0}M"),
        (&[75_000, -12_000], "\u{2212}20\u{a0}k 0 20\u{a0}k 40\u{a0}k 60\u{a0}k 80\u{a0}k"),
        (&[-3], "\u{2212}3 \u{2212}2 \u{2212}1 0"),
        (&[1_000_000_000_000_000], "0 200\u{a0}T 400\u{a0}T 600\u{a0}T 800\u{a0}T 1,000\u{a0}T"),
    ] {
        let scale = Scale::of(figures.iter().copied());
        let marks: Vec<_> = scale.marks().into_iter().map(|it| scale.label(it)).collect();
        assert_eq!(marks.join(" "), written, "{figures:?}");
    }
    assert_eq!(grouped(1_234_567), "1,234,567");
    assert_eq!(grouped(-123), "\u{2212}123");
}

#[test]
fn labels_stand_where_years_and_months_begin() {
    for (interval, count, written) in [
        ("yearly", 1, "2023"),
        ("monthly", 6, "2023-01 2023-02 2023-03 2023-04 2023-05 2023-06"),
        ("monthly", 12, "2023-01 2023-03 2023-05 2023-07 2023-09 2023-11"),
        ("monthly", 120, "2024-01 2026-01 2028-01 2030-01 2032-01"),
        ("daily", 3, "2023-01-01 2023-01-02 2023-01-03"),
        ("daily", 31, "2023-01-01 2023-01-09 2023-01-17 2023-01-25"),
        ("daily", 120, "2023-01 2023-02 2023-03 2023-04"),
        ("daily", 1_096, "2023-01 2023-07 2024-01 2024-07 2025-01 2025-07"),
    ] {
        let buckets = buckets(interval, count, |_| [0]);
        let periods: Vec<_> = buckets.iter().map(|it| it.period.as_str()).collect();
        let labels: Vec<_> = labels(&periods, 54).into_iter().map(|(_, text)| text).collect();
        assert_eq!(labels.join(" "), written, "{interval} {count}");
    }
}

proptest! {
    #[test]
    fn a_scale_holds_its_figures_between_two_to_eight_marks(
        figures in proptest::collection::vec(any::<i64>(), 0..9), shift in 0_u32..63,
    ) {
        let figures: Vec<_> = figures.into_iter().map(|it| it >> shift).collect();
        let scale = Scale::of(figures.iter().copied());
        let marks = scale.marks();
        prop_assert!((2..=8).contains(&marks.len()), "{marks:?}");
        prop_assert!(marks.contains(&0), "{marks:?}");
        let (first, last) = (marks[0], marks[marks.len() - 1]);
        prop_assert!(figures.iter().all(|it| (first..=last).contains(&i128::from(*it))));
        // The label is the exact value of the mark.
        for mark in marks {
            let label = scale.label(mark);
            prop_assert_eq!(read(&label), mark, "{}", label);
        }
    }

    #[test]
    fn labels_never_overlap(
        count in 0_usize..1_100, interval in prop_oneof![Just("daily"), Just("monthly"), Just("yearly")],
    ) {
        let buckets = buckets(interval, count, |_| [0]);
        let periods: Vec<_> = buckets.iter().map(|it| it.period.as_str()).collect();
        let labels = labels(&periods, 54);
        prop_assert!(labels.len() >= count.min(2));
        // The distance in characters, of which 54 fit side by side.
        for pair in labels.windows(2) {
            let apart = (pair[1].0 - pair[0].0) * 54 / count.max(1);
            prop_assert!(apart >= pair[1].1.len(), "{labels:?}");
        }
    }
}

fn read(label: &str) -> i128 {
    let label = label.replace('\u{2212}', "-").replace(',', "");
    let (number, unit) = label.split_once('\u{a0}').unwrap_or((&label, ""));
    let zeros = ["", "k", "M", "B", "T"].iter().position(|it| *it == unit).unwrap() * 3;
    let (whole, decimals) = number.split_once('.').unwrap_or((number, ""));
    format!("{whole}{decimals:0<zeros$}").parse().unwrap()
}
