//! Starts functions at the times in the template's schedules, as EventBridge does.
//!
//! Invariant: when a schedule is due its function is started once, however many of its times have passed since the
//! last check. A laptop that was asleep, or a clock that was turned, does not catch up on each of them.

use std::sync::{Arc, Mutex, PoisonError};

use croner::Cron;
use croner::parser::{CronParser, Seconds, Year};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use thiserror::Error;

use crate::template::{EventSpec, Template};
use crate::{ACCOUNT, REGION};

#[derive(Debug, Clone)]
enum Schedule {
    Rate(SignedDuration),
    Cron(Box<Cron>),
}

#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("`{0}` is not a schedule; expected something like `rate(5 minutes)` or `cron(30 0 * * ? *)`")]
pub struct ScheduleError(String);

impl Schedule {
    fn parse(expression: &str) -> Result<Self, ScheduleError> {
        let inside = |name: &str| {
            let rest = expression.strip_prefix(name)?;
            rest.strip_prefix('(')?.strip_suffix(')')
        };
        let rate = || inside("rate").and_then(rate);
        let cron = || inside("cron").and_then(cron);
        let parsed = rate().map(Self::Rate).or_else(|| cron().map(Self::Cron));
        parsed.ok_or_else(|| ScheduleError(expression.to_owned()))
    }

    /// The first time after `moment`; none if no such time can be computed.
    fn next(&self, moment: Timestamp) -> Option<Timestamp> {
        match self {
            Self::Rate(every) => moment.checked_add(*every).ok(),
            Self::Cron(cron) => {
                let moment = moment.to_zoned(TimeZone::UTC);
                let next = cron.find_next_occurrence(&moment, false).ok()?;
                Some(next.timestamp())
            }
        }
    }
}

/// Parses `5 minutes`; a count of one takes the singular, as in `1 minute`.
fn rate(text: &str) -> Option<SignedDuration> {
    let (count, unit) = text.split_once(' ')?;
    let count: i64 = count.parse().ok().filter(|it| *it > 0)?;
    let unit = match (count, unit) {
        (1, "minute") | (2.., "minutes") => 60,
        (1, "hour") | (2.., "hours") => 3_600,
        (1, "day") | (2.., "days") => 86_400,
        _ => return None,
    };
    count.checked_mul(unit).map(SignedDuration::from_secs)
}

/// Parses minute, hour, day of the month, month, day of the week (1 is Sunday) and year; exactly one of the two days
/// must be `?`.
fn cron(text: &str) -> Option<Box<Cron>> {
    let fields: Vec<&str> = text.split(' ').collect();
    let [_, _, day, _, weekday, _] = fields.as_slice() else {
        return None;
    };
    if (*day == "?") == (*weekday == "?") {
        return None;
    }
    let parser = CronParser::builder()
        .seconds(Seconds::Required)
        .year(Year::Required)
        .alternative_weekdays(true)
        .sloppy_ranges(true)
        .build();
    parser.parse(&format!("0 {text}")).ok().map(Box::new)
}

/// All schedules of the template. Clones share their state.
#[derive(Debug, Clone)]
pub struct Timetables(Arc<Mutex<Vec<Timetable>>>);

#[derive(Debug)]
struct Timetable {
    function: String,
    rule: String,
    schedule: Schedule,
    next: Option<Timestamp>,
}

#[derive(Debug, Error)]
#[error("template: {function}: {error}")]
pub struct NoSchedule {
    /// The function's logical id in the template.
    pub function: String,
    pub error: ScheduleError,
}

/// A function that must start now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Due {
    pub function: String,
    /// The function's logical id in the template, which the event names as its rule.
    pub rule: String,
}

impl Timetables {
    /// Reads the template's schedules; each is next due after `now`.
    pub fn of(template: &Template, now: Timestamp) -> Result<Self, NoSchedule> {
        let mut all = Vec::new();
        for spec in &template.functions {
            for event in &spec.events {
                let EventSpec::Schedule { expression } = event else {
                    continue;
                };
                let schedule = Schedule::parse(expression)
                    .map_err(|error| NoSchedule { function: spec.logical_id.clone(), error })?;
                all.push(Timetable {
                    function: spec.handler.clone(),
                    rule: spec.logical_id.clone(),
                    next: schedule.next(now),
                    schedule,
                });
            }
        }
        Ok(Self(Arc::new(Mutex::new(all))))
    }

    /// The functions that must start by `now`. Each due schedule yields one, however late it is.
    pub fn due(&self, now: Timestamp) -> Vec<Due> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let come = all.iter_mut().filter(|it| it.next.is_some_and(|next| next <= now));
        come.map(|timetable| {
            timetable.next = timetable.schedule.next(now);
            Due { function: timetable.function.clone(), rule: timetable.rule.clone() }
        })
        .collect()
    }
}

pub fn event(now: Timestamp, rule: &str) -> Value {
    json!({
        "version": "0",
        "id": uuid::Uuid::new_v4().to_string(),
        "detail-type": "Scheduled Event",
        "source": "aws.events",
        "account": ACCOUNT,
        "time": now.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
        "region": REGION,
        "resources": [format!("arn:aws:events:{REGION}:{ACCOUNT}:rule/{rule}")],
        "detail": {},
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn the_next_time_of_a_schedule() {
        for (expression, moment, next) in [
            ("rate(1 minute)", "2026-01-31T10:00:07Z", "2026-01-31T10:01:07Z"),
            ("rate(2 hours)", "2026-01-31T23:00:00Z", "2026-02-01T01:00:00Z"),
            ("rate(1 day)", "2026-01-31T10:00:00Z", "2026-02-01T10:00:00Z"),
            ("cron(30 0 * * ? *)", "2026-01-31T00:29:59Z", "2026-01-31T00:30:00Z"),
            ("cron(30 0 * * ? *)", "2026-01-31T00:30:00Z", "2026-02-01T00:30:00Z"),
            ("cron(0 10 ? * 2 *)", "2026-01-31T10:00:00Z", "2026-02-02T10:00:00Z"),
            ("cron(0 10 ? * SUN *)", "2026-01-31T10:00:00Z", "2026-02-01T10:00:00Z"),
            ("cron(0/15 8-9 1 * ? *)", "2026-01-31T10:00:00Z", "2026-02-01T08:00:00Z"),
            ("cron(0 0 1 1 ? 2030)", "2026-01-31T10:00:00Z", "2030-01-01T00:00:00Z"),
        ] {
            let schedule = Schedule::parse(expression).unwrap();
            assert_eq!(schedule.next(at(moment)), Some(at(next)), "{expression}");
        }
        let past = Schedule::parse("cron(0 0 1 1 ? 2020)").unwrap();
        assert_eq!(past.next(at("2026-01-31T10:00:00Z")), None);
    }

    #[test]
    fn what_is_no_schedule_is_refused() {
        for bad in [
            "",
            "rate(0 days)",
            "rate(1 days)",
            "rate(2 day)",
            "rate(-1 day)",
            "rate(1 week)",
            "rate(9223372036854775807 days)",
            "cron(30 0 * * *)",
            "cron(30 0 * * * *)",
            "cron(30 0 ? * ? *)",
            "cron(61 0 * * ? *)",
            "cron(0 30 0 * * ? *)",
            "at(2026-01-31T10:00:00)",
            "30 0 * * ? *",
        ] {
            let refused = Schedule::parse(bad).map(|_| ());
            assert_eq!(refused, Err(ScheduleError(bad.to_owned())), "{bad}");
        }
    }

    #[test]
    fn each_schedule_is_due_once_when_its_time_has_come() {
        let template = Template::parse(
            "
Resources:
  Table:
    Type: AWS::DynamoDB::Table
    Properties:
      KeySchema: [{AttributeName: pk, KeyType: HASH}]
      AttributeDefinitions: [{AttributeName: pk, AttributeType: S}]
  Often:
    Type: AWS::Serverless::Function
    Properties:
      Handler: often
      Events: {E: {Type: Schedule, Properties: {Schedule: rate(1 hour)}}}
  Daily:
    Type: AWS::Serverless::Function
    Properties:
      Handler: daily
      Events: {E: {Type: Schedule, Properties: {Schedule: cron(30 0 * * ? *)}}}
",
        )
        .unwrap();
        let all = Timetables::of(&template, at("2026-01-31T10:10:00Z")).unwrap();
        let due = |moment: &str| -> Vec<String> {
            let due = all.due(at(moment)).into_iter();
            due.map(|it| it.function).collect()
        };
        assert_eq!(due("2026-01-31T11:09:59Z"), [""; 0]);
        assert_eq!(due("2026-01-31T11:10:00Z"), ["often"]);
        assert_eq!(due("2026-01-31T11:10:01Z"), [""; 0]);
        assert_eq!(due("2026-02-07T00:00:00Z"), ["daily", "often"]);
        assert_eq!(due("2026-02-07T00:00:00Z"), [""; 0]);
    }
}
