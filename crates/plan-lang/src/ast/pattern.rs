//! Patterns of `match`, and the names that lambdas and loops bind.

use super::{Ident, Literal};
use crate::text::Span;

/// The left side of a match arm, or a part of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Pattern {
    /// Its shape.
    pub kind: PatternKind,
    /// The whole pattern.
    pub span: Span,
}

/// The shapes of patterns.
#[derive(Clone, Debug, PartialEq)]
pub enum PatternKind {
    /// `_`
    Wildcard,
    /// A lower-case name: matches everything and binds it.
    Binding(Ident),
    /// An upper-case name: `Ahead`, `Stance.Ahead`, `Ok(v)`, `Err(NoQuorum(votes))`.
    Variant {
        /// The enum, if it is written.
        of: Option<Ident>,
        /// The variant.
        variant: Ident,
        /// The pattern for what the variant carries.
        payload: Option<Box<Pattern>>,
    },
    /// `null`, `true`, `-1`, `4s`: equal values match.
    Literal(Literal),
    /// A text without parts to fill in.
    Text(String),
    /// Could not be read; reported by the parser.
    Error,
}

/// A name that a lambda or a `for` binds.
#[derive(Clone, Debug, PartialEq)]
pub enum Binder {
    /// A name.
    Name(Ident),
    /// `_`: nothing is bound.
    Ignore(Span),
}

impl Binder {
    /// The name, unless it is `_`.
    #[must_use]
    pub fn name(&self) -> Option<&Ident> {
        match self {
            Self::Name(name) => Some(name),
            Self::Ignore(_) => None,
        }
    }

    /// Where it is written.
    #[must_use]
    pub fn span(&self) -> Span {
        match self {
            Self::Name(name) => name.span,
            Self::Ignore(span) => *span,
        }
    }
}
