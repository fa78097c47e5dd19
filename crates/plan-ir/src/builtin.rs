//! The library of pure functions, by receiver. A method call in a plan resolves to one of these.
//!
//! Rules that hold for all: no function fails on a value of its receiver's type except by a quota or where
//! a number leaves what its type holds; results keep the order of their list; text is counted in Unicode
//! scalars; `[T]` stands for a list of any length. Numbers, texts, times, durations and amounts have an
//! order, that of `<`. Unicode tables are those of [`UNICODE_VERSION`]; a change of them changes results,
//! so it takes a new [`crate::plan::LIBRARY_VERSION`].
//!
//! # Charges
//! A function of a list is charged one step per element when it starts, one with a lambda all evaluations
//! of its body instead. New text is charged by its length, a new list by its elements. Sorting is charged
//! by [`sorting_steps`], once its keys are known. All of it follows from the values alone, never from how
//! an engine goes about it.

use serde::{Deserialize, Serialize};

mod each;
mod lists;
mod order;
mod receive;
mod signature;
mod strings;
mod table;
mod totals;

pub use order::sorting_steps;
pub use signature::{Receiver, Signature};
pub use strings::UNICODE_VERSION;

/// A library function. New ones are added at the end: positions are part of compiled plans.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Builtin {
    /// `xs.len()`, `text.len()`, `map.len()` -> `Int`: elements, Unicode scalars, entries.
    /// `"naïve".len()` is 5.
    Len,
    /// `xs.is_empty()`, `text.is_empty()`, `map.is_empty()` -> `Bool`. `"".is_empty()` is `true`.
    IsEmpty,
    /// `xs.filter(x => Bool)` -> `[T]`: the elements that pass. `[1, 2, 3].filter(x => x > 1)` is `[2, 3]`.
    Filter,
    /// `xs.map(x => U)` -> `[U]`: one result per element. `[1, 2].map(x => x * 2)` is `[2, 4]`.
    Map,
    /// `xs.take(n)`, `text.take(n)`: at most the first `n`; none where `n` is negative.
    /// `"naïve".take(3)` is `"naï"`.
    Take,
    /// `xs.skip(n)`, `text.skip(n)`: all but the first `n`; all where `n` is negative.
    /// `[1, 2, 3].skip(1)` is `[2, 3]`.
    Skip,
    /// `xs.all(x => Bool)`: whether every element passes; `true` for an empty list.
    /// `[1, 2].all(x => x > 0)` is `true`.
    All,
    /// `xs.any(x => Bool)`: whether an element passes; `false` for an empty list.
    /// `[1, 2].any(x => x > 2)` is `false`.
    Any,
    /// `xss.flatten()` -> `[T]`: the elements of the elements. `[[1], [2, 3]].flatten()` is `[1, 2, 3]`.
    Flatten,
    /// `texts.join(separator)` -> `String`. `["a", "b"].join(", ")` is `"a, b"`.
    Join,
    /// `xs.contains(x)`, `text.contains(part)` -> `Bool`: whether an element equals `x`, whether the text
    /// has `part` in it. `"naïve".contains("ïv")` is `true`.
    Contains,
    /// `text.folded()` -> `String`: full Unicode case folding, for comparison. `"STRASSE".folded()` equals
    /// `"straße".folded()`, both `"strasse"`.
    Folded,
    /// `text.normalize()` -> `String`: compatibility composition (NFKC), full case folding, then letters
    /// with their marks and digits only. `"The  Answer:\u{a0}４２!".normalize()` is `"theanswer42"`.
    Normalize,
    /// `x.to_json()` -> `String`: compact JSON, fields in declared order. `["a"].to_json()` is `["a"]`.
    ToJson,
    /// `results.ok()` -> `[T]`: the values of the `Ok`s of a `[Result<T, E>]`.
    Ok,
    /// `results.errors()` -> `[E]`: the values of the `Err`s of a `[Result<T, E>]`.
    Errors,
    /// `xs.first()` -> `T?`: `null` where the list is empty. `[1, 2].first()` is `1`.
    First,
    /// `xs.last()` -> `T?`: `null` where the list is empty. `[1, 2].last()` is `2`.
    Last,
    /// `text.trim()` -> `String`: without white space at both ends. `" a ".trim()` is `"a"`.
    Trim,
    /// `text.starts_with(part)` -> `Bool`. `"naïve".starts_with("na")` is `true`.
    StartsWith,
    /// `text.ends_with(part)` -> `Bool`. `"naïve".ends_with("ve")` is `true`.
    EndsWith,
    /// `json.decode() as [T]` on a `[Json]`, or on `Json` that is an array: the elements that fit `T`.
    DecodeList,
    /// `xs.sort()` -> `[T]`: ascending, equal elements in their order. `[3, 1, 2].sort()` is `[1, 2, 3]`.
    Sort,
    /// `xs.sort_by(x => key)` -> `[T]`: ascending by the key, elements of equal keys in their order.
    /// `["bb", "a"].sort_by(t => t.len())` is `["a", "bb"]`.
    SortBy,
    /// `xs.reverse()` -> `[T]`: last one first. `[1, 2].reverse()` is `[2, 1]`.
    Reverse,
    /// `xs.top(n, x => key)` -> `[T]`: the `n` elements with the largest keys, largest first, elements of
    /// equal keys in their order. `[1, 3, 2].top(2, x => x)` is `[3, 2]`.
    Top,
    /// `xs.sum()`: from left to right, as `+` does it; 0 of an empty list. `[1, 2].sum()` is `3`.
    Sum,
    /// `xs.min()` -> `T?`: the first of the smallest elements, `null` where the list is empty.
    /// `[2, 1].min()` is `1`.
    Min,
    /// `xs.max()` -> `T?`: the first of the largest elements, `null` where the list is empty.
    /// `[2, 1].max()` is `2`.
    Max,
    /// `xs.min_by(x => key)` -> `T?`: the first element with the smallest key.
    MinBy,
    /// `xs.max_by(x => key)` -> `T?`: the first element with the largest key.
    MaxBy,
    /// `xs.average()` -> `Float?`: the sum by the number of elements, never outside the smallest and the
    /// largest element; `null` where the list is empty. `[1, 2].average()` is `1.5`.
    Average,
    /// `xs.count(x => Bool)` -> `Int`: how many elements pass. `[1, 2, 3].count(x => x > 1)` is `2`.
    Count,
    /// `xs.find(x => Bool)` -> `T?`: the first element that passes. `[1, 2, 3].find(x => x > 1)` is `2`.
    Find,
    /// `xs.position(x => Bool)` -> `Int?`: where the first element that passes stands, from 0.
    /// `[1, 2, 3].position(x => x > 1)` is `1`.
    Position,
}

impl Builtin {
    /// The name in plans.
    #[must_use]
    pub const fn name(self) -> &'static str {
        self.signature().name
    }

    /// The functions that plans call `name`: at most one for each receiver.
    pub fn named(name: &str) -> impl Iterator<Item = Self> {
        Self::ALL.into_iter().filter(move |builtin| builtin.name() == name)
    }

    /// The functions of a receiver, in declared order: what completion offers after a dot.
    pub fn on(receiver: Receiver) -> impl Iterator<Item = Self> {
        Self::ALL.into_iter().filter(move |builtin| builtin.is_on(receiver))
    }

    /// Whether values of this kind have it.
    #[must_use]
    pub fn is_on(self, receiver: Receiver) -> bool {
        self.signature().receivers.iter().any(|on| *on == receiver || *on == Receiver::Any)
    }
}

#[cfg(test)]
mod tests;
