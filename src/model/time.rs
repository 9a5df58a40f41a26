//! Moments and durations, in the ways that sources and authors write them.

use super::incident::Time;
use jiff::{SignedDuration, civil};

/// Reads a moment: RFC 3339, a blank instead of `T`, no zone (UTC), up to nine digits of a second, a date alone,
/// `7/18/2024 2:48:24 PM`. Blank text and the sources' zero dates (year 1 and 1601) are no moment.
pub fn time(text: &str) -> Option<Time> {
    let text = text.trim();
    if text.is_empty() || text.starts_with("0001-01-01") || text.starts_with("1601-01-01") {
        return None;
    }
    if let Ok(t) = text.parse::<Time>() {
        return Some(t);
    }
    if let Ok(c) = text.parse::<civil::DateTime>() {
        return jiff::tz::TimeZone::UTC.to_timestamp(c).ok();
    }
    ["%m/%d/%Y %I:%M:%S %p", "%m/%d/%Y %H:%M:%S"]
        .iter()
        .find_map(|format| civil::DateTime::strptime(format, text).ok())
        .and_then(|c| jiff::tz::TimeZone::UTC.to_timestamp(c).ok())
}

/// Reads a number of seconds, milliseconds, microseconds or nanoseconds since 1970, told apart by size.
pub fn epoch(number: f64) -> Option<Time> {
    let seconds = match number.abs() {
        n if n < 1e11 => number,
        n if n < 1e14 => number / 1e3,
        n if n < 1e17 => number / 1e6,
        _ => number / 1e9,
    };
    #[expect(clippy::cast_possible_truncation, reason = "bounded above: the value is under 1e17 microseconds")]
    let micros = (seconds * 1e6) as i64;
    (number != 0.0 && number.is_finite()).then(|| Time::from_microsecond(micros).ok()).flatten()
}

/// Reads a duration: `"90s"`, `"90m"`, `"2h"`, `"14d"`, `"1w"`, or several in a row (`"1h30m"`).
pub fn duration(text: &str) -> Option<SignedDuration> {
    let mut total = SignedDuration::ZERO;
    let mut rest = text.trim();
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit())?;
        let (number, tail) = rest.split_at_checked(digits)?;
        let number: i64 = number.parse().ok()?;
        let unit = tail.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(tail.len());
        let (unit, tail) = tail.split_at_checked(unit)?;
        let seconds = match unit {
            "s" => 1,
            "m" => 60,
            "h" => 3_600,
            "d" => 86_400,
            "w" => 604_800,
            _ => return None,
        };
        total = total.checked_add(SignedDuration::from_secs(number.checked_mul(seconds)?))?;
        rest = tail.trim_start();
    }
    Some(total)
}

/// Writes a duration as an author would: `90s`, `6m25s`, `2h`, `14d`.
pub fn duration_text(d: SignedDuration) -> String {
    let mut seconds = d.as_secs().unsigned_abs();
    let mut out = String::from(if d.is_negative() { "-" } else { "" });
    let start = out.len();
    for (unit, size) in [("d", 86_400u64), ("h", 3_600), ("m", 60), ("s", 1)] {
        let n = seconds.checked_div(size).unwrap_or(0);
        seconds = seconds.checked_rem(size).unwrap_or(0);
        if n > 0 {
            out.push_str(&format!("{n}{unit}"));
        }
    }
    if out.len() == start {
        out.push_str("0s");
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_read_as_sources_write_them() {
        for text in ["2024-07-17 10:56:50.171425+00:00", "2024-07-17T10:56:50.171425Z", "2024-07-17T10:56:50.1714250"] {
            assert_eq!(time(text).map(|t| t.to_string()).as_deref(), Some("2024-07-17T10:56:50.171425Z"), "{text}");
        }
        assert_eq!(time("7/18/2024 2:48:24 PM").map(|t| t.to_string()).as_deref(), Some("2024-07-18T14:48:24Z"));
        assert_eq!(time("2026-12-31").map(|t| t.to_string()).as_deref(), Some("2026-12-31T00:00:00Z"));
        assert_eq!(epoch(1_659_636_565_316.0).map(|t| t.to_string()).as_deref(), Some("2022-08-04T18:09:25.316Z"));
        assert_eq!(time(""), None);
        assert_eq!(time("soon"), None);
    }

    #[test]
    fn durations_are_read_and_written() {
        assert_eq!(duration("1h30m").map(duration_text).as_deref(), Some("1h30m"));
        assert_eq!(duration("385s").map(duration_text).as_deref(), Some("6m25s"));
        assert_eq!(duration("2 h"), None);
        assert_eq!(duration("9999999999999999w"), None);
    }
}
