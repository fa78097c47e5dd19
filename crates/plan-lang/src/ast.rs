//! The abstract syntax tree: owned, typed, plain data, with a span on every node.
//!
//! How to read it:
//! - Start at [`File::items`]; each [`Item`] is one declaration, in source order.
//! - What the text spells in more than one way is one thing here: parentheses are gone, `{ query }` is
//!   `{ query: query }`, text is unescaped and dedented, `return e` at the end of a body is its value,
//!   `x.decode() as [T]` is one node, `-1` is a literal, precedence is resolved.
//! - Case decides, so no name lookup is needed to tell a variant from a value: a bare name that starts
//!   upper case is a [`ExprKind::Variant`], any other is a [`ExprKind::Name`].
//! - Where the text has a syntax error there is an `Error` node ([`ExprKind::Error`], [`TypeKind::Error`],
//!   [`PatternKind::Error`]) or an [`Ident`] for which [`Ident::is_missing`] holds, or the member is left
//!   out. Each of them was reported by the parser: a checker gives them the type that fits everywhere
//!   and says nothing.
//! - Nesting is bounded by [`crate::limits::MAX_EXPRESSION_DEPTH`], so a checker may recurse.

mod expr;
mod item;
mod operator;
mod pattern;
mod policy;
mod shift;
mod stmt;
mod types;

pub use expr::{
    Arg, Branch, Call, Expr, ExprKind, FieldInit, For, If, Literal, Match, MatchArm, Run, Template,
    TemplatePart,
};
pub use item::{
    Adapter, AdapterMember, Capability, CapabilityOutput, EditionDecl, Enum, Field, File, Fn, Import, Item,
    Param, Plan, PolicyDecl, Record, Test, Use, Variant,
};
pub use operator::{BinaryOp, UnaryOp};
pub use pattern::{Binder, Pattern, PatternKind};
pub use policy::{Percent, PolicyField, PolicyUse, PolicyValue, PolicyValueKind};
pub(crate) use shift::Shift;
pub use stmt::{Block, Ensure, ExpectFails, Let, Mock, MockValue, MockValueKind, Stmt, TestStmt};
pub use types::{Bound, Refine, Type, TypeKind};

use crate::text::Span;

/// A name where it is written.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Ident {
    /// The name, without the back-quotes it may have been written in; empty if it is missing.
    pub name: String,
    /// Where it is written, back-quotes included.
    pub span: Span,
}

impl Ident {
    /// A name at a place.
    #[must_use]
    pub fn new(name: impl Into<String>, span: Span) -> Self {
        Self { name: name.into(), span }
    }

    /// Stands for a name that the text does not have; the parser has reported it.
    #[must_use]
    pub fn missing(offset: u32) -> Self {
        Self { name: String::new(), span: Span::at(offset) }
    }

    /// Whether the text has no name here. Declare and look up nothing under it.
    #[must_use]
    pub fn is_missing(&self) -> bool {
        self.name.is_empty()
    }

    /// Whether it starts upper case, as types, records, enums and variants do.
    #[must_use]
    pub fn is_upper(&self) -> bool {
        self.name.chars().next().is_some_and(char::is_uppercase)
    }
}

/// Names joined by dots: `sn22.web_search`, `web`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Path {
    /// The names, at least one; the only one is missing if the text has no path here.
    pub segments: Vec<Ident>,
    /// From the first name to the last.
    pub span: Span,
}

impl Path {
    /// The name, if the path is a single one.
    #[must_use]
    pub fn as_ident(&self) -> Option<&Ident> {
        match self.segments.as_slice() {
            [only] => Some(only),
            _ => None,
        }
    }

    /// Whether the text has no path here.
    #[must_use]
    pub fn is_missing(&self) -> bool {
        self.segments.iter().any(Ident::is_missing)
    }

    /// The path with its dots.
    #[must_use]
    pub fn dotted(&self) -> String {
        let names: Vec<&str> = self.segments.iter().map(|segment| segment.name.as_str()).collect();
        names.join(".")
    }
}

/// A text without parts to fill in, where the language wants one: the name of a test.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Text {
    /// The text, unescaped.
    pub value: String,
    /// Quotes included.
    pub span: Span,
}
