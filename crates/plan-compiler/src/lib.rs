//! From the text of a plan to a plan that can run: names, types, policies, bounds, lowering.
//!
//! It compiles against a lock alone and is a pure function: no files, no network, no clock, and the same
//! input gives the same plan on every machine. It never panics on any input: what is wrong with a plan is
//! a list of [`plan_lang::Diagnostic`]s, and a plan that has an error among them is not lowered. Read
//! [`compile`], [`Compilation`] and [`needs()`] first.
//!
//! ```
//! use plan_compiler::{Options, Source, compile};
//! use schema::lock::Lock;
//! let text = "edition 2026\nplan double(x: Int(0..9)) -> Int(0..18) { x * 2 }\n";
//! let compilation = compile(&Source { name: "double.orch", text }, &Lock::empty(), &Options::default());
//! assert!(compilation.diagnostics.is_empty());
//! assert_eq!(compilation.plans[0].body.name, "double");
//! ```
#![forbid(unsafe_code)]

mod bounds;
mod calls;
mod check;
pub mod codes;
mod fix;
mod hir;
mod lower;
mod needs;
mod prelude;
mod program;
mod range;
mod relate;
mod report;
mod resolve;
mod sink;
mod texts;

use plan_ir::bound::Bound;
use plan_ir::plan::CompiledPlan;
use plan_ir::plan_test::CompiledTest;
use plan_lang::Diagnostic;
use schema::lock::Lock;

use sink::Sink;
use texts::Texts;

pub use fix::{AppliedFix, FIX_ROUNDS_MAX, Fixed, fix};
pub use needs::{Needs, needs};

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

/// A source text with the name that messages show.
#[derive(Clone, Copy, Debug)]
pub struct Source<'a> {
    /// Usually a path as the user gave it.
    pub name: &'a str,
    /// The text.
    pub text: &'a str,
}

/// What a compilation is asked for.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Options {
    /// Whether the tests of the file are made ready to run; they are checked in any case.
    pub tests: bool,
}

impl Options {
    /// Also makes the tests of the file ready to run.
    #[must_use]
    pub const fn with_tests() -> Self {
        Self { tests: true }
    }
}

/// What a compilation found and made.
#[derive(Clone, Debug, Default)]
pub struct Compilation {
    /// Everything there is to say about the text, in its order.
    pub diagnostics: Vec<Diagnostic>,
    /// The plans of the file in its order, each with its sub-plans inlined; empty where there is an error.
    pub plans: Vec<CompiledPlan>,
    /// The most each plan can cost and take, in the same order.
    pub bounds: Vec<Bound>,
    /// The tests of the file in its order, where they were asked for; empty where there is an error.
    pub tests: Vec<CompiledTest>,
    /// Names of the plans that other plans of the file run, sorted; empty where there is an error.
    pub sub_plans: Vec<String>,
}

impl Compilation {
    /// Whether something keeps the plans from running.
    #[must_use]
    pub fn has_errors(&self) -> bool {
        self.diagnostics.iter().any(Diagnostic::is_error)
    }

    /// The plan that is meant where none is named: the only one, or the only one that no other runs.
    #[must_use]
    pub fn root(&self) -> Option<&CompiledPlan> {
        let mut roots = self.plans.iter().filter(|plan| !self.sub_plans.contains(&plan.body.name));
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
    let texts = Texts::parse(source, lock);
    let mut sink = Sink::default();
    if texts.is_hopeless() {
        let mut diagnostics = report::collect(source, &texts, sink);
        plan_lang::diagnostic::sort(&mut diagnostics);
        return Compilation { diagnostics, ..Compilation::default() };
    }
    let (program, types) = resolve::resolve(&texts, lock, &mut sink);
    let checked = check::check(&program, texts.items(0), types, &mut sink);
    let mut diagnostics = report::collect(source, &texts, sink);
    let mut compilation = Compilation::default();
    if !diagnostics.iter().any(Diagnostic::is_error) {
        let names = texts.names();
        let sub_plans = bounds::sub_plans(&program);
        let mut parts = 0;
        for (at, plan) in program.plans.iter().enumerate() {
            let lowered = lower::lower(&program, &checked, &names, at);
            parts += lowered.parts;
            if parts > FILE_PARTS_MAX {
                diagnostics.push(report::too_much(&plan.decl.name));
                break;
            }
            match lowered.plan {
                Ok(plan) => match bounds::check(&program, &checked, at, &plan, &sub_plans) {
                    (Some(bound), found) => {
                        diagnostics.extend(found);
                        compilation.plans.push(plan);
                        compilation.bounds.push(bound);
                    }
                    (None, found) => diagnostics.extend(found),
                },
                Err(found) => diagnostics.extend(found),
            }
        }
        compilation.sub_plans = sub_plans.into_iter().map(str::to_owned).collect();
        for test in checked.tests.iter().filter(|_| options.tests) {
            let lowered = lower::lower_test(&program, &checked, &names, test);
            parts += lowered.parts;
            if parts > FILE_PARTS_MAX {
                diagnostics.push(report::too_many_tests(test.span));
                break;
            }
            match lowered.test {
                Ok(test) => compilation.tests.push(test),
                Err(found) => diagnostics.extend(found),
            }
        }
    }
    plan_lang::diagnostic::sort(&mut diagnostics);
    report::shorten(&mut diagnostics);
    if diagnostics.iter().any(Diagnostic::is_error) {
        compilation.plans.clear();
        compilation.bounds.clear();
        compilation.tests.clear();
        compilation.sub_plans.clear();
    }
    compilation.diagnostics = diagnostics;
    compilation
}

/// What is wrong with `source`: as [`compile`], without the plans.
#[must_use]
pub fn check(source: &Source<'_>, lock: &Lock, options: &Options) -> Vec<Diagnostic> {
    compile(source, lock, options).diagnostics
}
