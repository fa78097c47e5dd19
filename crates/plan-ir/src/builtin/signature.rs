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
    /// `[T?]`.
    Optionals,
    /// `String` or `Url`.
    Text,
    /// `Url`.
    Url,
    /// `{String: T}`.
    Map,
    /// `Int`.
    Int,
    /// `Float`.
    Float,
    /// `Amount`.
    Amount,
    /// `Duration`.
    Duration,
    /// `Time`.
    Time,
    /// `Json`.
    Json,
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
            Self::Numbers => "[Int or Float]",
            Self::Optionals => "[T?]",
            Self::Text => "String",
            Self::Url => "Url",
            Self::Map => "{String: T}",
            Self::Int => "Int",
            Self::Float => "Float",
            Self::Amount => "Amount",
            Self::Duration => "Duration",
            Self::Time => "Time",
            Self::Json => "Json",
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
            Self::Optionals => "a list of values that may be `null`",
            Self::Text => "text",
            Self::Url => "a `Url`",
            Self::Map => "a map",
            Self::Int => "an `Int`",
            Self::Float => "a `Float`",
            Self::Amount => "an `Amount`",
            Self::Duration => "a `Duration`",
            Self::Time => "a `Time`",
            Self::Json => "`Json`",
            Self::Any => "any value that has JSON",
        }
    }
}

/// What a library function looks like. A type may depend on the receiver: then it has one alternative for
/// each, in their order and with ` | ` between them; `Self` is the receiver's own type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Signature {
    /// The name in plans.
    pub name: &'static str,
    /// What it may be called on.
    pub receivers: &'static [Receiver],
    /// Arguments that are values: a name and the type.
    pub arguments: &'static [(&'static str, &'static str)],
    /// Whether its one other argument is a lambda over an element, and the type that gives.
    pub lambda: Option<&'static str>,
    /// The type of the result.
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

    /// How it is called on each of its receivers, such as `[T].top(n: Int, x => K) -> [T](..n)`.
    pub fn calls(&self) -> impl Iterator<Item = String> {
        self.receivers.iter().enumerate().map(|(place, receiver)| {
            let of = |ty: &'static str| match ty.split(" | ").nth(place).unwrap_or(ty) {
                "Self" => receiver.shown(),
                other => other,
            };
            let values = self.arguments.iter().map(|(name, ty)| format!("{name}: {}", of(ty)));
            let lambda = self.lambda.map(|gives| format!("x => {gives}"));
            let args: Vec<String> = values.chain(lambda).collect();
            format!("{}.{}({}) -> {}", receiver.shown(), self.name, args.join(", "), of(self.result))
        })
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
    Distinct => table::lists::DISTINCT,
    DistinctBy => table::lists::DISTINCT_BY,
    GroupBy => table::lists::GROUP_BY,
    KeyBy => table::lists::KEY_BY,
    Chunks => table::lists::CHUNKS,
    Zip => table::lists::ZIP,
    Concat => table::lists::CONCAT,
    Get => table::lists::GET,
    IndexOf => table::lists::INDEX_OF,
    Present => table::lists::PRESENT,
    To => table::numbers::TO,
    Split => table::text::SPLIT,
    Lines => table::text::LINES,
    Words => table::text::WORDS,
    Replace => table::text::REPLACE,
    ToInt => table::text::TO_INT,
    ToFloat => table::text::TO_FLOAT,
    Upper => table::text::UPPER,
    UrlEncoded => table::text::URL_ENCODED,
    Keys => table::maps::KEYS,
    Values => table::maps::VALUES,
    Entries => table::maps::ENTRIES,
    Merge => table::maps::MERGE,
    MapValues => table::maps::MAP_VALUES,
    Abs => table::numbers::ABS,
    Lesser => table::numbers::LESSER,
    Greater => table::numbers::GREATER,
    Clamp => table::numbers::CLAMP,
    Floor => table::numbers::FLOOR,
    Ceil => table::numbers::CEIL,
    Round => table::numbers::ROUND,
    Sqrt => table::numbers::SQRT,
    ToFixed => table::numbers::TO_FIXED,
    PercentUp => table::times::PERCENT_UP,
    PercentDown => table::times::PERCENT_DOWN,
    ToSeconds => table::times::TO_SECONDS,
    ToUnix => table::times::TO_UNIX,
    ToTime => table::times::TO_TIME,
    Date => table::times::DATE,
    Year => table::times::YEAR,
    Month => table::times::MONTH,
    Day => table::times::DAY,
    Kind => table::json::KIND,
    Scheme => table::urls::SCHEME,
    Host => table::urls::HOST,
    Path => table::urls::PATH,
    Query => table::urls::QUERY,
    Resolve => table::urls::RESOLVE,
}
