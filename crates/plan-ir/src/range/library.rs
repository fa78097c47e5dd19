//! Ranges of what library functions give.

use schema::limits::LIST_ELEMENTS_MAX;
use schema::types::{FloatRange, IntRange, LengthRange};

use super::{saturated, unsigned};

/// Whole numbers up to this are exact as floats (2^53).
const EXACT_FLOAT: f64 = 9_007_199_254_740_992.0;
/// Digits of `i64::MAX`.
const INT_DIGITS: u64 = 19;

/// The sum of `count` integers that each lie in `each`. A sum on the way that overflows traps.
#[must_use]
pub fn summed(count: LengthRange, each: IntRange) -> IntRange {
    let most = i128::from(count.max.unwrap_or(LIST_ELEMENTS_MAX as u64));
    let least = i128::from(count.min);
    let (min, max) = (i128::from(each.min), i128::from(each.max));
    saturated(
        min.saturating_mul(if min < 0 { most } else { least }),
        max.saturating_mul(if max > 0 { most } else { least }),
    )
}

/// The sum of `count` floats that each lie in `each`, added one after the other.
#[must_use]
pub fn summed_float(count: LengthRange, each: FloatRange) -> FloatRange {
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
#[must_use]
pub fn absolute(a: IntRange) -> IntRange {
    let (min, max) = (i128::from(a.min), i128::from(a.max));
    saturated(min.max(-max).max(0), max.max(-min))
}

/// The range of `a.abs()`.
#[must_use]
pub fn absolute_float(a: FloatRange) -> FloatRange {
    FloatRange { min: a.min.max(-a.max).max(0.0), max: a.max.max(-a.min) }
}

/// The range of the smaller of two.
#[must_use]
pub fn lesser(a: IntRange, b: IntRange) -> IntRange {
    IntRange { min: a.min.min(b.min), max: a.max.min(b.max) }
}

/// The range of the larger of two.
#[must_use]
pub fn greater(a: IntRange, b: IntRange) -> IntRange {
    IntRange { min: a.min.max(b.min), max: a.max.max(b.max) }
}

/// The range of the smaller of two.
#[must_use]
pub fn lesser_float(a: FloatRange, b: FloatRange) -> FloatRange {
    FloatRange { min: a.min.min(b.min), max: a.max.min(b.max) }
}

/// The range of the larger of two.
#[must_use]
pub fn greater_float(a: FloatRange, b: FloatRange) -> FloatRange {
    FloatRange { min: a.min.max(b.min), max: a.max.max(b.max) }
}

/// The range of a float rounded to a whole number by `round`, which is monotonic. What does not fit traps.
#[must_use]
pub fn whole(a: FloatRange, round: fn(f64) -> f64) -> IntRange {
    IntRange { min: round(a.min) as i64, max: round(a.max) as i64 }
}

/// The elements of `first.to(last)`, and how many there are. A longer list than there may be traps; where
/// nothing keeps it from being so long, its length has no bound to rely on.
#[must_use]
pub fn row(first: IntRange, last: IntRange) -> (IntRange, LengthRange) {
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
#[must_use]
pub fn chunked(of: LengthRange, n: IntRange) -> (LengthRange, LengthRange) {
    let (least, most) = (unsigned(n.min).max(1), unsigned(n.max).max(1));
    let count = LengthRange { min: of.min.div_ceil(most), max: of.max.map(|max| max.div_ceil(least)) };
    let each = of.max.map_or(most, |max| max.min(most)).max(1);
    (count, LengthRange { min: 1, max: Some(each) })
}

/// The length of the shorter of two.
#[must_use]
pub fn shorter(a: LengthRange, b: LengthRange) -> LengthRange {
    let max = match (a.max, b.max) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    };
    LengthRange { min: a.min.min(b.min), max }
}

/// The length of a text in which every `old` is replaced by `new`.
#[must_use]
pub fn replaced(text: LengthRange, old: LengthRange, new: LengthRange) -> LengthRange {
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
#[must_use]
pub fn of_digits(length: LengthRange) -> IntRange {
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
#[must_use]
pub fn fixed_length(of: FloatRange, places: IntRange) -> LengthRange {
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
