//! Functions of JSON, and to it.

use crate::builtin::Receiver::{Any, JsonList};
use crate::builtin::Signature;

pub(crate) const TO_JSON: Signature = Signature::of(
    "to_json",
    &[Any],
    "String",
    "Compact JSON text, fields in declared order.",
    &[("[\"a\"].to_json()", "\"[\\\"a\\\"]\"")],
);

pub(crate) const DECODE: Signature = Signature::of(
    "decode",
    &[JsonList],
    "[T]",
    "The elements that fit the type of the `as` that follows.",
    &[("json([1, \"x\", 2]).decode() as [Int]", "[1, 2]")],
);
