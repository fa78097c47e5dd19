//! The `.orch` language: text to lossless tree to AST.

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
    Applicability, Code, Diagnostic, Edit, Fix, Label, Severity, SourceFile, render, suggest,
};
pub use edition::Edition;
pub use fmt::format;
pub use parser::{Parse, parse, parse_bytes};
pub use text::{LineCol, LineIndex, Span};
