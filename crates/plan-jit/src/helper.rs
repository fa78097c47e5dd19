//! The functions that native code calls: a closed table. They get addresses that compiled code has made of
//! typed values, never unwind into it, and share what they do with the interpreter.
//!
//! [`ABI_VERSION`] names this table together with the layout of values: code compiled for one version
//! never meets another, as caches have it in their key.

use cranelift_codegen::ir::{Type, types};

mod compare;
mod interpret;
mod memory;
mod sort;
mod text;

/// Version of the helpers, of `Run` and of the layout of values.
pub const ABI_VERSION: u32 = 2;

macro_rules! helpers {
    ($($(#[$doc:meta])* $name:ident = $function:path, ($($param:ident),*) -> $result:ident, $($flag:ident)*;)*) => {
        /// A helper.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub(crate) enum Helper {
            $($(#[$doc])* $name,)*
        }

        impl Helper {
            /// All of them, in declared order.
            pub(crate) const ALL: &[Self] = &[$(Self::$name),*];

            /// The name by which code is linked to it.
            pub(crate) const fn name(self) -> &'static str {
                match self { $(Self::$name => concat!("orchestra_", stringify!($name)),)* }
            }

            /// Where it is.
            pub(crate) fn address(self) -> *const u8 {
                match self { $(Self::$name => $function as *const u8,)* }
            }

            /// Types of its parameters but the run.
            pub(crate) const fn params(self) -> &'static [Type] {
                match self { $(Self::$name => &[$(types::$param),*],)* }
            }

            /// Type of its result; `INVALID` where it has none.
            pub(crate) const fn result(self) -> Type {
                match self { $(Self::$name => types::$result,)* }
            }

            const fn flags(self) -> &'static [Flag] {
                match self { $(Self::$name => &[$(Flag::$flag),*],)* }
            }
        }
    };
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Flag {
    /// Its first parameter is the run.
    Run,
    /// It reads the meter and charges it.
    Metered,
}

helpers! {
    /// Room for so many cells; 0 where the arena is full.
    Allocate = memory::allocate, (I64) -> I64, Run;
    /// Gives back so many cells that end at an address.
    GiveBack = memory::give_back, (I64, I64) -> INVALID, Run;
    /// From one representation to another: their ids, where the value lies and where it goes.
    Rewrite = interpret::rewrite, (I64, I64, I64, I64) -> I32, Run;
    /// Evaluates a site: its number, its operands, where its value goes.
    Interpret = interpret::interpret, (I64, I64, I64) -> I32, Run Metered;
    /// Whether an opaque value is `null`.
    IsNull = interpret::is_null, (I64) -> I8, ;
    /// Whether as many bytes are the same at both addresses.
    SameBytes = compare::same_bytes, (I64, I64, I64) -> I8, ;
    /// The order of two texts: below, at or above 0.
    TextOrder = compare::text_order, (I64, I64, I64, I64) -> I64, ;
    /// `==` of two values of a representation.
    Equal = compare::equal, (I64, I64, I64) -> I8, Run Metered;
    /// Whether a list, of a representation of elements, has one that equals a value.
    ListContains = compare::list_contains, (I64, I64, I64, I64) -> I8, Run Metered;
    /// The remainder of two floats.
    FloatRemainder = compare::float_remainder, (F64, F64) -> F64, ;
    /// The elements of the elements: cells of one, the list.
    Flatten = memory::flatten, (I64, I64, I64) -> I32, Run Metered;
    /// The elements of a list, last one first: cells of one, the list.
    Reverse = memory::reverse, (I64, I64, I64) -> I32, Run;
    /// Some cells of each entry of a map: where the first entry lies, how many, cells of one, first of them,
    /// their number.
    Column = memory::column, (I64, I64, I64, I64, I64) -> I32, Run;
    /// The address of the value of a key in a map, or 0: where the entries lie, how many, cells of one, the key.
    Find = memory::find, (I64, I64, I64, I64, I64) -> I64, ;
    /// The first elements in the order of their keys: how to order, the keys, how many, the elements, cells of
    /// one, how many to keep.
    Sort = sort::sort, (I64, I64, I64, I64, I64, I64) -> I32, Run Metered;
    /// A map from keys to lists of elements: the keys, how many, the elements, cells of one.
    GroupBy = sort::group_by, (I64, I64, I64, I64) -> I32, Run Metered;
    /// A map from keys to the last element of each, likewise.
    KeyBy = sort::key_by, (I64, I64, I64, I64) -> I32, Run Metered;
    /// The next whole number: below (0), above (1), nearest (2).
    FloatRound = compare::float_round, (I64, F64) -> F64, ;
    /// Number of scalars.
    TextLen = text::len, (I64, I64) -> I64, ;
    /// At most the first `n` scalars, in place.
    TextTake = text::take, (I64, I64, I64) -> INVALID, Run;
    /// All but the first `n` scalars, in place.
    TextSkip = text::skip, (I64, I64, I64) -> INVALID, Run;
    /// Without white space at both ends, in place.
    TextTrim = text::trim, (I64, I64) -> INVALID, Run;
    /// Case folding.
    TextFolded = text::folded, (I64, I64) -> I32, Run;
    /// Letters and digits in one form.
    TextNormalize = text::normalize, (I64, I64) -> I32, Run;
    /// Whether the second text is in the first.
    TextContains = text::contains, (I64, I64, I64, I64) -> I8, ;
    /// Whether the first text starts with the second.
    TextStartsWith = text::starts_with, (I64, I64, I64, I64) -> I8, ;
    /// Whether the first text ends with the second.
    TextEndsWith = text::ends_with, (I64, I64, I64, I64) -> I8, ;
    /// One text of several: where they lie, how many they are, bytes of the whole.
    Concat = text::concat, (I64, I64, I64) -> I32, Run;
    /// One text of rows of several, each behind the same text: [`text::Rows`].
    ConcatRows = text::concat_rows, (I64) -> I32, Run;
    /// The texts of a list with a separator between them.
    Join = text::join, (I64, I64, I64, I64) -> I32, Run;
    /// An `Int` as a template shows it.
    ShowInt = text::show_int, (I64) -> I32, Run;
    /// A `Float` as a template shows it.
    ShowFloat = text::show_float, (F64) -> I32, Run;
}

pub(crate) use sort::KeyKind;
pub(crate) use text::Rows;

impl Helper {
    pub(crate) fn takes_run(self) -> bool {
        self.flags().contains(&Flag::Run)
    }

    pub(crate) fn is_metered(self) -> bool {
        self.flags().contains(&Flag::Metered)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_the_version() {
        // A change of this list, or of what a helper takes, is a new `ABI_VERSION`.
        let table: Vec<String> = Helper::ALL
            .iter()
            .map(|helper| format!("{}{:?}{:?}", helper.name(), helper.params(), helper.result()))
            .collect();
        let hash = schema::hash::Context::Schema.hash(&[table.join("\n").as_bytes()]);
        let hash: String = hash.to_string().chars().take(8).collect();
        assert_eq!((ABI_VERSION, hash.as_str()), (2, "92203a75"));
    }
}
