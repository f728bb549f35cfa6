//! The axes of a chart: the positions of their marks, and the labels.
//!
//! Invariant: labels are exact, because they are computed with integers only, and no two labels overlap.

/// The suffixes for powers of a thousand, largest first.
const UNITS: [(i128, &str); 5] =
    [(1_000_000_000_000, "T"), (1_000_000_000, "B"), (1_000_000, "M"), (1_000, "k"), (1, "")];

/// The minus sign, which unlike a hyphen is as wide as a digit.
const MINUS: &str = "\u{2212}";

/// The vertical axis, from `low` to `high`, with marks at multiples of `step`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Scale {
    /// At most 0, and less than `high`.
    pub low: i128,
    pub high: i128,
    step: i128,
}

impl Scale {
    /// A scale that includes all `figures` and zero. Both ends are marks.
    pub fn of(figures: impl Iterator<Item = i64>) -> Self {
        let (low, high) =
            figures.map(i128::from).fold((0, 0), |(low, high), figure| (figure.min(low), figure.max(high)));
        // Steps of 1, 2 or 5 times a power of ten make two to eight marks.
        let aim = (high - low + 4) / 5;
        let aim = aim.max(1);
        let power = 10_i128.pow(aim.ilog10());
        let step = [1, 2, 5, 10].map(|it| it * power);
        let step = step.into_iter().find(|it| *it >= aim).unwrap_or(aim);
        let up = |figure: i128| (figure + step - 1).div_euclid(step) * step;
        let (low, high) = (-up(-low), up(high));
        let high = if low == high { step } else { high };
        Self { low, high, step }
    }

    /// The values of the marks, lowest first.
    pub fn marks(self) -> Vec<i128> {
        let count = (self.high - self.low) / self.step;
        (0..=count).map(|it| self.low + it * self.step).collect()
    }

    /// The label of a mark. All marks of an axis have the same unit.
    pub fn label(self, mark: i128) -> String {
        if mark == 0 {
            return "0".to_owned();
        }
        let largest = self.high.max(-self.low);
        // Figures up to 10,000 are easy to read without a unit.
        let fits = |(unit, _): &(i128, &str)| *unit <= largest && (largest > 10_000 || *unit == 1);
        let (unit, word) = UNITS.into_iter().find(fits).unwrap_or((1, ""));
        let (whole, rest) = (mark.abs() / unit, mark.abs() % unit);
        // A mark is a multiple of at least a tenth of the unit, so the decimals have no leading zeros.
        let decimals = rest.to_string();
        let decimals = decimals.trim_end_matches('0');
        let sign = if mark < 0 { MINUS } else { "" };
        let point = if decimals.is_empty() { "" } else { "." };
        let gap = if word.is_empty() { "" } else { "\u{a0}" };
        format!("{sign}{}{point}{decimals}{gap}{word}", grouped(whole))
    }
}

/// An integer with a comma after every thousand: `−1,234,567`.
pub fn grouped(number: i128) -> String {
    let digits = number.unsigned_abs().to_string();
    let mut text = String::from(if number < 0 { MINUS } else { "" });
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// The indexes of the buckets that get a label, each with its text: as many as fit into `most` characters, with at
/// least two characters between labels. If there are many days, only the first of a month is labelled; if there are
/// many months, only the first of each quarter, half-year, year or longer period.
pub(super) fn labels<'a>(periods: &[&'a str], most: usize) -> Vec<(usize, &'a str)> {
    let widest = periods.iter().map(|it| it.len()).max().unwrap_or_default();
    let fitting = |width: usize| (most / (width + 2)).max(2);
    let all = periods.iter().copied().enumerate();
    let months: Vec<_> = if widest == MONTH {
        all.clone().collect()
    } else if periods.len() > MOST_DAYS {
        let first_days = all.clone();
        first_days.filter_map(|(place, day)| Some((place, day.strip_suffix("-01")?))).collect()
    } else {
        Vec::new()
    };
    let starts = |every: &u32| {
        let starts = |(_, text): &(usize, &str)| month(text).is_some_and(|it| it % every == 0);
        months.iter().copied().filter(starts).collect::<Vec<_>>()
    };
    let starts = MONTHS.iter().map(starts);
    let starts = starts.into_iter().find(|it| it.len() <= fitting(MONTH));
    // If fewer than two buckets begin such a period, evenly spaced labels are more useful.
    starts.filter(|it| it.len() > 1).unwrap_or_else(|| {
        let step = periods.len().div_ceil(fitting(widest)).max(1);
        all.step_by(step).collect()
    })
}

const MONTH: usize = "2023-01".len();
/// The most days that are labelled by day: two months. More days are labelled by month.
const MOST_DAYS: usize = 62;
/// The possible distances between two labels, in months.
const MONTHS: [u32; 9] = [1, 2, 3, 6, 12, 24, 60, 120, 240];

/// The month that `text` names, as the number of months since January of the year 0.
fn month(text: &str) -> Option<u32> {
    let (year, month) = text.split_once('-')?;
    let (year, month): (u32, u32) = (year.parse().ok()?, month.parse().ok()?);
    year.checked_mul(12)?.checked_add(month.checked_sub(1)?)
}

#[cfg(test)]
mod tests;
