//! Budgets inside a plan: what is spent within one is never more than it holds, because the runtime refuses the
//! request that would go beyond it.

use schema::amount::{Amount, Currency};

use super::Known;
use super::calls::Leg;
use super::counts::Counts;
use crate::graph::NodeId;
use crate::plan::{CompiledPlan, ScopeId};

/// One budget.
#[derive(Clone, Copy, Debug)]
pub(super) struct Purse {
    /// As it is written.
    pub(super) budget: Amount,
    /// The most that leaves it, in units of the plan's currency.
    pub(super) units: u128,
}

/// `cost`, or what the purse around it holds.
pub(super) fn within(purse: Option<&Purse>, cost: u128) -> u128 {
    purse.map_or(cost, |purse| purse.units.min(cost))
}

/// The budgets that hold whatever the arguments are, or with those that are given.
pub(super) struct Purses {
    /// By scope; none of the plan's own, which is what its bound is compared with.
    scopes: Vec<Option<Purse>>,
    /// By node and by level of its fallbacks.
    calls: Vec<Vec<Option<Purse>>>,
}

impl Purses {
    pub(super) fn of(
        plan: &CompiledPlan,
        legs: &[Vec<Leg>],
        counts: &[Counts],
        outermost: &[Vec<NodeId>],
        given: Option<&Known<'_>>,
        currency: Currency,
    ) -> Self {
        let body = &plan.body;
        // A default is what a caller may replace, so it limits nothing.
        let literal = Known { params: &[], arguments: None };
        let known = given.unwrap_or(&literal);
        let purse = |budget: Option<&_>, requests: u128| {
            let budget = known.amount(body, budget)?;
            let held = budget.convert(currency, body.rate)?;
            // Each request is rounded up by itself where its price is converted.
            let rounding = if budget.currency == currency { 0 } else { requests };
            Some(Purse { budget, units: u128::from(held.units).saturating_add(rounding) })
        };
        let scopes = body.scopes.iter().zip(outermost).enumerate().map(|(index, (scope, nodes))| {
            let budget = scope.budget.as_ref().filter(|_| index > 0);
            purse(budget, super::counts::sum(counts, nodes).requests)
        });
        let calls = body.nodes.iter().zip(legs).map(|(node, legs)| {
            let purses = node.legs().enumerate().map(|(level, spec)| {
                let sent = legs.iter().skip(level).map(Leg::sent);
                purse(spec.budget.as_ref(), sent.fold(0, u128::saturating_add))
            });
            purses.collect()
        });
        Self { scopes: scopes.collect(), calls: calls.collect() }
    }

    pub(super) fn scope(&self, scope: ScopeId) -> Option<&Purse> {
        self.scopes.get(scope.0 as usize)?.as_ref()
    }

    /// The most that a call can cost, with its fallbacks.
    pub(super) fn call(&self, id: NodeId, legs: &[Leg]) -> u128 {
        let levels = legs.iter().zip(self.levels(id)).rev();
        levels.fold(0, |behind, (leg, purse)| within(purse.as_ref(), leg.cost().saturating_add(behind)))
    }

    /// The purses of a call, outermost first: the level, its purse, and what the call could cost from there on
    /// without it. The purse of a level holds the fallbacks behind it too.
    pub(super) fn of_call(
        &self,
        id: NodeId,
        legs: &[Leg],
    ) -> impl DoubleEndedIterator<Item = (usize, &Purse, u128)> {
        let costs = legs.iter().zip(self.levels(id)).rev().scan(0_u128, |behind, (leg, purse)| {
            let cost = leg.cost().saturating_add(*behind);
            *behind = within(purse.as_ref(), cost);
            Some((purse, cost))
        });
        let mut costs: Vec<_> = costs.collect();
        costs.reverse();
        let levels = costs.into_iter().enumerate();
        levels.filter_map(|(level, (purse, cost))| Some((level, purse.as_ref()?, cost)))
    }

    fn levels(&self, call: NodeId) -> &[Option<Purse>] {
        self.calls.get(call.0 as usize).map_or(&[], Vec::as_slice)
    }
}

#[cfg(test)]
mod tests {
    use schema::amount::{Amount, Currency, Rate};
    use schema::price::PriceRule;
    use schema::types::Type;
    use schema::value::Value;

    use crate::bound::{Bound, bound};
    use crate::expr::Expr;
    use crate::plan::{CallSpec, Candidate, CompiledPlan, Fallback, Param, Scope, ScopeId, ScopeKind};
    use crate::program::operation;
    use crate::program::sketch::{Plan, SECOND, retried, spec, usd};

    /// Opens a scope with this budget.
    fn scope(plan: &mut Plan, kind: ScopeKind, budget: Amount) {
        let budget = plan.budget(budget);
        let scopes = &mut plan.program.body.scopes;
        scopes.push(Scope { parent: Some(plan.scope), budget: Some(budget), ..Scope::new(kind) });
        plan.scope = ScopeId(scopes.len() as u32 - 1);
    }

    fn known(plan: &CompiledPlan) -> Bound {
        bound(plan, None).unwrap()
    }

    fn rows(bound: &Bound) -> Vec<(u64, Option<u64>)> {
        bound.contributors.iter().map(|row| (row.cost.units, row.purse.map(|purse| purse.units))).collect()
    }

    #[test]
    fn a_loop_costs_what_its_purse_holds_and_what_stands_beside_it_all() {
        for (purse, cost, rows_of) in [
            (30, 40, vec![(30, Some(30)), (10, None)]),
            (90, 100, vec![(90, None), (10, None)]),
            (0, 10, vec![(0, Some(0)), (10, None)]),
        ] {
            let mut plan = Plan::new();
            scope(&mut plan, ScopeKind::Loop, usd(purse));
            let xs = plan.list(Some(9));
            plan.fan_out("xs", &[], xs, None, |plan, _| {
                plan.call("x", &[], spec(SECOND, usd(10)));
            });
            plan.scope = ScopeId(0);
            plan.call("y", &[], spec(SECOND, usd(10)));
            let found = known(&plan.finish());
            assert_eq!((found.cost.units, rows(&found)), (cost, rows_of), "{purse}");
            // Beside its own budget it still shows what it could cost.
            assert_eq!(found.scopes[1].cost, usd(90));
        }
    }

    #[test]
    fn each_execution_has_a_purse_of_its_own_and_an_outer_one_holds_them_all() {
        let mut plan = Plan::new();
        scope(&mut plan, ScopeKind::Loop, usd(50));
        let xs = plan.list(Some(4));
        plan.fan_out("xs", &[], xs, None, |plan, _| {
            let outer = plan.scope;
            scope(plan, ScopeKind::Plan, usd(15));
            plan.call("a", &[], spec(SECOND, usd(10)));
            plan.call("b", &[], spec(SECOND, usd(8)));
            plan.scope = outer;
        });
        let found = known(&plan.finish());
        assert_eq!(found.cost, usd(50));
        assert_eq!(found.scopes.iter().map(|scope| scope.cost.units).collect::<Vec<_>>(), [50, 60, 18]);
        assert_eq!(rows(&found), [(40, Some(50)), (32, Some(50))]);
    }

    #[test]
    fn a_branch_compares_what_the_purses_of_its_arms_hold() {
        let mut plan = Plan::new();
        plan.branch(
            "b",
            vec![
                Box::new(|plan: &mut Plan| {
                    let call = retried(SECOND, usd(100), 3, 0);
                    let budget = plan.budget(usd(150));
                    plan.call("held", &[], CallSpec { budget: Some(budget), ..call });
                }),
                Box::new(|plan: &mut Plan| {
                    plan.call("free", &[], spec(SECOND, usd(200)));
                }),
            ],
        );
        let found = known(&plan.finish());
        assert_eq!(found.cost, usd(200));
        assert_eq!(found.contributors.iter().map(|row| row.in_cost).collect::<Vec<_>>(), [false, true]);
    }

    #[test]
    fn the_purse_of_a_call_holds_its_fallbacks_and_theirs_only_themselves() {
        let mut plan = Plan::new();
        let (outer, inner) = (plan.budget(usd(25)), plan.budget(usd(9)));
        let fallback = CallSpec { budget: Some(inner), ..retried(SECOND, usd(10), 1, 0) };
        let fallback = Some(Fallback::Call(Box::new(fallback)));
        plan.call("c", &[], CallSpec { budget: Some(outer), fallback, ..spec(SECOND, usd(20)) });
        let found = known(&plan.finish());
        assert_eq!(found.cost, usd(25));
        assert_eq!(rows(&found), [(20, Some(25)), (9, Some(25))]);
    }

    #[test]
    fn a_purse_in_another_currency_holds_a_unit_more_for_each_request() {
        let mut plan = Plan::new();
        let price = PriceRule::PerCall { amount: Amount::new(1, Currency::Rao) };
        plan.program.body.operations.push(operation("sn22.tiny", price));
        plan.program.body.rate = Some(Rate { micro_usd_per_tao: 1_500_000_000 });
        plan.program.body.scopes[0].budget = Some(plan.budget(usd(1_000)));
        scope(&mut plan, ScopeKind::Loop, Amount::new(4, Currency::Rao));
        let xs = plan.list(Some(9));
        plan.fan_out("xs", &[], xs, None, |plan, _| {
            let call = spec(SECOND, usd(10));
            let candidates = vec![Candidate { operation: 1, ..call.candidates[0].clone() }];
            plan.call("x", &[], CallSpec { candidates, max_price: None, ..call });
        });
        // Four requests of 1.5 micro-dollars, each counted as 2, are above the purse's 6.
        assert_eq!(known(&plan.finish()).cost, usd(6 + 9));
    }

    #[test]
    fn a_default_holds_nothing_back_before_it_is_chosen() {
        let mut plan = Plan::new();
        let default = Some(Value::Amount(usd(10)));
        let param = Param { name: "most".into(), ty: Type::Amount, default, doc: String::new() };
        plan.program.body.params = vec![param];
        scope(&mut plan, ScopeKind::Plan, usd(0));
        let most = plan.program.add(Expr::Param(0), Type::Amount);
        plan.program.body.scopes[1].budget = Some(plan.program.fragment(most));
        plan.call("x", &[], spec(SECOND, usd(30)));
        let plan = plan.finish();
        let cost = |most: Option<u64>| {
            let arguments = most.map(|most| [Value::Amount(usd(most))]);
            bound(&plan, arguments.as_ref().map(<[_; 1]>::as_slice)).unwrap().cost
        };
        assert_eq!([cost(None), cost(Some(20)), cost(Some(40))], [usd(30), usd(20), usd(30)]);
    }
}
