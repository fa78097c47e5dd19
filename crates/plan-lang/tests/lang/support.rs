//! How much the tests that go through whole texts try.

/// One place in `n`; every place in a long run, which is one with `PROPTEST_CASES` set.
pub(crate) fn one_in(n: usize) -> usize {
    if std::env::var_os("PROPTEST_CASES").is_some() { 1 } else { n }
}
