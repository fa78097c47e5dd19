//! From the text of a plan to a plan that can run: names, types, policies, bounds, lowering.
//!
//! It compiles against a lock alone and is a pure function: no files, no network, no clock, and the same
//! input gives the same plan on every machine. It never panics on any input: what is wrong with a plan is
//! a list of [`plan_lang::Diagnostic`]s, and a plan that has an error among them is not lowered. Read
//! [`compile`], [`Compilation`] and [`needs()`] first; where a text is compiled again and again while it is edited,
//! [`Session`].
//!
//! ```
//! use plan_compiler::{Options, Source, compile};
//! use schema::lock::Lock;
//! let text = "edition 2026\nplan double(x: Int(0..9)) -> Int(0..18) { x * 2 }\n";
//! let compilation = compile(&Source { name: "double.orch", text }, &Lock::empty(), &Options::default());
//! assert!(compilation.diagnostics.is_empty());
//! assert_eq!(compilation.plans[0].body.name, "double");
//! ```
//!
//! In an editor, where each version says the same as if it were compiled by itself:
//!
//! ```
//! use std::sync::Arc;
//! use plan_compiler::{Options, Session};
//! use schema::lock::Lock;
//! let mut session = Session::new("double.orch", Arc::new(Lock::empty()), Options::default());
//! let text = "edition 2026\nplan double(x: Int(0..9)) -> Int(0..18) { x * 2 }\n";
//! assert!(session.update(text).is_empty());
//! let found = session.update(&text.replace("x * 2", "x * 3"));
//! assert_eq!(found[0].message, "the result of `double` must be `Int(0..18)`, but this is `Int(0..27)`");
//! assert!(session.update(text).is_empty());
//! let (plan, bound) = session.plan("double").unwrap();
//! assert_eq!((plan.body.name.as_str(), bound.cost.units), ("double", 0));
//! ```
#![forbid(unsafe_code)]

mod bounds;
mod call_arguments;
mod calls;
mod capability_call;
mod check;
pub mod codes;
mod fix;
mod hir;
mod kept;
mod layout;
mod lower;
mod memo;
mod needs;
mod one_call;
mod pipeline;
mod prelude;
mod program;
mod relate;
mod report;
mod resolve;
mod session;
mod sink;
mod texts;

use plan_ir::bound::Bound;
use plan_ir::plan::CompiledPlan;
use plan_ir::plan_test::CompiledTest;
use plan_lang::Diagnostic;
use schema::lock::Lock;

use texts::Texts;

pub use call_arguments::{called, with_own_names};
pub use capability_call::{CAPABILITY_PREFIX, capability_call};
pub use fix::{AppliedFix, FIX_ROUNDS_MAX, Fixed, Left, fix};
pub use needs::{Needs, needs};
pub use one_call::{CallRefused, CallTerms, Signature, one_call};
pub use plan_lang::SourceFile as Source;
pub use session::Session;

/// Timeout of a call that declares none, microseconds: 30 seconds, longer than most answers of a model
/// and short enough for a deadline of minutes.
pub const DEFAULT_TIMEOUT_US: u64 = 30_000_000;
/// Backoff of a `retry` that declares none, microseconds: 200 ms.
pub const DEFAULT_BACKOFF_US: u64 = 200_000;
/// Most attempts after the first. Waits double with each, so the tenth waits for 500 times the backoff.
pub const RETRY_MAX: u32 = 10;
/// Largest `concurrency` of a `for`.
pub const CONCURRENCY_MAX: u32 = 10_000;
/// Longest duration in a policy, microseconds: 7 days.
pub const POLICY_DURATION_MAX_US: u64 = 7 * 24 * 3_600 * 1_000_000;
/// Fields of a record, variants of an enum or parameters, as in the Ledger's enums: they are looked up
/// one by one.
pub const MEMBERS_MAX: usize = 1_000;
/// Nodes, expressions and members of types of all plans of one file together. Each plan has the plans it runs and the
/// functions it uses in it, so that a short file can mean much.
pub const FILE_PARTS_MAX: usize = 1_000_000;
/// Most messages about one file; more are echoes that nobody reads, and showing them takes longer than
/// finding them.
pub const DIAGNOSTICS_MAX: usize = 500;

/// What a compilation is asked for.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Options {
    /// Whether the tests of the file are made ready to run; they are checked in any case.
    pub tests: bool,
    /// Whether the plans and bounds of a file are also there where all its errors are about bounds: a bound above a
    /// budget or deadline (`E0701`, `E0704`), or neither declared (`E0705`). Such plans are there to be shown, and are
    /// never to be run.
    pub beyond_limits: bool,
}

impl Options {
    /// Also makes the tests of the file ready to run.
    #[must_use]
    pub const fn with_tests() -> Self {
        Self { tests: true, beyond_limits: false }
    }

    /// Also gives the plans that only their bounds keep from running, to show what these bounds come from.
    #[must_use]
    pub const fn to_explain() -> Self {
        Self { tests: false, beyond_limits: true }
    }
}

/// What a compilation found and made.
#[derive(Clone, Debug, Default)]
pub struct Compilation {
    /// Everything there is to say about the text, in its order.
    pub diagnostics: Vec<Diagnostic>,
    /// The plans of the file in its order, each with its sub-plans inlined; empty where there is an error, unless
    /// [`Options::beyond_limits`] asks for them.
    pub plans: Vec<CompiledPlan>,
    /// The most each plan can cost and take, in the same order.
    pub bounds: Vec<Bound>,
    /// The tests of the file in its order, where they were asked for; empty where there is an error.
    pub tests: Vec<CompiledTest>,
    /// Names of the plans that other plans of the file run, sorted; empty where `plans` is.
    pub sub_plans: Vec<String>,
}

impl Compilation {
    /// Whether something keeps the plans from running.
    #[must_use]
    pub fn has_errors(&self) -> bool {
        self.diagnostics.iter().any(Diagnostic::is_error)
    }

    /// The plan that is meant where none is named, with its bound: the only one, or the only one that no other runs.
    #[must_use]
    pub fn root(&self) -> Option<(&CompiledPlan, &Bound)> {
        let plans = self.plans.iter().zip(&self.bounds);
        let mut roots = plans.filter(|(plan, _)| !self.sub_plans.contains(&plan.body.name));
        roots.next().filter(|_| roots.next().is_none())
    }

    /// The plan called `name`, with its bound.
    #[must_use]
    pub fn plan(&self, name: &str) -> Option<(&CompiledPlan, &Bound)> {
        self.plans.iter().zip(&self.bounds).find(|(plan, _)| plan.body.name == name)
    }
}

/// Compiles all plans of `source` against `lock`.
#[must_use]
pub fn compile(source: &Source<'_>, lock: &Lock, options: &Options) -> Compilation {
    pipeline::compile(&Texts::parse(source, lock), lock, options)
}

/// What is wrong with `source`: as [`compile`], without the plans.
#[must_use]
pub fn check(source: &Source<'_>, lock: &Lock, options: &Options) -> Vec<Diagnostic> {
    compile(source, lock, options).diagnostics
}
