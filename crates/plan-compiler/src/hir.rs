//! The checked form of bodies: names are variables, every expression has a type, every conversion is
//! written out. What the checker makes and lowering reads.

mod effect;

use std::sync::Arc;

use plan_ir::builtin::Builtin;
use plan_ir::expr::{BinaryOp, UnaryOp, Widening};
use plan_ir::plan::{Hedge, OnError, Poll, Prefer, Retry, Tolerance};
use plan_lang::Span;
use schema::amount::Amount;
use schema::error::CallErrorKind;
use schema::operation::OperationDescriptor;
use schema::types::{DefId, Type};
use schema::value::Value;

use crate::kept::Placed;

/// Index of a variable in its body.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct VarId(pub(crate) u32);

/// A name that a body binds.
#[derive(Clone, Debug)]
pub(crate) struct Var {
    pub(crate) name: Arc<str>,
    pub(crate) ty: Type,
}

/// What evaluating an expression takes beyond computing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Effect {
    /// Nothing: it can stay an expression.
    #[default]
    Pure,
    /// A node of its own (an `ensure`, a `for` with a policy), but no call.
    Node,
    /// A call.
    Call,
}

/// A checked expression.
#[derive(Clone, Debug)]
pub(crate) struct Expr {
    pub(crate) kind: ExprKind,
    pub(crate) ty: Type,
    pub(crate) span: Span,
    pub(crate) effect: Effect,
}

impl Default for Expr {
    /// Stands for what is not there.
    fn default() -> Self {
        Self::error(Span::default())
    }
}

/// The shapes of checked expressions.
#[derive(Clone, Debug)]
pub(crate) enum ExprKind {
    /// Reported; never lowered.
    Error,
    Const(Value),
    Var(VarId),
    Field {
        record: Box<Expr>,
        index: u32,
        optional: bool,
    },
    Index {
        list: Box<Expr>,
        index: Box<Expr>,
    },
    Unary(UnaryOp, Box<Expr>),
    Binary(BinaryOp, Box<Expr>, Box<Expr>),
    If(Box<If>),
    Match(Box<Match>),
    Record(DefId, Vec<Expr>),
    List(Vec<Expr>),
    Map(Vec<(Expr, Expr)>),
    Variant(u32, Option<Box<Expr>>),
    Template(Vec<Expr>),
    /// To the expression's own type.
    Cast(Box<Expr>),
    Widen(Box<Expr>, Widening),
    Builtin {
        op: Builtin,
        args: Vec<Expr>,
        lambda: Option<Lambda>,
    },
    /// A `fn` by its place among all functions.
    Apply(usize, Vec<Expr>),
    Block(Box<Block>),
    /// The JSON Schema of the type that the caller of a generic capability wants.
    WantedSchema,
    Call(Box<Call>),
    Run(Box<Run>),
    For(Box<For>),
    /// What the calls of the block around have cost.
    Spent,
}

/// `if` with its `else if`s; without `otherwise` its value is not used.
#[derive(Clone, Debug)]
pub(crate) struct If {
    /// Conditions with their values, in order.
    pub(crate) branches: Vec<(Expr, Expr)>,
    pub(crate) otherwise: Option<Expr>,
}

#[derive(Clone, Debug)]
pub(crate) struct Match {
    pub(crate) value: Expr,
    pub(crate) arms: Vec<(Pattern, Expr)>,
}

/// A checked pattern.
#[derive(Clone, Debug)]
pub(crate) enum Pattern {
    Any,
    Bind(VarId),
    Literal(Value),
    Variant(u32, Option<Box<Pattern>>),
    Present(Box<Pattern>),
}

#[derive(Clone, Debug)]
pub(crate) struct Lambda {
    pub(crate) params: Vec<VarId>,
    pub(crate) body: Box<Expr>,
}

#[derive(Clone, Debug)]
pub(crate) struct Block {
    pub(crate) stmts: Vec<Stmt>,
    pub(crate) value: Option<Expr>,
    pub(crate) span: Span,
}

#[derive(Clone, Debug)]
pub(crate) enum Stmt {
    Let {
        var: VarId,
        value: Expr,
    },
    Ensure {
        cond: Expr,
        message: Expr,
        span: Span,
    },
    Expr(Expr),
    /// One that is known from an earlier version of the text.
    Kept(Placed),
}

/// What a call names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Target {
    Operation(usize),
    Capability(usize),
}

#[derive(Clone, Debug)]
pub(crate) struct Call {
    pub(crate) target: Target,
    /// As the plan wrote it.
    pub(crate) name: String,
    /// One per parameter of the target, absent ones included.
    pub(crate) args: Vec<Expr>,
    /// Type of one answer.
    pub(crate) output: Type,
    pub(crate) policy: CallPolicy,
    /// The `CallError` of a `try`.
    pub(crate) caught: Option<DefId>,
}

/// The policies of a call.
#[derive(Clone, Debug)]
pub(crate) struct CallPolicy {
    pub(crate) timeout_us: u64,
    pub(crate) retry: Retry,
    pub(crate) quorum: Option<Quorum>,
    pub(crate) hedge: Option<Hedge>,
    /// A predicate over the decoded answer.
    pub(crate) accept: Option<Lambda>,
    pub(crate) fallback: Option<Fallback>,
    pub(crate) max_price: Option<Amount>,
    pub(crate) budget: Option<Budget>,
    pub(crate) cache_us: Option<u64>,
    pub(crate) pages: u32,
    pub(crate) poll: Poll,
    pub(crate) prefer: Prefer,
    /// The only operations that may serve it, where some are named.
    pub(crate) only: Option<Vec<Selector>>,
    /// Operations that may not.
    pub(crate) ignore: Vec<Selector>,
}

/// Votes, and when they agree.
#[derive(Clone, Debug)]
pub(crate) struct Quorum {
    pub(crate) of: u32,
    pub(crate) need: u32,
    /// A `fn(T, T) -> Bool` by its place among all functions.
    pub(crate) by: Option<usize>,
    pub(crate) early: bool,
    /// The record of what it gives.
    pub(crate) voted: DefId,
}

/// Operations that `only` and `ignore` name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Selector {
    Subnet(u16),
    Operation(String),
}

impl Selector {
    pub(crate) fn is_of(&self, operation: &OperationDescriptor) -> bool {
        match self {
            Self::Subnet(netuid) => operation.netuid == *netuid,
            Self::Operation(id) => operation.id == *id,
        }
    }
}

#[derive(Clone, Debug)]
pub(crate) enum Fallback {
    Value(Expr),
    Call(Box<Call>),
}

#[derive(Clone, Debug)]
pub(crate) struct Run {
    /// Place among all plans.
    pub(crate) plan: usize,
    /// One per parameter.
    pub(crate) args: Vec<Expr>,
}

#[derive(Clone, Debug)]
pub(crate) struct For {
    pub(crate) item: VarId,
    pub(crate) list: Expr,
    pub(crate) concurrency: Option<u32>,
    pub(crate) tolerate: Tolerance,
    pub(crate) on_error: OnError,
    pub(crate) budget: Option<Budget>,
    pub(crate) body: Expr,
}

impl Expr {
    /// An expression; its effect is that of its parts.
    pub(crate) fn new(kind: ExprKind, ty: Type, span: Span) -> Self {
        let effect = kind.effect();
        Self { kind, ty, span, effect }
    }

    /// Stands for what was reported: it fits everywhere.
    pub(crate) fn error(span: Span) -> Self {
        Self { kind: ExprKind::Error, ty: Type::Error, span, effect: Effect::Pure }
    }

    pub(crate) fn constant(value: Value, ty: Type, span: Span) -> Self {
        Self::new(ExprKind::Const(value), ty, span)
    }

    pub(crate) fn is_error(&self) -> bool {
        matches!(self.ty, Type::Error)
    }
}

/// A checked function.
#[derive(Clone, Debug, Default)]
pub(crate) struct FnBody {
    pub(crate) params: Vec<VarId>,
    pub(crate) body: Expr,
}

/// A checked plan.
#[derive(Clone, Debug, Default)]
pub(crate) struct PlanBody {
    pub(crate) params: Vec<VarId>,
    pub(crate) vars: Vec<Var>,
    pub(crate) body: Expr,
    pub(crate) budget: Option<Budget>,
    pub(crate) deadline_us: Option<(u64, Span)>,
}

/// A declared budget.
#[derive(Clone, Debug)]
pub(crate) struct Budget {
    /// An `Amount`; that of a plan is over its parameters.
    pub(crate) amount: Expr,
    pub(crate) span: Span,
}

/// A checked `test` block.
#[derive(Clone, Debug, Default)]
pub(crate) struct TestBody {
    pub(crate) name: String,
    pub(crate) span: Span,
    /// `cost` and `elapsed`.
    pub(crate) cost: VarId,
    pub(crate) elapsed: VarId,
    /// `calls(op)`, by the name of the target.
    pub(crate) calls: Vec<(String, VarId)>,
    pub(crate) mocks: Vec<Mock>,
    pub(crate) steps: Vec<TestStep>,
}

/// A checked mock.
#[derive(Clone, Debug)]
pub(crate) struct Mock {
    pub(crate) target: Target,
    /// As the test wrote it.
    pub(crate) name: String,
    pub(crate) answers: Vec<MockAnswer>,
    pub(crate) in_order: bool,
    pub(crate) span: Span,
}

#[derive(Clone, Debug)]
pub(crate) struct MockAnswer {
    pub(crate) after_us: u64,
    pub(crate) kind: MockAnswerKind,
}

#[derive(Clone, Debug)]
pub(crate) enum MockAnswerKind {
    Value(Expr),
    Fails { kind: CallErrorKind, path: Option<Expr> },
}

#[derive(Clone, Debug)]
pub(crate) enum TestStep {
    Let { var: VarId, value: Expr },
    Run { var: Option<VarId>, run: Run, span: Span },
    ExpectFails { run: Run, message: Option<Expr>, span: Span },
    Assert { condition: Expr, span: Span },
}

/// A checked adapter.
#[derive(Clone, Debug, Default)]
pub(crate) struct AdapterBody {
    /// The parameters of the capability.
    pub(crate) params: Vec<VarId>,
    /// The decoded answer of the operation.
    pub(crate) answer: VarId,
    /// Over the parameters: the operation's input.
    pub(crate) request: Expr,
    /// Over parameters and answer: the capability's output, or what is decoded into the wanted type.
    pub(crate) response: Expr,
}
