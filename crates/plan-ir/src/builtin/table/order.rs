//! Functions that order or total a list. `K` is a type with an order: a number, text, time, duration or
//! amount. `N` is one that adds up: a number, duration or amount.

use crate::builtin::Receiver::{List, Numbers, Ordered, Summable};
use crate::builtin::Signature;

pub(crate) const SORT: Signature = Signature::of(
    "sort",
    &[Ordered],
    "[K]",
    "Ascending; equal elements stay in their order. Text is ordered by its characters' numbers.",
    &[("[3, 1, 2].sort()", "[1, 2, 3]"), ("[\"b\", \"a\", \"B\"].sort()", "[\"B\", \"a\", \"b\"]")],
);

pub(crate) const SORT_BY: Signature = Signature::of(
    "sort_by",
    &[List],
    "[T]",
    "Ascending by a key; elements of equal keys stay in their order.",
    &[("[\"bb\", \"a\", \"cc\"].sort_by(t => t.len())", "[\"a\", \"bb\", \"cc\"]")],
)
.per_element("K");

pub(crate) const REVERSE: Signature =
    Signature::of("reverse", &[List], "[T]", "Last one first.", &[("[1, 2, 3].reverse()", "[3, 2, 1]")]);

pub(crate) const TOP: Signature = Signature::of(
    "top",
    &[List],
    "[T](..n)",
    "The `n` elements with the largest keys, largest first; elements of equal keys stay in their order.",
    &[("[\"a\", \"ccc\", \"bb\"].top(2, t => t.len())", "[\"ccc\", \"bb\"]")],
)
.taking(&[("n", "Int")])
.per_element("K");

pub(crate) const SUM: Signature = Signature::of(
    "sum",
    &[Summable],
    "N",
    "All added from left to right as by `+`; 0 of an empty list. An empty list of amounts is `0USD`.",
    &[("[1, 2, 3].sum()", "6"), ("[1s, 500ms].sum()", "1500ms")],
);

pub(crate) const MIN: Signature = Signature::of(
    "min",
    &[Ordered],
    "K?",
    "The smallest element, the first of equal ones; `null` where the list is empty.",
    &[("[2, 1, 3].min()", "1")],
);

pub(crate) const MAX: Signature = Signature::of(
    "max",
    &[Ordered],
    "K?",
    "The largest element, the first of equal ones; `null` where the list is empty.",
    &[("[2, 1, 3].max()", "3"), ("[\"b\", \"a\"].max()", "\"b\"")],
);

pub(crate) const MIN_BY: Signature = Signature::of(
    "min_by",
    &[List],
    "T?",
    "The first element with the smallest key; `null` where the list is empty.",
    &[("[\"bb\", \"a\", \"c\"].min_by(t => t.len())", "\"a\"")],
)
.per_element("K");

pub(crate) const MAX_BY: Signature = Signature::of(
    "max_by",
    &[List],
    "T?",
    "The first element with the largest key; `null` where the list is empty.",
    &[("[\"a\", \"bb\", \"cc\"].max_by(t => t.len())", "\"bb\"")],
)
.per_element("K");

pub(crate) const AVERAGE: Signature = Signature::of(
    "average",
    &[Numbers],
    "Float?",
    "The sum by the number of elements, never outside the smallest and the largest one; `null` where the list is empty.",
    &[("[1, 2].average()", "1.5"), ("[0.1, 0.1, 0.1].average()", "0.1")],
);
