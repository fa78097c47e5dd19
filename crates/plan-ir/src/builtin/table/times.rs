//! Functions of amounts, durations and times.

use crate::builtin::Receiver::{Amount, Duration, Int, Time};
use crate::builtin::Signature;

pub(crate) const PERCENT_UP: Signature = Signature::of(
    "percent_up",
    &[Amount],
    "Amount",
    "So many hundredths of it, rounded up to a whole rao or micro-dollar.",
    &[("(0.000025USD).percent_up(50)", "0.000013USD")],
)
.taking(&[("percent", "Int")]);

pub(crate) const PERCENT_DOWN: Signature = Signature::of(
    "percent_down",
    &[Amount],
    "Amount",
    "So many hundredths of it, rounded down to a whole rao or micro-dollar.",
    &[("(0.000025USD).percent_down(50)", "0.000012USD")],
)
.taking(&[("percent", "Int")]);

pub(crate) const TO_SECONDS: Signature =
    Signature::of("to_seconds", &[Duration], "Float", "In seconds.", &[("(1500ms).to_seconds()", "1.5")]);

pub(crate) const TO_UNIX: Signature = Signature::of(
    "to_unix",
    &[Time],
    "Int",
    "Whole seconds since 1970 UTC, rounded down.",
    &[("(\"1970-01-02T00:00:00.9Z\" as Time).to_unix()", "86400")],
);

pub(crate) const TO_TIME: Signature = Signature::of(
    "to_time",
    &[Int],
    "Time?",
    "The moment so many seconds after 1970 UTC; `null` outside the years 0 to 9999.",
    &[("86400.to_time()", "\"1970-01-02T00:00:00Z\" as Time")],
);

pub(crate) const DATE: Signature = Signature::of(
    "date",
    &[Time],
    "String(10..10)",
    "The day in UTC.",
    &[("(\"2026-11-22T23:30:00-02:00\" as Time).date()", "\"2026-11-23\"")],
);

pub(crate) const YEAR: Signature = Signature::of(
    "year",
    &[Time],
    "Int(0..9999)",
    "The year in UTC.",
    &[("(\"2026-11-22T09:44:00Z\" as Time).year()", "2026")],
);

pub(crate) const MONTH: Signature = Signature::of(
    "month",
    &[Time],
    "Int(1..12)",
    "The month in UTC.",
    &[("(\"2026-11-22T09:44:00Z\" as Time).month()", "11")],
);

pub(crate) const DAY: Signature = Signature::of(
    "day",
    &[Time],
    "Int(1..31)",
    "The day of the month in UTC.",
    &[("(\"2026-11-22T09:44:00Z\" as Time).day()", "22")],
);
