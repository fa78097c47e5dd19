//! Interval arithmetic: the range of a result from the ranges of its operands. Run-time overflow traps,
//! so a result always lies in the type's own range and intervals may saturate there.

mod library;

use schema::types::{FloatRange, IntRange, LengthRange};

use crate::expr::BinaryOp;

pub use library::{
    absolute, absolute_float, chunked, fixed_length, greater, greater_float, lesser, lesser_float, of_digits,
    replaced, row, shorter, summed, summed_float, whole,
};

/// The range of `a op b`.
#[must_use]
pub fn int(op: BinaryOp, a: IntRange, b: IntRange) -> IntRange {
    let (a_min, a_max) = (i128::from(a.min), i128::from(a.max));
    let (b_min, b_max) = (i128::from(b.min), i128::from(b.max));
    if let Some((min, max)) = unbounded(op, a, b) {
        return saturated(min, max);
    }
    match op {
        BinaryOp::Divide => divide(a, b),
        BinaryOp::Remainder => {
            // |r| < |b| and r has the sign of a.
            let most = b_min.abs().max(b_max.abs()).saturating_sub(1).max(0);
            let least = if a_min < 0 { (-most).max(a_min) } else { 0 };
            let largest = if a_max > 0 { most.min(a_max) } else { 0 };
            saturated(least, largest)
        }
        _ => IntRange::FULL,
    }
}

/// Whether `a op b` is beyond an `Int` whatever the operands are, so that it always fails.
#[must_use]
pub fn overflows(op: BinaryOp, a: IntRange, b: IntRange) -> bool {
    let beyond = |(min, max)| max < i128::from(i64::MIN) || min > i128::from(i64::MAX);
    unbounded(op, a, b).is_some_and(beyond)
}

/// The least and largest of `a op b` as if numbers had no end; of what can leave the type.
fn unbounded(op: BinaryOp, a: IntRange, b: IntRange) -> Option<(i128, i128)> {
    let (a_min, a_max) = (i128::from(a.min), i128::from(a.max));
    let (b_min, b_max) = (i128::from(b.min), i128::from(b.max));
    match op {
        BinaryOp::Add => Some((a_min + b_min, a_max + b_max)),
        BinaryOp::Subtract => Some((a_min - b_max, a_max - b_min)),
        BinaryOp::Multiply => {
            let ends = [a_min * b_min, a_min * b_max, a_max * b_min, a_max * b_max];
            ends.iter().copied().min().zip(ends.iter().copied().max())
        }
        _ => None,
    }
}

fn divide(a: IntRange, b: IntRange) -> IntRange {
    let (a_min, a_max) = (i128::from(a.min), i128::from(a.max));
    // A zero divisor traps, so the quotient is that of the divisors on either side of it.
    let below = (i128::from(b.min), i128::from(b.max).min(-1));
    let above = (i128::from(b.min).max(1), i128::from(b.max));
    let mut quotients = Vec::new();
    for (least, most) in [below, above] {
        if least <= most {
            for divisor in [least, most] {
                quotients.extend([a_min / divisor, a_max / divisor]);
            }
        }
    }
    match (quotients.iter().min(), quotients.iter().max()) {
        (Some(&least), Some(&most)) => saturated(least, most),
        _ => IntRange::FULL,
    }
}

fn saturated(min: i128, max: i128) -> IntRange {
    let clamp = |value: i128| {
        let clamped = value.clamp(i128::from(i64::MIN), i128::from(i64::MAX));
        i64::try_from(clamped).unwrap_or(i64::MAX)
    };
    IntRange { min: clamp(min), max: clamp(max) }
}

/// The range of `-a`.
#[must_use]
pub fn negated(a: IntRange) -> IntRange {
    saturated(-i128::from(a.max), -i128::from(a.min))
}

/// The range of `a op b`. Bounds are computed in round-to-nearest like the values themselves, and
/// rounding is monotonic, so every value lies between them.
#[must_use]
pub fn float(op: BinaryOp, a: FloatRange, b: FloatRange) -> FloatRange {
    let ends = match op {
        BinaryOp::Add => [a.min + b.min, a.max + b.max, a.min + b.min, a.max + b.max],
        BinaryOp::Subtract => [a.min - b.max, a.max - b.min, a.min - b.max, a.max - b.min],
        BinaryOp::Multiply => [a.min * b.min, a.min * b.max, a.max * b.min, a.max * b.max],
        BinaryOp::Divide if b.min > 0.0 || b.max < 0.0 => {
            [a.min / b.min, a.min / b.max, a.max / b.min, a.max / b.max]
        }
        _ => return FloatRange::FULL,
    };
    if ends.iter().any(|end| end.is_nan()) {
        return FloatRange::FULL;
    }
    let min = ends.iter().copied().fold(f64::INFINITY, f64::min);
    let max = ends.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    FloatRange { min, max }
}

/// The range of `-a`.
#[must_use]
pub fn negated_float(a: FloatRange) -> FloatRange {
    FloatRange { min: -a.max, max: -a.min }
}

/// The smallest range that holds both.
#[must_use]
pub fn hull_int(a: IntRange, b: IntRange) -> IntRange {
    IntRange { min: a.min.min(b.min), max: a.max.max(b.max) }
}

/// The smallest range that holds both.
#[must_use]
pub fn hull_float(a: FloatRange, b: FloatRange) -> FloatRange {
    FloatRange { min: a.min.min(b.min), max: a.max.max(b.max) }
}

/// The smallest range that holds both.
#[must_use]
pub fn hull_length(a: LengthRange, b: LengthRange) -> LengthRange {
    LengthRange { min: a.min.min(b.min), max: a.max.zip(b.max).map(|(a, b)| a.max(b)) }
}

/// The length of one after the other.
#[must_use]
pub fn sum(a: LengthRange, b: LengthRange) -> LengthRange {
    LengthRange {
        min: a.min.saturating_add(b.min),
        max: a.max.zip(b.max).and_then(|(a, b)| a.checked_add(b)),
    }
}

/// The length of `count` parts of length `each`.
#[must_use]
pub fn product(count: LengthRange, each: LengthRange) -> LengthRange {
    LengthRange {
        min: count.min.saturating_mul(each.min),
        max: match (count.max, each.max) {
            (Some(0), _) | (_, Some(0)) => Some(0),
            (Some(count), Some(each)) => count.checked_mul(each),
            _ => None,
        },
    }
}

/// The length of the first `n`.
#[must_use]
pub fn taken(of: LengthRange, n: IntRange) -> LengthRange {
    let (least, most) = (unsigned(n.min), unsigned(n.max));
    LengthRange { min: of.min.min(least), max: Some(of.max.map_or(most, |max| max.min(most))) }
}

/// The length of all but the first `n`.
#[must_use]
pub fn skipped(of: LengthRange, n: IntRange) -> LengthRange {
    let (least, most) = (unsigned(n.min), unsigned(n.max));
    LengthRange { min: of.min.saturating_sub(most), max: of.max.map(|max| max.saturating_sub(least)) }
}

/// A count as `Int` values see it.
#[must_use]
pub fn as_int(range: LengthRange, largest: u64) -> IntRange {
    let signed = |value: u64| i64::try_from(value).unwrap_or(i64::MAX);
    IntRange { min: signed(range.min), max: signed(range.max.unwrap_or(largest)) }
}

fn unsigned(value: i64) -> u64 {
    u64::try_from(value).unwrap_or(0)
}
