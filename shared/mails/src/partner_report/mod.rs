//! The month's partner report to operators (rule E2).
//!
//! Invariant: its text says all that its HTML says, and the HTML loads nothing: bars are cells of tables, since a mail
//! shows no SVG.

use askama::Template;
use purser_charts::trend::{Bucket, grouped};
use purser_domain::basic::email::EmailAddress;
use purser_domain::basic::text::Name;
use purser_domain::basic::time::Day;
use purser_domain::money::credits::Credits;
use purser_domain::money::tier::Tier;
use purser_edge::process::config::Config;
use purser_edge::process::mail::Mail;

use self::Column::{Figures, Words};
use super::{Colour, money};

/// How the partners did in a month.
#[derive(Debug, Clone)]
pub struct PartnerReport {
    /// Any day of the month.
    pub month: Day,
    /// The resellers that won most clients in the month, best first, ranked as `resellers/top` ranks them. There may
    /// be none.
    pub leaders: Vec<Leader>,
    /// Who should be offered a higher tier: more than 100 acquisitions in the month, and not platinum.
    pub suggestions: Vec<Suggestion>,
    /// The credits in all wallets together: what the network is still owed.
    pub liability: Credits,
    /// The credits distributed and spent in each of the last twelve months, oldest first; spent is net of refunds, so
    /// it may be negative.
    pub trend: Vec<Bucket<2>>,
}

/// A reseller among those that won most clients.
#[derive(Debug, Clone)]
pub struct Leader {
    /// The company.
    pub company: Name,
    /// Its present tier.
    pub tier: Tier,
    /// How many clients it won in the month.
    pub acquisitions: u64,
    /// The credits it spent in the month, net of refunds.
    pub spent: i64,
}

/// A reseller that should be offered a higher tier.
#[derive(Debug, Clone)]
pub struct Suggestion {
    /// The company.
    pub company: Name,
    /// Its present tier.
    pub tier: Tier,
    /// How many clients it won in the month.
    pub acquisitions: u64,
    /// The tier to offer.
    pub suggested: Tier,
}

#[derive(Template)]
#[template(path = "operators/partner_report/mail.txt")]
struct Text<'a> {
    brand: &'a str,
    name: &'a str,
    month: &'a str,
    liability: &'a str,
    leaders: String,
    suggestions: String,
    trend: String,
}

#[derive(Template)]
#[template(path = "operators/partner_report/mail.html")]
struct Html<'a> {
    brand: &'a str,
    colour: Colour<'a>,
    name: &'a str,
    month: &'a str,
    liability: &'a str,
    leaders: &'a [[String; 5]],
    suggestions: &'a [[String; 4]],
    months: Vec<Month<'a>>,
}

/// A month of the chart.
struct Month<'a> {
    period: &'a str,
    distributed: Bar,
    spent: Bar,
}

/// A figure, and how long its bar is, in per cent of the longest.
struct Bar {
    figure: String,
    percent: i128,
}

/// The sides that a column is aligned to: words to the left, figures to the right.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Column<'a> {
    Words(&'a str),
    Figures(&'a str),
}

/// The report on how the partners did in a month, to an operator with that address and name.
pub fn partner_report(config: &Config, to: &EmailAddress, name: &Name, report: &PartnerReport) -> Result<Mail, String> {
    let (brand, name) = (config.brand.as_str(), name.as_str());
    let month = &*month_name(report.month);
    let liability = &*money(config, report.liability.get());
    let leaders: Vec<_> = (1..).zip(&report.leaders).map(leader).collect();
    let suggestions: Vec<_> = report.suggestions.iter().map(suggestion).collect();
    let text = Text {
        brand,
        name,
        month,
        liability,
        leaders: aligned(
            [Figures("#"), Words("Tier"), Figures("Clients won"), Figures("Credits spent"), Words("Company")],
            &leaders,
        ),
        suggestions: aligned([Figures("Clients won"), Words("Tier"), Words("Offer"), Words("Company")], &suggestions),
        trend: aligned([Words("Month"), Figures("Distributed"), Figures("Spent")], &figures(&report.trend)),
    };
    let html = Html {
        brand,
        colour: Colour::VENDORS,
        name,
        month,
        liability,
        leaders: &leaders,
        suggestions: &suggestions,
        months: bars(&report.trend),
    };
    Ok(Mail {
        brand: brand.to_owned(),
        to: to.clone(),
        subject: format!("Partner report for {month}"),
        text: text.render().map_err(|error| error.to_string())?,
        html: html.render().map_err(|error| error.to_string())?,
    })
}

/// A month for people: `October 2026`.
fn month_name(day: Day) -> String {
    let day = day.to_string();
    let (year, month) = day.split_once('-').unwrap_or((&day, ""));
    let name = match month.get(..2).unwrap_or_default() {
        "01" => "January",
        "02" => "February",
        "03" => "March",
        "04" => "April",
        "05" => "May",
        "06" => "June",
        "07" => "July",
        "08" => "August",
        "09" => "September",
        "10" => "October",
        "11" => "November",
        _ => "December",
    };
    format!("{name} {year}")
}

/// The company stands last in each row: it may be of any length and in any script, where columns can't be aligned.
fn leader((rank, leader): (usize, &Leader)) -> [String; 5] {
    [
        rank.to_string(),
        leader.tier.as_str().to_owned(),
        grouped(leader.acquisitions.into()),
        grouped(leader.spent.into()),
        leader.company.to_string(),
    ]
}

fn suggestion(suggestion: &Suggestion) -> [String; 4] {
    [
        grouped(suggestion.acquisitions.into()),
        suggestion.tier.as_str().to_owned(),
        suggestion.suggested.as_str().to_owned(),
        suggestion.company.to_string(),
    ]
}

fn figures(trend: &[Bucket<2>]) -> Vec<[String; 3]> {
    let row = |Bucket { period, figures }: &Bucket<2>| {
        let [distributed, spent] = figures.map(|it| grouped(it.into()));
        [period.clone(), distributed, spent]
    };
    trend.iter().map(row).collect()
}

/// Lines of columns below their headings; nothing where there are no rows.
fn aligned<const COLUMNS: usize>(columns: [Column<'_>; COLUMNS], rows: &[[String; COLUMNS]]) -> String {
    if rows.is_empty() {
        return String::new();
    }
    let headings = columns.map(|(Words(heading) | Figures(heading))| heading.to_owned());
    let rows = || std::iter::once(&headings).chain(rows);
    let mut widths = [0; COLUMNS];
    for row in rows() {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = cell.chars().count().max(*width);
        }
    }
    let line = |row: &[String; COLUMNS]| {
        let cells = columns.iter().zip(widths).zip(row);
        let cells = cells.map(|((column, width), cell)| match column {
            Words(_) => format!("{cell:<width$}"),
            Figures(_) => format!("{cell:>width$}"),
        });
        let line = cells.collect::<Vec<_>>().join("  ");
        line.trim_end().to_owned()
    };
    rows().map(line).collect::<Vec<_>>().join("\n")
}

/// The bars of each month. A figure that is not above zero has none.
fn bars(trend: &[Bucket<2>]) -> Vec<Month<'_>> {
    let longest = trend.iter().flat_map(|it| it.figures).max();
    let longest = i128::from(longest.unwrap_or_default().max(1));
    let bar = |figure: i64| {
        let percent = i128::from(figure) * 100 / longest;
        let least = i128::from(figure > 0);
        Bar { figure: grouped(figure.into()), percent: percent.max(least) }
    };
    let months = trend.iter().map(|Bucket { period, figures }| {
        let [distributed, spent] = figures.map(bar);
        Month { period, distributed, spent }
    });
    months.collect()
}

#[cfg(test)]
mod tests;
