//! Which values equal one seen before, without comparing each with each.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash as _, Hasher};

use schema::amount::{Amount, Currency, Rate};
use schema::value::{Json, Value};

use crate::interp::{Meter, TrapKind, equal, is_null, written_bytes};

/// The values seen so far.
pub(super) struct Seen<'v> {
    by_hash: HashMap<u64, Vec<&'v Value>>,
    rate: Option<Rate>,
}

impl<'v> Seen<'v> {
    pub(super) fn new(rate: Option<Rate>) -> Self {
        Self { by_hash: HashMap::new(), rate }
    }

    /// Whether `value` equals none before it. Charged for going through the value once.
    pub(super) fn is_new(&mut self, value: &'v Value, meter: &mut Meter) -> Result<bool, TrapKind> {
        let bytes = written_bytes(value, meter)?;
        meter.scan(bytes)?;
        let mut hasher = DefaultHasher::new();
        feed(value, self.rate, &mut hasher);
        let alike = self.by_hash.entry(hasher.finish()).or_default();
        for seen in alike.iter() {
            // Charged above: how many values have one hash is nothing a charge may depend on.
            if equal(seen, value, self.rate, &mut Meter::new(u64::MAX, u64::MAX))? {
                return Ok(false);
            }
        }
        alike.push(value);
        Ok(true)
    }
}

/// Feeds what [`equal`] compares: equal values feed the same.
fn feed(value: &Value, rate: Option<Rate>, hasher: &mut impl Hasher) {
    if is_null(value) {
        return hasher.write_u8(0);
    }
    match value {
        Value::Null => {}
        Value::Bool(value) => (1_u8, value).hash(hasher),
        Value::Int(value) => (2_u8, value).hash(hasher),
        Value::Float(value) => (3_u8, value.to_bits()).hash(hasher),
        Value::String(text) => (4_u8, text).hash(hasher),
        Value::Bytes(bytes) => (5_u8, bytes).hash(hasher),
        Value::Time(value) => (6_u8, value).hash(hasher),
        Value::Duration(value) => (7_u8, value).hash(hasher),
        Value::Amount(amount) => (8_u8, worth(*amount, rate)).hash(hasher),
        Value::List(items) => {
            (9_u8, items.len()).hash(hasher);
            items.iter().for_each(|item| feed(item, rate, hasher));
        }
        Value::Record(fields) => {
            (10_u8, fields.len()).hash(hasher);
            fields.iter().for_each(|field| feed(field, rate, hasher));
        }
        Value::Map(entries) => {
            (11_u8, entries.len()).hash(hasher);
            entries.iter().for_each(|(key, value)| {
                key.hash(hasher);
                feed(value, rate, hasher);
            });
        }
        Value::Variant(place, payload) => {
            (12_u8, place, payload.is_some()).hash(hasher);
            payload.iter().for_each(|payload| feed(payload, rate, hasher));
        }
        Value::Json(json) => feed_json(json, hasher),
    }
}

fn feed_json(json: &Json, hasher: &mut impl Hasher) {
    match json {
        Json::Null => hasher.write_u8(0),
        Json::Bool(value) => (21_u8, value).hash(hasher),
        Json::Int(value) => (22_u8, value).hash(hasher),
        Json::Float(value) => (23_u8, value.to_bits()).hash(hasher),
        Json::String(text) => (24_u8, text).hash(hasher),
        Json::Array(items) => {
            (25_u8, items.len()).hash(hasher);
            items.iter().for_each(|item| feed_json(item, hasher));
        }
        Json::Object(entries) => {
            (26_u8, entries.len()).hash(hasher);
            entries.iter().for_each(|(key, value)| {
                key.hash(hasher);
                feed_json(value, hasher);
            });
        }
    }
}

/// The same for amounts that are equal: of two currencies, those worth the same at `rate`.
fn worth(amount: Amount, rate: Option<Rate>) -> u128 {
    let units = u128::from(amount.units);
    match (amount.currency, rate) {
        (Currency::Rao, Some(rate)) => units * u128::from(rate.micro_usd_per_tao),
        (Currency::MicroUsd, Some(_)) => units * u128::from(Currency::Rao.scale()),
        // Without a rate only zeros are equal across currencies; the rest may share hashes.
        (_, None) => units,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn values() -> Vec<Value> {
        let map = |key: &str, value| Value::Map(BTreeMap::from([(key.into(), value)]).into());
        let json = |json| Value::Json(json);
        let object = |key: &str| Json::Object(BTreeMap::from([(key.into(), Json::Int(1))]).into());
        vec![
            Value::Null,
            json(Json::Null),
            Value::Bool(false),
            Value::Int(0),
            Value::Int(1),
            Value::Time(1),
            Value::Duration(1),
            Value::Float(1.0),
            Value::string("1"),
            Value::string(""),
            Value::Bytes([49].into()),
            Value::Amount(Amount::new(0, Currency::Rao)),
            Value::Amount(Amount::new(0, Currency::MicroUsd)),
            Value::Amount(Amount::new(10, Currency::Rao)),
            Value::Amount(Amount::new(3, Currency::MicroUsd)),
            Value::list([]),
            Value::list([Value::Int(1)]),
            Value::list([Value::list([Value::Int(1)])]),
            Value::record([Value::Int(1)]),
            map("a", Value::Int(1)),
            map("b", Value::Int(1)),
            map("a", Value::Null),
            Value::Variant(0, None),
            Value::Variant(1, None),
            Value::ok(Value::Int(1)),
            Value::err(Value::Int(1)),
            json(Json::Int(1)),
            json(Json::Float(1.0)),
            json(Json::Bool(true)),
            json(Json::String("1".into())),
            json(Json::Array([Json::Int(1)].into())),
            json(object("a")),
            json(object("b")),
        ]
    }

    #[test]
    fn what_was_seen_is_what_equals() {
        let values = values();
        // At 300,000 USD for one TAO, 10 rao are worth 3 micro-dollars.
        for rate in
            [None, Some(Rate { micro_usd_per_tao: 300_000_000_000 }), Some(Rate { micro_usd_per_tao: 0 })]
        {
            for a in &values {
                for b in &values {
                    let mut seen = Seen::new(rate);
                    let mut meter = Meter::default();
                    assert_eq!(seen.is_new(a, &mut meter), Ok(true));
                    let same = equal(a, b, rate, &mut meter).unwrap();
                    assert_eq!(seen.is_new(b, &mut meter), Ok(!same), "{a:?}, {b:?}, {rate:?}");
                }
            }
        }
    }
}
