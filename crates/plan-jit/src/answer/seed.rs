//! The typed reader. Rule by rule that of [`schema::decode`], into cells.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt;

use schema::amount::Amount;
use schema::decode::{EXACT_MAX, PartSeed, SkipSeed, text_fits};
use schema::limits::{JSON_DEPTH_MAX, LIST_ELEMENTS_MAX};
use schema::text_form::{parse_duration, parse_time, url_misfit};
use schema::types::{LengthRange, Type};
use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use super::room::Room;
use super::{Absent, Fields, Part};
use crate::cells::amount_cells;
use crate::layout::ReprId;

/// Reads a part to its place on the stack.
pub(super) struct Seed<'r, 'a> {
    room: &'r mut Room<'a>,
    part: &'r Part,
    at: usize,
    /// Whether `null` is a value; the cell before `at` then says whether there is one.
    nullable: bool,
}

/// The document is to be refused; why is told by who reads it again.
fn refused<E: Error>() -> E {
    E::custom("misfit")
}

impl<'r, 'a> Seed<'r, 'a> {
    pub(super) fn new(room: &'r mut Room<'a>, part: &'r Part, at: usize) -> Self {
        match part {
            Part::Optional(inner) => Self { room, part: inner, at: at + 1, nullable: true },
            _ => Self { room, part, at, nullable: false },
        }
    }

    pub(super) fn read<'de, D: Deserializer<'de>>(self, source: D) -> Result<(), D::Error> {
        self.deserialize(source)
    }

    fn put<E: Error>(self, cell: u64) -> Result<(), E> {
        self.room.set(self.at, cell);
        self.present()
    }

    /// Notes that there is a value.
    fn present<E: Error>(self) -> Result<(), E> {
        if self.nullable {
            self.room.set(self.at - 1, 1);
        }
        Ok(())
    }

    /// A text; `kept` is one that stands in the document as it is.
    fn text<E: Error>(self, text: &str, kept: bool) -> Result<(), E> {
        let fits = match self.part {
            Part::Text(range) => text_fits(text, *range),
            Part::Url => url_misfit(text).is_none(),
            Part::Time => {
                let time = parse_time(text).ok_or_else(refused)?;
                return self.put(time.cast_unsigned());
            }
            Part::Duration => {
                let duration = parse_duration(text).ok_or_else(refused)?;
                return self.put(duration.cast_unsigned());
            }
            Part::Amount => {
                let amount: Amount = text.parse().map_err(|_| refused())?;
                let [units, currency] = amount_cells(amount);
                self.room.set(self.at + 1, currency);
                return self.put(units);
            }
            _ => false,
        };
        if !fits {
            return Err(refused());
        }
        if kept {
            self.room.set_text(self.at, text);
        } else {
            self.room.copy_text(self.at, text).ok_or_else(refused)?;
        }
        self.present()
    }
}

impl<'de> DeserializeSeed<'de> for Seed<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, source: D) -> Result<(), D::Error> {
        match self.part {
            Part::Value { ty, repr } => value(self.room, self.at, ty, *repr, source),
            _ => source.deserialize_any(self),
        }
    }
}

fn value<'de, D: Deserializer<'de>>(
    room: &mut Room<'_>,
    at: usize,
    ty: &Type,
    repr: ReprId,
    source: D,
) -> Result<(), D::Error> {
    let value = PartSeed { ty, defs: room.defs, depth: room.depth }.deserialize(source)?;
    room.set_value(at, repr, value).ok_or_else(refused)
}

impl<'de> Visitor<'de> for Seed<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value of the type")
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        // The cell that says so is 0 already.
        if self.nullable { Ok(()) } else { Err(refused()) }
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<(), E> {
        match self.part {
            Part::Bool => self.put(u64::from(value)),
            _ => Err(refused()),
        }
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<(), E> {
        match self.part {
            Part::Int(range) if range.contains(value) => self.put(value.cast_unsigned()),
            Part::Float(range) if range.contains(value as f64) => self.put((value as f64).to_bits()),
            _ => Err(refused()),
        }
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<(), E> {
        match (i64::try_from(value), self.part) {
            (Ok(value), _) => self.visit_i64(value),
            (Err(_), Part::Int(_)) => Err(refused()),
            (Err(_), _) => self.visit_f64(value as f64),
        }
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<(), E> {
        let value = value + 0.0;
        match self.part {
            Part::Int(range) if value.fract() == 0.0 && value.abs() <= EXACT_MAX => {
                #[expect(clippy::cast_possible_truncation, reason = "integral and at most 2^53")]
                let whole = value as i64;
                if range.contains(whole) { self.put(whole.cast_unsigned()) } else { Err(refused()) }
            }
            Part::Float(range) if value.is_finite() && range.contains(value) => self.put(value.to_bits()),
            _ => Err(refused()),
        }
    }

    fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<(), E> {
        self.text(text, true)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<(), E> {
        self.text(text, false)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, source: A) -> Result<(), A::Error> {
        let Part::List { element, range, cells } = self.part else { return Err(refused()) };
        enter(self.room)?;
        let (start, count) = list(self.room, element, *range, *cells, source)?;
        self.room.depth -= 1;
        let address = self.room.settle(start).ok_or_else(refused)?;
        self.room.set(self.at + 1, count);
        self.put(address)
    }

    fn visit_map<A: MapAccess<'de>>(self, source: A) -> Result<(), A::Error> {
        let Part::Record(fields) = self.part else { return Err(refused()) };
        enter(self.room)?;
        if fields.boxed {
            let start = self.room.push(fields.cells);
            record(self.room, fields, start, source)?;
            self.room.depth -= 1;
            let address = self.room.settle(start).ok_or_else(refused)?;
            return self.put(address);
        }
        record(self.room, fields, self.at, source)?;
        self.room.depth -= 1;
        self.present()
    }
}

/// Enters an array or object.
fn enter<E: Error>(room: &mut Room<'_>) -> Result<(), E> {
    if room.depth >= JSON_DEPTH_MAX {
        return Err(refused());
    }
    room.depth += 1;
    Ok(())
}

/// Reads elements one behind the other; the place of the first, and how many.
fn list<'de, A: SeqAccess<'de>>(
    room: &mut Room<'_>,
    element: &Part,
    range: LengthRange,
    cells: usize,
    mut source: A,
) -> Result<(usize, u64), A::Error> {
    let start = room.top();
    let most = range.max.map_or(LIST_ELEMENTS_MAX as u64, |max| max.min(LIST_ELEMENTS_MAX as u64));
    let mut count = 0;
    loop {
        let at = room.push(cells);
        if source.next_element_seed(Seed::new(room, element, at))?.is_none() {
            room.drop_from(at);
            break;
        }
        count += 1;
        if count > most {
            return Err(refused());
        }
    }
    if count < range.min { Err(refused()) } else { Ok((start, count)) }
}

fn record<'de, A: MapAccess<'de>>(
    room: &mut Room<'_>,
    fields: &Fields,
    start: usize,
    mut source: A,
) -> Result<(), A::Error> {
    let (mut seen, mut expected) = (0_u64, 0);
    let mut unknown = Unknown::default();
    while let Some(key) = source.next_key_seed(KeySeed { fields, expected })? {
        match key {
            Key::Field(place) => {
                let field = fields.fields.get(place).ok_or_else(refused)?;
                if seen & (1 << place) != 0 {
                    return Err(refused());
                }
                seen |= 1 << place;
                source.next_value_seed(Seed::new(room, &field.part, start + field.cell))?;
                expected = place + 1;
            }
            Key::Unknown(key) => {
                if !unknown.insert(key) {
                    return Err(refused());
                }
                source.next_value_seed(SkipSeed { depth: room.depth })?;
            }
        }
    }
    for (place, field) in fields.fields.iter().enumerate() {
        if seen & (1 << place) == 0 {
            match field.absent {
                Absent::No => return Err(refused()),
                // The cell that says so is 0 already.
                Absent::Null => {}
                Absent::Value(value) => room.set(start + field.cell, std::ptr::from_ref(value) as u64),
            }
        }
    }
    Ok(())
}

/// A key of an object.
enum Key<'de> {
    /// The position of a field.
    Field(usize),
    /// No field, but it may not stand twice.
    Unknown(Cow<'de, str>),
}

/// Looks a key up without keeping it, if it is a field.
struct KeySeed<'f> {
    fields: &'f Fields,
    /// The field that comes next in most answers.
    expected: usize,
}

impl KeySeed<'_> {
    fn place(&self, key: &str) -> Option<usize> {
        let is = |place: usize| self.fields.fields.get(place).is_some_and(|field| *field.name == *key);
        if is(self.expected) {
            return Some(self.expected);
        }
        (0..self.fields.fields.len()).find(|place| is(*place))
    }
}

impl<'de> DeserializeSeed<'de> for KeySeed<'_> {
    type Value = Key<'de>;

    fn deserialize<D: Deserializer<'de>>(self, source: D) -> Result<Key<'de>, D::Error> {
        source.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for KeySeed<'_> {
    type Value = Key<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_borrowed_str<E: Error>(self, key: &'de str) -> Result<Key<'de>, E> {
        Ok(self.place(key).map_or(Key::Unknown(Cow::Borrowed(key)), Key::Field))
    }

    fn visit_str<E: Error>(self, key: &str) -> Result<Key<'de>, E> {
        Ok(self.place(key).map_or_else(|| Key::Unknown(Cow::Owned(key.into())), Key::Field))
    }
}

/// Keys that name no field. Most objects have few.
#[derive(Default)]
struct Unknown<'de> {
    first: Option<Cow<'de, str>>,
    others: BTreeSet<Cow<'de, str>>,
}

impl<'de> Unknown<'de> {
    /// Whether the key is new and there is room for it.
    fn insert(&mut self, key: Cow<'de, str>) -> bool {
        match &self.first {
            None => {
                self.first = Some(key);
                true
            }
            Some(first) => {
                *first != key && self.others.len() + 1 < LIST_ELEMENTS_MAX && self.others.insert(key)
            }
        }
    }
}
