//! What the partner report says, and that nothing in it is markup.

use super::*;

fn config() -> Config {
    let given = |name: &str| match name {
        "PURSER_MAIL_FROM" => Some("noreply@example.com".to_owned()),
        "PURSER_TABLE" | "PURSER_BUS" => Some("purser".to_owned()),
        _ => None,
    };
    Config::read(given).unwrap()
}

fn name(text: &str) -> Name {
    Name::try_from(text.to_owned()).unwrap()
}

fn mail(report: &PartnerReport) -> Mail {
    let to = EmailAddress::try_from("operator@example.com".to_owned()).unwrap();
    partner_report(&config(), &to, &name("Olga <b>"), report).unwrap()
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
fn the_text_has_aligned_columns() {
    let Mail { subject, text, .. } = mail(&report());
    assert_eq!(subject, "Partner report for October 2026");
    for said in [
        "Hello Olga <b>,\n\nthis is how the partners of Purser did in October 2026.\n",
        "\nTOP PARTNERS\n\n\
         #  Tier      Clients won  Credits spent  Company\n\
         1  platinum        1,234      2,500,000  Elite Partners\n\
         2  gold              101            −70  <script>alert(1)</script> & Söhne 3\n\n",
        "\nTO BE OFFERED A HIGHER TIER\n\n\
         They won more than 100 clients in the month:\n\n\
         Clients won  Tier  Offer     Company\n        \
         101  gold  platinum  <script>alert(1)</script> & Söhne 3\n\n",
        "\nOUTSTANDING IN ALL WALLETS\n\n2,500,050 credits (25,000.50 USD)\n\n",
        "\nCREDITS DISTRIBUTED AND SPENT\n\n\
         Month    Distributed  Spent\n\
         2026-08       75,000      0\n\
         2026-09      150,000      1\n\
         2026-10            0    −20\n\nPurser",
    ] {
        assert!(text.contains(said), "{said}\nin\n{text}");
    }
}

#[test]
fn the_html_says_the_same_and_escapes_it() {
    let Mail { html, .. } = mail(&report());
    for said in [
        "Hello Olga &#60;b&#62;,",
        "Partner report for October 2026",
        "Elite Partners",
        "platinum",
        "1,234",
        "2,500,000",
        "&#60;script&#62;alert(1)&#60;/script&#62; &#38; Söhne 3",
        "−70",
        "2,500,050 credits (25,000.50 USD)",
        "2026-08",
        "150,000",
        "−20",
    ] {
        assert!(html.contains(said), "{said}\nin\n{html}");
    }
    for never in ["<script", "<img", "<svg", "<link", "<style", "url(", "http"] {
        assert!(!html.contains(never), "{never}\nin\n{html}");
    }
}

#[test]
fn a_bar_is_as_long_as_its_figure() {
    let percents = |trend: &[Bucket<2>]| {
        let bars = bars(trend).into_iter();
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
fn a_month_without_partners_says_so() {
    let mail = mail(&PartnerReport { leaders: Vec::new(), suggestions: Vec::new(), ..report() });
    for part in [mail.text, mail.html] {
        assert!(part.contains("No partner won a client in October 2026."), "{part}");
        assert!(part.contains("Nobody below platinum won more than 100 clients."), "{part}");
        assert!(!part.contains("Clients won"), "{part}");
    }
}
