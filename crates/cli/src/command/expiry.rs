//! `--expires`: until when a key or a token holds.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use crate::exit::Failure;

/// The time that was given, which must be to come.
pub(super) fn at(text: &str) -> Result<Timestamp, Failure> {
    let help = "such as `--expires 2026-12-31`, `2026-12-31T18:00:00Z`, `90d` or `12h`";
    let wrong = |why: &str| Failure::new("E1507", format!("--expires {why}"), help);
    let now = Timestamp::now();
    let at = parse(text, now).ok_or_else(|| wrong("is no time"))?;
    if at <= now {
        return Err(wrong("has passed already"));
    }
    Ok(at)
}

/// A day (its first moment, in UTC), a time, or days or hours after `now`; in whole seconds.
fn parse(text: &str, now: Timestamp) -> Option<Timestamp> {
    if let Ok(at) = text.parse::<Timestamp>() {
        return Timestamp::from_second(at.as_second()).ok();
    }
    if let Ok(day) = text.parse::<Date>() {
        return Some(day.to_zoned(TimeZone::UTC).ok()?.timestamp());
    }
    let (count, hours) = match (text.strip_suffix('d'), text.strip_suffix('h')) {
        (Some(count), _) => (count, 24),
        (None, Some(count)) => (count, 1),
        (None, None) => return None,
    };
    let hours = i64::from(count.parse::<u32>().ok()?).checked_mul(hours)?;
    let at = now.checked_add(SignedDuration::from_hours(hours)).ok()?;
    Timestamp::from_second(at.as_second()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_are_days_times_or_so_long_from_now() {
        let now: Timestamp = "2026-11-28T10:00:00.5Z".parse().unwrap();
        for (text, at) in [
            ("2026-12-31", "2026-12-31T00:00:00Z"),
            ("2026-12-31T18:00:00.7Z", "2026-12-31T18:00:00Z"),
            ("2026-12-31T18:00:00+02:00", "2026-12-31T16:00:00Z"),
            ("90d", "2027-02-26T10:00:00Z"),
            ("12h", "2026-11-28T22:00:00Z"),
        ] {
            assert_eq!(parse(text, now), Some(at.parse().unwrap()), "{text}");
        }
        for text in ["", "d", "soon", "-1d", "1w", "2026-13-01", "99999999999d", "4000000000d"] {
            assert_eq!(parse(text, now), None, "{text}");
        }
    }
}
