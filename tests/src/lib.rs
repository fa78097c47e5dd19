//! Helpers of the end-to-end tests, which live in `tests/tests/`: one file per area, against real peers
//! and real clients.
#![forbid(unsafe_code)]
