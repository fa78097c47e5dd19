//! Types of the plan language. A type is small and copyable in spirit: records and enums live in a
//! [`TypeDefs`] table and are named by [`DefId`], so recursive schemas need no cycles of pointers.

mod apart;
mod def;
mod range;
mod show;

use serde::{Deserialize, Serialize};

use crate::limits::{LIST_ELEMENTS_MAX, URL_LENGTH_MAX};
use crate::value::{Json, Value};

pub use def::{DefId, EnumDef, EnumWire, FieldDef, JsonText, RecordDef, TypeDef, TypeDefs, VariantDef};
pub use range::{FloatRange, IntRange, LengthRange};

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
        let mut open = Vec::new();
        let mut next = Some(self);
        let mut parts = 0_usize;
        while let Some(ty) = next.or_else(|| open.pop()) {
            next = None;
            parts += 1;
            if parts > max {
                return false;
            }
            match ty {
                Self::List(inner, _) | Self::Map(inner) | Self::Optional(inner) => next = Some(inner),
                Self::Result(ok, err) => {
                    next = Some(ok);
                    open.push(&**err);
                }
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
