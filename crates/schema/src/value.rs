//! Values of the plan language at run time. Cheap to clone: everything of unbounded size is shared.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::amount::Amount;

/// A value; which [`crate::types::Type`] it has is known from its place.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Value {
    /// The absent optional.
    Null,
    /// `Bool`.
    Bool(bool),
    /// `Int`.
    Int(i64),
    /// `Float`; never NaN, and `-0` is stored as `0`.
    Float(f64),
    /// `String` and `Url`.
    String(Arc<str>),
    /// `Bytes`.
    Bytes(Arc<[u8]>),
    /// `Time`, microseconds since 1970 UTC.
    Time(i64),
    /// `Duration`, microseconds.
    Duration(i64),
    /// `Amount`.
    Amount(Amount),
    /// A list.
    List(Arc<[Value]>),
    /// A map; iterates in key order.
    Map(Arc<BTreeMap<Arc<str>, Value>>),
    /// A record: one value per field, in declared order.
    Record(Arc<[Value]>),
    /// An enum value by position of its variant; `Result` is variant 0 `Ok`, 1 `Err`.
    Variant(u32, Option<Arc<Value>>),
    /// Opaque JSON.
    Json(Json),
}

/// Any JSON document; objects in key order.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Json {
    /// `null`.
    Null,
    /// `true`, `false`.
    Bool(bool),
    /// A number without fraction or exponent that fits 64 bits.
    Int(i64),
    /// Any other finite number.
    Float(f64),
    /// A string.
    String(Arc<str>),
    /// An array.
    Array(Arc<[Json]>),
    /// An object.
    Object(Arc<BTreeMap<Arc<str>, Json>>),
}

impl Json {
    /// A number; `-0` becomes `0`, so that equal documents are equal values.
    #[must_use]
    pub fn float(value: f64) -> Self {
        Self::Float(value + 0.0)
    }

    /// The member called `key`, of an object.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Self> {
        match self {
            Self::Object(entries) => entries.get(key),
            _ => None,
        }
    }

    /// The text of a string.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::String(text) => Some(text),
            _ => None,
        }
    }
}

impl Value {
    /// A string value.
    #[must_use]
    pub fn string(text: impl Into<Arc<str>>) -> Self {
        Self::String(text.into())
    }

    /// A list value.
    #[must_use]
    pub fn list(items: impl IntoIterator<Item = Self>) -> Self {
        Self::List(items.into_iter().collect())
    }

    /// A record value from its fields in declared order.
    #[must_use]
    pub fn record(fields: impl IntoIterator<Item = Self>) -> Self {
        Self::Record(fields.into_iter().collect())
    }

    /// `Ok(value)` of a `Result`.
    #[must_use]
    pub fn ok(value: Self) -> Self {
        Self::Variant(0, Some(Arc::new(value)))
    }

    /// `Err(value)` of a `Result`.
    #[must_use]
    pub fn err(value: Self) -> Self {
        Self::Variant(1, Some(Arc::new(value)))
    }

    /// The text of a string or URL.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::String(text) => Some(text),
            _ => None,
        }
    }

    /// The items of a list.
    #[must_use]
    pub fn as_list(&self) -> Option<&[Self]> {
        match self {
            Self::List(items) => Some(items),
            _ => None,
        }
    }

    /// The fields of a record in declared order.
    #[must_use]
    pub fn as_record(&self) -> Option<&[Self]> {
        match self {
            Self::Record(fields) => Some(fields),
            _ => None,
        }
    }
}
