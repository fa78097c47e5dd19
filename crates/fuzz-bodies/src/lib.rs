//! What must hold of every input, as functions of bytes.
//!
//! Fuzzers (`fuzz/`) call them with what they come up with; the tests of this crate call them with the corpus and with
//! mutations of it. A body returns for every input, quickly, or it panics with what does not hold. Read [`BODIES`]
//! first.
//!
//! ```
//! fuzz_bodies::parse(b"fn f( -> Int = \xff");
//! fuzz_bodies::format(b"fn f()->Int=1 // why");
//! ```
#![forbid(unsafe_code)]

mod language;
mod ledger;

pub use language::{check, format, parse};
pub use ledger::{lock, schema};

/// Something that holds of every input.
pub type Body = fn(&[u8]);

/// Every body with the name of its target and of its folder in the corpus.
pub const BODIES: [(&str, Body); 5] =
    [("parse", parse), ("format", format), ("check", check), ("schema", schema), ("lock", lock)];
