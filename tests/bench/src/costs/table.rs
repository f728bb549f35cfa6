//! The costs as text: one table for each kind of provision, the fixed monthly costs, and the assumptions.

use super::prices::{Price, TAKEN};
use super::{ACCESS_BYTES, HEADER_BYTES, ITEM_OVERHEAD, KEY_MINUTES, LOGGED_BYTES, Line, OWN_MS, ROUND_TRIP_MS, Usage};

/// The numbers of provisions a month.
const VOLUMES: [u128; 3] = [1_000, 1_000_000, 100_000_000];

const NOT_COUNTED: &str = "\
Storage is what one month adds, for one month; it is paid for again each month. Not counted: free tiers, cold starts,
other requests, failures, support, taxes. Functions read the stream free of charge, and the bus delivers within the
account free of charge. A custom metric is paid for in the hours in which it counts. The key costs a dollar more after
its first rotation, and another after its second.";

pub(super) fn render(usages: &[Usage], monthly: &[Line]) -> String {
    let fixed: u128 = monthly.iter().map(|line| line.price.of(line.units)).sum();
    let mut lines = Vec::new();
    for usage in usages {
        lines.push(row(usage.title, "takes", "provisions a month:", VOLUMES.map(thousands)));
        for line in &usage.lines {
            let costs = VOLUMES.map(|volume| dollars(line.price.of(line.units * volume)));
            lines.push(row(line.price.what, &line.shown, line.price.listed, costs));
        }
        let total = |volume| usage.lines.iter().map(|line| line.price.of(line.units * volume)).sum::<u128>();
        lines.push(row("fixed monthly costs, see below", "", "", [fixed; 3].map(dollars)));
        lines.push(row("total for a month", "", "", VOLUMES.map(|volume| dollars(total(volume) + fixed))));
        lines.push(String::new());
    }
    lines.push("Fixed monthly costs".to_owned());
    for line in monthly {
        let cost = dollars(line.price.of(line.units));
        lines.push(format!("{:<46}{:>8}  {:<32}{cost:>8}", line.price.what, line.shown, line.price.listed));
    }
    lines.push(String::new());
    lines.extend(notes(usages, monthly));
    lines.join("\n") + "\n"
}

fn row(what: &str, units: &str, price: &str, costs: [String; 3]) -> String {
    let [first, second, third] = costs;
    let line = format!("{what:<46}{units:>8}  {price:<32}{first:>8}{second:>11}{third:>13}");
    line.trim_end().to_owned()
}

fn notes(usages: &[Usage], monthly: &[Line]) -> Vec<String> {
    let all = usages.iter().flat_map(|usage| &usage.lines).chain(monthly);
    let mut pages: Vec<&str> = all.map(|line| line.price).map(|price: &Price| price.page).collect();
    pages.sort_unstable();
    pages.dedup();
    let mut notes = vec![
        "Measured: requests, units, bytes stored and sent, events, e-mails, round trips. Assumed:".to_owned(),
        format!("- a function runs for {OWN_MS} ms, plus {ROUND_TRIP_MS} ms for each round trip"),
        format!("- each invocation logs {LOGGED_BYTES} bytes, and each request {ACCESS_BYTES} more"),
        format!("- an answer has {HEADER_BYTES} bytes of headers"),
        format!("- DynamoDB adds {ITEM_OVERHEAD} bytes to an item in the table and in each index"),
        format!("- DynamoDB asks for the table's key every {KEY_MINUTES} minutes for each function"),
    ];
    notes.extend(NOT_COUNTED.lines().map(ToOwned::to_owned));
    notes.push(format!("List prices of us-east-1, first volume tier, as of {TAKEN}:"));
    notes.extend(pages.into_iter().map(|page| format!("  https://{page}/")));
    notes
}

/// Micro-dollars as dollars, rounded to the cent.
fn dollars(micro_dollars: u128) -> String {
    let cents = (micro_dollars + 5_000) / 10_000;
    format!("${}.{:02}", thousands(cents / 100), cents % 100)
}

/// A number with commas between groups of three digits.
fn thousands(number: u128) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::costs::prices;

    #[test]
    fn money_is_written_to_the_cent() {
        for (micro_dollars, expected) in [
            (0, "$0.00"),
            (4_999, "$0.00"),
            (5_000, "$0.01"),
            (999_995_000, "$1,000.00"),
            (1_234_567_890_000, "$1,234,567.89"),
        ] {
            assert_eq!(dollars(micro_dollars), expected);
        }
    }

    #[test]
    fn a_price_is_exact_for_any_amount_and_never_too_low() {
        assert_eq!(prices::HALF_WRITE.of(2 * 1_000_000), 625_000);
        assert_eq!(prices::DURATION.of(1_024 * 1_000), 17, "a GB-second is 16.6667 micro-dollars");
        assert_eq!(prices::DURATION.of(6_000_000_000 * 1_024 * 1_000), 100_000_200_000);
        assert_eq!(prices::MAIL.of(1), 100);
        assert_eq!(prices::EVENT.of(0), 0);
    }
}
