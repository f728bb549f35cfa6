//! How long a licence lasts: its terms, from which its end is computed.
//!
//! Invariant: the end is always computed anew from the first moment of each run of terms and the number of its terms.
//! So a renewal that is refunded leaves the end that there would be if the licence had never been renewed (rule B10).

use serde::{Deserialize, Serialize};

use crate::basic::time::Time;
use crate::licences::term::Term;

/// How many runs are kept. Older ones count by the end that they had.
const MOST_RUNS: usize = 12;

/// The terms of a licence, in their order. Without any and without a fixed end, it lasts for ever.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Tenure {
    /// The end that was set without terms, or that earlier runs had.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    until: Option<Time>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    runs: Vec<Run>,
}

/// Equal terms that follow one another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Run {
    number: RunNumber,
    /// When the first term begins; `None` if it begins when what is before this run ends, or has not begun.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    from: Option<Time>,
    term: Term,
    terms: u32,
}

/// The number by which the purchase of a renewal remembers to which run it added a term.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RunNumber(u32);

impl RunNumber {
    /// The number of the run that the renewal after this many begins, if it begins one.
    pub fn after(renewals: u32) -> Self {
        Self(renewals.saturating_add(1))
    }

    pub fn get(self) -> u32 {
        self.0
    }
}

impl Tenure {
    /// One term, which begins when it is started; without a term, for ever.
    pub fn of(term: Option<Term>) -> Self {
        let run = |term| Run { number: RunNumber(0), from: None, term, terms: 1 };
        Self { until: None, runs: term.map(run).into_iter().collect() }
    }

    /// An end that was set, whatever the term of the licence; `None` for a licence that lasts for ever.
    pub fn fixed(until: Option<Time>) -> Self {
        Self { until, runs: Vec::new() }
    }

    /// Whether the first term waits for the licence to be activated.
    pub fn waits(&self) -> bool {
        self.until.is_none() && self.runs.first().is_some_and(|run| run.from.is_none())
    }

    pub fn is_for_ever(&self) -> bool {
        self.until.is_none() && self.runs.is_empty()
    }

    /// The tenure with its first term begun at `now`, if that waited.
    #[must_use]
    pub fn started(&self, now: Time) -> Self {
        let mut started = self.clone();
        if started.waits()
            && let Some(first) = started.runs.first_mut()
        {
            first.from = Some(now);
        }
        started
    }

    /// The tenure with another term, as long as its first one waits.
    #[must_use]
    pub fn in_terms_of(&self, term: Option<Term>) -> Self {
        match term {
            None => Self::fixed(None),
            Some(term) if self.waits() => {
                let runs = self.runs.iter().map(|run| Run { term, ..run.clone() });
                Self { until: None, runs: runs.collect() }
            }
            Some(_) => self.clone(),
        }
    }

    /// When it ends; `None` if it lasts for ever or has not begun.
    pub fn end(&self) -> Option<Time> {
        self.runs.iter().fold(self.until, |end, run| Some(run.term.end(run.from.or(end)?, run.terms)))
    }

    /// The tenure with another term, from its end, or from `now` if that has passed (rule C2), and the run that the
    /// term is in. `number` is that of a new run; the licence never had one with it. One that lasts for ever can't be
    /// renewed.
    pub fn renewed(&self, term: Term, number: RunNumber, now: Time) -> Option<(Self, RunNumber)> {
        if self.is_for_ever() {
            return None;
        }
        let mut renewed = self.clone();
        let lapsed = self.end().is_some_and(|end| end < now);
        if let Some(last) = renewed.runs.last_mut().filter(|last| !lapsed && last.term == term) {
            last.terms = last.terms.saturating_add(1);
            let number = last.number;
            return Some((renewed, number));
        }
        renewed.runs.push(Run { number, from: lapsed.then_some(now), term, terms: 1 });
        renewed.fold();
        Some((renewed, number))
    }

    /// The tenure without one of the terms of this run. A run that was folded into a fixed end, or that an operator
    /// has replaced by one, has no terms left to take.
    #[must_use]
    pub fn without(&self, number: RunNumber) -> Self {
        let mut rest = self.clone();
        let Some(place) = rest.runs.iter().position(|run| run.number == number) else { return rest };
        if let Some(run) = rest.runs.get_mut(place) {
            run.terms = run.terms.saturating_sub(1);
        }
        let is_empty = |run: &Run| run.terms == 0;
        if rest.runs.get(place).is_some_and(is_empty) {
            let gone = rest.runs.remove(place);
            // What followed it still begins where it did.
            if let Some(next) = rest.runs.get_mut(place) {
                next.from = next.from.or(gone.from);
            }
        }
        rest
    }

    /// Keeps the item small, however often a licence is renewed: the oldest run becomes a fixed end.
    fn fold(&mut self) {
        while self.runs.len() > MOST_RUNS && !self.waits() {
            let oldest = Self { until: self.until, runs: vec![self.runs.remove(0)] };
            self.until = oldest.end();
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn time(text: &str) -> Time {
        Time::try_from(text.to_owned()).unwrap()
    }

    fn term(text: &str) -> Term {
        text.parse().unwrap()
    }

    fn renewed(tenure: &Tenure, length: &str, number: u32, now: &str) -> (Tenure, RunNumber) {
        tenure.renewed(term(length), RunNumber::after(number), time(now)).unwrap()
    }

    fn month_from(start: &str) -> Tenure {
        Tenure::of(Some(term("P1M"))).started(time(start))
    }

    #[test]
    fn a_term_begins_when_it_is_started_and_only_then() {
        let new = Tenure::of(Some(term("P1M")));
        assert!(new.waits() && new.end().is_none());
        let begun = new.started(time("2026-01-31T00:00:00Z"));
        assert_eq!((begun.waits(), begun.end()), (false, Some(time("2026-02-28T00:00:00Z"))));
        assert_eq!(begun.started(time("2027-01-01T00:00:00Z")), begun);
        for tenure in [Tenure::of(None), Tenure::fixed(None)] {
            assert!(tenure.is_for_ever() && !tenure.waits());
            assert_eq!((tenure.started(Time::LAST), tenure.end()), (tenure.clone(), None));
            assert_eq!(tenure.renewed(term("P1M"), RunNumber::after(0), Time::LAST), None);
        }
    }

    /// A licence of a month from 31 January, renewed before, at and after its end.
    #[test]
    fn a_renewal_adds_a_term_to_the_end_or_begins_anew() {
        let first = month_from("2026-01-31T00:00:00Z");
        for (now, with, end, without) in [
            ("2026-02-01T00:00:00Z", "P1M", "2026-03-31T00:00:00Z", "2026-02-28T00:00:00Z"),
            ("2026-02-28T00:00:00Z", "P1M", "2026-03-31T00:00:00Z", "2026-02-28T00:00:00Z"),
            ("2026-02-28T00:00:00.001Z", "P1M", "2026-03-28T00:00:00.001Z", "2026-02-28T00:00:00Z"),
            ("2027-01-31T00:00:00Z", "P1M", "2027-02-28T00:00:00Z", "2026-02-28T00:00:00Z"),
            ("2026-02-01T00:00:00Z", "P1Y", "2027-02-28T00:00:00Z", "2026-02-28T00:00:00Z"),
            ("2026-02-01T00:00:00Z", "P30D", "2026-03-30T00:00:00Z", "2026-02-28T00:00:00Z"),
        ] {
            let (longer, run) = renewed(&first, with, 0, now);
            assert_eq!(longer.end(), Some(time(end)), "{now} {with}");
            assert_eq!(longer.without(run).end(), Some(time(without)), "{now} {with}");
        }
    }

    #[test]
    fn each_renewal_is_taken_off_by_itself() {
        let start = month_from("2026-01-31T00:00:00Z");
        let (early, first) = renewed(&start, "P1M", 0, "2026-02-01T00:00:00Z");
        let (late, second) = renewed(&early, "P1M", 1, "2026-05-15T00:00:00Z");
        let (longer, third) = renewed(&late, "P1Y", 2, "2026-05-16T00:00:00Z");
        assert_eq!(longer.end(), Some(time("2027-06-15T00:00:00Z")));
        // What began after the licence had lapsed does not move.
        assert_eq!(longer.without(first).end(), longer.end());
        // The year follows the month, and begins where the month did once that is taken off.
        assert_eq!(longer.without(second).end(), Some(time("2027-05-15T00:00:00Z")));
        assert_eq!(longer.without(third).end(), Some(time("2026-06-15T00:00:00Z")));
        let all = longer.without(third).without(second).without(first);
        assert_eq!((all.end(), &all), (start.end(), &start));
        assert_eq!(all.without(third), all);
    }

    #[test]
    fn before_it_is_started_renewals_wait_with_the_first_term() {
        let new = Tenure::of(Some(term("P1M")));
        let (two, run) = renewed(&new, "P1M", 0, "2026-01-01T00:00:00Z");
        assert_eq!(two.started(time("2026-01-31T00:00:00Z")).end(), Some(time("2026-03-31T00:00:00Z")));
        assert_eq!(two.without(run), new);
        let (year, run) = renewed(&new, "P1Y", 0, "2026-01-01T00:00:00Z");
        assert_eq!(year.started(time("2026-01-31T00:00:00Z")).end(), Some(time("2027-02-28T00:00:00Z")));
        assert_eq!(year.without(run), new);
    }

    #[test]
    fn a_fixed_end_is_renewed_from_where_it_is() {
        let fixed = Tenure::fixed(Some(time("2026-01-31T00:00:00Z")));
        let (once, run) = renewed(&fixed, "P1M", 0, "2026-01-01T00:00:00Z");
        assert_eq!(once.end(), Some(time("2026-02-28T00:00:00Z")));
        let (twice, _) = renewed(&once, "P1M", 1, "2026-01-01T00:00:00Z");
        assert_eq!(twice.end(), Some(time("2026-03-31T00:00:00Z")));
        assert_eq!(twice.without(run).without(run), fixed);
    }

    proptest! {
        /// However often it is renewed, and in whichever order renewals are taken off, the first end comes back, as
        /// long as no run was folded; and what is stored stays small.
        #[test]
        fn what_is_taken_off_leaves_what_there_was(
            renewals in prop::collection::vec((0_i64..200, prop::sample::select(vec!["P1M", "P1Y", "P10D"])), 0..40),
            shuffle in any::<prop::sample::Selector>(),
        ) {
            let start = month_from("2026-01-31T00:00:00Z");
            let (mut tenure, mut now, mut runs) = (start.clone(), time("2026-01-31T00:00:00Z"), Vec::new());
            for (count, (days, length)) in (0..).zip(renewals) {
                now = now.plus(jiff::SignedDuration::from_hours(days * 24));
                let before = tenure.end().unwrap();
                let (next, run) = tenure.renewed(term(length), RunNumber::after(count), now).unwrap();
                let end = next.end().unwrap();
                prop_assert!(end > before && end > now);
                prop_assert!(next.runs.len() <= MOST_RUNS);
                if before < now {
                    prop_assert_eq!(end, term(length).end(now, 1));
                }
                tenure = next;
                runs.push(run);
            }
            let folded = tenure.until.is_some();
            while !runs.is_empty() {
                let place = shuffle.select(0..runs.len());
                let before = tenure.end();
                tenure = tenure.without(runs.swap_remove(place));
                prop_assert!(tenure.end() <= before);
            }
            if !folded {
                prop_assert_eq!(tenure, start);
            }
        }
    }
}
