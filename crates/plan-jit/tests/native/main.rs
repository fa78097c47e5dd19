//! Native code on plans from source text: where it traps, what it refuses, how it lies in memory.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests"
)]

mod boundary;
mod common;
mod memory;
mod plans;
mod tiers;
mod traps;
