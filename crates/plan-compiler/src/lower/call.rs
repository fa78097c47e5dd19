//! Calls with their policies.

use plan_ir::expr::Fragment;
use plan_ir::graph::{NodeId, NodeKind};
use plan_ir::plan::{CallSpec, Fallback, NodeBody, Quorum};
use plan_lang::Span;
use schema::types::Type;

use super::Lowerer;
use super::fragment::Operand;
use crate::hir::{self, ExprKind, Target};

impl Lowerer<'_, '_> {
    pub(super) fn call_node(&mut self, call: &hir::Call, label: Option<&str>, span: Span) -> NodeId {
        let mut reads = Vec::new();
        let spec = self.call_spec(call, &mut reads);
        let label = label.unwrap_or(&call.name);
        self.node(NodeKind::Call, NodeBody::Call(Box::new(spec)), label, reads, span)
    }

    fn call_spec(&mut self, call: &hir::Call, reads: &mut Vec<NodeId>) -> CallSpec {
        // Of an operation's many parameters only those that are passed are arguments.
        let is_operation = matches!(call.target, Target::Operation(_));
        let passed = call.args.iter().filter(|arg| !(is_operation && is_absent(arg)));
        let args = passed.map(|arg| self.reading(arg, reads)).collect();
        let candidates = match call.target {
            Target::Operation(operation) => self.direct(operation, call).into_iter().collect(),
            Target::Capability(capability) => self.adapted(capability, call),
        };
        let policy = &call.policy;
        let accept = policy.accept.as_ref().map(|accept| {
            let (fragment, found) = self.fragment(1, |this| {
                for var in &accept.params {
                    this.bind(*var, Operand::Local(plan_ir::expr::LocalId(0)), Type::Error);
                }
                this.emit(&accept.body)
            });
            reads.extend(found.nodes);
            fragment
        });
        let fallback = policy.fallback.as_ref().map(|fallback| match fallback {
            hir::Fallback::Value(value) => Fallback::Value(self.reading(value, reads)),
            hir::Fallback::Call(call) => Fallback::Call(Box::new(self.call_spec(call, reads))),
        });
        let quorum = policy.quorum.as_ref().map(|quorum| Quorum {
            of: quorum.of,
            need: quorum.need,
            by: quorum.by.map(|function| self.function_id(function)),
            early: quorum.early,
            voted: self.types.def(quorum.voted),
        });
        let budget = policy.budget.as_ref().map(|budget| self.reading(&budget.amount, reads));
        CallSpec {
            target: call.name.clone(),
            args,
            candidates,
            output: self.types.map(&call.output),
            timeout_us: policy.timeout_us,
            retry: policy.retry.clone(),
            quorum,
            hedge: policy.hedge,
            accept,
            max_price: policy.max_price,
            budget,
            cache_us: policy.cache_us,
            pages: policy.pages,
            poll: policy.poll,
            prefer: policy.prefer,
            fallback,
            caught: call.caught.map(|error| self.types.def(error)),
        }
    }

    /// A fragment without arguments; what it reads is added to `reads`.
    fn reading(&mut self, expr: &hir::Expr, reads: &mut Vec<NodeId>) -> Fragment {
        let (fragment, found) = self.closed(expr);
        reads.extend(found.nodes);
        fragment
    }
}

/// Whether an argument only says that nothing is passed.
pub(super) fn is_absent(arg: &hir::Expr) -> bool {
    use schema::value::{Json, Value};
    matches!(&arg.kind, ExprKind::Const(Value::Null | Value::Json(Json::Null)))
}
