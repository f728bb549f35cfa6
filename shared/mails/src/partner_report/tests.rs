//! Tests of the partner report's contents, and that no value in it is interpreted as markup.

use super::*;
use crate::tests::{address, app, assert_mail, name};

fn mail(report: &PartnerReport) -> Mail {
    let config = app(&[]).config;
    partner_report(&config, &address("operator@example.com"), &name("Olga <b>"), report).unwrap()
}

fn bucket(period: &str, distributed: i64, spent: i64) -> Bucket<2> {
    Bucket { period: period.to_owned(), figures: [distributed, spent] }
}

fn report() -> PartnerReport {
    let leader = |company, tier, acquisitions, spent| Leader { company: name(company), tier, acquisitions, spent };
    PartnerReport {
        month: "2026-10-31".parse().unwrap(),
        leaders: vec![
            leader("Elite Partners", Tier::Platinum, 1_234, 2_500_000),
            leader("<script>alert(1)</script> & Söhne 3", Tier::Gold, 101, -70),
        ],
        suggestions: vec![Suggestion {
            company: name("<script>alert(1)</script> & Söhne 3"),
            tier: Tier::Gold,
            acquisitions: 101,
            suggested: Tier::Platinum,
        }],
        liability: Credits::new(2_500_050),
        trend: vec![bucket("2026-08", 75_000, 0), bucket("2026-09", 150_000, 1), bucket("2026-10", 0, -20)],
    }
}

#[test]
fn snapshot_of_partner_report() {
    assert_mail("partner_report", &mail(&report()));
}

#[test]
fn the_html_says_what_the_text_says_and_loads_nothing() {
    let Mail { text, html, .. } = mail(&report());
    let figures = text.split_whitespace().filter(|word| word.contains(|it: char| it.is_ascii_digit()));
    for figure in figures {
        assert!(html.contains(&crate::tests::escaped(figure)), "{figure}\nin\n{html}");
    }
    for never in ["<script", "<img", "<svg", "<link", "<style", "url(", "http"] {
        assert!(!html.contains(never), "{never}\nin\n{html}");
    }
}

#[test]
fn a_bar_is_as_long_as_its_figure() {
    let percents = |trend: &[Bucket<2>]| {
        let bars = chart_rows(trend).into_iter();
        let bars = bars.map(|it| (it.distributed.percent, it.spent.percent));
        bars.collect::<Vec<_>>()
    };
    assert_eq!(percents(&report().trend), [(50, 0), (100, 1), (0, 0)]);
    assert_eq!(percents(&[bucket("2026-10", 0, 0)]), [(0, 0)]);
    let most = [bucket("2026-10", i64::MAX, i64::MIN)];
    assert_eq!(percents(&most), [(100, 0)]);
    let html = mail(&report()).html;
    let drawn = |width: &str| html.matches(width).count();
    assert_eq!(["width:50%;h", "width:100%;h", "width:1%;h"].map(drawn), [1, 1, 1]);
    assert_eq!(drawn("width:0%"), 0);
}

#[test]
fn snapshot_of_partner_report_without_partners() {
    let empty = PartnerReport { leaders: Vec::new(), suggestions: Vec::new(), ..report() };
    assert_mail("partner_report_empty", &mail(&empty));
}
