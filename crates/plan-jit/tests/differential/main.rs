//! Native code against the interpreter, which is the definition: the same value, the same trap at the same
//! expression, the same charges.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests"
)]

#[allow(dead_code, reason = "that crate's tests use what these do not")]
#[path = "../../../plan-ir/tests/properties/generate/mod.rs"]
mod generate;
mod pipelines;
mod programs;

/// Cases of each property; `PROPTEST_CASES=100000` makes a long run.
fn cases() -> u32 {
    generate::cases(256).cases
}

/// `count` lists of numbers, the same in every run.
fn streams(seed: u32, length: usize, count: u32) -> impl Iterator<Item = Vec<u32>> {
    let mut number = seed;
    // xorshift32
    let mut next = move || {
        number ^= number << 13;
        number ^= number >> 17;
        number ^= number << 5;
        number
    };
    (0..count).map(move |_| std::iter::repeat_with(&mut next).take(length).collect())
}
