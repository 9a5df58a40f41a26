//! Times, durations and windows.

use jiff::SignedDuration;

use super::{items, table};
use crate::script::value::Value;

table! { "Times":
    Free.now() -> Time, "The incident's last activity, or what `--now` says: never the clock.", "now() == incident.last_activity" => "true", |cx, _| Ok(Value::Time(cx.facts.now));
    Free.duration(text: Duration) -> Duration, "A duration: `\"90s\"`, `\"15m\"`, `\"2h\"`, `\"14d\"`, `\"1w\"`.", r#"duration("90m") < duration("2h")"# => "true", |_, a| Ok(a.first().cloned().unwrap_or(Value::Absent));
    Time.hour() -> Int, "The hour, 0 to 23, UTC.", "incident.created.hour()" => "9", |_, a| Ok(match a.first() {
        Some(Value::Time(t)) => Value::Int(i64::from(t.to_zoned_datetime(jiff::tz::TimeZone::UTC).hour())),
        _ => Value::Absent,
    });
    Time.weekday() -> Int, "The day of the week, 1 (Monday) to 7, UTC.", "incident.created.weekday()" => "1", |_, a| Ok(match a.first() {
        Some(Value::Time(t)) => Value::Int(i64::from(t.to_zoned_datetime(jiff::tz::TimeZone::UTC).weekday().to_monday_one_offset())),
        _ => Value::Absent,
    });
    Alerts.max_within(window: Duration) -> Int, "The most alerts that begin within one window of this length.", r#"alerts.max_within("30m")"# => "2", |cx, a| {
        let Some(Value::Duration(window)) = a.get(1) else { return Ok(Value::Int(0)) };
        let mut starts: Vec<crate::model::Time> = items(a, 0).iter().filter_map(|x| match x {
            Value::Alert(ix) => cx.facts.incident.alert(*ix).and_then(|al| al.first.or(al.created)),
            _ => None,
        }).collect();
        starts.sort_unstable();
        let mut most = 0usize;
        let mut from = 0usize;
        for (n, end) in starts.iter().enumerate() {
            while starts.get(from).is_some_and(|s| end.duration_since(*s) > *window) {
                from = from.saturating_add(1);
            }
            most = most.max(n.saturating_sub(from).saturating_add(1));
        }
        Ok(Value::Int(i64::try_from(most).unwrap_or(i64::MAX)))
    };
    Alerts.span() -> Duration ? true, "The time from the first activity of the alerts to the last.", "alerts.span() <= \"1h\"" => "true", |cx, a| {
        let all = || items(a, 0).iter().filter_map(|x| match x {
            Value::Alert(ix) => cx.facts.incident.alert(*ix),
            _ => None,
        });
        let first = all().filter_map(|al| al.first.or(al.last)).min();
        let last = all().filter_map(|al| al.last.or(al.first)).max();
        Ok(first.zip(last).map_or(Value::Absent, |(f, l)| Value::Duration(l.duration_since(f).max(SignedDuration::ZERO))))
    };
}
