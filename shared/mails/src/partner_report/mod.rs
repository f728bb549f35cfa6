//! The monthly partner report to operators (rule E2).
//!
//! Invariant: the text says everything that the HTML says, and the HTML loads nothing. Its bars are table cells,
//! because mail programs do not show SVG.

use askama::Template;
use purser_charts::trend::{Bucket, grouped};
use purser_domain::basic::{Day, EmailAddress, Name};
use purser_domain::money::{Credits, Tier};
use purser_edge::process::config::Config;
use purser_edge::process::mail::{Mail, Share};

use self::Column::{Left, Right};
use super::{Colour, credits_and_value};

#[derive(Debug, Clone)]
pub struct PartnerReport {
    /// Any day of the reported month.
    pub month: Day,
    /// The resellers that gained the most clients in the month, in the order of `resellers/top`. Can be empty.
    pub leaders: Vec<Leader>,
    /// The resellers to offer a higher tier: those below platinum with more than 100 acquisitions in the month.
    pub suggestions: Vec<Suggestion>,
    /// The sum of all wallets' balances: credits that were paid for and not yet spent.
    pub liability: Credits,
    /// The credits distributed and spent in each of the last twelve months, oldest first. `spent` is net of refunds,
    /// so it can be negative.
    pub trend: Vec<Bucket<2>>,
}

#[derive(Debug, Clone)]
pub struct Leader {
    pub company: Name,
    pub tier: Tier,
    pub acquisitions: u64,
    /// Credits spent in the month, net of refunds.
    pub spent: i64,
}

#[derive(Debug, Clone)]
pub struct Suggestion {
    pub company: Name,
    pub tier: Tier,
    pub acquisitions: u64,
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
    subject: &'a str,
    colour: Colour<'a>,
    name: &'a str,
    month: &'a str,
    liability: &'a str,
    leaders: &'a [[String; 5]],
    suggestions: &'a [[String; 4]],
    months: Vec<Month<'a>>,
}

struct Month<'a> {
    period: &'a str,
    distributed: Bar,
    spent: Bar,
}

/// A figure, and the length of its bar as a percentage of the longest bar.
struct Bar {
    figure: String,
    percent: i128,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Column<'a> {
    Left(&'a str),
    Right(&'a str),
}

pub fn partner_report(config: &Config, to: &EmailAddress, name: &Name, report: &PartnerReport) -> Result<Mail, String> {
    let (brand, name) = (config.brand.as_str(), name.as_str());
    let month = &*month_name(report.month);
    let subject = format!("Partner report for {month}");
    let liability = &*credits_and_value(config, report.liability.get());
    let leaders: Vec<_> = (1..).zip(&report.leaders).map(leader_row).collect();
    let suggestions: Vec<_> = report.suggestions.iter().map(suggestion_row).collect();
    let text = Text {
        brand,
        name,
        month,
        liability,
        leaders: table(
            [Right("#"), Left("Tier"), Right("Clients gained"), Right("Credits spent"), Left("Company")],
            &leaders,
        ),
        suggestions: table(
            [Right("Clients gained"), Left("Current tier"), Left("Suggested tier"), Left("Company")],
            &suggestions,
        ),
        trend: table([Left("Month"), Right("Distributed"), Right("Spent")], &trend_rows(&report.trend)),
    };
    let html = Html {
        brand,
        subject: &subject,
        colour: Colour::VENDOR,
        name,
        month,
        liability,
        leaders: &leaders,
        suggestions: &suggestions,
        months: chart_rows(&report.trend),
    };
    let text = text.render().map_err(|error| error.to_string())?;
    let html = html.render().map_err(|error| error.to_string())?;
    Ok(Mail { brand: brand.to_owned(), to: to.clone(), subject, text, html, share: Share::Notices, reseller: None })
}

/// For example `October 2026`.
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

/// The company is in the last column, because a name of any length and script cannot be aligned.
fn leader_row((rank, leader): (usize, &Leader)) -> [String; 5] {
    [
        rank.to_string(),
        leader.tier.into_str().to_owned(),
        grouped(leader.acquisitions.into()),
        grouped(leader.spent.into()),
        leader.company.to_string(),
    ]
}

fn suggestion_row(suggestion: &Suggestion) -> [String; 4] {
    [
        grouped(suggestion.acquisitions.into()),
        suggestion.tier.into_str().to_owned(),
        suggestion.suggested.into_str().to_owned(),
        suggestion.company.to_string(),
    ]
}

fn trend_rows(trend: &[Bucket<2>]) -> Vec<[String; 3]> {
    let row = |Bucket { period, figures }: &Bucket<2>| {
        let [distributed, spent] = figures.map(|it| grouped(it.into()));
        [period.clone(), distributed, spent]
    };
    trend.iter().map(row).collect()
}

/// A plain-text table with headings; empty if there are no rows.
fn table<const COLUMNS: usize>(columns: [Column<'_>; COLUMNS], rows: &[[String; COLUMNS]]) -> String {
    if rows.is_empty() {
        return String::new();
    }
    let headings = columns.map(|(Left(heading) | Right(heading))| heading.to_owned());
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
            Left(_) => format!("{cell:<width$}"),
            Right(_) => format!("{cell:>width$}"),
        });
        let line = cells.collect::<Vec<_>>().join("  ");
        line.trim_end().to_owned()
    };
    rows().map(line).collect::<Vec<_>>().join("\n")
}

/// The bars of each month. A figure of zero or less has no bar.
fn chart_rows(trend: &[Bucket<2>]) -> Vec<Month<'_>> {
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
