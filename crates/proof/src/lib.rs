//! Proofs of runs: what a runtime commits to and signs, and the offline verifier that holds it to that.
//!
//! A run's proof is one bundle: the compiled plan, a header fixed before the first call, a commit for
//! every leaf of the run, and a signed statement over the root of a tree of locks. A lock is the hash of a
//! commit together with the locks of everything it waited for, so nothing can be changed, dropped, inserted
//! or moved without changing the root.
//!
//! This crate does no I/O, reads no clock and draws no random numbers: keys, nonces, secrets and times are
//! inputs. It never trusts what a bundle says about itself, and it never panics on one.
//!
//! Read [`verify::verify`] and [`verify::Verdict`] first, then [`builder::ProofBuilder`] for making proofs,
//! and [`leaves`] for the rule that producer and verifier share.
//!
//! ```
//! use proof::verify::{Check, TrustPolicy, verify};
//!
//! let verdict = verify(b"not a bundle", &TrustPolicy::default());
//! assert!(!verdict.valid && verdict.failed(Check::Encoding));
//! assert_eq!(verdict.failures[0].code, "E1301");
//! ```
#![doc = include_str!("../FORMAT.md")]
#![forbid(unsafe_code)]

pub mod answers;
pub mod attempt;
pub mod attestation;
pub mod body;
pub mod builder;
pub mod bundle;
pub mod challenge;
pub mod commit;
pub mod cost;
pub mod header;
pub mod key;
pub mod leaves;
pub mod limits;
pub mod lock;
mod object;
pub mod plan;
pub mod shape;
pub mod ss58;
pub mod statement;
pub mod tree;
pub mod value;
pub mod verify;

pub use object::{ObjectError, Problem};

/// Version of the format. It stays 0 until the format is frozen.
pub const VERSION: u64 = 0;
