//! Functions of numbers, and those that numbers share with amounts, durations and times.

use crate::builtin::Receiver::{Amount, Duration, Float, Int, Time};
use crate::builtin::{Receiver, Signature};

const SCALARS: &[Receiver] = &[Int, Float, Amount, Duration, Time];

pub(crate) const TO: Signature = Signature::of(
    "to",
    &[Int],
    "[Int]",
    "The numbers from this to `last`, both included; none where `last` is smaller. More than a list may have traps.",
    &[("1.to(3)", "[1, 2, 3]"), ("1.to(0).len()", "0")],
)
.taking(&[("last", "Int")]);

pub(crate) const ABS: Signature = Signature::of(
    "abs",
    &[Int, Float, Duration],
    "Self",
    "The distance from 0.",
    &[("(-3).abs()", "3"), ("(2s - 3s).abs()", "1s")],
);

pub(crate) const LESSER: Signature = Signature::of(
    "min",
    SCALARS,
    "Self",
    "The smaller of two; the first where they are equal.",
    &[("3.min(2)", "2"), ("(0.5USD).min(0.2USD)", "0.2USD")],
)
.taking(&[("other", "Self")]);

pub(crate) const GREATER: Signature = Signature::of(
    "max",
    SCALARS,
    "Self",
    "The larger of two; the first where they are equal.",
    &[("3.max(2)", "3"), ("(1s).max(5s)", "5s")],
)
.taking(&[("other", "Self")]);

pub(crate) const CLAMP: Signature = Signature::of(
    "clamp",
    SCALARS,
    "Self",
    "The nearest value from `low` to `high`, as `x.max(low).min(high)`.",
    &[("7.clamp(0, 5)", "5"), ("(-0.5).clamp(0, 1)", "0.0")],
)
.taking(&[("low", "Self"), ("high", "Self")]);

pub(crate) const FLOOR: Signature = Signature::of(
    "floor",
    &[Float],
    "Int",
    "The largest whole number that is not above it; traps outside of 64 bits.",
    &[("(-1.5).floor()", "-2")],
);

pub(crate) const CEIL: Signature = Signature::of(
    "ceil",
    &[Float],
    "Int",
    "The smallest whole number that is not below it; traps outside of 64 bits.",
    &[("(-1.5).ceil()", "-1")],
);

pub(crate) const ROUND: Signature = Signature::of(
    "round",
    &[Float],
    "Int",
    "The nearest whole number, halves away from 0; traps outside of 64 bits.",
    &[("2.5.round()", "3"), ("(-2.5).round()", "-3"), ("2.4.round()", "2")],
);

pub(crate) const SQRT: Signature = Signature::of(
    "sqrt",
    &[Float],
    "Float(0..)",
    "The square root; traps where the number is negative.",
    &[("6.25.sqrt()", "2.5")],
);

pub(crate) const TO_FIXED: Signature = Signature::of(
    "to_fixed",
    &[Float],
    "String",
    "As text with `digits` decimals, exact halves to even; `digits` counts as 0 to 20.",
    &[("0.8333.to_fixed(2)", "\"0.83\""), ("2.5.to_fixed(0)", "\"2\""), ("(-0.001).to_fixed(1)", "\"0.0\"")],
)
.taking(&[("digits", "Int")]);
