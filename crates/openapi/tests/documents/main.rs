//! Documents of our own in each dialect: what their operations take and answer, and what is refused.
#![expect(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod deliveries;
mod descriptors;
#[path = "../../../fuzz-bodies/src/document.rs"]
mod document;
mod example;
mod import;
mod limits;
mod noise;
mod pages;
mod reading;
mod refusals;
mod wire;
