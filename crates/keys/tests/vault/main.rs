//! The vault of keys: on disk, and what is in it.
#![expect(clippy::unwrap_used, reason = "tests")]

mod calls;
mod disk;
mod entries;
mod fixture;
#[path = "../support/mod.rs"]
mod support;
