//! Expressions.

use super::{BinaryOp, Binder, Block, Ident, Path, Pattern, PolicyUse, Type, UnaryOp};
use crate::text::Span;

/// An expression.
#[derive(Clone, Debug, PartialEq)]
pub struct Expr {
    /// Its shape.
    pub kind: ExprKind,
    /// The whole expression, parentheses around it included.
    pub span: Span,
}

/// The shapes of expressions.
#[derive(Clone, Debug, PartialEq)]
pub enum ExprKind {
    /// Could not be read; reported by the parser.
    Error,
    /// `null`, `true`, `4`, `0.5`, `200ms`, `0.02USD`.
    Literal(Literal),
    /// A text, with or without parts to fill in.
    Template(Template),
    /// A lower-case name: a binding, a parameter, a word of a policy, an operation in `calls(op)`.
    Name(Ident),
    /// An upper-case name, or two: `Null`, `Stance.Ahead`, `Ok(1)`, `Other("x")`.
    Variant {
        /// The enum, if it is written.
        of: Option<Ident>,
        /// The variant.
        variant: Ident,
        /// What it carries.
        payload: Option<Box<Expr>>,
    },
    /// `[a, b]`.
    List(Vec<Expr>),
    /// `Hit { title: "B", link }`.
    Record {
        /// The record.
        name: Ident,
        /// The fields in order; duplicates are possible.
        fields: Vec<FieldInit>,
    },
    /// `{ query }`, `{ "a": 1 }`: a record or a map, as the expected type says.
    Anonymous(Vec<FieldInit>),
    /// `{ .. }` as the body of a function, lambda or match arm.
    Block(Box<Block>),
    /// `call search(query: q) as T with web`.
    Call(Box<Call>),
    /// `run arbitrate(question, votes)`.
    Run(Box<Run>),
    /// `try call ..`, `try run ..`. The inner expression is a [`Self::Call`] or [`Self::Run`], or
    /// [`Self::Error`].
    Try(Box<Expr>),
    /// `for hit in hits with { tolerate: 4 } { .. }`.
    For(Box<For>),
    /// `if a { .. } else if b { .. } else { .. }`.
    If(Box<If>),
    /// `match v { .. }`.
    Match(Box<Match>),
    /// `h => h.title`, `(a, b) => a == b`. Stands only as an argument of a built-in method, as a value in
    /// a policy or as a member of an adapter.
    Lambda {
        /// What it binds; may be empty.
        params: Vec<Binder>,
        /// Its value; an [`Self::Block`] if it is written in braces.
        body: Box<Expr>,
    },
    /// `!a`, `-a`.
    Unary {
        /// The operator.
        op: UnaryOp,
        /// Where the operator is.
        op_span: Span,
        /// What it applies to.
        operand: Box<Expr>,
    },
    /// `a + b`. Comparisons are never chained: neither operand of one is a comparison without parentheses.
    Binary {
        /// The operator.
        op: BinaryOp,
        /// Where the operator is.
        op_span: Span,
        /// The left operand.
        left: Box<Expr>,
        /// The right operand.
        right: Box<Expr>,
    },
    /// `same(a, b)`, `spent()`: a function of the file or a built-in one.
    Apply {
        /// The function.
        function: Ident,
        /// The arguments in order.
        args: Vec<Arg>,
    },
    /// `xs.filter(h => ..)`, `x?.trim()`.
    Method {
        /// What the method is called on.
        receiver: Box<Expr>,
        /// The method.
        method: Ident,
        /// The arguments in order.
        args: Vec<Arg>,
        /// Whether it was called by `?.`.
        optional: bool,
    },
    /// `hit.title`, `hit?.title`.
    Field {
        /// What has the field.
        base: Box<Expr>,
        /// The field.
        field: Ident,
        /// Whether it was read by `?.`.
        optional: bool,
    },
    /// `xs[i]`.
    Index {
        /// The list.
        base: Box<Expr>,
        /// The index.
        index: Box<Expr>,
    },
    /// `x as Url`.
    Cast {
        /// What is decoded.
        value: Box<Expr>,
        /// The type it must have.
        ty: Type,
    },
    /// `xs.decode() as [T]`: keeps what fits and reports the rest.
    Decode {
        /// What is decoded.
        value: Box<Expr>,
        /// The type after `as`.
        ty: Type,
        /// Whether it was called by `?.`.
        optional: bool,
    },
}

impl Expr {
    /// An expression at a place.
    #[must_use]
    pub fn new(kind: ExprKind, span: Span) -> Self {
        Self { kind, span }
    }

    /// The text, if this is one without parts to fill in.
    #[must_use]
    pub fn as_text(&self) -> Option<&str> {
        match &self.kind {
            ExprKind::Template(template) => template.as_text(),
            _ => None,
        }
    }

    /// The name, if this is a bare lower-case one.
    #[must_use]
    pub fn as_name(&self) -> Option<&Ident> {
        match &self.kind {
            ExprKind::Name(name) => Some(name),
            _ => None,
        }
    }

    /// Whether the parser could not read it.
    #[must_use]
    pub fn is_error(&self) -> bool {
        matches!(self.kind, ExprKind::Error)
    }
}

/// A literal value. Amounts and durations are exact integers; a literal that is finer than its unit, or
/// too large for it, is reported by the parser.
#[derive(Clone, Debug, PartialEq)]
pub enum Literal {
    /// `null`
    Null,
    /// `true`, `false`
    Bool(bool),
    /// `4`, `-1`
    Int(i64),
    /// `0.5`; always finite
    Float(f64),
    /// `200ms`, `4s`, `10m`, `24h`, `7d`, in microseconds
    DurationUs(i64),
    /// `3rao`, `0.05TAO`, in rao (1 TAO = 10^9 rao)
    Rao(i64),
    /// `0.02USD`, in micro-USD (1 USD = 10^6)
    MicroUsd(i64),
}

/// A text with parts to fill in. Escapes are resolved; `"""` text is dedented.
#[derive(Clone, Debug, PartialEq)]
pub struct Template {
    /// The parts in order; two texts never follow one another. Empty for `""`.
    pub parts: Vec<TemplatePart>,
    /// Quotes included.
    pub span: Span,
}

impl Template {
    /// The text, if nothing is to be filled in.
    #[must_use]
    pub fn as_text(&self) -> Option<&str> {
        match self.parts.as_slice() {
            [] => Some(""),
            [TemplatePart::Text(text)] => Some(text),
            _ => None,
        }
    }
}

/// A part of a template.
#[derive(Clone, Debug, PartialEq)]
pub enum TemplatePart {
    /// Text as it will appear.
    Text(String),
    /// `{expr}`.
    Expr(Expr),
}

/// `query: q` or `q` between the parentheses of a call.
#[derive(Clone, Debug, PartialEq)]
pub struct Arg {
    /// The parameter, if it is named. `crawl(url)` names none: for an operation a bare name stands for the
    /// parameter of that name.
    pub name: Option<Ident>,
    /// The value.
    pub value: Expr,
    /// Name and value.
    pub span: Span,
}

/// `url: x` or `url` in a record literal.
#[derive(Clone, Debug, PartialEq)]
pub struct FieldInit {
    /// The field or map key; a quoted one without its quotes, unescaped.
    pub key: Ident,
    /// Whether the key was written as `"text"`, as the keys of maps are.
    pub quoted: bool,
    /// The value; for the short form, the name itself.
    pub value: Expr,
    /// Whether it was the short form.
    pub shorthand: bool,
    /// Key and value.
    pub span: Span,
}

/// `call generate(prompt: p) as [Claim](..8) with model`.
#[derive(Clone, Debug, PartialEq)]
pub struct Call {
    /// An imported operation or capability.
    pub target: Path,
    /// The arguments in order.
    pub args: Vec<Arg>,
    /// The type after `as`, for operations whose answer is `_`.
    pub wanted: Option<Type>,
    /// The policy.
    pub policy: Option<PolicyUse>,
    /// The whole call.
    pub span: Span,
}

/// `run arbitrate(question, votes)`.
#[derive(Clone, Debug, PartialEq)]
pub struct Run {
    /// The plan.
    pub plan: Path,
    /// The arguments in order.
    pub args: Vec<Arg>,
    /// The whole run.
    pub span: Span,
}

/// `for hit in hits with { concurrency: 4 } { .. }`.
#[derive(Clone, Debug, PartialEq)]
pub struct For {
    /// The name of the element.
    pub binder: Binder,
    /// The list.
    pub list: Expr,
    /// The policy.
    pub policy: Option<PolicyUse>,
    /// What is done for each element; its value becomes an element of the result.
    pub body: Block,
}

/// `if a { .. } else if b { .. } else { .. }`.
#[derive(Clone, Debug, PartialEq)]
pub struct If {
    /// The conditions with their blocks, in order; at least one.
    pub branches: Vec<Branch>,
    /// The block of the last `else`.
    pub otherwise: Option<Block>,
}

/// A condition and what to do if it is the first that holds.
#[derive(Clone, Debug, PartialEq)]
pub struct Branch {
    /// The condition.
    pub cond: Expr,
    /// What to do.
    pub then: Block,
}

/// `match v { Ok(x) => .., Err(_) => .. }`.
#[derive(Clone, Debug, PartialEq)]
pub struct Match {
    /// What is looked at.
    pub value: Expr,
    /// The arms in order.
    pub arms: Vec<MatchArm>,
}

/// `Ok(x) => ..`.
#[derive(Clone, Debug, PartialEq)]
pub struct MatchArm {
    /// What must match.
    pub pattern: Pattern,
    /// The value; an [`ExprKind::Block`] if it is written in braces.
    pub body: Expr,
    /// Pattern and body.
    pub span: Span,
}
