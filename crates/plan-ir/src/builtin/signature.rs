//! What the library functions look like: for checking, completion and documentation.

use super::{Builtin, table};

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
    /// A list of numbers, texts, times, durations or amounts.
    Ordered,
    /// A list of numbers, durations or amounts.
    Summable,
    /// `[Int]` or `[Float]`.
    Numbers,
    /// `String` or `Url`.
    Text,
    /// `{String: T}`.
    Map,
    /// Any type that has JSON.
    Any,
}

impl Receiver {
    /// The receiver's type, as documentation writes it. `K` has an order, `N` adds up.
    #[must_use]
    pub const fn shown(self) -> &'static str {
        match self {
            Self::List => "[T]",
            Self::Lists => "[[T]]",
            Self::Texts => "[String]",
            Self::Results => "[Result<T, E>]",
            Self::JsonList => "[Json]",
            Self::Ordered => "[K]",
            Self::Summable => "[N]",
            Self::Numbers => "[Float]",
            Self::Text => "String",
            Self::Map => "{String: T}",
            Self::Any => "T",
        }
    }

    /// The receiver in words, as messages write it.
    #[must_use]
    pub const fn described(self) -> &'static str {
        match self {
            Self::List => "a list",
            Self::Lists => "a list of lists",
            Self::Texts => "a list of texts",
            Self::Results => "a list of `Result`s",
            Self::JsonList => "a list of JSON",
            Self::Ordered => "a list of numbers, texts, times, durations or amounts",
            Self::Summable => "a list of numbers, durations or amounts",
            Self::Numbers => "a list of numbers",
            Self::Text => "text",
            Self::Map => "a map",
            Self::Any => "any value that has JSON",
        }
    }
}

/// What a library function looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Signature {
    /// The name in plans.
    pub name: &'static str,
    /// What it may be called on.
    pub receivers: &'static [Receiver],
    /// Arguments that are values: a name and the type, where that does not depend on the receiver's.
    pub arguments: &'static [(&'static str, &'static str)],
    /// Whether its one other argument is a lambda over an element, and the type that gives.
    pub lambda: Option<&'static str>,
    /// The result, as documentation shows it.
    pub result: &'static str,
    /// One line on what it does.
    pub summary: &'static str,
    /// Expressions, and what each gives.
    pub examples: &'static [(&'static str, &'static str)],
}

impl Signature {
    pub(super) const fn of(
        name: &'static str,
        receivers: &'static [Receiver],
        result: &'static str,
        summary: &'static str,
        examples: &'static [(&'static str, &'static str)],
    ) -> Self {
        Self { name, receivers, arguments: &[], lambda: None, result, summary, examples }
    }

    /// With arguments that are values.
    pub(super) const fn taking(self, arguments: &'static [(&'static str, &'static str)]) -> Self {
        Self { arguments, ..self }
    }

    /// With a lambda over an element that gives a value of this type.
    pub(super) const fn per_element(self, gives: &'static str) -> Self {
        Self { lambda: Some(gives), ..self }
    }
}

/// Every function once, in declared order, with its row of the table.
macro_rules! library {
    ($($variant:ident => $signature:path,)*) => {
        impl Builtin {
            const COUNT: usize = [$(stringify!($variant)),*].len();

            /// All of them, in declared order.
            pub const ALL: [Self; Self::COUNT] = [$(Self::$variant),*];

            /// What it looks like.
            #[must_use]
            pub const fn signature(self) -> &'static Signature {
                match self { $(Self::$variant => &$signature,)* }
            }
        }
    };
}

library! {
    Len => table::lists::LEN,
    IsEmpty => table::lists::IS_EMPTY,
    Filter => table::lists::FILTER,
    Map => table::lists::MAP,
    Take => table::lists::TAKE,
    Skip => table::lists::SKIP,
    All => table::lists::ALL,
    Any => table::lists::ANY,
    Flatten => table::lists::FLATTEN,
    Join => table::text::JOIN,
    Contains => table::lists::CONTAINS,
    Folded => table::text::FOLDED,
    Normalize => table::text::NORMALIZE,
    ToJson => table::json::TO_JSON,
    Ok => table::lists::OK,
    Errors => table::lists::ERRORS,
    First => table::lists::FIRST,
    Last => table::lists::LAST,
    Trim => table::text::TRIM,
    StartsWith => table::text::STARTS_WITH,
    EndsWith => table::text::ENDS_WITH,
    DecodeList => table::json::DECODE,
    Sort => table::order::SORT,
    SortBy => table::order::SORT_BY,
    Reverse => table::order::REVERSE,
    Top => table::order::TOP,
    Sum => table::order::SUM,
    Min => table::order::MIN,
    Max => table::order::MAX,
    MinBy => table::order::MIN_BY,
    MaxBy => table::order::MAX_BY,
    Average => table::order::AVERAGE,
    Count => table::lists::COUNT,
    Find => table::lists::FIND,
    Position => table::lists::POSITION,
}
