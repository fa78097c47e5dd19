//! The compiler from the outside: text in, plans or messages out.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

mod common;
mod pages;
mod whole_plans;
