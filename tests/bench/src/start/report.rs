//! The report of `make bench-start`.
//!
//! Invariant: a time is the median of the measurements, followed by the tenth and the ninetieth percentile to show
//! how far it can be trusted.

use std::time::Duration;

use super::Subject;
use super::process::Phase;

/// The target for a start: at most this many times as long as the start of a function that does nothing.
const MOST_STARTS: f64 = 2.0;
/// The target for a warm request: at most this many milliseconds of processor time beyond its bare calls.
const MOST_ADDED: f64 = 1.0;

fn milliseconds(mut all: Vec<Duration>, percentile: usize) -> f64 {
    all.sort_unstable();
    let place = (all.len().saturating_sub(1)) * percentile / 100;
    all.get(place).map_or(f64::NAN, |it| it.as_secs_f64() * 1e3)
}

fn wall(phases: &[Phase], percentile: usize) -> f64 {
    milliseconds(phases.iter().map(|it| it.wall).collect(), percentile)
}

fn cpu(phases: &[Phase], percentile: usize) -> f64 {
    milliseconds(phases.iter().map(|it| it.cpu).collect(), percentile)
}

fn spread(of: fn(&[Phase], usize) -> f64, phases: &[Phase]) -> String {
    let [low, middle, high] = [10, 50, 90].map(|percentile| of(phases, percentile));
    format!("{middle:7.2} ({low:.2}–{high:.2})")
}

/// The table, followed by the targets that were missed.
pub fn report(subjects: &[Subject]) -> String {
    let mut lines = vec![format!(
        "{:<22} {:>22} {:>8} {:>22} {:>8} {:>22} {:>22} {:>22} {:>22} {:>8}",
        "milliseconds", "start", "× hello", "CPU", "× hello", "first request", "CPU", "warm request", "CPU", "added",
    )];
    let mut beyond = Vec::new();
    let hello = |of: fn(&[Phase], usize) -> f64| {
        let hello = subjects.first();
        hello.map_or(f64::NAN, |it| of(&it.starts, 50))
    };
    for subject in subjects {
        let times = wall(&subject.starts, 50) / hello(wall);
        let work = cpu(&subject.starts, 50) / hello(cpu);
        let bare = subjects.iter().find(|it| Some(&it.name) == subject.compared.as_ref());
        let added = bare.map(|bare| cpu(&subject.warm, 50) - cpu(&bare.warm, 50));
        lines.push(format!(
            "{:<22} {:>22} {:>8.2} {:>22} {:>8.2} {:>22} {:>22} {:>22} {:>22} {:>8}",
            subject.name,
            spread(wall, &subject.starts),
            times,
            spread(cpu, &subject.starts),
            work,
            spread(wall, &subject.firsts),
            spread(cpu, &subject.firsts),
            spread(wall, &subject.warm),
            spread(cpu, &subject.warm),
            added.map_or(String::new(), |added| format!("{added:.2}")),
        ));
        if subject.is_purser() && times > MOST_STARTS {
            beyond.push(format!(
                "{}: starts in {times:.2} times hello's time ({work:.2} its CPU); the target is {MOST_STARTS}",
                subject.name
            ));
        }
        if let Some(added) = added.filter(|added| *added > MOST_ADDED) {
            beyond
                .push(format!("{}: adds {added:.2} ms of CPU to its calls; the target is {MOST_ADDED}", subject.name));
        }
    }
    lines.extend(beyond);
    lines.join("\n")
}
