//! Interval arithmetic: the range of a result from the ranges of its operands. Run-time overflow traps,
//! so a result always lies in the type's own range and intervals may saturate there.

mod library;

use plan_ir::expr::BinaryOp;
use schema::types::{FloatRange, IntRange, LengthRange};

pub(crate) use library::{
    absolute, absolute_float, chunked, fixed_length, greater, greater_float, lesser, lesser_float, of_digits,
    replaced, row, shorter, summed, summed_float, whole,
};

/// The range of `a op b`.
pub(crate) fn int(op: BinaryOp, a: IntRange, b: IntRange) -> IntRange {
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
pub(crate) fn overflows(op: BinaryOp, a: IntRange, b: IntRange) -> bool {
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
pub(crate) fn negated(a: IntRange) -> IntRange {
    saturated(-i128::from(a.max), -i128::from(a.min))
}

/// The range of `a op b`. Bounds are computed in round-to-nearest like the values themselves, and
/// rounding is monotonic, so every value lies between them.
pub(crate) fn float(op: BinaryOp, a: FloatRange, b: FloatRange) -> FloatRange {
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
pub(crate) fn negated_float(a: FloatRange) -> FloatRange {
    FloatRange { min: -a.max, max: -a.min }
}

/// The smallest range that holds both.
pub(crate) fn hull_int(a: IntRange, b: IntRange) -> IntRange {
    IntRange { min: a.min.min(b.min), max: a.max.max(b.max) }
}

/// The smallest range that holds both.
pub(crate) fn hull_float(a: FloatRange, b: FloatRange) -> FloatRange {
    FloatRange { min: a.min.min(b.min), max: a.max.max(b.max) }
}

/// The smallest range that holds both.
pub(crate) fn hull_length(a: LengthRange, b: LengthRange) -> LengthRange {
    LengthRange { min: a.min.min(b.min), max: a.max.zip(b.max).map(|(a, b)| a.max(b)) }
}

/// The length of one after the other.
pub(crate) fn sum(a: LengthRange, b: LengthRange) -> LengthRange {
    LengthRange {
        min: a.min.saturating_add(b.min),
        max: a.max.zip(b.max).and_then(|(a, b)| a.checked_add(b)),
    }
}

/// The length of `count` parts of length `each`.
pub(crate) fn product(count: LengthRange, each: LengthRange) -> LengthRange {
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
pub(crate) fn taken(of: LengthRange, n: IntRange) -> LengthRange {
    let (least, most) = (unsigned(n.min), unsigned(n.max));
    LengthRange { min: of.min.min(least), max: Some(of.max.map_or(most, |max| max.min(most))) }
}

/// The length of all but the first `n`.
pub(crate) fn skipped(of: LengthRange, n: IntRange) -> LengthRange {
    let (least, most) = (unsigned(n.min), unsigned(n.max));
    LengthRange { min: of.min.saturating_sub(most), max: of.max.map(|max| max.saturating_sub(least)) }
}

/// A count as `Int` values see it.
pub(crate) fn as_int(range: LengthRange, largest: u64) -> IntRange {
    let signed = |value: u64| i64::try_from(value).unwrap_or(i64::MAX);
    IntRange { min: signed(range.min), max: signed(range.max.unwrap_or(largest)) }
}

fn unsigned(value: i64) -> u64 {
    u64::try_from(value).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn range(min: i64, max: i64) -> IntRange {
        IntRange { min, max }
    }

    #[test]
    fn every_result_lies_in_the_computed_range() {
        let ranges =
            [(-3, 2), (0, 0), (1, 4), (-5, -2), (0, 3), (i64::MIN, i64::MIN + 1), (i64::MAX, i64::MAX)];
        let ops =
            [BinaryOp::Add, BinaryOp::Subtract, BinaryOp::Multiply, BinaryOp::Divide, BinaryOp::Remainder];
        for (a_min, a_max) in ranges {
            for (b_min, b_max) in ranges {
                for op in ops {
                    let computed = int(op, range(a_min, a_max), range(b_min, b_max));
                    for a in a_min..=a_max {
                        for b in b_min..=b_max {
                            let result = match op {
                                BinaryOp::Add => a.checked_add(b),
                                BinaryOp::Subtract => a.checked_sub(b),
                                BinaryOp::Multiply => a.checked_mul(b),
                                BinaryOp::Divide => a.checked_div(b),
                                _ => a.checked_rem(b),
                            };
                            if let Some(result) = result {
                                assert!(computed.contains(result), "{a} {op:?} {b} in {computed:?}");
                            }
                        }
                    }
                }
            }
        }
        assert_eq!(int(BinaryOp::Multiply, range(0, 4), range(2, 5)), range(0, 20));
        assert!(overflows(BinaryOp::Add, range(i64::MAX, i64::MAX), range(1, 9)));
        assert!(!overflows(BinaryOp::Add, range(i64::MAX, i64::MAX), range(0, 9)));
        assert!(overflows(BinaryOp::Multiply, range(i64::MIN, -9), range(i64::MIN, i64::MIN)));
        assert_eq!(int(BinaryOp::Add, IntRange::FULL, range(1, 1)).max, i64::MAX);
        assert_eq!(negated(range(i64::MIN, 3)), range(-3, i64::MAX));
    }

    #[test]
    fn lengths_add_multiply_and_cut() {
        let length = |min, max| LengthRange { min, max };
        assert_eq!(sum(length(1, Some(2)), length(3, None)), length(4, None));
        assert_eq!(product(length(1, Some(5)), length(0, Some(8))), length(0, Some(40)));
        assert_eq!(product(length(0, Some(0)), length(0, None)), length(0, Some(0)));
        assert_eq!(taken(length(2, None), range(4, 4)), length(2, Some(4)));
        assert_eq!(taken(length(2, Some(3)), range(-1, 9)), length(0, Some(3)));
        assert_eq!(skipped(length(2, Some(9)), range(1, 4)), length(0, Some(8)));
    }

    #[test]
    fn float_ranges_never_hold_nan() {
        let unit = FloatRange { min: 0.0, max: 1.0 };
        assert_eq!(float(BinaryOp::Multiply, unit, unit), unit);
        assert_eq!(float(BinaryOp::Divide, unit, unit), FloatRange::FULL);
        assert_eq!(float(BinaryOp::Multiply, unit, FloatRange::FULL), FloatRange::FULL);
        assert_eq!(float(BinaryOp::Subtract, unit, unit), FloatRange { min: -1.0, max: 1.0 });
    }
}
