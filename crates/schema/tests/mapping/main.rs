//! The mapping of schemas as a whole: sound for generated schemas, and bounded for hostile ones.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

mod bombs;
mod hostile;
#[path = "../../../fuzz-bodies/src/import.rs"]
mod import;
mod model;
mod noise;
mod soundness;
