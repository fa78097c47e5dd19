//! The mapping of schemas as a whole: sound for generated schemas, and bounded for hostile ones.
#![expect(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod hostile;
mod model;
mod noise;
mod soundness;
