//! The library of pure functions, by receiver. A method call in a plan resolves to one of these.

use serde::{Deserialize, Serialize};

/// A library function. New ones are added at the end: positions are part of compiled plans.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Builtin {
    /// `xs.len()`, `text.len()` (Unicode scalars), `map.len()` -> `Int`.
    Len,
    /// `xs.is_empty()`, `text.is_empty()` -> `Bool`.
    IsEmpty,
    /// `xs.filter(x => Bool)` -> the elements that pass.
    Filter,
    /// `xs.map(x => T)` -> `[T]`.
    Map,
    /// `xs.take(n)`, `text.take(n)` -> at most the first `n`.
    Take,
    /// `xs.skip(n)`, `text.skip(n)` -> all but the first `n`.
    Skip,
    /// `xs.all(x => Bool)`.
    All,
    /// `xs.any(x => Bool)`.
    Any,
    /// `xss.flatten()` -> the elements of the elements.
    Flatten,
    /// `texts.join(separator)` -> `String`.
    Join,
    /// `xs.contains(x)`, `text.contains(part)` -> `Bool`.
    Contains,
    /// `text.folded()` -> case folded, for comparison.
    Folded,
    /// `text.normalize()` -> NFKC, case folded, letters and digits only.
    Normalize,
    /// `x.to_json()` -> JSON text in declared order.
    ToJson,
    /// `results.ok()` -> the values of the `Ok`s.
    Ok,
    /// `results.errors()` -> the values of the `Err`s.
    Errors,
    /// `xs.first()` -> `T?`.
    First,
    /// `xs.last()` -> `T?`.
    Last,
    /// `text.trim()`.
    Trim,
    /// `text.starts_with(part)`.
    StartsWith,
    /// `text.ends_with(part)`.
    EndsWith,
    /// `json.decode() as T` on a `[Json]`: keeps the elements that fit.
    DecodeList,
}
