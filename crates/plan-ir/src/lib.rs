//! The compiled form of a plan: a graph of nodes that a foreign verifier can read, and the bodies of
//! those nodes (expressions, calls, policies) with their reference interpreter and their bounds.
//!
//! It never sees source text, never does I/O and never reads a clock: the interpreter is the definition
//! of what a pure expression means, so it must give the same answer everywhere. Read
//! [`plan::CompiledPlan`], [`graph::Graph`] and [`expr::Expr`] first.
#![forbid(unsafe_code)]

pub mod bound;
pub mod builtin;
pub mod bytes;
pub mod expr;
pub mod graph;
pub mod interp;
pub mod plan;
#[cfg(test)]
mod program;
pub mod topology;
pub mod validate;
