//! Finding fields and variants by name where there are many of them: an answer can name the last of a thousand a
//! million times.

use std::collections::{BTreeMap, HashMap};

use crate::types::{DefId, EnumDef, RecordDef, Type};
use crate::wire::{Scalar, text_of};

/// Up to here looking at each is faster.
const FEW: usize = 16;
/// Looks at each that are made before an index is: so often it costs what making it does.
const LOOKS_FIRST: u32 = 20;

/// The indexes of one reading, made where they pay: a reading can be of one small value.
#[derive(Default)]
pub(super) struct Indexes<'a> {
    records: BTreeMap<DefId, Lazy<HashMap<&'a str, usize>>>,
    enums: BTreeMap<DefId, Lazy<Literals<'a>>>,
}

/// An index, once there were enough looks.
struct Lazy<T> {
    looks: u32,
    index: Option<T>,
}

impl<T> Lazy<T> {
    /// The index, where it is time for it.
    fn look(&mut self, make: impl FnOnce() -> T) -> Option<&T> {
        if self.looks < LOOKS_FIRST {
            self.looks += 1;
            return None;
        }
        Some(self.index.get_or_insert_with(make))
    }
}

impl<T> Default for Lazy<T> {
    fn default() -> Self {
        Self { looks: 0, index: None }
    }
}

/// Variants of one enum by what they stand for; of equal literals the first counts.
struct Literals<'a> {
    texts: HashMap<String, u32>,
    whole: HashMap<i64, u32>,
    /// By the bits of the number; all literals that are numbers.
    numbers: HashMap<u64, u32>,
    /// The same without those that are whole numbers of 64 bits.
    others: HashMap<u64, u32>,
    catch_all: Option<u32>,
    /// Variants with payload.
    keys: HashMap<String, (u32, &'a Type)>,
}

impl<'a> Indexes<'a> {
    /// Position of the field called `key`, which is likely to be `expected` or after it.
    pub(super) fn field(
        &mut self,
        id: DefId,
        def: &'a RecordDef,
        key: &str,
        expected: usize,
    ) -> Option<usize> {
        // Answers mostly follow the declared order, so look at the next field first.
        if def.fields.get(expected).is_some_and(|field| field.name == key) {
            return Some(expected);
        }
        if def.fields.len() <= FEW {
            return def.fields.iter().position(|field| field.name == key);
        }
        let index = self.records.entry(id).or_default().look(|| {
            let names = def.fields.iter().enumerate().map(|(place, field)| (field.name.as_str(), place));
            // The first of equal names counts, so it is put in last.
            names.rev().collect()
        });
        match index {
            Some(index) => index.get(key).copied(),
            None => def.fields.iter().position(|field| field.name == key),
        }
    }

    /// The variant without payload whose literal is `scalar`.
    pub(super) fn literal(&mut self, id: DefId, def: &'a EnumDef, scalar: Scalar<'_>) -> Option<u32> {
        if def.variants.len() <= FEW {
            return def.by_literal(scalar);
        }
        let Some(index) = self.of(id, def) else { return def.by_literal(scalar) };
        match scalar {
            Scalar::Text(text) => index.texts.get(text).copied(),
            Scalar::Int(value) => {
                let whole = index.whole.get(&value).copied();
                // 2^53: beyond it a double cannot tell neighbouring integers apart.
                let exact = value.unsigned_abs() <= 1 << 53;
                let other = exact.then(|| index.others.get(&bits(value as f64)).copied()).flatten();
                match (whole, other) {
                    (Some(a), Some(b)) => Some(a.min(b)),
                    (a, b) => a.or(b),
                }
            }
            Scalar::Float(value) => index.numbers.get(&bits(value)).copied(),
            Scalar::Null | Scalar::Bool(_) => def.by_literal(scalar),
        }
    }

    /// The variant with payload whose literal is the text `key`.
    pub(super) fn key(&mut self, id: DefId, def: &'a EnumDef, key: &str) -> Option<(u32, &'a Type)> {
        if def.variants.len() <= FEW {
            return def.by_key(key);
        }
        match self.of(id, def) {
            Some(index) => index.keys.get(key).copied(),
            None => def.by_key(key),
        }
    }

    /// The variant that takes every text which is no literal of the others.
    pub(super) fn catch_all(&mut self, id: DefId, def: &'a EnumDef) -> Option<u32> {
        if def.variants.len() <= FEW {
            return def.catch_all();
        }
        self.of(id, def).map_or_else(|| def.catch_all(), |index| index.catch_all)
    }

    fn of(&mut self, id: DefId, def: &'a EnumDef) -> Option<&Literals<'a>> {
        self.enums.entry(id).or_default().look(|| Literals::of(def))
    }
}

impl<'a> Literals<'a> {
    fn of(def: &'a EnumDef) -> Self {
        let mut index = Self {
            texts: HashMap::new(),
            whole: HashMap::new(),
            numbers: HashMap::new(),
            others: HashMap::new(),
            catch_all: def.catch_all(),
            keys: HashMap::new(),
        };
        for (variant, place) in def.variants.iter().zip(0_u32..) {
            let text = variant.wire.starts_with('"').then(|| text_of(&variant.wire)).flatten();
            match (&variant.payload, text) {
                (Some(ty), Some(text)) => drop(index.keys.entry(text).or_insert((place, ty))),
                (Some(_), None) => {}
                (None, Some(text)) => drop(index.texts.entry(text).or_insert(place)),
                (None, None) => {
                    let whole = variant.wire.parse::<i64>().ok();
                    if let Some(whole) = whole {
                        index.whole.entry(whole).or_insert(place);
                    }
                    if let Ok(number) = variant.wire.parse::<f64>() {
                        index.numbers.entry(bits(number)).or_insert(place);
                        if whole.is_none() {
                            index.others.entry(bits(number)).or_insert(place);
                        }
                    }
                }
            }
        }
        index
    }
}

/// One key for equal numbers: both zeros are one.
fn bits(number: f64) -> u64 {
    (number + 0.0).to_bits()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::types::{EnumWire, VariantDef};

    proptest! {
        #[test]
        fn the_index_finds_what_looking_at_each_finds(
            wires in prop::collection::vec(
                prop::sample::select(vec![
                    "\"a\"", "\"b\"", "\"\\u0061\"", "1", "1.0", "2", "2.5", "-0.0", "0", "9007199254740993",
                    "9007199254740992.0", "true", "null", "1e2", "100",
                ]),
                17..30,
            ),
            payloads in prop::collection::vec(any::<bool>(), 30),
        ) {
            let variants = wires.iter().zip(payloads).map(|(wire, payload)| VariantDef {
                name: String::new(),
                wire: (*wire).to_owned(),
                payload: payload.then_some(Type::Bool),
                doc: String::new(),
            });
            let def = EnumDef { name: "E".into(), variants: variants.collect(), wire: EnumWire::Literal, doc: String::new() };
            let mut indexes = Indexes::default();
            for _ in 0..LOOKS_FIRST {
                indexes.key(DefId(0), &def, "a");
            }
            for scalar in [
                Scalar::Text("a"), Scalar::Text("b"), Scalar::Text("c"), Scalar::Int(0), Scalar::Int(1), Scalar::Int(100),
                Scalar::Int(9_007_199_254_740_993), Scalar::Int(9_007_199_254_740_992), Scalar::Float(0.0),
                Scalar::Float(1.0), Scalar::Float(2.5), Scalar::Float(100.0), Scalar::Bool(true), Scalar::Null,
            ] {
                prop_assert_eq!(indexes.literal(DefId(0), &def, scalar), def.by_literal(scalar), "{:?}", scalar);
            }
            for key in ["a", "b", "c"] {
                prop_assert_eq!(indexes.key(DefId(0), &def, key), def.by_key(key));
            }
        }
    }
}
