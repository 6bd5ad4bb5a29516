//! Times and spans of time in arguments.

use std::time::Duration;

use chrono::{DateTime, NaiveDate, NaiveTime, Utc};

/// A span such as `24h`.
pub(crate) fn span(text: &str) -> Result<Duration, String> {
    let invalid = || format!("{text:?} is no span of time; write one such as 30m, 24h or 7d");
    let unit = text.chars().last().ok_or_else(invalid)?;
    let seconds: u64 = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3600,
        'd' => 86_400,
        _ => return Err(invalid()),
    };
    let number: u64 = text.strip_suffix(unit).unwrap_or_default().parse().map_err(|_| invalid())?;
    number.checked_mul(seconds).map(Duration::from_secs).ok_or_else(invalid)
}

/// A time in RFC 3339, a date, which begins in UTC, or a span before now.
pub(crate) fn time(text: &str) -> Result<DateTime<Utc>, String> {
    if let Ok(time) = DateTime::parse_from_rfc3339(text) {
        return Ok(time.to_utc());
    }
    if let Ok(date) = text.parse::<NaiveDate>() {
        return Ok(date.and_time(NaiveTime::MIN).and_utc());
    }
    let ago = span(text).ok().and_then(|span| Utc::now().checked_sub_signed(chrono::TimeDelta::from_std(span).ok()?));
    ago.ok_or_else(|| format!("{text:?} is no time; write one such as 2026-11-24T09:15:00Z, 2026-11-24 or 7d"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_has_a_number_and_a_unit() {
        for (text, seconds) in [("30s", 30), ("5m", 300), ("24h", 86_400), ("7d", 604_800), ("0h", 0)] {
            assert_eq!(span(text), Ok(Duration::from_secs(seconds)), "{text}");
        }
        for text in ["", "h", "24", "-1h", "1.5h", "24 h", "5hh", "99999999999999999999d", "9999999999999999d", "ü"] {
            assert!(span(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_time_is_a_time_a_date_or_a_span_ago() {
        let at = |text: &str| time(text).map(|time| time.to_rfc3339());
        assert_eq!(at("2026-11-24T09:15:00+01:00").as_deref(), Ok("2026-11-24T08:15:00+00:00"));
        assert_eq!(at("2026-11-24").as_deref(), Ok("2026-11-24T00:00:00+00:00"));
        let ago = time("24h").unwrap_or_default();
        let day = Utc::now() - ago;
        assert_eq!(day.num_hours(), 24);
        assert!(["", "yesterday", "24", "2026-13-01", "999999999d"].into_iter().all(|text| time(text).is_err()));
    }
}
