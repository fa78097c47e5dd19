//! Native code against the interpreter, which is the definition: the same value, the same trap at the same
//! expression, the same charges.
#![expect(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "tests")]

#[path = "../../../plan-ir/tests/properties/generate/mod.rs"]
mod generate;
mod programs;
