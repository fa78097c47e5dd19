//! Runs compiled plans.
#![forbid(unsafe_code)]

pub mod core;
mod policy;
