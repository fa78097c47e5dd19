//! Pure expressions, typed and flat: operands are indices into one table, so a plan's expressions are
//! one allocation and walk without recursion limits surprising anyone.

use schema::types::{DefId, Type};
use schema::value::Value;
use serde::{Deserialize, Serialize};

use crate::graph::NodeId;

/// Index of an expression in [`ExprTable`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ExprId(pub u32);

/// Index of a local variable in the frame of a [`Fragment`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct LocalId(pub u32);

/// Index of a function in [`crate::plan::PlanBody::functions`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct FnId(pub u32);

/// All expressions of a plan with their types. Operands have smaller indices than what uses them.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ExprTable {
    /// Expressions by id.
    pub exprs: Vec<Expr>,
    /// The type of each, by the same id.
    pub types: Vec<Type>,
}

/// An expression with the frame it is evaluated in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fragment {
    /// Number of arguments; they are locals `0..params`.
    pub params: u32,
    /// Number of locals, arguments included.
    pub frame: u32,
    /// What is evaluated.
    pub body: ExprId,
}

/// A pure expression.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Expr {
    /// A literal.
    Const(Value),
    /// A parameter of the plan.
    Param(u32),
    /// The value of a node outside this expression.
    Node(NodeId),
    /// The current element of an enclosing fan-out.
    Item(NodeId),
    /// What the taken arm of an enclosing branch bound, in order of the pattern's binders.
    Bound(NodeId, u32),
    /// An argument or local of the fragment.
    Local(LocalId),
    /// Binds a local while `body` is evaluated.
    Let {
        /// What is bound.
        local: LocalId,
        /// Its value.
        value: ExprId,
        /// Where it is visible.
        body: ExprId,
    },
    /// A field by position; of an optional record (`?.`) it is `null` where the record is.
    Field {
        /// The record.
        record: ExprId,
        /// Position of the field.
        index: u32,
        /// Whether `record` may be `null`.
        optional: bool,
    },
    /// `xs[i]`; traps when out of range.
    Index {
        /// The list.
        list: ExprId,
        /// The position, from 0.
        index: ExprId,
    },
    /// `!x` or `-x`.
    Unary(UnaryOp, ExprId),
    /// An arithmetic, comparison or logic operator; `&&`, `||` and `??` evaluate their right side only
    /// when needed.
    Binary(BinaryOp, ExprId, ExprId),
    /// `if`.
    If {
        /// Condition.
        condition: ExprId,
        /// Value when it holds.
        then: ExprId,
        /// Value when it does not.
        otherwise: ExprId,
    },
    /// `match`; the first arm whose pattern fits is taken, and one always does.
    Match {
        /// What is examined.
        scrutinee: ExprId,
        /// Patterns with their values.
        arms: Vec<Arm>,
    },
    /// A record literal, fields in declared order.
    Record(DefId, Vec<ExprId>),
    /// A list literal.
    List(Vec<ExprId>),
    /// A map literal.
    Map(Vec<(ExprId, ExprId)>),
    /// An enum value or `Ok`/`Err`, by position of its variant.
    Variant(u32, Option<ExprId>),
    /// A template; each part is a string or shown as one.
    Template(Vec<ExprId>),
    /// A checked decode or narrowing to the expression's own type; traps with the path of the misfit.
    Cast(ExprId),
    /// A text answer as the expression's own type, by [`schema::decode::decode_text`]: a type that is text
    /// takes it as it is, any other reads it as JSON; traps like [`Expr::Cast`]. Not written in plans: the
    /// answers of generic capabilities go through it.
    DecodeText(ExprId),
    /// A conversion that cannot fail: `T` to `T?` and injection into an untagged union change the
    /// representation, widening does not.
    Widen(ExprId, Widening),
    /// A function of the library.
    Builtin {
        /// Which one.
        op: crate::builtin::Builtin,
        /// Receiver and arguments.
        args: Vec<ExprId>,
        /// The lambda argument, where the function takes one.
        lambda: Option<Lambda>,
    },
    /// A call of a `fn`.
    Apply(FnId, Vec<ExprId>),
}

/// A lambda argument: locals of the enclosing fragment that the library function binds per element.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lambda {
    /// Bound per call, in order.
    pub params: Vec<LocalId>,
    /// What is evaluated.
    pub body: ExprId,
}

/// A conversion that cannot fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Widening {
    /// Same representation.
    Identity,
    /// Into variant `n` of an untagged union.
    Inject(u32),
    /// `Int` to `Float` where the literal or refinement is exactly representable.
    IntToFloat,
    /// Any value to opaque `Json`, as `to_json` writes it (absent optional fields left out). A value
    /// nested deeper than JSON may be is a quota trap.
    ToJson,
}

/// One arm of a `match`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Arm {
    /// When it is taken.
    pub pattern: Pattern,
    /// Its value.
    pub body: ExprId,
}

/// A pattern. Binders are numbered in the order they stand in the text.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Pattern {
    /// `_`.
    Any,
    /// A lower-case name: takes the value into this local (in a [`Expr::Match`]) or this binder
    /// position (in a branch node).
    Bind(LocalId),
    /// A literal, `null` included.
    Literal(Value),
    /// A variant by position, with a pattern for its payload.
    Variant(u32, Option<Box<Pattern>>),
    /// An optional that is not `null`, with a pattern for what it holds.
    Present(Box<Pattern>),
}

/// Prefix operators.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum UnaryOp {
    /// `!`
    Not,
    /// `-`
    Negate,
}

/// Infix operators. What each means, overflow and mixed currencies included: [`crate::interp`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum BinaryOp {
    /// `+`
    Add,
    /// `-`
    Subtract,
    /// `*`
    Multiply,
    /// `/`; zero on the right traps
    Divide,
    /// `%`; zero on the right traps
    Remainder,
    /// `==`
    Equal,
    /// `!=`
    NotEqual,
    /// `<`
    Less,
    /// `<=`
    LessEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterEqual,
    /// `&&`
    And,
    /// `||`
    Or,
    /// `??`
    Coalesce,
}

impl Expr {
    /// Calls `visit` with each direct operand, in the order they are evaluated. The body of a lambda is
    /// not among them, as it is evaluated per element: see [`Expr::lambda`].
    pub fn each_operand(&self, mut visit: impl FnMut(ExprId)) {
        match self {
            Self::Const(_)
            | Self::Param(_)
            | Self::Node(_)
            | Self::Item(_)
            | Self::Bound(..)
            | Self::Local(_)
            | Self::Variant(_, None) => {}
            Self::Let { value, body, .. } => [*value, *body].into_iter().for_each(visit),
            Self::Field { record, .. } => visit(*record),
            Self::Index { list, index } => [*list, *index].into_iter().for_each(visit),
            Self::Unary(_, operand)
            | Self::Variant(_, Some(operand))
            | Self::Cast(operand)
            | Self::DecodeText(operand)
            | Self::Widen(operand, _) => visit(*operand),
            Self::Binary(_, left, right) => [*left, *right].into_iter().for_each(visit),
            Self::If { condition, then, otherwise } => {
                [*condition, *then, *otherwise].into_iter().for_each(visit);
            }
            Self::Match { scrutinee, arms } => {
                visit(*scrutinee);
                arms.iter().for_each(|arm| visit(arm.body));
            }
            Self::Record(_, items) | Self::List(items) | Self::Template(items) | Self::Apply(_, items) => {
                items.iter().copied().for_each(visit);
            }
            Self::Map(entries) => entries.iter().for_each(|(key, value)| {
                visit(*key);
                visit(*value);
            }),
            Self::Builtin { args, .. } => args.iter().copied().for_each(visit),
        }
    }

    /// The lambda of a library function that takes one.
    #[must_use]
    pub const fn lambda(&self) -> Option<&Lambda> {
        match self {
            Self::Builtin { lambda, .. } => lambda.as_ref(),
            _ => None,
        }
    }
}

impl ExprTable {
    /// The expression at `id`.
    #[must_use]
    pub fn get(&self, id: ExprId) -> Option<&Expr> {
        self.exprs.get(id.0 as usize)
    }

    /// The type of the expression at `id`.
    #[must_use]
    pub fn ty(&self, id: ExprId) -> Option<&Type> {
        self.types.get(id.0 as usize)
    }
}
