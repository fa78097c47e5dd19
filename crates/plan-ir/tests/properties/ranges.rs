//! What lies in the ranges that are computed for results: each is tried on values of its operands.

use plan_ir::expr::BinaryOp;
use plan_ir::range::{
    absolute, absolute_float, chunked, fixed_length, float, greater, int, lesser, negated, of_digits,
    overflows, product, replaced, row, shorter, skipped, sum, summed, summed_float, taken, whole,
};
use schema::types::{FloatRange, IntRange, LengthRange};

fn range(min: i64, max: i64) -> IntRange {
    IntRange { min, max }
}

#[test]
fn every_result_lies_in_the_computed_range() {
    let ranges = [(-3, 2), (0, 0), (1, 4), (-5, -2), (0, 3), (i64::MIN, i64::MIN + 1), (i64::MAX, i64::MAX)];
    let ops = [BinaryOp::Add, BinaryOp::Subtract, BinaryOp::Multiply, BinaryOp::Divide, BinaryOp::Remainder];
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

fn length(min: u64, max: u64) -> LengthRange {
    LengthRange { min, max: Some(max) }
}

#[test]
fn sums_of_lists_lie_in_the_computed_range() {
    assert_eq!(summed(length(2, 5), range(-3, 4)), range(-15, 20));
    assert_eq!(summed(length(2, 5), range(3, 4)), range(6, 20));
    assert_eq!(summed(length(2, 5), range(-4, -3)), range(-20, -6));
    assert_eq!(summed(LengthRange::FULL, IntRange::FULL), IntRange::FULL);
    assert_eq!(summed(LengthRange::FULL, range(0, 1)), range(0, 100_000));
    for value in [0.1, 0.5, 0.7, 1.0, 1.0 / 3.0, 1e300, -0.1, 5e-324] {
        for times in [0_u64, 1, 2, 10, 256, 257, 1_000, 100_000] {
            let sum = (0..times).fold(0.0, |sum, _| sum + value);
            let each = FloatRange { min: value, max: value };
            let computed = summed_float(length(times, times), each);
            assert!(computed.contains(sum), "{times} times {value} is {sum}, not in {computed:?}");
            let up_to = summed_float(length(0, times), each);
            assert!(up_to.contains(sum) && up_to.contains(0.0), "{times} times {value}: {up_to:?}");
        }
    }
    let halves = FloatRange { min: -0.5, max: 0.5 };
    assert_eq!(summed_float(length(0, 100_000), halves), FloatRange { min: -50_000.0, max: 50_000.0 });
    assert_eq!(summed_float(LengthRange::FULL, FloatRange::FULL), FloatRange::FULL);
}

const SMALL: [IntRange; 6] = [
    IntRange { min: -3, max: 2 },
    IntRange { min: 0, max: 0 },
    IntRange { min: 1, max: 4 },
    IntRange { min: -5, max: -2 },
    IntRange { min: i64::MIN, max: i64::MIN + 1 },
    IntRange { min: i64::MAX - 1, max: i64::MAX },
];

#[test]
fn distances_and_extremes_lie_in_the_computed_range() {
    for a in SMALL {
        for x in a.min..=a.max {
            assert!(x.checked_abs().is_none_or(|distance| absolute(a).contains(distance)), "{x}");
        }
        for b in SMALL {
            for (x, y) in (a.min..=a.max).flat_map(|x| (b.min..=b.max).map(move |y| (x, y))) {
                assert!(lesser(a, b).contains(x.min(y)) && greater(a, b).contains(x.max(y)));
            }
        }
    }
    assert_eq!(absolute(range(-5, 3)), range(0, 5));
    assert_eq!(absolute(range(-5, -3)), range(3, 5));
    assert_eq!(absolute(IntRange::FULL), range(0, i64::MAX));
    let float = |min, max| FloatRange { min, max };
    assert_eq!(absolute_float(float(-0.5, 0.25)), float(0.0, 0.5));
    assert_eq!(absolute_float(FloatRange::FULL), float(0.0, f64::INFINITY));
    assert_eq!(whole(float(-1.5, 2.5), f64::round), range(-2, 3));
    assert_eq!(whole(FloatRange::FULL, f64::floor), IntRange::FULL);
}

#[test]
fn rows_and_chunks_are_as_long_as_computed() {
    for first in [range(-3, 2), range(0, 0), range(1, 4)] {
        for last in [range(-5, -2), range(0, 0), range(2, 9)] {
            let (element, count) = row(first, last);
            for (a, b) in (first.min..=first.max).flat_map(|a| (last.min..=last.max).map(move |b| (a, b))) {
                let numbers: Vec<i64> = (a..=b).collect();
                assert!(count.contains(numbers.len() as u64), "{a} to {b}: {count:?}");
                assert!(numbers.iter().all(|n| element.contains(*n)), "{a} to {b}: {element:?}");
            }
        }
    }
    assert_eq!(row(range(1, 1), range(0, 100_000)).1, length(0, 100_000));
    assert_eq!(row(range(0, 0), range(0, 100_000)).1.max, None);
    for of in [length(0, 0), length(2, 7), length(7, 7)] {
        for n in [range(-2, 0), range(2, 3), range(1, 100)] {
            let (count, each) = chunked(of, n);
            for (long, by) in (of.min..=of.max.unwrap()).flat_map(|l| (n.min..=n.max).map(move |n| (l, n))) {
                let list = vec![0; long as usize];
                let chunks: Vec<&[i32]> = list.chunks(by.max(1) as usize).collect();
                assert!(count.contains(chunks.len() as u64), "{long} by {by}: {count:?}");
                assert!(chunks.iter().all(|chunk| each.contains(chunk.len() as u64)), "{long} by {by}");
            }
        }
    }
    assert_eq!(shorter(length(2, 5), LengthRange { min: 1, max: None }), length(1, 5));
}

#[test]
fn texts_are_as_long_as_computed() {
    let exactly = |text: &str| LengthRange::exactly(text.len() as u64);
    for text in ["", "a", "aaaa", "abab", "bbbb"] {
        for old in ["a", "ab", "aa", "aaaaa", ""] {
            for new in ["", "x", "xx", "xxxxxx"] {
                let result = if old.is_empty() { text.to_owned() } else { text.replace(old, new) };
                let computed = replaced(exactly(text), exactly(old), exactly(new));
                assert!(computed.contains(result.len() as u64), "{text} {old} {new}: {computed:?}");
            }
        }
    }
    assert_eq!(replaced(length(2, 10), length(1, 1), length(0, 0)), length(0, 10));
    assert_eq!(replaced(length(2, 10), length(1, 1), length(3, 3)), length(2, 30));
    assert_eq!(replaced(LengthRange::FULL, length(1, 1), length(1, 1)), LengthRange::FULL);
    assert_eq!(of_digits(length(0, 3)), range(-99, 999));
    assert_eq!(of_digits(length(0, 18)), range(-99_999_999_999_999_999, 999_999_999_999_999_999));
    assert_eq!(of_digits(length(0, 19)), range(-999_999_999_999_999_999, i64::MAX));
    assert_eq!(of_digits(length(0, 20)), IntRange::FULL);
    assert_eq!(of_digits(length(0, 0)), range(0, 0));
}

#[test]
fn decimals_are_as_long_as_computed() {
    let ends = [f64::MIN, -1e10, -99.995, -9.5, -0.001, 0.0, 0.999, 9.95, 1e21, f64::MAX];
    for (at, min) in ends.into_iter().enumerate() {
        for max in ends.into_iter().skip(at) {
            for (low, high) in [(0, 0), (-3, 1), (1, 2), (20, 99)] {
                let computed = fixed_length(FloatRange { min, max }, range(low, high));
                for x in ends.into_iter().filter(|x| (min..=max).contains(x)) {
                    for places in low.max(0)..=high.min(20) {
                        let text = format!("{x:.0$}", places as usize);
                        assert!(computed.contains(text.len() as u64), "{x} {places}: {computed:?}");
                    }
                }
            }
        }
    }
    assert_eq!(fixed_length(FloatRange { min: 0.0, max: 1.0 }, range(2, 2)), length(4, 4));
    assert_eq!(fixed_length(FloatRange::FULL, range(2, 2)), length(4, 313));
}
