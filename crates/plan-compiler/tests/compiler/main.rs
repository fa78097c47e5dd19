//! The compiler from the outside: text in, plans or messages out.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

mod bounds;
mod broken_locks;
mod common;
mod documents;
mod execute;
mod library;
mod meaning;
mod pages;
mod robust;
mod rules;
mod soundness;
mod whole_plans;
