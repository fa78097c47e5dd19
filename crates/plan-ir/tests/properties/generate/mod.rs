//! Random programs and plans that a compiler could have made. Everything is decided by a list of numbers,
//! so that a failing case shrinks by shortening the list: where it ends, the simplest choice is made.

mod library;
pub(crate) mod plans;
pub(crate) mod programs;

use proptest::test_runner::{Config, RngSeed};

/// The same cases in every run, so that a failure is never a matter of luck.
pub(crate) fn cases(cases: u32) -> Config {
    // `PROPTEST_CASES=10000` makes a long run.
    let cases = Config::default().cases.max(cases);
    Config { cases, rng_seed: RngSeed::Fixed(20_261_122), failure_persistence: None, ..Config::default() }
}

/// The numbers that decide.
#[derive(Clone, Debug)]
pub(crate) struct Choices {
    numbers: std::vec::IntoIter<u32>,
}

impl Choices {
    pub(crate) fn new(numbers: Vec<u32>) -> Self {
        Self { numbers: numbers.into_iter() }
    }

    /// A number below `n`, 0 once the list has ended.
    pub(crate) fn below(&mut self, n: u32) -> u32 {
        self.numbers.next().unwrap_or(0) % n.max(1)
    }

    pub(crate) fn one_of<'a, T>(&mut self, items: &'a [T]) -> &'a T {
        &items[self.below(items.len() as u32) as usize]
    }
}
