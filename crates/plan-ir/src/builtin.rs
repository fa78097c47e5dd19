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
pub mod elsewhere;
mod groups;
mod identity;
mod json;
mod lists;
mod maps;
mod numbers;
mod order;
mod receive;
mod reference;
mod signature;
pub mod strings;
mod table;
mod texts;
mod times;
mod totals;
mod urls;

pub use order::sorting_steps;
pub use reference::reference;
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
    /// `xs.distinct()` -> `[T]`: without elements that equal an earlier one.
    /// `[1, 2, 1].distinct()` is `[1, 2]`.
    Distinct,
    /// `xs.distinct_by(x => key)` -> `[T]`: without elements whose key equals that of an earlier one.
    DistinctBy,
    /// `xs.group_by(x => String)` -> `{String: [T]}`: the elements of each key, in their order.
    GroupBy,
    /// `xs.key_by(x => String)` -> `{String: T}`: the last element of each key.
    KeyBy,
    /// `xs.chunks(n)` -> `[[T]]`: cut into lists of `n`, the last one maybe shorter; `n` below 1 counts as 1.
    /// `[1, 2, 3].chunks(2)` is `[[1, 2], [3]]`.
    Chunks,
    /// `xs.zip(ys)` -> `[Pair]`: elements of the same place as `Pair { left, right }`, as many as the shorter
    /// list has.
    Zip,
    /// `xs.concat(ys)` -> `[T]`: one after the other.
    Concat,
    /// `xs.get(n)`, `map.get(key)` -> `T?`, `json.get(key or n)` -> `Json`: `null` where there is nothing.
    Get,
    /// `xs.index_of(x)`, `text.index_of(part)` -> `Int?`: where it first stands, from 0.
    IndexOf,
    /// `xs.present()` -> `[T]` of a `[T?]`: without the `null`s.
    Present,
    /// `first.to(last)` -> `[Int]`: both and the numbers between; nothing where `last` is smaller.
    /// `1.to(3)` is `[1, 2, 3]`.
    To,
    /// `text.split(separator)` -> `[String]`: the parts between separators, empty ones included; an empty
    /// separator splits into characters.
    Split,
    /// `text.lines()` -> `[String]`: without the line ends `\n` and `\r\n`; one at the end of the text ends
    /// its last line.
    Lines,
    /// `text.words()` -> `[String]`: what stands between white space.
    Words,
    /// `text.replace(part, by)` -> `String`: every occurrence, from the left; as it is where `part` is empty.
    Replace,
    /// `text.to_int()` -> `Int?`: of an optional sign and decimal digits; else `null`.
    ToInt,
    /// `text.to_float()` -> `Float?`: of a decimal number such as `-1.5e3`, else `null`; `n.to_float()` ->
    /// `Float`: the nearest one.
    ToFloat,
    /// `text.upper()` -> `String`: in upper case by the full Unicode mapping.
    Upper,
    /// `text.url_encoded()` -> `String`: percent-encoded but for letters, digits and `-._~` of ASCII.
    UrlEncoded,
    /// `map.keys()`, `json.keys()` -> `[String]`: in key order; none of JSON that is no object.
    Keys,
    /// `map.values()` -> `[T]`: in key order.
    Values,
    /// `map.entries()` -> `[Entry]`: `Entry { key, value }` in key order.
    Entries,
    /// `map.merge(other)` -> `{String: T}`: the entries of both; of equal keys that of `other`.
    Merge,
    /// `map.map_values(v => U)` -> `{String: U}`: one result per value.
    MapValues,
    /// `n.abs()`: its distance from 0, of numbers and durations.
    Abs,
    /// `a.min(b)`: the smaller one, of numbers, amounts, durations and times; `a` where they are equal.
    Lesser,
    /// `a.max(b)`: the larger one, of numbers, amounts, durations and times; `a` where they are equal.
    Greater,
    /// `x.clamp(low, high)`: as `x.max(low).min(high)`.
    Clamp,
    /// `x.floor()` -> `Int`: the next whole number below; traps outside of `Int`.
    Floor,
    /// `x.ceil()` -> `Int`: the next whole number above; traps outside of `Int`.
    Ceil,
    /// `x.round()` -> `Int`: the nearest whole number, halves away from 0; traps outside of `Int`.
    Round,
    /// `x.sqrt()` -> `Float`: the square root; traps where `x` is negative.
    Sqrt,
    /// `x.to_fixed(n)` -> `String`: rounded to `n` decimals, halves to even; `n` counts as 0 to 20.
    ToFixed,
    /// `amount.percent_up(n)` -> `Amount`: `n` hundredths of it, rounded up.
    PercentUp,
    /// `amount.percent_down(n)` -> `Amount`: `n` hundredths of it, rounded down.
    PercentDown,
    /// `duration.to_seconds()` -> `Float`.
    ToSeconds,
    /// `time.to_unix()` -> `Int`: whole seconds since 1970 UTC, rounded down.
    ToUnix,
    /// `n.to_time()` -> `Time?`: `n` seconds after 1970 UTC; `null` outside the years 0 to 9999.
    ToTime,
    /// `time.date()` -> `String`: the day in UTC, such as `2026-11-22`.
    Date,
    /// `time.year()` -> `Int(0..9999)`, in UTC.
    Year,
    /// `time.month()` -> `Int(1..12)`, in UTC.
    Month,
    /// `time.day()` -> `Int(1..31)`: the day of the month, in UTC.
    Day,
    /// `json.kind()` -> `String`: `null`, `bool`, `number`, `string`, `array` or `object`.
    Kind,
    /// `url.scheme()` -> `String`, in lower case.
    Scheme,
    /// `url.host()` -> `String?`: in lower case and ASCII; `null` where it has none or one longer than 253.
    Host,
    /// `url.path()` -> `String`: percent-encoded, without query and fragment.
    Path,
    /// `url.query(name)` -> `String?`: the first value of that name in the query, decoded.
    Query,
    /// `url.resolve(link)` -> `Url?`: where a link on its page leads; `null` where that is no URL.
    Resolve,
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
