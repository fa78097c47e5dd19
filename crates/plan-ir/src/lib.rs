//! The compiled form of a plan: a graph of nodes that a foreign verifier can read, and the bodies of
//! those nodes (expressions, calls, policies) with their reference interpreter and their bounds.
//!
//! It never sees source text, never does I/O and never reads a clock: the interpreter is the definition
//! of what a pure expression means, so it must give the same answer everywhere. Read
//! [`plan::CompiledPlan`], [`graph::Graph`] and [`expr::Expr`] first.
//!
//! A plan that comes from outside is read by [`bytes::decode`], which checks all that running it relies
//! on; [`bound::bound`] tells the most it can cost and take; [`interp::eval`] evaluates an expression.
//!
//! ```
//! use plan_ir::bytes::{BytesError, decode};
//! use plan_ir::interp::match_pattern;
//! use plan_ir::expr::{LocalId, Pattern};
//! use schema::value::Value;
//!
//! let ok = Pattern::Variant(0, Some(Box::new(Pattern::Bind(LocalId(0)))));
//! assert_eq!(match_pattern(&ok, &Value::ok(Value::Int(7))), Some(vec![Value::Int(7)]));
//! assert_eq!(match_pattern(&ok, &Value::err(Value::Int(7))), None);
//!
//! assert!(matches!(decode(b"no plan"), Err(BytesError::Encoding(_))));
//! ```
#![forbid(unsafe_code)]

pub mod bound;
pub mod builtin;
pub mod bytes;
pub mod explain;
pub mod expr;
pub mod graph;
pub mod interp;
pub mod plan;
pub mod plan_test;
#[cfg(test)]
mod program;
pub mod range;
pub mod topology;
pub mod validate;
