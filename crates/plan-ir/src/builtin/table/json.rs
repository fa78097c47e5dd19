//! Functions of JSON, and to it.

use crate::builtin::Receiver::{Any, Json, JsonList};
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
    "The elements that fit the type of the `as` that follows. `Json` may be an array, too; any other fails.",
    &[("json([1, \"x\", 2]).decode() as [Int]", "[1, 2]")],
);

pub(crate) const KIND: Signature = Signature::of(
    "kind",
    &[Json],
    "String(4..6)",
    "`null`, `bool`, `number`, `string`, `array` or `object`.",
    &[("json([1]).kind()", "\"array\""), ("json({ a: 1 }).get(\"b\").kind()", "\"null\"")],
);
