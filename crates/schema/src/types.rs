//! Types of the plan language. A type is small and copyable in spirit: records and enums live in a
//! [`TypeDefs`] table and are named by [`DefId`], so recursive schemas need no cycles of pointers.

use std::collections::BTreeSet;
use std::fmt::{self, Write as _};
use std::hash::{DefaultHasher, Hasher as _};

use serde::{Deserialize, Serialize};

use crate::limits::{LIST_ELEMENTS_MAX, URL_LENGTH_MAX};
use crate::value::{Json, Value};

/// Index of a definition in a [`TypeDefs`] table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct DefId(pub u32);

/// A type, refinements included.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Type {
    /// `true` or `false`.
    Bool,
    /// Checked 64-bit integer in an inclusive range.
    Int(IntRange),
    /// IEEE double in an inclusive range, never NaN.
    Float(FloatRange),
    /// Text with a length in Unicode scalars.
    String(LengthRange),
    /// Octets with a length in bytes; base64 text in JSON.
    Bytes(LengthRange),
    /// An absolute URL of at most [`URL_LENGTH_MAX`] scalars.
    Url,
    /// A moment, microseconds since 1970 UTC; RFC 3339 text in JSON.
    Time,
    /// A span of time in microseconds; ISO 8601 text in JSON.
    Duration,
    /// Money; text such as `0.02USD` in JSON.
    Amount,
    /// Any JSON, opaque until decoded with `as`.
    Json,
    /// A finite list.
    List(Box<Type>, LengthRange),
    /// Text keys, in key order.
    Map(Box<Type>),
    /// A value or `null`.
    Optional(Box<Type>),
    /// A record or enum of the table.
    Named(DefId),
    /// `Ok(T)` or `Err(E)`.
    Result(Box<Type>, Box<Type>),
    /// The type of an expression that was already reported as wrong: fits everything, so that one
    /// mistake does not cascade. Never occurs in a compiled plan.
    Error,
}

/// Inclusive integer bounds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IntRange {
    /// Smallest admitted value.
    pub min: i64,
    /// Largest admitted value.
    pub max: i64,
}

/// Inclusive float bounds; infinite where unbounded.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct FloatRange {
    /// Smallest admitted value.
    pub min: f64,
    /// Largest admitted value.
    pub max: f64,
}

/// Inclusive bounds of a length; `max: None` is unbounded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LengthRange {
    /// Smallest admitted length.
    pub min: u64,
    /// Largest admitted length, if there is one.
    pub max: Option<u64>,
}

impl IntRange {
    /// Every 64-bit integer.
    pub const FULL: Self = Self { min: i64::MIN, max: i64::MAX };

    /// Whether every value of `self` lies in `other`.
    #[must_use]
    pub const fn within(self, other: Self) -> bool {
        self.min >= other.min && self.max <= other.max
    }

    /// Whether `value` lies in the range.
    #[must_use]
    pub const fn contains(self, value: i64) -> bool {
        value >= self.min && value <= self.max
    }
}

impl FloatRange {
    /// Every number.
    pub const FULL: Self = Self { min: f64::NEG_INFINITY, max: f64::INFINITY };

    /// Whether every value of `self` lies in `other`.
    #[must_use]
    pub fn within(self, other: Self) -> bool {
        self.min >= other.min && self.max <= other.max
    }

    /// Whether `value` lies in the range.
    #[must_use]
    pub fn contains(self, value: f64) -> bool {
        value >= self.min && value <= self.max
    }
}

impl LengthRange {
    /// Any length.
    pub const FULL: Self = Self { min: 0, max: None };

    /// At most `max`.
    #[must_use]
    pub const fn up_to(max: u64) -> Self {
        Self { min: 0, max: Some(max) }
    }

    /// Exactly `length`.
    #[must_use]
    pub const fn exactly(length: u64) -> Self {
        Self { min: length, max: Some(length) }
    }

    /// Whether every length of `self` lies in `other`.
    #[must_use]
    pub const fn within(self, other: Self) -> bool {
        self.min >= other.min
            && match (self.max, other.max) {
                (_, None) => true,
                (None, Some(_)) => false,
                (Some(own), Some(limit)) => own <= limit,
            }
    }

    /// The least range that has the lengths of both.
    #[must_use]
    pub fn hull(self, other: Self) -> Self {
        let max = self.max.zip(other.max).map(|(a, b)| a.max(b));
        Self { min: self.min.min(other.min), max }
    }

    /// Whether `length` lies in the range.
    #[must_use]
    pub const fn contains(self, length: u64) -> bool {
        length >= self.min
            && match self.max {
                None => true,
                Some(max) => length <= max,
            }
    }
}

impl Type {
    /// `Int` without a refinement.
    pub const INT: Self = Self::Int(IntRange::FULL);
    /// `Float` without a refinement.
    pub const FLOAT: Self = Self::Float(FloatRange::FULL);
    /// `String` without a refinement.
    pub const STRING: Self = Self::String(LengthRange::FULL);

    /// A list of any length of `element`.
    #[must_use]
    pub fn list(element: Self) -> Self {
        Self::List(Box::new(element), LengthRange::FULL)
    }

    /// `self?`; an optional stays what it is, for absent and `null` are one value.
    #[must_use]
    pub fn optional(self) -> Self {
        match self {
            Self::Optional(_) | Self::Json | Self::Error => self,
            other => Self::Optional(Box::new(other)),
        }
    }

    /// What a field of this type holds when it is absent, if it may be.
    #[must_use]
    pub const fn absent(&self) -> Option<Value> {
        match self {
            Self::Optional(_) => Some(Value::Null),
            // `Json?` is `Json`: for opaque JSON, too, absent and `null` are one value.
            Self::Json => Some(Value::Json(Json::Null)),
            _ => None,
        }
    }

    /// Whether the type, written out without the definitions it names, has at most `max` parts; it looks at
    /// no more of them.
    #[must_use]
    pub fn has_parts_within(&self, max: usize) -> bool {
        let mut open = vec![self];
        let mut parts = 0_usize;
        while let Some(ty) = open.pop() {
            parts += 1;
            if parts > max {
                return false;
            }
            match ty {
                Self::List(inner, _) | Self::Map(inner) | Self::Optional(inner) => open.push(inner),
                Self::Result(ok, err) => open.extend([&**ok, &**err]),
                _ => {}
            }
        }
        true
    }

    /// The largest length of a string, URL, list or byte value; `None` where unbounded or no length.
    #[must_use]
    pub fn length_max(&self) -> Option<u64> {
        match self {
            Self::String(range) | Self::Bytes(range) | Self::List(_, range) => range.max,
            Self::Url => Some(URL_LENGTH_MAX),
            _ => None,
        }
    }
}

/// A record or an enum.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum TypeDef {
    /// Named fields in declared order.
    Record(RecordDef),
    /// Alternatives in declared order.
    Enum(EnumDef),
}

impl TypeDef {
    /// The name users see.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Record(def) => &def.name,
            Self::Enum(def) => &def.name,
        }
    }
}

/// A record type.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RecordDef {
    /// The name users see.
    pub name: String,
    /// Fields in declared order; a [`crate::value::Value::Record`] has its values in this order.
    pub fields: Vec<FieldDef>,
    /// Documentation, empty where there is none.
    pub doc: String,
}

impl RecordDef {
    /// Position and definition of the field called `name`.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<(usize, &FieldDef)> {
        self.fields.iter().enumerate().find(|(_, field)| field.name == name)
    }
}

/// A field of a record.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FieldDef {
    /// Its name, in plans and in JSON.
    pub name: String,
    /// Its type; [`Type::Optional`] where it may be absent.
    pub ty: Type,
    /// Documentation, empty where there is none.
    pub doc: String,
}

/// An enum type.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EnumDef {
    /// The name users see.
    pub name: String,
    /// Variants in declared order.
    pub variants: Vec<VariantDef>,
    /// How a value looks in JSON.
    pub wire: EnumWire,
    /// Documentation, empty where there is none.
    pub doc: String,
}

impl EnumDef {
    /// Position and definition of the variant called `name`.
    #[must_use]
    pub fn variant(&self, name: &str) -> Option<(usize, &VariantDef)> {
        self.variants.iter().enumerate().find(|(_, variant)| variant.name == name)
    }

    /// What JSON has for the variants without payload, such as `"BTC"` (quotes included), if they are told apart by that.
    pub fn literals(&self) -> impl Iterator<Item = &str> {
        let variants = if self.wire == EnumWire::Literal { self.variants.as_slice() } else { &[] };
        let plain = variants.iter().filter(|variant| variant.payload.is_none());
        plain.map(|variant| variant.wire.as_str())
    }
}

/// One alternative of an enum.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct VariantDef {
    /// Its name in plans, upper case first.
    pub name: String,
    /// The JSON literal it stands for (a string, or any scalar `const`), or the discriminator value;
    /// in an untagged union the JSON kind of its payload: `"string"`, `"number"`, `"boolean"`,
    /// `"array"` or `"object"`, quotes included. Empty for a variant with payload `String` that takes
    /// every text which is no literal of the others.
    pub wire: JsonText,
    /// What it carries, if anything.
    pub payload: Option<Type>,
    /// Documentation, empty where there is none.
    pub doc: String,
}

/// A JSON literal as compact text, such as `"PAST_WEEK"` (quotes included) or `3`.
pub type JsonText = String;

/// How enum values are written in JSON.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum EnumWire {
    /// A variant without payload is its literal; one with payload is `{"<literal>": payload}`.
    Literal,
    /// The payload itself; members are told apart by JSON kind (a union of disjoint kinds).
    Untagged,
    /// The payload record with the discriminator property of this name among its fields.
    Discriminator(String),
}

/// The records and enums that types refer to.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct TypeDefs {
    defs: Vec<TypeDef>,
    #[serde(skip)]
    interned: Interned,
}

/// Definitions that were interned, by a hash of what they say. It only finds what the table has, so tables are equal
/// whatever it holds.
#[derive(Clone, Debug, Default)]
struct Interned(BTreeSet<(u64, DefId)>);

impl PartialEq for Interned {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

/// Of all that a definition says.
fn hash(def: &TypeDef) -> u64 {
    struct Hashed(DefaultHasher);
    impl fmt::Write for Hashed {
        fn write_str(&mut self, part: &str) -> fmt::Result {
            self.0.write(part.as_bytes());
            Ok(())
        }
    }
    let mut hashed = Hashed(DefaultHasher::new());
    // Nothing refuses to be hashed.
    let _ = write!(hashed, "{def:?}");
    hashed.0.finish()
}

impl TypeDefs {
    /// An empty table.
    #[must_use]
    pub const fn new() -> Self {
        Self { defs: Vec::new(), interned: Interned(BTreeSet::new()) }
    }

    /// Adds a definition.
    pub fn push(&mut self, def: TypeDef) -> DefId {
        let id = DefId(u32::try_from(self.defs.len()).unwrap_or(u32::MAX));
        self.defs.push(def);
        id
    }

    /// The definition that was interned and says this; it is added where there is none.
    pub fn intern(&mut self, def: TypeDef) -> DefId {
        let hash = hash(&def);
        let mut alike = self.interned.0.range((hash, DefId(0))..=(hash, DefId(u32::MAX)));
        if let Some((_, known)) = alike.find(|(_, id)| self.get(*id) == Some(&def)) {
            return *known;
        }
        let id = self.push(def);
        self.interned.0.insert((hash, id));
        id
    }

    /// The definition at `id`.
    #[must_use]
    pub fn get(&self, id: DefId) -> Option<&TypeDef> {
        self.defs.get(id.0 as usize)
    }

    /// The definition at `id`, to complete a recursive one.
    pub fn get_mut(&mut self, id: DefId) -> Option<&mut TypeDef> {
        self.defs.get_mut(id.0 as usize)
    }

    /// The record at `id`, if it is one.
    #[must_use]
    pub fn record(&self, id: DefId) -> Option<&RecordDef> {
        match self.get(id) {
            Some(TypeDef::Record(def)) => Some(def),
            _ => None,
        }
    }

    /// The enum at `id`, if it is one.
    #[must_use]
    pub fn enumeration(&self, id: DefId) -> Option<&EnumDef> {
        match self.get(id) {
            Some(TypeDef::Enum(def)) => Some(def),
            _ => None,
        }
    }

    /// All definitions with their ids.
    pub fn iter(&self) -> impl Iterator<Item = (DefId, &TypeDef)> {
        self.defs
            .iter()
            .enumerate()
            .map(|(index, def)| (DefId(u32::try_from(index).unwrap_or(u32::MAX)), def))
    }

    /// Number of definitions.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.defs.len()
    }

    /// Whether there is no definition.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.defs.is_empty()
    }

    /// Appends all of `other`; a type of `other` means the same here after [`Type::shift`] by the
    /// returned offset.
    pub fn import(&mut self, other: &Self) -> u32 {
        let offset = u32::try_from(self.defs.len()).unwrap_or(u32::MAX);
        self.defs.extend(other.defs.iter().map(|def| {
            let mut def = def.clone();
            match &mut def {
                TypeDef::Record(record) => record.fields.iter_mut().for_each(|f| f.ty = f.ty.shift(offset)),
                TypeDef::Enum(enumeration) => enumeration
                    .variants
                    .iter_mut()
                    .filter_map(|v| v.payload.as_mut())
                    .for_each(|ty| *ty = ty.shift(offset)),
            }
            def
        }));
        offset
    }

    /// The type as users write it, for messages.
    #[must_use]
    pub fn show(&self, ty: &Type) -> String {
        let length = |name: &str, range: &LengthRange| format!("{name}{}", show_length(*range));
        match ty {
            Type::Bool => "Bool".into(),
            Type::Int(range) => match (range.min, range.max) {
                (i64::MIN, i64::MAX) => "Int".into(),
                (i64::MIN, max) => format!("Int(..{max})"),
                (min, i64::MAX) => format!("Int({min}..)"),
                (min, max) => format!("Int({min}..{max})"),
            },
            Type::Float(range) => match (range.min.is_finite(), range.max.is_finite()) {
                (false, false) => "Float".into(),
                (false, true) => format!("Float(..{})", show_float(range.max)),
                (true, false) => format!("Float({}..)", show_float(range.min)),
                (true, true) => format!("Float({}..{})", show_float(range.min), show_float(range.max)),
            },
            Type::String(range) => length("String", range),
            Type::Bytes(range) => length("Bytes", range),
            Type::Url => "Url".into(),
            Type::Time => "Time".into(),
            Type::Duration => "Duration".into(),
            Type::Amount => "Amount".into(),
            Type::Json => "Json".into(),
            Type::List(element, range) => length(&format!("[{}]", self.show(element)), range),
            Type::Map(value) => format!("{{String: {}}}", self.show(value)),
            Type::Optional(inner) => format!("{}?", self.show(inner)),
            Type::Named(id) => self.show_named(*id),
            Type::Result(ok, err) => format!("Result<{}, {}>", self.show(ok), self.show(err)),
            Type::Error => "?".into(),
        }
    }

    /// The name of a definition, with the type that the language made it for: `Voted<String>`.
    fn show_named(&self, id: DefId) -> String {
        let Some(def) = self.get(id) else { return "?".into() };
        let of = match def {
            TypeDef::Record(def) => {
                let carries = match def.name.as_str() {
                    "ItemError" => "item",
                    "Voted" => "value",
                    _ => return def.name.clone(),
                };
                def.fields.iter().find(|field| field.name == carries).map(|field| &field.ty)
            }
            TypeDef::Enum(def) if def.name == "CallError" => {
                let votes = def.variants.iter().find(|variant| variant.name == "NoQuorum");
                match votes.and_then(|variant| variant.payload.as_ref()) {
                    Some(Type::List(answer, _)) => Some(&**answer),
                    _ => None,
                }
            }
            TypeDef::Enum(def) => return def.name.clone(),
        };
        // What it was made for was there before it, unlike in a recursive type that only has its name.
        match of.filter(|of| last_named(of).is_none_or(|last| last < id)) {
            Some(of) => format!("{}<{}>", def.name(), self.show(of)),
            None => def.name().into(),
        }
    }
}

/// The latest definition that a type names.
fn last_named(ty: &Type) -> Option<DefId> {
    match ty {
        Type::Named(id) => Some(*id),
        Type::List(inner, _) | Type::Map(inner) | Type::Optional(inner) => last_named(inner),
        Type::Result(ok, err) => last_named(ok).max(last_named(err)),
        _ => None,
    }
}

/// An exclusive bound is the next double, which takes 300 digits to write out.
fn show_float(value: f64) -> String {
    let plain = value.to_string();
    if plain.len() > 20 { format!("{value:e}") } else { plain }
}

fn show_length(range: LengthRange) -> String {
    match (range.min, range.max) {
        (0, None) => String::new(),
        (0, Some(max)) => format!("(..{max})"),
        (min, None) => format!("({min}..)"),
        (min, Some(max)) => format!("({min}..{max})"),
    }
}

impl Type {
    /// The same type in a table where its definitions start `offset` later ([`TypeDefs::import`]).
    #[must_use]
    pub fn shift(&self, offset: u32) -> Self {
        match self {
            Self::Named(id) => Self::Named(DefId(id.0.saturating_add(offset))),
            Self::List(element, range) => Self::List(Box::new(element.shift(offset)), *range),
            Self::Map(value) => Self::Map(Box::new(value.shift(offset))),
            Self::Optional(inner) => Self::Optional(Box::new(inner.shift(offset))),
            Self::Result(ok, err) => Self::Result(Box::new(ok.shift(offset)), Box::new(err.shift(offset))),
            other => other.clone(),
        }
    }

    /// The largest number of elements a list of this type can hold, capped by the limit on lists.
    #[must_use]
    pub fn elements_max(&self) -> Option<u64> {
        match self {
            Self::List(_, range) => range.max.map(|max| max.min(LIST_ELEMENTS_MAX as u64)),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_says_the_same_is_one_definition() {
        let record = |name: &str, ty| {
            let field = FieldDef { name: "a".into(), ty, doc: String::new() };
            TypeDef::Record(RecordDef { name: name.into(), fields: vec![field], doc: String::new() })
        };
        let mut types = TypeDefs::new();
        let declared = types.push(record("R", Type::INT));
        let first = types.intern(record("Pair", Type::INT));
        assert_ne!(types.intern(record("Pair", Type::STRING)), first);
        assert_eq!(types.intern(record("Pair", Type::INT)), first);
        // What was declared is told apart from it, and a table without the memory is the same table.
        assert_ne!(types.intern(record("R", Type::INT)), declared);
        let stored = serde_json::to_string(&types).unwrap();
        assert_eq!(serde_json::from_str::<TypeDefs>(&stored).unwrap(), types);
    }
}
