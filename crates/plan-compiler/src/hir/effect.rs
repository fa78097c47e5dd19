//! What evaluating checked code takes.

use plan_ir::expr::BinaryOp;

use super::{Block, Effect, Expr, ExprKind, Stmt};

impl Expr {
    /// Whether `spent()` stands in it and belongs to the block it is the value of. The arms of branches and
    /// what is evaluated only if needed are blocks of their own.
    pub(crate) fn uses_spent(&self) -> bool {
        let any = |exprs: &[Self]| exprs.iter().any(Self::uses_spent);
        match &self.kind {
            _ if self.effect == Effect::Pure => false,
            ExprKind::Spent => true,
            ExprKind::Field { record: inner, .. }
            | ExprKind::Unary(_, inner)
            | ExprKind::Cast(inner)
            | ExprKind::Widen(inner, _)
            | ExprKind::Variant(_, Some(inner)) => inner.uses_spent(),
            ExprKind::Index { list, index } => list.uses_spent() || index.uses_spent(),
            ExprKind::Binary(BinaryOp::And | BinaryOp::Or | BinaryOp::Coalesce, left, _) => left.uses_spent(),
            ExprKind::Binary(_, left, right) => left.uses_spent() || right.uses_spent(),
            ExprKind::If(node) => node.branches.first().is_some_and(|(cond, _)| cond.uses_spent()),
            ExprKind::Match(node) => node.value.uses_spent(),
            ExprKind::For(node) => node.list.uses_spent(),
            ExprKind::Record(_, parts)
            | ExprKind::List(parts)
            | ExprKind::Template(parts)
            | ExprKind::Apply(_, parts)
            | ExprKind::Builtin { args: parts, .. } => any(parts),
            ExprKind::Map(entries) => {
                entries.iter().any(|(key, value)| key.uses_spent() || value.uses_spent())
            }
            ExprKind::Call(call) => any(&call.args),
            ExprKind::Run(run) => any(&run.args),
            _ => false,
        }
    }
}

impl ExprKind {
    pub(super) fn effect(&self) -> Effect {
        let all = |exprs: &[Expr]| exprs.iter().map(|e| e.effect).max().unwrap_or_default();
        match self {
            Self::Error | Self::Const(_) | Self::Var(_) | Self::WantedSchema => Effect::Pure,
            Self::Field { record: inner, .. }
            | Self::Unary(_, inner)
            | Self::Cast(inner)
            | Self::Widen(inner, _)
            | Self::Variant(_, Some(inner)) => inner.effect,
            Self::Variant(_, None) => Effect::Pure,
            Self::Index { list, index } => list.effect.max(index.effect),
            Self::Binary(_, left, right) => left.effect.max(right.effect),
            Self::If(node) => {
                let branches = node.branches.iter().map(|(cond, then)| cond.effect.max(then.effect));
                branches.chain(node.otherwise.iter().map(|e| e.effect)).max().unwrap_or_default()
            }
            Self::Match(node) => {
                node.arms.iter().map(|(_, body)| body.effect).max().unwrap_or_default().max(node.value.effect)
            }
            Self::Record(_, parts)
            | Self::List(parts)
            | Self::Template(parts)
            | Self::Apply(_, parts)
            | Self::Builtin { args: parts, .. } => all(parts),
            Self::Map(entries) => {
                entries.iter().map(|(key, value)| key.effect.max(value.effect)).max().unwrap_or_default()
            }
            Self::Block(block) => block.effect(),
            Self::For(node) => Effect::Node.max(node.list.effect).max(node.body.effect),
            Self::Spent => Effect::Node,
            Self::Call(_) | Self::Run(_) => Effect::Call,
        }
    }
}

impl Stmt {
    pub(super) fn effect(&self) -> Effect {
        match self {
            Self::Let { value, .. } => value.effect,
            Self::Ensure { cond, message, .. } => Effect::Node.max(cond.effect).max(message.effect),
            Self::Expr(expr) => expr.effect,
            Self::Kept(placed) => placed.stmt().effect(),
        }
    }
}

impl Block {
    pub(super) fn effect(&self) -> Effect {
        let stmts = self.stmts.iter().map(Stmt::effect);
        let value = self.value.iter().map(|e| e.effect);
        stmts.chain(value).max().unwrap_or_default()
    }
}
