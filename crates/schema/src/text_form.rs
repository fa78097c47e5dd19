//! How scalars that JSON has no kind for are written as text: moments, spans, octets, addresses.
//!
//! Written here rather than left to a date library, because these texts are hashed: two versions of a
//! library that disagree on one odd input would disagree on a proof.

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use crate::limits::URL_LENGTH_MAX;

/// Microseconds of `0000-01-01T00:00:00Z`, the first moment RFC 3339 can write.
pub const TIME_US_MIN: i64 = -62_167_219_200_000_000;
/// Microseconds of `9999-12-31T23:59:59.999999Z`, the last one.
pub const TIME_US_MAX: i64 = 253_402_300_799_999_999;

const SECOND_US: i64 = 1_000_000;
const MINUTE_US: i64 = 60 * SECOND_US;
const HOUR_US: i64 = 60 * MINUTE_US;
const DAY_US: i64 = 24 * HOUR_US;

/// Standard alphabet; padding is written, and optional where read.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Octets from base64 text of the standard alphabet, or `None`.
#[must_use]
pub fn parse_bytes(text: &str) -> Option<Vec<u8>> {
    BASE64.decode(text).ok()
}

/// Octets as padded base64 text of the standard alphabet.
#[must_use]
pub fn show_bytes(bytes: &[u8]) -> String {
    BASE64.encode(bytes)
}

/// Why `text` is not an absolute URL of at most [`URL_LENGTH_MAX`] scalars, if it is not.
#[must_use]
pub fn url_misfit(text: &str) -> Option<String> {
    let longest = usize::try_from(URL_LENGTH_MAX).unwrap_or(usize::MAX);
    if text.len() > longest && text.chars().count() > longest {
        return Some(format!("it is longer than {URL_LENGTH_MAX} characters"));
    }
    // The WHATWG parser drops white space and control characters; a URL that means something else to
    // the next parser must not pass as checked.
    if text.chars().any(|c| c.is_whitespace() || c.is_control()) {
        return Some("it holds white space or a control character".into());
    }
    url::Url::parse(text).err().map(|error| error.to_string())
}

/// Microseconds since 1970 UTC of an RFC 3339 moment, or `None`. Digits finer than a microsecond are
/// dropped; a leap second is the last second of its minute.
#[must_use]
pub fn parse_time(text: &str) -> Option<i64> {
    let mut input = Digits(text.as_bytes());
    let year = input.number(4)?;
    input.byte(b"-")?;
    let month = input.number(2)?;
    input.byte(b"-")?;
    let day = input.number(2)?;
    input.byte(b"Tt ")?;
    let hour = input.number(2)?;
    input.byte(b":")?;
    let minute = input.number(2)?;
    input.byte(b":")?;
    let second = input.number(2)?;
    let fraction_us = if input.byte(b".").is_some() { input.fraction_us()? } else { 0 };
    let offset_us = match input.byte(b"Zz+-")? {
        b'Z' | b'z' => 0,
        sign => {
            let hours = input.number(2)?;
            input.byte(b":")?;
            let minutes = input.number(2)?;
            if hours > 23 || minutes > 59 {
                return None;
            }
            let offset = hours * HOUR_US + minutes * MINUTE_US;
            if sign == b'+' { offset } else { -offset }
        }
    };
    let valid = input.0.is_empty()
        && (1..=12).contains(&month)
        && (1..=days_in_month(year, month)).contains(&day)
        && hour <= 23
        && minute <= 59
        && second <= 60;
    let us = days_since_1970(year, month, day) * DAY_US
        + hour * HOUR_US
        + minute * MINUTE_US
        + second.min(59) * SECOND_US
        + fraction_us
        - offset_us;
    (valid && (TIME_US_MIN..=TIME_US_MAX).contains(&us)).then_some(us)
}

/// The moment as RFC 3339 text in UTC, such as `2026-11-22T09:44:00.5Z`; `None` outside
/// [`TIME_US_MIN`]`..=`[`TIME_US_MAX`].
#[must_use]
pub fn show_time(time_us: i64) -> Option<String> {
    if !(TIME_US_MIN..=TIME_US_MAX).contains(&time_us) {
        return None;
    }
    let (days, rest) = (time_us.div_euclid(DAY_US), time_us.rem_euclid(DAY_US));
    let (year, month, day) = date_of(days);
    let (hour, minute) = (rest / HOUR_US, rest % HOUR_US / MINUTE_US);
    let seconds = seconds_text(rest % MINUTE_US, 2);
    Some(format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{seconds}Z"))
}

/// Year, month and day in UTC of a moment within [`TIME_US_MIN`]`..=`[`TIME_US_MAX`].
#[must_use]
pub const fn calendar_date(time_us: i64) -> (i64, i64, i64) {
    date_of(time_us.div_euclid(DAY_US))
}

/// Microseconds of an ISO 8601 duration such as `PT4S`, `P1DT12H` or `-PT0.5S`, or `None`. A day is 24
/// hours; years and months have no fixed length and are refused, and so is what is finer than a microsecond.
#[must_use]
pub fn parse_duration(text: &str) -> Option<i64> {
    let (negative, text) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
    let mut input = Digits(text.strip_prefix('P')?.as_bytes());
    // Units must come in this order, each at most once; `T` starts the second half.
    const UNITS: [(u8, bool, i64); 5] = [
        (b'W', false, 7 * DAY_US),
        (b'D', false, DAY_US),
        (b'H', true, HOUR_US),
        (b'M', true, MINUTE_US),
        (b'S', true, SECOND_US),
    ];
    let mut units = UNITS.iter();
    let (mut total, mut in_time, mut pending) = (0_i64, false, true);
    while !input.0.is_empty() {
        if !in_time && input.byte(b"T").is_some() {
            (in_time, pending) = (true, true);
            continue;
        }
        let count = input.any_number()?;
        let fraction_us = if input.byte(b".").is_some() { Some(input.exact_fraction_us()?) } else { None };
        let (letter, rest) = input.0.split_first()?;
        input.0 = rest;
        let (_, _, unit) = units.find(|(name, time, _)| name == letter && *time == in_time)?;
        if fraction_us.is_some() && *letter != b'S' {
            return None;
        }
        total = total.checked_add(count.checked_mul(*unit)?)?.checked_add(fraction_us.unwrap_or(0))?;
        pending = false;
    }
    (!pending).then_some(if negative { -total } else { total })
}

/// The span as ISO 8601 text in hours, minutes and seconds, such as `PT36H` or `-PT0.5S`.
#[must_use]
pub fn show_duration(duration_us: i64) -> String {
    if duration_us == 0 {
        return "PT0S".into();
    }
    let magnitude = i128::from(duration_us).abs();
    let hours = magnitude / i128::from(HOUR_US);
    // Below an hour the remainder fits 64 bits.
    let rest = i64::try_from(magnitude % i128::from(HOUR_US)).unwrap_or(0);
    let (minutes, below) = (rest / MINUTE_US, rest % MINUTE_US);
    let mut text = String::from(if duration_us < 0 { "-PT" } else { "PT" });
    for (count, unit) in [(hours, 'H'), (i128::from(minutes), 'M')] {
        if count > 0 {
            text.push_str(&format!("{count}{unit}"));
        }
    }
    if below > 0 {
        text.push_str(&seconds_text(below, 1));
        text.push('S');
    }
    text
}

/// Seconds with as many decimals as needed.
fn seconds_text(below_minute_us: i64, width: usize) -> String {
    let (seconds, fraction) = (below_minute_us / SECOND_US, below_minute_us % SECOND_US);
    if fraction == 0 {
        return format!("{seconds:0width$}");
    }
    format!("{seconds:0width$}.{}", format!("{fraction:06}").trim_end_matches('0'))
}

/// Input that is consumed from the left.
struct Digits<'a>(&'a [u8]);

impl Digits<'_> {
    fn byte(&mut self, admitted: &[u8]) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        admitted.contains(first).then(|| self.0 = rest).map(|()| *first)
    }

    fn number(&mut self, digits: usize) -> Option<i64> {
        let (head, rest) = self.0.split_at_checked(digits)?;
        self.0 = rest;
        head.iter().try_fold(0_i64, |number, byte| {
            byte.is_ascii_digit().then(|| number * 10 + i64::from(byte - b'0'))
        })
    }

    fn any_number(&mut self) -> Option<i64> {
        let digits = self.0.iter().take_while(|byte| byte.is_ascii_digit()).count();
        // 18 digits fit 64 bits.
        (1..=18).contains(&digits).then(|| self.number(digits)).flatten()
    }

    /// The digits after a decimal point as microseconds; `None` where they say something finer.
    fn exact_fraction_us(&mut self) -> Option<i64> {
        let digits = self.0.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let finer = self.0.get(6..digits).unwrap_or_default();
        if finer.iter().all(|digit| *digit == b'0') { self.fraction_us() } else { None }
    }

    /// The digits after a decimal point as microseconds, finer ones dropped.
    fn fraction_us(&mut self) -> Option<i64> {
        let digits = self.0.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let kept = digits.min(6);
        let mut us = if digits == 0 { None } else { self.number(kept) }?;
        for _ in kept..6 {
            us *= 10;
        }
        self.0 = self.0.get(digits - kept..)?;
        Some(us)
    }
}

const fn is_leap(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

const fn days_in_month(year: i64, month: i64) -> i64 {
    match month {
        2 if is_leap(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days from 1970-01-01 to a date of the proleptic Gregorian calendar. Years are counted from March,
/// so that the leap day is the last of its year, and in eras of 400 years = 146,097 days.
const fn days_since_1970(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let (era, of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

/// Inverse of [`days_since_1970`].
const fn date_of(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let (era, of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    let year = year_of_era + era * 400;
    (if month <= 2 { year + 1 } else { year }, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn moments_parse_strictly() {
        for (text, us) in [
            ("1970-01-01T00:00:00Z", 0),
            ("2026-11-22T09:44:00.5Z", 1_795_340_640_500_000),
            ("2026-11-22t11:44:00.5+02:00", 1_795_340_640_500_000),
            ("2026-11-22 09:44:00.500000999z", 1_795_340_640_500_000),
            ("1969-12-31T23:59:59.999999Z", -1),
            ("2000-02-29T00:00:00Z", 951_782_400_000_000),
            ("2016-12-31T23:59:60Z", 1_483_228_799_000_000),
            ("0000-01-01T00:00:00Z", TIME_US_MIN),
            ("9999-12-31T23:59:59.999999Z", TIME_US_MAX),
        ] {
            assert_eq!(parse_time(text), Some(us), "{text}");
        }
        for bad in [
            "",
            "2026-11-22",
            "2026-11-22T09:44:00",
            "2026-11-22T09:44Z",
            "2026-11-22T09:44:00.Z",
            "2026-13-01T00:00:00Z",
            "2026-02-29T00:00:00Z",
            "2026-11-22T24:00:00Z",
            "2026-11-22T09:44:00+0200",
            "2026-11-22T09:44:00Z[UTC]",
            "9999-12-31T23:59:59-01:00",
            "0000-01-01T00:00:00+01:00",
            "２026-11-22T09:44:00Z",
        ] {
            assert_eq!(parse_time(bad), None, "{bad}");
        }
        assert_eq!(show_time(TIME_US_MAX + 1), None);
        assert_eq!(show_time(TIME_US_MIN - 1), None);
    }

    #[test]
    fn durations_parse_and_print() {
        for (text, us, shown) in [
            ("PT0S", 0, "PT0S"),
            ("PT4S", 4_000_000, "PT4S"),
            ("P1DT12H", 36 * HOUR_US, "PT36H"),
            ("P1W", 7 * DAY_US, "PT168H"),
            ("PT1M0.25S", 60_250_000, "PT1M0.25S"),
            ("-PT0.5S", -500_000, "-PT0.5S"),
            ("P2D", 2 * DAY_US, "PT48H"),
            ("PT0.0000010S", 1, "PT0.000001S"),
        ] {
            assert_eq!(parse_duration(text), Some(us), "{text}");
            assert_eq!(show_duration(us), shown);
        }
        for bad in [
            "",
            "P",
            "PT",
            "4S",
            "P1Y",
            "P1M",
            "PT1.5H",
            "PT1S1M",
            "PT1M1M",
            "P1DT",
            "P-1D",
            "PT1H2",
            "P1H",
            "PT0.0000001S",
            "PT1.5000005S",
        ] {
            assert_eq!(parse_duration(bad), None, "{bad}");
        }
        assert_eq!(parse_duration("P999999999999999999D"), None);
    }

    #[test]
    fn octets_and_addresses() {
        assert_eq!(parse_bytes("aGk="), Some(b"hi".to_vec()));
        assert_eq!(parse_bytes("aGk"), Some(b"hi".to_vec()));
        assert_eq!(parse_bytes("aGl="), None, "bits that decode to nothing");
        assert_eq!(parse_bytes("a Gk="), None);
        assert_eq!(show_bytes(b"hi"), "aGk=");
        assert_eq!(url_misfit("https://a.example/x?y=1"), None);
        for bad in ["", "a.example", "/x", "https://a b", "https://a.example/\n"] {
            assert!(url_misfit(bad).is_some(), "{bad}");
        }
        let stem = "https://a.example/";
        let fill = 2_048 - stem.len();
        assert_eq!(url_misfit(&format!("{stem}{}", "é".repeat(fill))), None);
        assert!(url_misfit(&format!("{stem}{}", "é".repeat(fill + 1))).is_some());
    }

    proptest! {
        #[test]
        fn time_text_round_trips_and_agrees_with_jiff(us in TIME_US_MIN..253_402_207_200_000_000_i64) {
            let text = show_time(us).unwrap();
            prop_assert_eq!(parse_time(&text), Some(us));
            let other: jiff::Timestamp = text.parse().unwrap();
            prop_assert_eq!(other.as_microsecond(), us);
        }

        #[test]
        fn duration_text_round_trips(us in -1_000_000_000_000_000_000_i64..1_000_000_000_000_000_000) {
            prop_assert_eq!(parse_duration(&show_duration(us)), Some(us));
        }

        #[test]
        fn any_text_is_refused_or_read(text in "[-PTWDHMS0-9.:Z+ ]{0,30}") {
            let _ = parse_time(&text);
            let _ = parse_duration(&text);
        }
    }
}
