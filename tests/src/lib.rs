//! Helpers of the end-to-end tests, which live in `tests/tests/`: one file per area, against real peers
//! and real clients.
//!
//! Read first: [`service::Host`] (a service and its generated clients), [`subnet::Subnet`] (a subnet that
//! answers as it is told and counts what it is asked), [`axon::Axon`] (the axon of the `bittensor` package)
//! and [`process::Orch`] (the real binary).
#![forbid(unsafe_code)]
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests: whatever is not as expected fails the test"
)]

pub mod axon;
pub mod cable;
pub mod peer;
pub mod process;
pub mod service;
pub mod strict;
pub mod subnet;

use std::path::{Path, PathBuf};

/// The project's folder.
#[must_use]
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// A folder that is gone with the test, unless `cargo xtask test` is to search it for secrets afterwards.
///
/// # Panics
/// If there is no place for it.
#[must_use]
pub fn folder() -> tempfile::TempDir {
    let kept = std::env::var_os("ORCHESTRA_SUITE").is_some();
    tempfile::Builder::new().disable_cleanup(kept).tempdir().unwrap()
}

/// The Python of one of the environments that `cargo xtask test` installs, or the one that `variable` names.
///
/// # Panics
/// If it is not there, with what to do.
#[must_use]
pub fn python(variable: &str, environment: &str) -> PathBuf {
    let python = std::env::var_os(variable)
        .map_or_else(|| root().join(".tools").join(environment).join("bin/python"), PathBuf::from);
    assert!(
        python.exists(),
        "there is no {}: run `cargo xtask test` once, which installs {environment}, or name a Python by {variable}",
        python.display()
    );
    python
}
