//! Functions of maps.

use crate::builtin::Receiver::{Json, Map};
use crate::builtin::Signature;

pub(crate) const KEYS: Signature = Signature::of(
    "keys",
    &[Map, Json],
    "[String]",
    "The keys in their order. Of `Json` that is no object, none.",
    &[("[\"b\", \"a\"].key_by(t => t).keys()", "[\"a\", \"b\"]"), ("json({ n: 1 }).keys()", "[\"n\"]")],
);

pub(crate) const VALUES: Signature = Signature::of(
    "values",
    &[Map],
    "[T]",
    "The values in the order of their keys.",
    &[("[2, 1].key_by(n => \"{n}\").values()", "[1, 2]")],
);

pub(crate) const ENTRIES: Signature = Signature::of(
    "entries",
    &[Map],
    "[Entry<T>]",
    "Every key with its value as `Entry { key, value }`, in key order.",
    &[("[2, 1].key_by(n => \"k{n}\").entries().map(e => \"{e.key}={e.value}\")", "[\"k1=1\", \"k2=2\"]")],
);

pub(crate) const MERGE: Signature = Signature::of(
    "merge",
    &[Map],
    "{String: T}",
    "The entries of both; of equal keys, that of the other map.",
    &[(
        "[\"ape\", \"bee\"].key_by(t => t.take(1)).merge([\"ant\"].key_by(t => t.take(1)))",
        "{ \"a\": \"ant\", \"b\": \"bee\" }",
    )],
)
.taking(&[("other", "{String: T}")]);

pub(crate) const MAP_VALUES: Signature = Signature::of(
    "map_values",
    &[Map],
    "{String: U}",
    "One result per value.",
    &[(
        "[\"ape\", \"bee\", \"ant\"].group_by(t => t.take(1)).map_values(g => g.len())",
        "{ \"a\": 2, \"b\": 1 }",
    )],
)
.per_element("U");
