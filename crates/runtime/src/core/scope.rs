//! Scopes at run time: a plan's own budget and deadline, and those of the sub-plans it runs.

use std::collections::BTreeMap;
use std::sync::Arc;

use plan_ir::expr::Fragment;
use plan_ir::graph::NodeId;
use plan_ir::plan::ScopeId;
use schema::amount::Amount;
use schema::error::PlanError;
use schema::value::Value;

use super::prepared::RegionId;
use super::timers::{Timer, TimerKey};
use super::{Core, FrameId};
use crate::policy::budget::AccountId;

/// A deadline passed.
const DEADLINE_PASSED: &str = "E1404";
/// A budget that is no amount, or in a currency without a rate.
const BUDGET_UNUSABLE: &str = "E1403";

/// The plan's own scope.
const ROOT: ScopeId = ScopeId(0);

/// The open instances of scopes.
#[derive(Debug, Default)]
pub(crate) struct Scopes {
    open: BTreeMap<AccountId, OpenScope>,
}

#[derive(Debug)]
struct OpenScope {
    /// Its outermost nodes without a value.
    nodes_left: u32,
    deadline: Option<TimerKey>,
}

impl Core {
    /// Opens the plan's own scope with the root instance to come.
    pub(super) fn open_root_scope(&mut self, root: FrameId) -> Result<(), Box<PlanError>> {
        let plan = Arc::clone(&self.plan);
        let own = self.budget_of(ROOT, root, None)?;
        let limit = [own, self.given.cost_max].into_iter().flatten();
        let limit = limit
            .map(|limit| plan.in_run_currency(limit).ok_or_else(|| Box::new(no_rate(limit))))
            .collect::<Result<Vec<_>, _>>()?
            .into_iter()
            .min()
            .map(|units| Amount::new(units, plan.currency));
        self.open_scope(ROOT, root, limit);
        Ok(())
    }

    /// Opens the scopes that `node` is the first to need.
    pub(super) fn enter_scopes(&mut self, frame: FrameId, node: NodeId) -> Result<(), Box<PlanError>> {
        let plan = Arc::clone(&self.plan);
        for scope in &plan.node(node).scopes {
            let Some(home) = self.home(*scope, frame) else { continue };
            if !self.scopes.open.contains_key(&AccountId::Scope { scope: *scope, frame: home }) {
                let limit = self.budget_of(*scope, home, Some((frame, node)))?;
                self.open_scope(*scope, home, limit);
            }
        }
        Ok(())
    }

    fn open_scope(&mut self, id: ScopeId, frame: FrameId, limit: Option<Amount>) {
        let plan = Arc::clone(&self.plan);
        let account = AccountId::Scope { scope: id, frame };
        let (scope, facts) = plan.scope(id);
        let deadline = scope.deadline_us.map(|deadline_us| {
            let due_us = self.now_us.saturating_add(deadline_us);
            self.timers.set(due_us, Timer::Deadline { scope: id, frame })
        });
        self.accounts.open(account, limit, plan.currency);
        self.scopes.open.insert(account, OpenScope { nodes_left: facts.nodes, deadline });
    }

    fn budget_of(
        &self,
        scope: ScopeId,
        frame: FrameId,
        at: Option<(FrameId, NodeId)>,
    ) -> Result<Option<Amount>, Box<PlanError>> {
        let Some(fragment) = self.plan.scope(scope).0.budget else { return Ok(None) };
        self.amount(frame, &fragment, at).map(Some)
    }

    /// The value of a budget.
    pub(super) fn amount(
        &self,
        frame: FrameId,
        fragment: &Fragment,
        at: Option<(FrameId, NodeId)>,
    ) -> Result<Amount, Box<PlanError>> {
        match self.eval(frame, fragment, &[]) {
            Ok(Value::Amount(limit)) => Ok(limit),
            Ok(_) => Err(Box::new(plain_error(BUDGET_UNUSABLE, "the budget is no amount".into()))),
            Err(trap) => {
                let node = at.map(|(frame, node)| self.name_of(frame, node));
                Err(Box::new(trap.to_plan_error(&self.plan.plan.debug, node)))
            }
        }
    }

    /// A node is done: a scope whose nodes are all done has met its deadline.
    pub(super) fn leave_scopes(&mut self, frame: FrameId, node: NodeId) {
        let plan = Arc::clone(&self.plan);
        let facts = plan.node(node);
        for scope in facts.scopes.iter().filter(|scope| plan.scope(**scope).1.home == facts.region) {
            let account = AccountId::Scope { scope: *scope, frame };
            let Some(open) = self.scopes.open.get_mut(&account) else { continue };
            open.nodes_left = open.nodes_left.saturating_sub(1);
            if open.nodes_left == 0 && *scope != ROOT {
                self.close_scope(account);
            }
        }
    }

    /// Closes the scopes that live in an instance that ended.
    pub(super) fn close_scopes(&mut self, frame: FrameId, region: RegionId) {
        let plan = Arc::clone(&self.plan);
        for scope in plan.region(region).scopes.iter().filter(|scope| **scope != ROOT) {
            self.close_scope(AccountId::Scope { scope: *scope, frame });
        }
    }

    fn close_scope(&mut self, account: AccountId) {
        if let Some(open) = self.scopes.open.remove(&account) {
            if let Some(deadline) = open.deadline {
                self.timers.remove(deadline);
            }
            self.accounts.close(account);
        }
    }

    pub(super) fn deadline_passed(&mut self, scope: ScopeId, frame: FrameId) {
        let (scope, _) = self.plan.scope(scope);
        let whose = if scope.label.is_empty() { "the plan" } else { scope.label.as_str() };
        let seconds = scope.deadline_us.unwrap_or(0) as f64 / 1e6;
        let message = format!("{whose} did not end within its deadline of {seconds} s");
        self.fail_frame(frame, plain_error(DEADLINE_PASSED, message));
    }

    /// The accounts a request of `node` is charged to, the plan's own first.
    pub(super) fn accounts_of(&self, frame: FrameId, node: NodeId) -> Vec<AccountId> {
        let scopes = self.plan.node(node).scopes.iter();
        let around = scopes
            .filter_map(|scope| Some(AccountId::Scope { scope: *scope, frame: self.home(*scope, frame)? }));
        let own = self.call_ref(frame, node).map_or(&[][..], |call| &call.accounts);
        around.chain(own.iter().copied()).collect()
    }

    /// What a scope around `node` has spent so far.
    pub(super) fn spent_in(&self, scope: ScopeId, frame: FrameId) -> Amount {
        let spent = self.home(scope, frame).and_then(|frame| {
            let spent = self.accounts.spent(AccountId::Scope { scope, frame })?;
            spent.convert(self.plan.currency, self.plan.plan.body.rate)
        });
        spent.unwrap_or_else(|| Amount::zero(self.plan.currency))
    }

    /// The instance of the region that a scope stands in.
    fn home(&self, scope: ScopeId, frame: FrameId) -> Option<FrameId> {
        self.frames.enclosing(frame, self.plan.scope(scope).1.home)
    }
}

fn no_rate(limit: Amount) -> PlanError {
    let message =
        format!("{limit} cannot be compared with the plan's prices: the lock pins no exchange rate");
    plain_error(BUDGET_UNUSABLE, message)
}

fn plain_error(code: &str, message: String) -> PlanError {
    PlanError { code: code.into(), message, node: None, span: None, call: None }
}
