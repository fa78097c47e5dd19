//! The library of pure functions, by receiver. A method call in a plan resolves to one of these.
//!
//! Rules that hold for all: no function fails on a value of its receiver's type except by a quota;
//! results keep the order of their list; text is counted in Unicode scalars; `[T]` stands for a list of
//! any length. Unicode tables are those of [`UNICODE_VERSION`]; a change of them changes results, so it
//! takes a new [`crate::plan::LIBRARY_VERSION`].

use serde::{Deserialize, Serialize};

mod lists;
pub mod strings;

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
}

/// What a library function is called on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Receiver {
    /// `[T]`.
    List,
    /// `[[T]]`.
    Lists,
    /// `[String]`.
    Texts,
    /// `[Result<T, E>]`.
    Results,
    /// `[Json]`, or `Json` that is an array.
    JsonList,
    /// `String` or `Url`.
    Text,
    /// `{String: T}`.
    Map,
    /// Any type that has JSON.
    Any,
}

/// What a library function looks like: for checking, completion and documentation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Signature {
    /// The name in plans.
    pub name: &'static str,
    /// What it may be called on.
    pub receivers: &'static [Receiver],
    /// Arguments that are values; what each may be follows from the receiver.
    pub arguments: &'static [&'static str],
    /// Whether its one other argument is a lambda over an element, and the type that gives.
    pub lambda: Option<&'static str>,
    /// The result, as documentation shows it.
    pub result: &'static str,
    /// One line on what it does.
    pub summary: &'static str,
    /// An expression, and what it gives.
    pub example: (&'static str, &'static str),
}

impl Builtin {
    /// All of them, in declared order.
    pub const ALL: [Self; 22] = [
        Self::Len,
        Self::IsEmpty,
        Self::Filter,
        Self::Map,
        Self::Take,
        Self::Skip,
        Self::All,
        Self::Any,
        Self::Flatten,
        Self::Join,
        Self::Contains,
        Self::Folded,
        Self::Normalize,
        Self::ToJson,
        Self::Ok,
        Self::Errors,
        Self::First,
        Self::Last,
        Self::Trim,
        Self::StartsWith,
        Self::EndsWith,
        Self::DecodeList,
    ];

    /// The name in plans.
    #[must_use]
    pub const fn name(self) -> &'static str {
        self.signature().name
    }

    /// The function that plans call `name`.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|builtin| builtin.name() == name)
    }

    /// The functions of a receiver, in declared order: what completion offers after a dot.
    pub fn on(receiver: Receiver) -> impl Iterator<Item = Self> {
        Self::ALL.into_iter().filter(move |builtin| {
            builtin.signature().receivers.iter().any(|r| *r == receiver || *r == Receiver::Any)
        })
    }

    /// What it looks like.
    #[must_use]
    pub const fn signature(self) -> &'static Signature {
        use Receiver::{Any, JsonList, List, Lists, Map, Results, Text, Texts};
        const fn of(
            name: &'static str,
            receivers: &'static [Receiver],
            arguments: &'static [&'static str],
            result: &'static str,
            summary: &'static str,
            example: (&'static str, &'static str),
        ) -> Signature {
            Signature { name, receivers, arguments, lambda: None, result, summary, example }
        }
        const fn per_element(of: Signature, gives: &'static str) -> Signature {
            Signature { lambda: Some(gives), ..of }
        }
        const SIZED: &[Receiver] = &[List, Text, Map];
        const SLICED: &[Receiver] = &[List, Text];
        macro_rules! table {
            ($($variant:ident => $signature:expr,)*) => {
                match self { $(Self::$variant => const { &$signature },)* }
            };
        }
        table! {
            Len => of("len", SIZED, &[], "Int", "Number of elements, characters or entries.", ("[1, 2].len()", "2")),
            IsEmpty => of("is_empty", SIZED, &[], "Bool", "Whether there is nothing in it.", ("\"\".is_empty()", "true")),
            Filter => per_element(of("filter", &[List], &[], "[T]", "The elements that pass.", ("[1, 2].filter(x => x > 1)", "[2]")), "Bool"),
            Map => per_element(of("map", &[List], &[], "[U]", "One result per element.", ("[1, 2].map(x => x * 2)", "[2, 4]")), "U"),
            Take => of("take", SLICED, &["n"], "the receiver's type", "At most the first `n`.", ("[1, 2].take(1)", "[1]")),
            Skip => of("skip", SLICED, &["n"], "the receiver's type", "All but the first `n`.", ("[1, 2].skip(1)", "[2]")),
            All => per_element(of("all", &[List], &[], "Bool", "Whether every element passes.", ("[1, 2].all(x => x > 0)", "true")), "Bool"),
            Any => per_element(of("any", &[List], &[], "Bool", "Whether an element passes.", ("[1, 2].any(x => x > 2)", "false")), "Bool"),
            Flatten => of("flatten", &[Lists], &[], "[T]", "The elements of the elements.", ("[[1], [2]].flatten()", "[1, 2]")),
            Join => of("join", &[Texts], &["separator"], "String", "The texts with a separator between them.", ("[\"a\", \"b\"].join(\"-\")", "\"a-b\"")),
            Contains => of("contains", SLICED, &["part"], "Bool", "Whether an element equals it, or the text has it in it.", ("\"abc\".contains(\"bc\")", "true")),
            Folded => of("folded", &[Text], &[], "String", "Unicode case folding, for comparison.", ("\"STRASSE\".folded()", "\"strasse\"")),
            Normalize => of("normalize", &[Text], &[], "String", "Case folded, compatibility forms unified, letters and digits only.", ("\"It's 5!\".normalize()", "\"its5\"")),
            ToJson => of("to_json", &[Any], &[], "String", "Compact JSON, fields in declared order.", ("[\"a\"].to_json()", "\"[\\\"a\\\"]\"")),
            Ok => of("ok", &[Results], &[], "[T]", "The values of the `Ok`s.", ("[Ok(1), Err(2)].ok()", "[1]")),
            Errors => of("errors", &[Results], &[], "[E]", "The values of the `Err`s.", ("[Ok(1), Err(2)].errors()", "[2]")),
            First => of("first", &[List], &[], "T?", "The first element, or `null`.", ("[1, 2].first()", "1")),
            Last => of("last", &[List], &[], "T?", "The last element, or `null`.", ("[1, 2].last()", "2")),
            Trim => of("trim", &[Text], &[], "String", "Without white space at both ends.", ("\" a \".trim()", "\"a\"")),
            StartsWith => of("starts_with", &[Text], &["part"], "Bool", "Whether the text starts with it.", ("\"abc\".starts_with(\"ab\")", "true")),
            EndsWith => of("ends_with", &[Text], &["part"], "Bool", "Whether the text ends with it.", ("\"abc\".ends_with(\"bc\")", "true")),
            DecodeList => of("decode", &[JsonList], &[], "[T]", "The elements that fit the type of the `as` that follows.", ("answer.decode() as [Int]", "[1, 2]")),
        }
    }
}

#[cfg(test)]
mod tests;
