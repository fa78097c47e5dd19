//! The `.orch` language: text to lossless tree to AST.

#![forbid(unsafe_code)]

pub mod diagnostic;
pub mod limits;
mod text;

pub use diagnostic::{
    Applicability, Code, Diagnostic, Edit, Fix, Label, Severity, SourceFile, render, suggest,
};
pub use text::{LineCol, LineIndex, Span};
