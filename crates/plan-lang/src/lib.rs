//! The `.orch` language: text to lossless tree to AST, with diagnostics and a formatter.
//!
//! This crate knows what a plan says, not what it means: names, types and bounds are checked elsewhere. It
//! never fails and never panics on any text, reads no files, and depends on nothing of ours. The
//! grammar and rowan, which do the work inside, show through nowhere but in [`rule_edges`].
//!
//! Read first: [`Parse`], what [`parse`] gives for every text; [`ast::File`], what a checker walks;
//! [`Diagnostic`], what everything that looks at plans reports.
//!
//! ```
//! use plan_lang::{SourceFile, ast::Item, parse, render};
//!
//! let text = "fn double(x: Int(0..9)) -> Int(0..18) = x * 2\nfn half(x: Int) -> Int x / 2\n";
//! let parse = parse(text);
//!
//! // The mistake is reported as a user should see it ..
//! let shown = render(&SourceFile { name: "math.orch", text }, parse.diagnostics(), false);
//! assert!(shown.contains("error[E0111]: `=` is missing before the body of `fn half`"));
//! assert_eq!(parse.diagnostics()[0].fix.as_ref().unwrap().apply(text).unwrap().lines().count(), 2);
//!
//! // .. and does not keep anybody from the rest.
//! assert!(matches!(&parse.ast().items[..], [Item::Fn(double), Item::Fn(_)] if double.name.name == "double"));
//! assert_eq!(parse.syntax().text(), text);
//! ```

#![forbid(unsafe_code)]

pub mod ast;
pub mod codes;
pub mod diagnostic;
mod edition;
mod fmt;
pub mod limits;
mod lower;
mod messages;
mod parser;
pub mod syntax;
mod text;

pub use diagnostic::{
    Applicability, Code, Diagnostic, Edit, Fix, Label, Severity, SourceFile, render, suggest, written_name,
};
pub use edition::Edition;
pub use fmt::format;
pub use parser::{Chunk, Parse, RuleEdge, parse, parse_bytes, rule_edges};
pub use text::{LineCol, LineIndex, Span};
