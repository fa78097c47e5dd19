//! How enum values stand in JSON: literals, and the kinds by which an untagged union is told apart.

use crate::types::{EnumDef, Type};

/// A JSON scalar.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Scalar<'a> {
    Null,
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(&'a str),
}

impl Scalar<'_> {
    /// Whether the literal `wire` is this scalar; numbers compare by value.
    pub(crate) fn is(self, wire: &str) -> bool {
        match self {
            Self::Null => wire == "null",
            Self::Bool(value) => wire == if value { "true" } else { "false" },
            Self::Int(value) => match wire.parse::<i64>() {
                Ok(literal) => literal == value,
                // 2^53: beyond it a double cannot tell neighbouring integers apart.
                Err(_) => value.unsigned_abs() <= 1 << 53 && wire.parse() == Ok(value as f64),
            },
            Self::Float(value) => wire.parse() == Ok(value),
            Self::Text(value) => match wire.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) {
                Some(plain) if !plain.contains('\\') => plain == value,
                Some(_) => text_of(wire).is_some_and(|literal| literal == value),
                None => false,
            },
        }
    }
}

/// The text of a string literal.
pub(crate) fn text_of(wire: &str) -> Option<String> {
    serde_json::from_str(wire).ok()
}

/// A JSON kind, as far as a union can be told apart by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    String,
    Number,
    Bool,
    Array,
    Object,
}

impl Kind {
    /// The `wire` text of a variant of an untagged union that stands for this kind.
    pub(crate) const fn wire(self) -> &'static str {
        match self {
            Self::String => "\"string\"",
            Self::Number => "\"number\"",
            Self::Bool => "\"boolean\"",
            Self::Array => "\"array\"",
            Self::Object => "\"object\"",
        }
    }

    /// The name of such a variant in plans.
    pub(crate) const fn variant(self) -> &'static str {
        match self {
            Self::String => "Text",
            Self::Number => "Number",
            Self::Bool => "Flag",
            Self::Array => "List",
            Self::Object => "Object",
        }
    }
}

impl EnumDef {
    /// The variant without payload whose literal is `scalar`.
    pub(crate) fn by_literal(&self, scalar: Scalar<'_>) -> Option<u32> {
        let place = self.variants.iter().position(|v| v.payload.is_none() && scalar.is(&v.wire))?;
        u32::try_from(place).ok()
    }

    /// The variant with payload whose literal is the text `key`.
    pub(crate) fn by_key(&self, key: &str) -> Option<(u32, &Type)> {
        let scalar = Scalar::Text(key);
        self.find(|wire| scalar.is(wire))
    }

    /// The variant for values of `kind` in an untagged union.
    pub(crate) fn by_kind(&self, kind: Kind) -> Option<(u32, &Type)> {
        self.find(|wire| wire == kind.wire())
    }

    /// The variant that takes every text which is no literal of the others.
    pub(crate) fn catch_all(&self) -> Option<u32> {
        self.find(str::is_empty).map(|(place, _)| place)
    }

    fn find(&self, fits: impl Fn(&str) -> bool) -> Option<(u32, &Type)> {
        let (place, payload) = self
            .variants
            .iter()
            .enumerate()
            .find_map(|(place, v)| v.payload.as_ref().filter(|_| fits(&v.wire)).map(|ty| (place, ty)))?;
        Some((u32::try_from(place).ok()?, payload))
    }
}
