//! Properties of random programs and plans. Other tests that need such programs may include
//! `generate` by path.
#![expect(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "tests")]

mod bounds;
mod expressions;
mod generate;
mod ranges;
