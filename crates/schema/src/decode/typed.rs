//! The typed reader.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::collections::btree_map::Entry;
use std::fmt;
use std::sync::Arc;

use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};

use super::EXACT_MAX;
use super::json::{JsonSeed, JsonSource, Key, Skip};
use super::misfit::{Context, quoted};
use crate::text_form::{parse_bytes, parse_duration, parse_time, url_misfit};
use crate::types::{DefId, EnumDef, EnumWire, LengthRange, RecordDef, Type, TypeDef};
use crate::value::{Json, Value};
use crate::wire::{Kind, Scalar};

/// The first whole number that no 64-bit integer is.
const BEYOND_64_BITS: f64 = 9_223_372_036_854_775_808.0;
/// Literals of an enum that a message names at most.
const LITERALS_SHOWN: usize = 12;

/// Reads a value of type `ty`.
pub(super) struct Seed<'c, 'a> {
    cx: &'c mut Context<'a>,
    ty: &'a Type,
    nullable: bool,
}

impl<'c, 'a> Seed<'c, 'a> {
    fn new(cx: &'c mut Context<'a>, ty: &'a Type) -> Self {
        match ty {
            Type::Optional(inner) => Self { cx, ty: inner, nullable: true },
            _ => Self { cx, ty, nullable: false },
        }
    }

    pub(super) fn read<'de, D: Deserializer<'de>>(
        cx: &'c mut Context<'a>,
        ty: &'a Type,
        source: D,
    ) -> Result<Value, D::Error> {
        Self::new(cx, ty).deserialize(source)
    }

    fn misfit<E: serde::de::Error>(self, found: &str) -> E {
        let expected = self.cx.defs.show(self.ty);
        self.cx.misfit(&expected, found)
    }

    fn enumeration(&self) -> Option<&'a EnumDef> {
        match self.ty {
            Type::Named(id) => self.cx.defs.enumeration(*id),
            _ => None,
        }
    }

    /// If the type is a union told apart by kind: a reader for the member of this `kind`.
    fn member(self, kind: Kind) -> Result<(u32, Self), Self> {
        match self.enumeration() {
            Some(def) if def.wire == EnumWire::Untagged => match def.by_kind(kind) {
                Some((place, payload)) => Ok((place, Seed::new(self.cx, payload))),
                None => Err(self),
            },
            _ => Err(self),
        }
    }

    /// The scalar as a literal of an enum, or a misfit.
    fn literal<E: serde::de::Error>(
        self,
        scalar: Scalar<'_>,
        found: impl FnOnce() -> String,
    ) -> Result<Value, E> {
        let def = self.enumeration().filter(|def| def.wire == EnumWire::Literal);
        let (Some(def), Type::Named(id)) = (def, self.ty) else { return Err(self.misfit(&found())) };
        if let Some(place) = self.cx.indexes.literal(*id, def, scalar) {
            return Ok(Value::Variant(place, None));
        }
        if let Scalar::Text(text) = scalar
            && let Some(place) = self.cx.indexes.catch_all(*id, def)
        {
            return Ok(variant(place, Value::string(text)));
        }
        let expected = self.cx.defs.show(self.ty) + &choices(def);
        Err(self.cx.misfit(&expected, &found()))
    }
}

/// The literals of an enum, for a message.
fn choices(def: &EnumDef) -> String {
    let mut literals = def.literals();
    let shown: Vec<String> = literals.by_ref().take(LITERALS_SHOWN).map(quoted).collect();
    match (shown.as_slice(), literals.count()) {
        ([], _) => String::new(),
        (shown, 0) => format!(" ({})", shown.join(", ")),
        (shown, more) => format!(" ({} and {more} more)", shown.join(", ")),
    }
}

fn variant(place: u32, payload: Value) -> Value {
    Value::Variant(place, Some(Arc::new(payload)))
}

impl<'de> DeserializeSeed<'de> for Seed<'_, '_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, source: D) -> Result<Value, D::Error> {
        source.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Seed<'_, '_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.cx.defs.show(self.ty))
    }

    fn visit_unit<E: serde::de::Error>(self) -> Result<Value, E> {
        match self.ty {
            _ if self.nullable => Ok(Value::Null),
            Type::Json => JsonSeed(self.cx).visit_unit().map(Value::Json),
            _ => self.literal(Scalar::Null, || "null".into()),
        }
    }

    fn visit_bool<E: serde::de::Error>(self, value: bool) -> Result<Value, E> {
        match self.ty {
            Type::Bool => Ok(Value::Bool(value)),
            Type::Json => JsonSeed(self.cx).visit_bool(value).map(Value::Json),
            _ => match self.member(Kind::Bool) {
                Ok((place, member)) => member.visit_bool(value).map(|value| variant(place, value)),
                Err(this) => this.literal(Scalar::Bool(value), || value.to_string()),
            },
        }
    }

    fn visit_i64<E: serde::de::Error>(self, value: i64) -> Result<Value, E> {
        match self.ty {
            Type::Int(range) if range.contains(value) => Ok(Value::Int(value)),
            Type::Float(range) if range.contains(value as f64) => Ok(Value::Float(value as f64)),
            Type::Json => JsonSeed(self.cx).visit_i64(value).map(Value::Json),
            _ => match self.member(Kind::Number) {
                Ok((place, member)) => member.visit_i64(value).map(|value| variant(place, value)),
                Err(this) => this.literal(Scalar::Int(value), || value.to_string()),
            },
        }
    }

    fn visit_u64<E: serde::de::Error>(self, value: u64) -> Result<Value, E> {
        match (i64::try_from(value), self.ty) {
            (Ok(value), _) => self.visit_i64(value),
            (Err(_), Type::Int(_)) => Err(self.misfit(&value.to_string())),
            (Err(_), _) => self.visit_f64(value as f64),
        }
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Value, E> {
        // `-0 + 0` is `0`: one zero, so that equal values have equal bytes.
        let value = value + 0.0;
        match self.ty {
            Type::Int(range) if value.fract() == 0.0 && value.abs() <= EXACT_MAX => {
                #[expect(clippy::cast_possible_truncation, reason = "integral and at most 2^53")]
                let whole = value as i64;
                if range.contains(whole) {
                    Ok(Value::Int(whole))
                } else {
                    Err(self.misfit(&whole.to_string()))
                }
            }
            // A JSON parser yields no NaN and no infinity, another source might.
            Type::Float(range) if value.is_finite() && range.contains(value) => Ok(Value::Float(value)),
            Type::Json if value.is_finite() => JsonSeed(self.cx).visit_f64(value).map(Value::Json),
            _ => match self.member(Kind::Number) {
                Ok((place, member)) => member.visit_f64(value).map(|value| variant(place, value)),
                Err(this) => this.literal(Scalar::Float(value), || shown(value)),
            },
        }
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Value, E> {
        let found = "a text that is none";
        match self.ty {
            Type::String(range) => match text_misfit(text, *range) {
                None => Ok(Value::string(text)),
                Some(length) => Err(self.misfit(&format!("{length} characters"))),
            },
            Type::Json => JsonSeed(self.cx).visit_str(text).map(Value::Json),
            Type::Url => match url_misfit(text) {
                None => Ok(Value::string(text)),
                Some(why) => Err(self.misfit(&format!("a text that is none: {why}"))),
            },
            Type::Time => parse_time(text)
                .map(Value::Time)
                .ok_or_else(|| self.misfit("a text that is no RFC 3339 moment with a time zone")),
            Type::Duration => parse_duration(text).map(Value::Duration).ok_or_else(|| {
                self.misfit(
                    "a text that is no ISO 8601 duration of whole microseconds, such as `PT5S` or `PT1H30M`",
                )
            }),
            Type::Amount => text.parse().map(Value::Amount).map_err(|_| self.misfit(found)),
            Type::Bytes(range) => match parse_bytes(text) {
                Some(bytes) if range.contains(bytes.len() as u64) => Ok(Value::Bytes(bytes.into())),
                Some(bytes) => Err(self.misfit(&format!("{} bytes", bytes.len()))),
                None => Err(self.misfit("a text that is not base64")),
            },
            _ => match self.member(Kind::String) {
                Ok((place, member)) => member.visit_str(text).map(|value| variant(place, value)),
                Err(this) if this.enumeration().is_some() => {
                    this.literal(Scalar::Text(text), || format!("`{}`", quoted(text)))
                }
                Err(this) => Err(this.misfit("text")),
            },
        }
    }

    fn visit_seq<A: SeqAccess<'de>>(self, source: A) -> Result<Value, A::Error> {
        match self.ty {
            Type::List(element, range) => list(self.cx, element, *range, source),
            Type::Json => JsonSeed(self.cx).visit_seq(source).map(Value::Json),
            _ => match self.member(Kind::Array) {
                Ok((place, member)) => member.visit_seq(source).map(|value| variant(place, value)),
                Err(this) => Err(this.misfit("an array")),
            },
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, source: A) -> Result<Value, A::Error> {
        match self.ty {
            Type::Json => JsonSeed(self.cx).visit_map(source).map(Value::Json),
            Type::Map(value) => map(self.cx, value, source),
            Type::Result(ok, err) => {
                let select = |key: &str| match key {
                    "ok" => Some((0, &**ok)),
                    "err" => Some((1, &**err)),
                    _ => None,
                };
                one_of(self.cx, "`ok` or `err`", |_, key| select(key), source)
            }
            Type::Named(id) => match self.cx.defs.get(*id) {
                Some(TypeDef::Record(def)) => record(self.cx, *id, def, source),
                Some(TypeDef::Enum(def)) => match &def.wire {
                    EnumWire::Literal if def.variants.iter().any(|v| v.payload.is_some()) => {
                        one_of(self.cx, &def.name, |cx, key| cx.indexes.key(*id, def, key), source)
                    }
                    EnumWire::Discriminator(property) => discriminated(self.cx, *id, def, property, source),
                    EnumWire::Untagged => match self.member(Kind::Object) {
                        Ok((place, member)) => member.visit_map(source).map(|value| variant(place, value)),
                        Err(this) => Err(this.misfit("an object")),
                    },
                    EnumWire::Literal => Err(self.misfit("an object")),
                },
                None => Err(self.misfit("an object")),
            },
            _ => Err(self.misfit("an object")),
        }
    }
}

/// The length of `text` in scalars, if it is out of `range`. Counting is avoided where octets decide.
pub(crate) fn text_misfit(text: &str, range: LengthRange) -> Option<u64> {
    let short = range.max.is_none_or(|max| text.len() as u64 <= max);
    if short && range.min == 0 {
        return None;
    }
    let length = text.chars().count() as u64;
    (!range.contains(length)).then_some(length)
}

fn list<'de, 'a, A: SeqAccess<'de>>(
    cx: &mut Context<'a>,
    element: &'a Type,
    range: LengthRange,
    mut source: A,
) -> Result<Value, A::Error> {
    let shown = |cx: &Context<'_>| cx.defs.show(&Type::List(Box::new(element.clone()), range));
    cx.enter()?;
    let mut items = Vec::new();
    loop {
        match source.next_element_seed(Seed::new(cx, element)) {
            Ok(Some(item)) => {
                cx.room(items.len())?;
                items.push(item);
                if range.max.is_some_and(|max| items.len() as u64 > max) {
                    let expected = shown(cx);
                    return Err(cx.misfit(&expected, "more elements"));
                }
            }
            Ok(None) => break,
            Err(error) => return Err(cx.below_index(items.len(), error)),
        }
    }
    if (items.len() as u64) < range.min {
        let expected = shown(cx);
        return Err(cx.misfit(&expected, &format!("{} elements", items.len())));
    }
    cx.leave();
    Ok(Value::List(items.into()))
}

fn map<'de, 'a, A: MapAccess<'de>>(
    cx: &mut Context<'a>,
    ty: &'a Type,
    mut source: A,
) -> Result<Value, A::Error> {
    cx.enter()?;
    let mut entries: BTreeMap<Arc<str>, Value> = BTreeMap::new();
    while let Some(key) = source.next_key_seed(Key)? {
        cx.room(entries.len())?;
        let Entry::Vacant(slot) = entries.entry(key.as_ref().into()) else {
            return Err(cx.duplicate(&key));
        };
        match source.next_value_seed(Seed::new(cx, ty)) {
            Ok(value) => slot.insert(value),
            Err(error) => return Err(cx.below_key(&key, error)),
        };
    }
    cx.leave();
    Ok(Value::Map(Arc::new(entries)))
}

fn record<'de, 'a, A: MapAccess<'de>>(
    cx: &mut Context<'a>,
    id: DefId,
    def: &'a RecordDef,
    mut source: A,
) -> Result<Value, A::Error> {
    cx.enter()?;
    cx.fields(def.fields.len())?;
    let mut slots: Vec<Option<Value>> = vec![None; def.fields.len()];
    let mut unknown = BTreeSet::new();
    let mut expected = 0;
    while let Some(key) = source.next_key_seed(Key)? {
        let place = cx.indexes.field(id, def, &key, expected);
        let found = place.and_then(|place| Some((place, def.fields.get(place)?, slots.get_mut(place)?)));
        if let Some((place, field, slot)) = found {
            if slot.is_some() {
                return Err(cx.duplicate(&key));
            }
            match source.next_value_seed(Seed::new(cx, &field.ty)) {
                Ok(value) => *slot = Some(value),
                Err(error) => return Err(cx.below_key(&key, error)),
            }
            expected = place + 1;
        } else if cx.exact {
            return Err(cx.unknown(&key, def));
        } else {
            cx.room(unknown.len())?;
            if unknown.contains(&key) {
                return Err(cx.duplicate(&key));
            }
            if let Err(error) = source.next_value_seed(Skip(&mut *cx)) {
                return Err(cx.below_key(&key, error));
            }
            unknown.insert(key);
        }
    }
    let mut values = Vec::with_capacity(slots.len());
    for (field, slot) in def.fields.iter().zip(slots) {
        match slot.or_else(|| field.ty.absent()) {
            Some(value) => values.push(value),
            None => return Err(cx.missing(&field.name, &cx.defs.show(&field.ty))),
        }
    }
    cx.leave();
    Ok(Value::Record(values.into()))
}

/// An object with exactly one of the keys that `select` knows.
fn one_of<'de, 'a, A: MapAccess<'de>>(
    cx: &mut Context<'a>,
    expected: &str,
    select: impl Fn(&mut Context<'a>, &str) -> Option<(u32, &'a Type)>,
    mut source: A,
) -> Result<Value, A::Error> {
    cx.enter()?;
    let mut chosen = None;
    let mut seen = BTreeSet::new();
    while let Some(key) = source.next_key_seed(Key)? {
        cx.room(seen.len())?;
        if seen.contains(&key) {
            return Err(cx.duplicate(&key));
        }
        let read = match select(&mut *cx, &key) {
            Some(_) if chosen.is_some() => return Err(cx.misfit(expected, "an object with two of them")),
            Some((place, ty)) => source.next_value_seed(Seed::new(cx, ty)).map(|value| {
                chosen = Some(variant(place, value));
            }),
            None => source.next_value_seed(Skip(&mut *cx)),
        };
        if let Err(error) = read {
            return Err(cx.below_key(&key, error));
        }
        seen.insert(key);
    }
    cx.leave();
    chosen.ok_or_else(|| cx.misfit(expected, "an object with none of its keys"))
}

/// A number as messages name it. What JSON had beyond a double's exact integers has been rounded, so its digits would be
/// none that anybody wrote.
fn shown(value: f64) -> String {
    match value.abs() {
        large if large >= BEYOND_64_BITS => format!("about {value:e}, which is beyond 64 bits"),
        large if large > EXACT_MAX => format!("about {value:e}"),
        _ => value.to_string(),
    }
}

/// A member of a union told apart by a property, which may stand after the others: the object is kept
/// in memory until the property is known.
fn discriminated<'de, 'a, A: MapAccess<'de>>(
    cx: &mut Context<'a>,
    id: DefId,
    def: &'a EnumDef,
    property: &str,
    source: A,
) -> Result<Value, A::Error> {
    let mut json = JsonSeed(&mut *cx).visit_map(source)?;
    let expected = |cx: &Context<'_>| cx.defs.show(&Type::STRING) + " that names a variant of " + &def.name;
    let Some(tag) = json.get(property) else {
        let expected = expected(cx);
        return Err(cx.missing(property, &expected));
    };
    let known = tag.as_str().and_then(|text| cx.indexes.key(id, def, text));
    let Some((place, payload)) = known else {
        let (expected, found) = (expected(cx), tag.as_str().map_or_else(|| "another kind".into(), quoted));
        let error = cx.misfit(&expected, &format!("`{found}`"));
        return Err(cx.below_key(property, error));
    };
    // Who names the variant need not be a field of it.
    if let (true, Json::Object(object)) = (cx.exact && !has_field(cx, payload, property), &mut json) {
        Arc::make_mut(object).remove(property);
    }
    match Seed::read(cx, payload, JsonSource(&json)) {
        Ok(value) => Ok(variant(place, value)),
        // The reason is kept in the context.
        Err(_) => Err(A::Error::custom("misfit")),
    }
}

fn has_field(cx: &Context<'_>, ty: &Type, name: &str) -> bool {
    let Type::Named(id) = ty else { return false };
    cx.defs.record(*id).is_some_and(|def| def.fields.iter().any(|field| field.name == name))
}
