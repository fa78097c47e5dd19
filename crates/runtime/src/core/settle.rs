//! What requests cost: booked once for each that was made.

use plan_ir::graph::NodeId;
use schema::amount::Amount;
use schema::error::{CallError, CallErrorKind};
use schema::price::{PriceBasis, WorstPrice};

use super::event::{AboveAgreed, AttemptId, Cost, Outcome, ProgressKind};
use super::fact::{Attempted, FactKind};
use super::{Attempt, Core};
use crate::policy::budget::{AccountId, Refusal, charge, weaker};
use crate::policy::route::times;

/// The reservation does not fit a budget.
const OVER_BUDGET: &str = "E1401";
/// The price has no rate to the budget's currency.
const NO_RATE: &str = "E1403";

impl Core {
    /// Gives up a request; one that was not handed out yet is never sent and costs nothing.
    pub(super) fn abandon(&mut self, id: AttemptId, attempt: &Attempt, error: &CallError) {
        let sent = self.actions.sends.remove(&id).is_none();
        if sent {
            self.actions.cancels.push(id);
        }
        let outcome = Outcome::unanswered(error.clone(), sent, attempt.sent_us, self.now_us);
        self.settle(id, attempt, outcome, Some(error));
    }

    /// Books what a request cost. Called exactly once for each.
    pub(super) fn settle(
        &mut self,
        id: AttemptId,
        attempt: &Attempt,
        outcome: Outcome,
        error: Option<&CallError>,
    ) {
        let Attempt { frame, node, operation, number, sent_us, page, ref reservation, .. } = *attempt;
        let agreed = reservation.worst;
        // Of an answer in pages those are charged that were asked for, and nothing is of a request that was turned away.
        let worst = outcome.pages.and_then(|pages| times(page, pages)).unwrap_or(agreed);
        // A peer that answered with success has done its work, even where the answer does not fit.
        let answered = outcome.result.is_ok() || outcome.status.is_some_and(|status| status / 100 == 2);
        let (cost, basis) =
            charge(worst, outcome.sent && outcome.pages != Some(0), answered, outcome.observed_cost);
        // A peer may charge what it likes, and what is paid is paid: it is booked as it is, and shown.
        let above = self
            .accounts
            .is_above(reservation, cost)
            .then_some(AboveAgreed { charged: cost, agreed: agreed.amount });
        let booked = Amount::new(self.accounts.settle(reservation, cost), self.plan.currency);
        // What was charged in a currency without a rate is booked as what was set aside, and nobody knows what it is there.
        let booked_basis = match self.accounts.is_comparable(cost, self.plan.currency) {
            true => basis,
            false => PriceBasis::Assumed,
        };
        if outcome.sent {
            let first = self.call_mut(frame, node).is_none_or(|call| {
                let first = !call.asked.contains(&operation);
                if first {
                    call.asked.push(operation);
                }
                first
            });
            self.book(node, operation, first, booked, booked_basis);
            if let Some(row) = self.costs.get_mut(&(node, operation)) {
                row.above_agreed |= above.is_some();
            }
        }
        let instance = self.instance(frame, node);
        let unread_charge = outcome.unread_charge.clone();
        let error_kind = error.map(|error| error.kind);
        let attempted =
            Attempted { attempt: id, operation, sent_us, outcome, error: error_kind, cost, basis };
        self.fact(frame, node, FactKind::Attempted(Box::new(attempted)));
        let kind = ProgressKind::AttemptDone {
            instance,
            attempt: number,
            operation,
            error: error.cloned(),
            cost: booked,
            basis: booked_basis,
            above,
            unread_charge,
        };
        self.progress(kind);
    }

    fn book(&mut self, node: NodeId, operation: u32, first: bool, booked: Amount, basis: PriceBasis) {
        let currency = self.plan.currency;
        let row = self.costs.entry((node, operation)).or_insert(Cost {
            node,
            operation,
            calls: 0,
            attempts: 0,
            cost: Amount::zero(currency),
            basis,
            above_agreed: false,
        });
        row.calls = row.calls.saturating_add(u32::from(first));
        row.attempts = row.attempts.saturating_add(1);
        row.cost.units = row.cost.units.saturating_add(booked.units);
        row.basis = weaker(row.basis, basis);
        self.spent_units = self.spent_units.saturating_add(booked.units);
    }

    pub(super) fn over_budget(&self, refusal: Refusal, worst: WorstPrice) -> CallError {
        match refusal {
            Refusal::Exceeded { account, wanted, left } => {
                let whose = self.whose(account);
                let message =
                    format!("a request may cost {wanted}, and the budget of {whose} has {left} left");
                CallError::new(CallErrorKind::OverBudget, OVER_BUDGET, message)
            }
            Refusal::NoRate => {
                let message = format!(
                    "{} cannot be charged to the budget: the lock pins no exchange rate",
                    worst.amount
                );
                CallError::new(CallErrorKind::OverBudget, NO_RATE, message)
            }
        }
    }

    /// Whose budget it is, for people.
    fn whose(&self, account: AccountId) -> String {
        match account {
            AccountId::Scope { scope, .. } => {
                let label = self.plan.scope(scope).0.label.as_str();
                if label.is_empty() { "the plan".to_owned() } else { label.to_owned() }
            }
            AccountId::Call { .. } => "the call".to_owned(),
        }
    }
}

impl Outcome {
    /// A request that ended before anything was sent.
    #[must_use]
    pub fn unsent(error: CallError, now_us: u64) -> Self {
        Self::unanswered(error, false, now_us, now_us)
    }

    pub(super) fn unanswered(error: CallError, sent: bool, started_us: u64, now_us: u64) -> Self {
        Self {
            result: Err(error),
            request: bytes::Bytes::new(),
            response: bytes::Bytes::new(),
            status: None,
            pages: None,
            observed_cost: None,
            unread_charge: None,
            peer: None,
            answers: Vec::new(),
            sent,
            started_us,
            duration_us: now_us.saturating_sub(started_us),
        }
    }
}
