//! Types as they are written.

use super::{Ident, Literal};
use crate::text::Span;

/// A type expression.
#[derive(Clone, Debug, PartialEq)]
pub struct Type {
    /// Its shape.
    pub kind: TypeKind,
    /// The whole type, refinement and `?` included.
    pub span: Span,
}

/// The shape of a type.
#[derive(Clone, Debug, PartialEq)]
pub enum TypeKind {
    /// `String(..80)`, `Claim`, `Result<T, E>`.
    Named {
        /// A built-in type, record or enum.
        name: Ident,
        /// The arguments between `<` and `>`; empty for most types.
        args: Vec<Type>,
        /// The range behind the name.
        refine: Option<Refine>,
    },
    /// `[T]`, `[T](1..20)`.
    List {
        /// The element type.
        element: Box<Type>,
        /// The range of the length.
        refine: Option<Refine>,
    },
    /// `{String: T}`.
    Map {
        /// The key type; only `String` is legal, the checker says so.
        key: Box<Type>,
        /// The value type.
        value: Box<Type>,
        /// The range of the size, if one is written.
        refine: Option<Refine>,
    },
    /// `T?`.
    Optional(Box<Type>),
    /// Could not be read; reported by the parser.
    Error,
}

/// An inclusive range behind a type: `(0..100)`, `(..600)`, `(1..)`.
#[derive(Clone, Debug, PartialEq)]
pub struct Refine {
    /// The least value or length.
    pub min: Option<Bound>,
    /// The greatest value or length.
    pub max: Option<Bound>,
    /// Parentheses included.
    pub span: Span,
}

/// One end of a range.
#[derive(Clone, Debug, PartialEq)]
pub struct Bound {
    /// The number, its sign included. The parser takes every number with every unit; which are legal
    /// depends on the type.
    pub value: Literal,
    /// The number, its sign included.
    pub span: Span,
}
