//! Functions of lists, and those that lists share with texts and maps.

use crate::builtin::Receiver::{Json, List, Lists, Map, Optionals, Results, Text};
use crate::builtin::{Receiver, Signature};

const SIZED: &[Receiver] = &[List, Text, Map];
const SLICED: &[Receiver] = &[List, Text];

pub(crate) const LEN: Signature = Signature::of(
    "len",
    SIZED,
    "Int(0..)",
    "The number of elements, characters or entries.",
    &[("[1, 2].len()", "2"), ("\"naïve\".len()", "5")],
);

pub(crate) const IS_EMPTY: Signature = Signature::of(
    "is_empty",
    SIZED,
    "Bool",
    "Whether there is nothing in it.",
    &[("\"\".is_empty()", "true")],
);

pub(crate) const FILTER: Signature = Signature::of(
    "filter",
    &[List],
    "[T]",
    "The elements that pass.",
    &[("[1, 2, 3].filter(x => x > 1)", "[2, 3]")],
)
.per_element("Bool");

pub(crate) const MAP: Signature =
    Signature::of("map", &[List], "[U]", "One result per element.", &[("[1, 2].map(x => x * 2)", "[2, 4]")])
        .per_element("U");

pub(crate) const TAKE: Signature = Signature::of(
    "take",
    SLICED,
    "[T](..n) | String(..n)",
    "At most the first `n`; none where `n` is negative.",
    &[("[1, 2, 3].take(2)", "[1, 2]"), ("\"naïve\".take(3)", "\"naï\"")],
)
.taking(&[("n", "Int")]);

pub(crate) const SKIP: Signature = Signature::of(
    "skip",
    SLICED,
    "Self",
    "All but the first `n`; all where `n` is negative.",
    &[("[1, 2, 3].skip(1)", "[2, 3]"), ("\"naïve\".skip(3)", "\"ve\"")],
)
.taking(&[("n", "Int")]);

pub(crate) const ALL: Signature = Signature::of(
    "all",
    &[List],
    "Bool",
    "Whether every element passes; `true` for an empty list.",
    &[("[1, 2].all(x => x > 0)", "true")],
)
.per_element("Bool");

pub(crate) const ANY: Signature = Signature::of(
    "any",
    &[List],
    "Bool",
    "Whether an element passes; `false` for an empty list.",
    &[("[1, 2].any(x => x > 2)", "false")],
)
.per_element("Bool");

pub(crate) const FLATTEN: Signature = Signature::of(
    "flatten",
    &[Lists],
    "[T]",
    "The elements of the elements.",
    &[("[[1], [2, 3]].flatten()", "[1, 2, 3]")],
);

pub(crate) const CONTAINS: Signature = Signature::of(
    "contains",
    SIZED,
    "Bool",
    "Whether an element equals it, the text has it in it, or the map has the key.",
    &[
        ("[1, 2].contains(2)", "true"),
        ("\"naïve\".contains(\"ïv\")", "true"),
        ("[1].key_by(n => \"n{n}\").contains(\"n1\")", "true"),
    ],
)
.taking(&[("part", "T | String | String")]);

pub(crate) const OK: Signature = Signature::of(
    "ok",
    &[Results],
    "[T]",
    "The values of the `Ok`s.",
    &[("[Ok(1), Err(\"no\"), Ok(2)].ok()", "[1, 2]")],
);

pub(crate) const ERRORS: Signature = Signature::of(
    "errors",
    &[Results],
    "[E]",
    "The values of the `Err`s.",
    &[("[Ok(1), Err(\"no\"), Ok(2)].errors()", "[\"no\"]")],
);

pub(crate) const FIRST: Signature = Signature::of(
    "first",
    &[List],
    "T?",
    "The first element, or `null`.",
    &[("[1, 2].first()", "1"), ("[1, 2].skip(2).first()", "null")],
);

pub(crate) const LAST: Signature =
    Signature::of("last", &[List], "T?", "The last element, or `null`.", &[("[1, 2].last()", "2")]);

pub(crate) const COUNT: Signature = Signature::of(
    "count",
    &[List],
    "Int(0..)",
    "How many elements pass.",
    &[("[1, 2, 3].count(x => x > 1)", "2")],
)
.per_element("Bool");

pub(crate) const FIND: Signature = Signature::of(
    "find",
    &[List],
    "T?",
    "The first element that passes, or `null`.",
    &[("[1, 2, 3].find(x => x > 1)", "2"), ("[1, 2, 3].find(x => x > 3)", "null")],
)
.per_element("Bool");

pub(crate) const POSITION: Signature = Signature::of(
    "position",
    &[List],
    "Int(0..)?",
    "Where the first element that passes stands, from 0, or `null`.",
    &[("[1, 2, 3].position(x => x > 1)", "1")],
)
.per_element("Bool");

pub(crate) const DISTINCT: Signature = Signature::of(
    "distinct",
    &[List],
    "[T]",
    "Without elements that equal an earlier one.",
    &[("[1, 2, 1].distinct()", "[1, 2]")],
);

pub(crate) const DISTINCT_BY: Signature = Signature::of(
    "distinct_by",
    &[List],
    "[T]",
    "Without elements whose key equals that of an earlier one.",
    &[("[\"a\", \"A\", \"b\"].distinct_by(t => t.folded())", "[\"a\", \"b\"]")],
)
.per_element("U");

pub(crate) const GROUP_BY: Signature = Signature::of(
    "group_by",
    &[List],
    "{String: [T](1..)}",
    "The elements of each key, in their order.",
    &[(
        "[\"ape\", \"bee\", \"ant\"].group_by(t => t.take(1))",
        "{ \"a\": [\"ape\", \"ant\"], \"b\": [\"bee\"] }",
    )],
)
.per_element("String");

pub(crate) const KEY_BY: Signature = Signature::of(
    "key_by",
    &[List],
    "{String: T}",
    "A map of the elements by a key; of equal keys, the last element.",
    &[("[\"ape\", \"bee\"].key_by(t => t.take(1))", "{ \"a\": \"ape\", \"b\": \"bee\" }")],
)
.per_element("String");

pub(crate) const CHUNKS: Signature = Signature::of(
    "chunks",
    &[List],
    "[[T](1..n)]",
    "Cut into lists of `n`, the last one maybe shorter; `n` below 1 counts as 1.",
    &[("[1, 2, 3].chunks(2)", "[[1, 2], [3]]")],
)
.taking(&[("n", "Int")]);

pub(crate) const ZIP: Signature = Signature::of(
    "zip",
    &[List],
    "[Pair<T, U>]",
    "Elements of the same place as `Pair { left, right }`, as many as the shorter list has.",
    &[("[1, 2, 3].zip([10, 20]).map(p => p.left * p.right)", "[10, 40]")],
)
.taking(&[("other", "[U]")]);

pub(crate) const CONCAT: Signature = Signature::of(
    "concat",
    &[List],
    "[T]",
    "One list after the other.",
    &[("[1, 2].concat([3])", "[1, 2, 3]")],
)
.taking(&[("other", "[T]")]);

pub(crate) const GET: Signature = Signature::of(
    "get",
    &[List, Map, Json],
    "T? | T? | Json",
    "The element at a place from 0, or the value of a key; `null` where there is none. Of `Json`, a place of an array or a key of an object.",
    &[
        ("[1, 2].get(1)", "2"),
        ("[1, 2].get(2)", "null"),
        ("[1].key_by(n => \"n{n}\").get(\"n1\")", "1"),
        ("json({ data: [7] }).get(\"data\").get(0) as Int", "7"),
    ],
)
.taking(&[("at", "Int | String | Int or String")]);

pub(crate) const INDEX_OF: Signature = Signature::of(
    "index_of",
    SLICED,
    "Int(0..)?",
    "Where an element that equals it, or the part of the text, first stands, from 0; `null` where it does not.",
    &[("[1, 2].index_of(2)", "1"), ("\"naïve\".index_of(\"v\")", "3"), ("\"naïve\".index_of(\"x\")", "null")],
)
.taking(&[("part", "T | String")]);

pub(crate) const PRESENT: Signature = Signature::of(
    "present",
    &[Optionals],
    "[T]",
    "The elements that are not `null`.",
    &[("[1, null, 2].present()", "[1, 2]")],
);
