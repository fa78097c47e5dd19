//! Functions and plans.

use plan_lang::ast;
use schema::types::Type;

use super::Checker;
use super::scope::{Body, Place};
use crate::hir::{Expr, FnBody, PlanBody, VarId};
use crate::kept::Keeping;
use crate::program::Param;

impl<'a> Checker<'a, '_> {
    /// The function at `at`, with its declared parameter types.
    pub(super) fn function(&mut self, at: usize) -> FnBody {
        let Some(function) = self.program.functions.get(at) else { return FnBody::default() };
        self.body = Body::new(function.module, function.source);
        self.body.place = Place::Pure("a function");
        let errors = self.sink.errors();
        let params = self.bind_params(&function.params);
        let what = format_args!("the result of `{}`", function.decl.name.name);
        let body = self.check(&function.decl.body, &function.output, &what);
        self.lint_unused(errors);
        FnBody { params, body }
    }

    /// The plan at `at`, with what is known of its statements, if they are to be known.
    pub(super) fn plan(&mut self, at: usize, keeping: Option<Keeping>) -> PlanBody {
        let Some(plan) = self.program.plans.get(at) else { return PlanBody::default() };
        self.body = Body::new(0, 0);
        self.body.place = Place::Plan;
        let errors = self.sink.errors();
        let params = self.bind_params(&plan.params);
        let (budget, deadline_us) = self.plan_policy(plan.decl.policy.as_ref());
        let what = format_args!("the result of `{}`", plan.decl.name.name);
        // A statement sees nothing of what stands around the body but its parameters, unless it runs the plan itself,
        // which is refused.
        let runs_itself = plan.runs.iter().any(|run| run.name == plan.decl.name.name);
        self.keeping = keeping.filter(|_| !runs_itself);
        let value = self.plan_body(&plan.decl.body, &plan.output);
        let body = self.coerce(value, &plan.output, &what);
        self.lint_unused(errors);
        PlanBody { params, vars: std::mem::take(&mut self.body.vars), body, budget, deadline_us }
    }

    fn plan_body(&mut self, block: &'a ast::Block, output: &Type) -> Expr {
        self.block_value(block, Some(output))
    }

    /// Binds parameters; unread ones are no mistake, as callers pass them by contract.
    pub(super) fn bind_params(&mut self, params: &[Param<'a>]) -> Vec<VarId> {
        params.iter().map(|param| self.body.bind(param.name, param.ty.clone())).collect()
    }
}
