//! Functions that order. Keys of one list are of one kind, so their order is total: that of `<`, which for
//! floats is IEEE's total order, as no value is NaN or `-0.0`.

use std::cmp::Ordering;

use schema::amount::Rate;
use schema::value::Value;

use crate::expr::ExprId;
use crate::interp::{Machine, Trap, TrapKind, compare_amounts, text_steps};

/// Steps that ordering `keys` of together `text_bytes` of text is charged: as many comparisons, and as
/// much text compared, as a merge sort makes at most. Of keys that are not text, `text_bytes` is 0.
#[must_use]
pub const fn sorting_steps(keys: u64, text_bytes: u64) -> u64 {
    let levels = (u64::BITS - keys.leading_zeros()) as u64;
    levels.saturating_mul(keys.saturating_add(text_steps(text_bytes)))
}

/// Keys that can be compared with each other.
struct Keys<'k> {
    keys: &'k [Value],
    rate: Option<Rate>,
    text_bytes: u64,
}

impl<'k> Keys<'k> {
    /// Refuses keys without an order, and amounts that nothing makes comparable: two that are not zero in
    /// two currencies while no rate is pinned.
    fn new(keys: &'k [Value], rate: Option<Rate>) -> Result<Self, TrapKind> {
        let mut text_bytes = 0_u64;
        let mut currency = None;
        let kind = keys.first().map(std::mem::discriminant);
        for key in keys {
            match key {
                _ if kind != Some(std::mem::discriminant(key)) => {
                    return Err(TrapKind::Malformed("keys of two kinds are compared"));
                }
                Value::Int(_) | Value::Float(_) | Value::Time(_) | Value::Duration(_) => {}
                Value::String(text) => text_bytes = text_bytes.saturating_add(text.len() as u64),
                Value::Amount(amount) if amount.units > 0 && rate.is_none() => {
                    if *currency.get_or_insert(amount.currency) != amount.currency {
                        return Err(TrapKind::NoRate);
                    }
                }
                Value::Amount(_) => {}
                _ => return Err(TrapKind::Malformed("values without an order are compared")),
            }
        }
        Ok(Self { keys, rate, text_bytes })
    }

    /// The order of the keys at two places.
    fn compare(&self, a: usize, b: usize) -> Ordering {
        match (self.keys.get(a), self.keys.get(b)) {
            (Some(Value::Int(a)), Some(Value::Int(b)))
            | (Some(Value::Time(a)), Some(Value::Time(b)))
            | (Some(Value::Duration(a)), Some(Value::Duration(b))) => a.cmp(b),
            (Some(Value::Float(a)), Some(Value::Float(b))) => a.total_cmp(b),
            (Some(Value::String(a)), Some(Value::String(b))) => a.cmp(b),
            (Some(Value::Amount(a)), Some(Value::Amount(b))) => {
                compare_amounts(*a, *b, self.rate).unwrap_or(Ordering::Equal)
            }
            // INVARIANT: the keys are of one kind.
            _ => Ordering::Equal,
        }
    }

    /// All places, those of the smallest keys first, equal keys in their order.
    fn ascending(&self) -> Vec<usize> {
        let mut places: Vec<usize> = (0..self.keys.len()).collect();
        places.sort_by(|a, b| self.compare(*a, *b));
        places
    }

    /// The places of the `n` largest keys, largest first, equal keys in their order.
    fn largest(&self, n: usize) -> Vec<usize> {
        let mut places: Vec<usize> = (0..self.keys.len()).collect();
        let order = |a: &usize, b: &usize| self.compare(*b, *a).then(a.cmp(b));
        if n < places.len() {
            places.select_nth_unstable_by(n, order);
            places.truncate(n);
        }
        places.sort_unstable_by(order);
        places
    }

    /// The first place of the smallest key, or of the largest.
    fn extreme(&self, largest: bool) -> Option<usize> {
        let better = if largest { Ordering::Greater } else { Ordering::Less };
        (0..self.keys.len())
            .reduce(|best, place| if self.compare(place, best) == better { place } else { best })
    }
}

/// The elements at these places.
fn at_places(items: &[Value], places: &[usize]) -> Vec<Value> {
    places.iter().filter_map(|place| items.get(*place)).cloned().collect()
}

impl Machine<'_> {
    /// `items` in ascending order of their `keys`.
    pub(super) fn sorted(&mut self, id: ExprId, items: &[Value], keys: &[Value]) -> Result<Value, Trap> {
        let keys = self.keys(keys).map_err(|kind| kind.at(id))?;
        self.list(id, at_places(items, &keys.ascending()))
    }

    /// The `n` elements with the largest keys. Charged as if all were sorted.
    pub(super) fn top(&mut self, id: ExprId, items: &[Value], keys: &[Value], n: i64) -> Result<Value, Trap> {
        let keys = self.keys(keys).map_err(|kind| kind.at(id))?;
        let n = usize::try_from(n).unwrap_or(0);
        self.list(id, at_places(items, &keys.largest(n)))
    }

    fn keys<'k>(&mut self, keys: &'k [Value]) -> Result<Keys<'k>, TrapKind> {
        let keys = Keys::new(keys, self.rate())?;
        self.meter.work(sorting_steps(keys.keys.len() as u64, keys.text_bytes))?;
        Ok(keys)
    }

    /// The first element with the smallest or the largest key; each key is compared once.
    pub(super) fn extreme(
        &mut self,
        id: ExprId,
        items: &[Value],
        keys: &[Value],
        largest: bool,
    ) -> Result<Value, Trap> {
        let keys = Keys::new(keys, self.rate()).map_err(|kind| kind.at(id))?;
        self.meter.work(text_steps(keys.text_bytes)).map_err(|kind| kind.at(id))?;
        let place = keys.extreme(largest);
        self.or_null(id, place.and_then(|place| items.get(place)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sorting_is_charged_by_levels() {
        for (keys, text_bytes, steps) in
            [(0, 0, 0), (1, 0, 1), (2, 0, 4), (3, 0, 6), (4, 0, 12), (4, 31, 12), (4, 64, 18)]
        {
            assert_eq!(sorting_steps(keys, text_bytes), steps, "{keys} keys, {text_bytes} bytes");
        }
        assert_eq!(sorting_steps(100_000, 0), 1_700_000);
        assert_eq!(sorting_steps(u64::MAX, u64::MAX), u64::MAX);
    }

    #[test]
    fn the_largest_are_those_of_a_whole_sort() {
        let keys: Vec<Value> = [3, 1, 3, 2, 1, 3].map(Value::Int).into();
        let keys = Keys::new(&keys, None).unwrap();
        for n in 0..8 {
            let expected = [0, 2, 5, 3, 1, 4];
            assert_eq!(keys.largest(n), expected[..n.min(6)], "{n}");
        }
        assert_eq!(keys.ascending(), [1, 4, 3, 0, 2, 5]);
        assert_eq!((keys.extreme(true), keys.extreme(false)), (Some(0), Some(1)));
    }
}
