//! Blocks and statements, those of tests included.

use super::{Arg, Expr, Ident, Path, Run, Template, Type};
use crate::text::Span;

/// `{ stmt* value? }`.
#[derive(Clone, Debug, PartialEq)]
pub struct Block {
    /// The statements before the value, in order.
    pub stmts: Vec<Stmt>,
    /// The value: the last expression, or that of `return`. `None` if the block ends in a statement; an
    /// `if` without `else` at the end is a statement.
    pub value: Option<Box<Expr>>,
    /// Braces included.
    pub span: Span,
}

/// A statement of a plan, a function or a test.
#[derive(Clone, Debug, PartialEq)]
pub enum Stmt {
    /// `let x = ..`
    Let(Let),
    /// `ensure cond else "msg"`
    Ensure(Ensure),
    /// An expression whose value is not used.
    Expr(Expr),
}

impl Stmt {
    /// The whole statement.
    #[must_use]
    pub fn span(&self) -> Span {
        match self {
            Self::Let(stmt) => stmt.span,
            Self::Ensure(stmt) => stmt.span,
            Self::Expr(expr) => expr.span,
        }
    }
}

/// `let found: [Hit] = call search(query)`.
#[derive(Clone, Debug, PartialEq)]
pub struct Let {
    /// The name it binds; starts lower case.
    pub name: Ident,
    /// The declared type, if one is.
    pub ty: Option<Type>,
    /// The value.
    pub value: Expr,
    /// The whole statement.
    pub span: Span,
}

/// `ensure flat.len() > 0 else "no claim for {company}"`.
#[derive(Clone, Debug, PartialEq)]
pub struct Ensure {
    /// What must hold.
    pub cond: Expr,
    /// What the plan fails with otherwise.
    pub message: Template,
    /// The whole statement.
    pub span: Span,
}

/// A statement of a test.
#[derive(Clone, Debug, PartialEq)]
pub enum TestStmt {
    /// `mock search => ..`
    Mock(Mock),
    /// `assert a.share > 0.5`
    Assert(Expr),
    /// `expect fails run p(..) with "..."`
    ExpectFails(ExpectFails),
    /// `let`, `ensure` or an expression.
    Stmt(Stmt),
}

/// `mock search => fails timeout`.
#[derive(Clone, Debug, PartialEq)]
pub struct Mock {
    /// The imported operation or capability.
    pub target: Path,
    /// What it answers.
    pub value: MockValue,
    /// The whole statement.
    pub span: Span,
}

/// The answer of a mock.
#[derive(Clone, Debug, PartialEq)]
pub struct MockValue {
    /// Its shape.
    pub kind: MockValueKind,
    /// The whole answer.
    pub span: Span,
}

/// The shapes of mocked answers.
#[derive(Clone, Debug, PartialEq)]
pub enum MockValueKind {
    /// `fails timeout`, `fails invalid("$.data")`.
    Fails {
        /// A `CallError` in snake case.
        error: Ident,
        /// Its payload.
        args: Vec<Arg>,
    },
    /// `after 5s v`: the answer comes after this much virtual time.
    After {
        /// The delay in microseconds.
        delay_us: u64,
        /// The answer; never another `After`.
        value: Box<MockValue>,
    },
    /// `sequence [a, b]`: one answer per call, in order.
    Sequence(Vec<MockValue>),
    /// A value.
    Value(Box<Expr>),
}

/// `expect fails run analyse(..) with "no claim could be sourced"`.
#[derive(Clone, Debug, PartialEq)]
pub struct ExpectFails {
    /// The run that must fail.
    pub run: Run,
    /// What its error must contain.
    pub message: Option<Template>,
    /// The whole statement.
    pub span: Span,
}
