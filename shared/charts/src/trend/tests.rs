//! Tests of the SVG documents that show trends.

use proptest::prelude::*;
use roxmltree::{Document, Node};

use super::chart::{COLOURS, INK};
use super::*;

/// `count` consecutive buckets of an interval, from January 2023 on.
pub(super) fn buckets<const SERIES: usize>(
    interval: &str,
    count: usize,
    figures: impl Fn(usize) -> [i64; SERIES],
) -> Vec<Bucket<SERIES>> {
    let first = jiff::civil::date(2023, 1, 1);
    let period = |place: usize| {
        let place = i64::try_from(place).unwrap();
        let span = jiff::Span::new();
        match interval {
            "daily" => first.saturating_add(span.days(place)).to_string(),
            "monthly" => first.saturating_add(span.months(place)).strftime("%Y-%m").to_string(),
            _ => first.saturating_add(span.years(place)).strftime("%Y").to_string(),
        }
    };
    let bucket = |place| Bucket { period: period(place), figures: figures(place) };
    (0..count).map(bucket).collect()
}

fn one(title: &str, buckets: &[Bucket<1>]) -> String {
    String::from_utf8(svg(title, ["Distributed"], buckets).unwrap()).unwrap()
}

fn two(title: &str, buckets: &[Bucket<2>]) -> String {
    String::from_utf8(svg(title, ["Distributed", "Spent"], buckets).unwrap()).unwrap()
}

fn named<'a, 'i>(document: &'a Document<'i>, name: &'static str) -> Vec<Node<'a, 'i>> {
    let nodes = document.descendants();
    nodes.filter(|it| it.tag_name().name() == name).collect()
}

fn texts<'a>(document: &'a Document<'_>) -> Vec<&'a str> {
    let texts = named(document, "text").into_iter();
    texts.filter_map(|it| it.text()).map(str::trim).collect()
}

/// The number of points of the longest line in a colour.
fn points(document: &Document<'_>, colour: &str) -> usize {
    let lines = named(document, "polyline").into_iter();
    let lines = lines.filter(|it| it.attribute("stroke") == Some(colour));
    let points = lines.filter_map(|it| it.attribute("points"));
    let counts = points.map(|it| it.split_whitespace().count());
    counts.max().unwrap_or_default()
}

fn filled(document: &Document<'_>, colour: &str) -> usize {
    let bars = named(document, "rect").into_iter();
    bars.filter(|it| it.attribute("fill") == Some(colour)).count()
}

const BLUE: &str = "#0072B2";
const VERMILION: &str = "#D55E00";

#[test]
fn each_bucket_has_a_bar_or_a_point_of_a_line() {
    for (interval, count) in [("yearly", 1), ("monthly", 6), ("monthly", 12), ("daily", 62), ("daily", 124)] {
        let chart = one("Sign-ups", &buckets(interval, count, |place| [i64::try_from(place).unwrap()]));
        let document = Document::parse(&chart).unwrap();
        assert_eq!(filled(&document, BLUE), count, "{interval} {count}");
    }
    for count in [125, 1_096] {
        let chart = one("Sign-ups", &buckets("daily", count, |_| [7]));
        assert_eq!(points(&Document::parse(&chart).unwrap(), BLUE), count);
    }
    for count in [32, 1_096] {
        let chart = two("Credits", &buckets("daily", count, |_| [7, -7]));
        let document = Document::parse(&chart).unwrap();
        assert_eq!((points(&document, BLUE), points(&document, VERMILION)), (count, count));
    }
    let chart = two("Credits", &buckets("monthly", 12, |_| [7, 5]));
    let document = Document::parse(&chart).unwrap();
    let outlines = named(&document, "polyline").into_iter();
    let outlines = outlines.filter(|it| it.attribute("stroke") == Some(VERMILION)).count();
    // There are 12 of each kind in the plot and one in the legend.
    assert_eq!((filled(&document, BLUE), outlines), (13, 13));
}

#[test]
fn a_bar_is_as_high_as_its_figure_and_hangs_below_zero_when_negative() {
    let figures = [50_i64, 100, -100, 0];
    let chart = one("Credits", &buckets("monthly", 4, |place| [figures[place]]));
    let document = Document::parse(&chart).unwrap();
    let bars = named(&document, "rect").into_iter();
    let bars = bars.filter(|it| it.attribute("fill") == Some(BLUE));
    let number = |bar: &Node<'_, '_>, name| bar.attribute(name).unwrap().parse::<i32>().unwrap();
    let bars: Vec<_> = bars.map(|it| (number(&it, "y"), number(&it, "height"))).collect();
    let zero = bars[1].0 + bars[1].1;
    assert_eq!(bars[0].0 + bars[0].1, zero);
    assert!((bars[0].1 * 2 - bars[1].1).abs() <= 2, "{bars:?}");
    assert_eq!(bars[2].0, zero);
    assert!((bars[2].1 - bars[1].1).abs() <= 2, "{bars:?}");
    assert_eq!(bars[3].1, 0);
}

#[test]
fn a_chart_says_what_it_is_and_runs_nothing() {
    let hostile = "</title><script>alert(1)</script>&\u{0}\u{202e}";
    let chart = two(hostile, &buckets("monthly", 3, |_| [1_500, -2]));
    assert!(!chart.contains("<script"), "{chart}");
    let document = Document::parse(&chart).unwrap();
    let root = document.root_element();
    assert_eq!(root.attribute("role"), Some("img"));
    assert_eq!(root.attribute("aria-labelledby"), Some("title description"));
    let title = "</title><script>alert(1)</script>&  ";
    assert_eq!(named(&document, "title")[0].text(), Some(title));
    let said = "3 periods from 2023-01 to 2023-03. \
        Distributed: 4,500 in total, from 1,500 to 1,500 per period. \
        Spent: \u{2212}6 in total, from \u{2212}2 to \u{2212}2 per period.";
    assert_eq!(named(&document, "desc")[0].text(), Some(said));
    let texts = texts(&document);
    assert!(texts.contains(&"Distributed") && texts.contains(&"Spent"), "{texts:?}");
}

#[test]
fn a_chart_of_nothing_says_so() {
    let chart = one("Sign-ups", &[]);
    let document = Document::parse(&chart).unwrap();
    assert!(texts(&document).contains(&"No periods in this range"));
    assert_eq!(named(&document, "desc")[0].text(), Some("No periods in this range."));
}

#[test]
fn a_long_title_is_cut_where_it_is_drawn() {
    for (title, most) in [("Credits of a company ".repeat(9), 55), ("株式会社".repeat(20), 28)] {
        let chart = one(&title, &buckets("monthly", 3, |_| [1]));
        let document = Document::parse(&chart).unwrap();
        assert_eq!(named(&document, "title")[0].text(), Some(title.as_str()));
        let drawn = texts(&document)[0];
        assert!(drawn.ends_with('…') && drawn.chars().count() <= most, "{drawn}");
    }
}

#[test]
fn both_axes_are_labelled() {
    let chart = two("Credits", &buckets("monthly", 3, |_| [1_200_000, 0]));
    let document = Document::parse(&chart).unwrap();
    let texts = texts(&document);
    for label in ["2023-01", "2023-02", "2023-03", "0", "0.5\u{a0}M", "1\u{a0}M", "1.5\u{a0}M"] {
        assert!(texts.contains(&label), "{texts:?}");
    }
}

/// The contrast of a colour with white and with black (WCAG 2.2).
fn contrasts(colour: plotters::style::RGBColor) -> [f64; 2] {
    let linear = |part: u8| {
        let part = f64::from(part) / 255.0;
        if part <= 0.040_45 { part / 12.92 } else { ((part + 0.055) / 1.055).powf(2.4) }
    };
    let (red, green, blue) = (linear(colour.0), linear(colour.1), linear(colour.2));
    let bright = 0.2126 * red + 0.7152 * green + 0.0722 * blue;
    [1.05 / (bright + 0.05), (bright + 0.05) / 0.05]
}

#[test]
fn a_chart_reads_on_white_and_on_black() {
    assert!(contrasts(INK).into_iter().all(|it| it >= 4.5), "{:?}", contrasts(INK));
    for colour in COLOURS {
        assert!(contrasts(colour).into_iter().all(|it| it >= 3.0), "{:?}", contrasts(colour));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_figures_make_a_document(
        title in "\\PC{0,300}|.{0,40}",
        figures in proptest::collection::vec(any::<[i64; 2]>(), 0..200),
        interval in prop_oneof![Just("daily"), Just("monthly"), Just("yearly")],
    ) {
        let chart = two(&title, &buckets(interval, figures.len(), |place| figures[place]));
        prop_assert!(!chart.contains("NaN") && !chart.contains("inf\""));
        Document::parse(&chart).unwrap();
    }
}
