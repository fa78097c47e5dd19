//! Runs compiled plans: decides what may run when, calls subnets, keeps a journal from which a run goes on
//! after a crash, and proves what was done.
//!
//! The scheduler ([`core`]) is a pure fold over events. The driver around it takes in whatever has
//! happened, commits that together with what it causes in one append, and only then acts: intent before
//! send, result before use. It never sees source text, and it never sends anything but through
//! [`subnet`].
//!
//! Read first: [`Handle`], [`core::Core`], [`view::Run`].
//!
//! ```
//! use runtime::view::RunId;
//! let run: RunId = "0192f0c1-0000-7000-8000-000000000001".parse()?;
//! assert!("not a run".parse::<RunId>().is_err());
//! # let _ = run;
//! # Ok::<(), runtime::view::ParseRunIdError>(())
//! ```
#![forbid(unsafe_code)]

mod admission;
mod answers;
mod call;
pub mod core;
mod create;
mod driver;
mod driving;
mod error;
mod events;
mod handle;
pub mod inputs;
mod journal;
pub mod keys;
pub mod plan_test;
mod policy;
mod proofs;
mod prover;
mod rows;
pub mod simulation;
mod spend;
mod told;
pub mod view;

pub use call::Call;
pub use driver::{LoadedPlan, Options, Services};
pub use error::Error;
pub use events::Events;
pub use handle::{CreateRun, DEFAULT_TENANT, Handle, PAGE_RUNS_MAX};
pub use journal::{JOURNAL_VERSION, JournalError};
pub use prover::Prover;
pub use spend::SpendCap;
