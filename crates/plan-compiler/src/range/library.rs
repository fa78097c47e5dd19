//! Ranges of what library functions give.

use schema::limits::LIST_ELEMENTS_MAX;
use schema::types::{FloatRange, IntRange, LengthRange};

use super::{saturated, unsigned};

/// Whole numbers up to this are exact as floats (2^53).
const EXACT_FLOAT: f64 = 9_007_199_254_740_992.0;
/// Digits of `i64::MAX`.
const INT_DIGITS: u64 = 19;

/// The sum of `count` integers that each lie in `each`. A sum on the way that overflows traps.
pub(crate) fn summed(count: LengthRange, each: IntRange) -> IntRange {
    let most = i128::from(count.max.unwrap_or(LIST_ELEMENTS_MAX as u64));
    let least = i128::from(count.min);
    let (min, max) = (i128::from(each.min), i128::from(each.max));
    saturated(
        min.saturating_mul(if min < 0 { most } else { least }),
        max.saturating_mul(if max > 0 { most } else { least }),
    )
}

/// The sum of `count` floats that each lie in `each`, added one after the other.
pub(crate) fn summed_float(count: LengthRange, each: FloatRange) -> FloatRange {
    let most = count.max.unwrap_or(LIST_ELEMENTS_MAX as u64);
    // Adding and rounding are monotonic, so the ends are reached by adding the ends.
    FloatRange {
        min: 0.0 - repeated(if each.min < 0.0 { most } else { count.min }, -each.min),
        max: repeated(if each.max > 0.0 { most } else { count.min }, each.max),
    }
}

/// At least what `value` added `times` times gives, each sum rounded.
fn repeated(times: u64, value: f64) -> f64 {
    /// Sums up to this long are computed.
    const COMPUTED_MAX: u64 = 256;
    /// Sums of multiples of 2^-10 below 2^53 of them are exact.
    const PARTS: f64 = 1024.0;
    if times == 0 {
        return 0.0;
    }
    let product = times as f64 * value;
    let exact = (value * PARTS).fract() == 0.0 && product.abs() * PARTS <= EXACT_FLOAT;
    if exact || !product.is_finite() {
        return product;
    }
    if times <= COMPUTED_MAX {
        return (0..times).fold(0.0, |sum, _| sum + value);
    }
    // Each of fewer than 2^17 additions is off by at most 2^-53 of its result.
    product + product.abs() * f64::powi(2.0, -35)
}

/// The range of `a.abs()`.
pub(crate) fn absolute(a: IntRange) -> IntRange {
    let (min, max) = (i128::from(a.min), i128::from(a.max));
    saturated(min.max(-max).max(0), max.max(-min))
}

/// The range of `a.abs()`.
pub(crate) fn absolute_float(a: FloatRange) -> FloatRange {
    FloatRange { min: a.min.max(-a.max).max(0.0), max: a.max.max(-a.min) }
}

/// The range of the smaller of two.
pub(crate) fn lesser(a: IntRange, b: IntRange) -> IntRange {
    IntRange { min: a.min.min(b.min), max: a.max.min(b.max) }
}

/// The range of the larger of two.
pub(crate) fn greater(a: IntRange, b: IntRange) -> IntRange {
    IntRange { min: a.min.max(b.min), max: a.max.max(b.max) }
}

/// The range of the smaller of two.
pub(crate) fn lesser_float(a: FloatRange, b: FloatRange) -> FloatRange {
    FloatRange { min: a.min.min(b.min), max: a.max.min(b.max) }
}

/// The range of the larger of two.
pub(crate) fn greater_float(a: FloatRange, b: FloatRange) -> FloatRange {
    FloatRange { min: a.min.max(b.min), max: a.max.max(b.max) }
}

/// The range of a float rounded to a whole number by `round`, which is monotonic. What does not fit traps.
pub(crate) fn whole(a: FloatRange, round: fn(f64) -> f64) -> IntRange {
    IntRange { min: round(a.min) as i64, max: round(a.max) as i64 }
}

/// The elements of `first.to(last)`, and how many there are. A longer list than there may be traps; where
/// nothing keeps it from being so long, its length has no bound to rely on.
pub(crate) fn row(first: IntRange, last: IntRange) -> (IntRange, LengthRange) {
    let count = |first: i64, last: i64| {
        u64::try_from((i128::from(last) - i128::from(first) + 1).max(0)).unwrap_or(u64::MAX)
    };
    let most = count(first.min, last.max);
    let length = LengthRange {
        min: count(first.max, last.min).min(LIST_ELEMENTS_MAX as u64),
        max: (most <= LIST_ELEMENTS_MAX as u64).then_some(most),
    };
    (IntRange { min: first.min, max: last.max.max(first.min) }, length)
}

/// How many chunks of `n` there are, and how long each is.
pub(crate) fn chunked(of: LengthRange, n: IntRange) -> (LengthRange, LengthRange) {
    let (least, most) = (unsigned(n.min).max(1), unsigned(n.max).max(1));
    let count = LengthRange { min: of.min.div_ceil(most), max: of.max.map(|max| max.div_ceil(least)) };
    let each = of.max.map_or(most, |max| max.min(most)).max(1);
    (count, LengthRange { min: 1, max: Some(each) })
}

/// The length of the shorter of two.
pub(crate) fn shorter(a: LengthRange, b: LengthRange) -> LengthRange {
    let max = match (a.max, b.max) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    };
    LengthRange { min: a.min.min(b.min), max }
}

/// The length of a text in which every `old` is replaced by `new`.
pub(crate) fn replaced(text: LengthRange, old: LengthRange, new: LengthRange) -> LengthRange {
    // An empty part stands nowhere, so the shortest that does is one character.
    let shortest = old.min.max(1);
    let longest_new = |text: u64, new: u64| {
        let occurrences = text / shortest;
        text.checked_add(occurrences.checked_mul(new.saturating_sub(shortest))?)
    };
    let max = match (text.max, new.max) {
        (Some(0), _) => Some(0),
        (Some(text), Some(new)) => longest_new(text, new),
        _ => None,
    };
    let min = match old.max {
        Some(old) if new.min >= old => text.min,
        _ => text.min.min(new.min),
    };
    LengthRange { min, max }
}

/// The range of a number written in at most so many characters.
pub(crate) fn of_digits(length: LengthRange) -> IntRange {
    let largest = |digits: u64| match u32::try_from(digits) {
        Ok(digits) if u64::from(digits) < INT_DIGITS => 10_i64.pow(digits) - 1,
        _ => i64::MAX,
    };
    match length.max {
        // One character of a negative number is its sign.
        Some(most) if most <= INT_DIGITS => {
            IntRange { min: -largest(most.saturating_sub(1)), max: largest(most) }
        }
        _ => IntRange::FULL,
    }
}

/// The length of a float in decimal with so many places behind the point.
pub(crate) fn fixed_length(of: FloatRange, places: IntRange) -> LengthRange {
    /// `to_fixed` takes no more places.
    const PLACES_MAX: i64 = 20;
    let behind_point = |places: i64| match u64::try_from(places.clamp(0, PLACES_MAX)) {
        Ok(places) if places > 0 => places + 1,
        _ => 0,
    };
    // Rounding is monotonic, so nothing is longer than the end on its side of 0. With more places nothing is
    // rounded up to a longer number.
    let places_min = usize::try_from(places.min.clamp(0, PLACES_MAX)).unwrap_or(0);
    let whole = |end: f64| {
        let end = if end.is_finite() { end } else { f64::MAX.copysign(end) };
        let text = format!("{end:.places_min$}");
        text.split('.').next().map_or(0, str::len) as u64
    };
    LengthRange {
        min: 1 + behind_point(places.min),
        max: Some(whole(of.min).max(whole(of.max)) + behind_point(places.max)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn range(min: i64, max: i64) -> IntRange {
        IntRange { min, max }
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
                for (a, b) in (first.min..=first.max).flat_map(|a| (last.min..=last.max).map(move |b| (a, b)))
                {
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
                for (long, by) in
                    (of.min..=of.max.unwrap()).flat_map(|l| (n.min..=n.max).map(move |n| (l, n)))
                {
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
}
