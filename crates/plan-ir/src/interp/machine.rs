//! The evaluator: one frame of locals, one meter, one depth.

use std::collections::BTreeMap;
use std::sync::Arc;

use schema::amount::Rate;
use schema::types::{DefId, Type};
use schema::value::Value;

use super::compare::is_null;
use super::quick::Quick;
use super::show::show;
use super::{EVAL_DEPTH_MAX, Env, FRAME_LOCALS_MAX, Meter, Quota, Trap, TrapKind, arithmetic, pattern};
use crate::expr::{Arm, Expr, ExprId, FnId, Fragment, Lambda, LocalId, UnaryOp, Widening};
use crate::plan::PlanBody;

/// One evaluation. The frame belongs to the fragment that is being evaluated; lambdas use the frame of
/// the fragment they stand in.
pub(crate) struct Machine<'a> {
    pub(crate) body: &'a PlanBody,
    pub(crate) meter: &'a mut Meter,
    env: &'a dyn Env,
    pub(super) frame: Vec<Value>,
    /// Frames that are done with: a call in a loop then allocates none.
    spare: Vec<Vec<Value>>,
    pub(super) depth: u32,
    /// Static cost of the fragments and lambda bodies entered so far.
    costs: BTreeMap<ExprId, u64>,
    /// Whether values of a record or enum need their nesting measured when they are built.
    pub(super) unbounded: BTreeMap<DefId, bool>,
}

impl<'a> Machine<'a> {
    pub(crate) fn new(body: &'a PlanBody, env: &'a dyn Env, meter: &'a mut Meter) -> Self {
        Self {
            body,
            meter,
            env,
            frame: Vec::new(),
            spare: Vec::new(),
            depth: 0,
            costs: BTreeMap::new(),
            unbounded: BTreeMap::new(),
        }
    }

    /// A machine in the middle of an evaluation, whose locals so far are `frame`.
    pub(super) fn within(
        body: &'a PlanBody,
        env: &'a dyn Env,
        meter: &'a mut Meter,
        frame: Vec<Value>,
    ) -> Self {
        Self { frame, ..Self::new(body, env, meter) }
    }

    pub(crate) const fn rate(&self) -> Option<Rate> {
        self.body.rate
    }

    /// Evaluates `fragment` in a frame of its own; `at` is what traps if it cannot be entered.
    pub(crate) fn call(&mut self, fragment: &Fragment, args: Vec<Value>, at: ExprId) -> Result<Value, Trap> {
        let malformed = |what| TrapKind::Malformed(what).at(at);
        if args.len() != fragment.params as usize || fragment.frame < fragment.params {
            return Err(malformed("a fragment is called with the wrong number of arguments"));
        }
        if fragment.frame > FRAME_LOCALS_MAX {
            return Err(malformed("a fragment has too many locals"));
        }
        self.charge(fragment.body, 1).map_err(|kind| kind.at(at))?;
        self.meter.work(u64::from(fragment.frame)).map_err(|kind| kind.at(at))?;
        let mut frame = args;
        frame.resize(fragment.frame as usize, Value::Null);
        let caller = std::mem::replace(&mut self.frame, frame);
        let result = self.value(fragment.body);
        let mut frame = std::mem::replace(&mut self.frame, caller);
        frame.clear();
        if frame.capacity() > 0 {
            self.spare.push(frame);
        }
        result
    }

    /// The value of the expression at `id` in the current frame.
    pub(crate) fn value(&mut self, id: ExprId) -> Result<Value, Trap> {
        if let Some(value) = at_hand(self.body, &self.frame, self.depth, id) {
            return Ok(value.clone());
        }
        if self.depth == EVAL_DEPTH_MAX {
            return Err(TrapKind::Quota(Quota::Depth).at(id));
        }
        self.depth += 1;
        let result = self.tail(id);
        self.depth -= 1;
        result
    }

    pub(crate) fn values(&mut self, ids: &[ExprId]) -> Result<Vec<Value>, Trap> {
        ids.iter().map(|id| self.value(*id)).collect()
    }

    /// Follows `let`, `if` and `match` without nesting, as their last part is their value.
    fn tail(&mut self, mut id: ExprId) -> Result<Value, Trap> {
        loop {
            match self.expr(id)? {
                Expr::Let { local, value, body } => {
                    let value = self.value(*value)?;
                    self.set(*local, value, id)?;
                    id = *body;
                }
                Expr::If { condition, then, otherwise } => {
                    id = if self.condition(*condition)? { *then } else { *otherwise };
                }
                Expr::Match { scrutinee, arms } => id = self.arm(*scrutinee, arms, id)?,
                Expr::Widen(inner, Widening::Identity) => id = *inner,
                other => return self.step(id, other),
            }
        }
    }

    /// One arm per expression and nothing but calls in it: in an unoptimised build every temporary of every
    /// arm takes stack on every level.
    fn step(&mut self, id: ExprId, expr: &'a Expr) -> Result<Value, Trap> {
        match expr {
            Expr::Const(value) => Ok(value.clone()),
            Expr::Param(_) | Expr::Node(_) | Expr::Item(_) | Expr::Bound(..) | Expr::Local(_) => {
                self.variable(id, expr)
            }
            Expr::Field { record, index, optional } => self.field(id, *record, *index, *optional),
            Expr::Index { list, index } => self.index(id, *list, *index),
            Expr::Unary(op, operand) => self.prefix(id, *op, *operand),
            Expr::Binary(op, left, right) => self.infix(id, *op, *left, *right),
            Expr::Record(_, fields) => self.record(id, fields),
            Expr::List(items) => self.values(items).and_then(|items| self.list(id, items)),
            Expr::Map(entries) => self.map(id, entries),
            Expr::Variant(place, payload) => self.variant(id, *place, *payload),
            Expr::Template(parts) => self.template(id, parts),
            Expr::Cast(inner) => self.cast(id, *inner),
            Expr::DecodeText(inner) => self.decode_text(id, *inner),
            Expr::Widen(inner, widening) => self.widen(id, *inner, *widening),
            Expr::Builtin { op, args, lambda } => self.library(id, *op, args, lambda.as_ref()),
            Expr::Apply(function, args) => self.apply(id, *function, args),
            Expr::Let { .. } | Expr::If { .. } | Expr::Match { .. } => self.tail(id),
        }
    }

    fn variable(&self, id: ExprId, expr: &Expr) -> Result<Value, Trap> {
        let value = match expr {
            Expr::Param(index) => self.env.param(*index),
            Expr::Node(node) => self.env.node(*node),
            Expr::Item(fan_out) => self.env.item(*fan_out),
            Expr::Bound(branch, index) => self.env.bound(*branch, *index),
            Expr::Local(local) => self.frame.get(local.0 as usize).cloned(),
            _ => None,
        };
        value.ok_or_else(|| TrapKind::Malformed("an expression reads a value that is not there").at(id))
    }

    fn field(&mut self, id: ExprId, record: ExprId, index: u32, optional: bool) -> Result<Value, Trap> {
        match self.value(record)? {
            Value::Record(fields) => {
                let field = fields.get(index as usize).cloned();
                field.ok_or_else(|| TrapKind::Malformed("a record has no such field").at(id))
            }
            value if optional && is_null(&value) => self.null(id),
            _ => Err(TrapKind::Malformed("a field is read of something that is no record").at(id)),
        }
    }

    fn index(&mut self, id: ExprId, list: ExprId, index: ExprId) -> Result<Value, Trap> {
        let (Value::List(items), Value::Int(index)) = (self.value(list)?, self.value(index)?) else {
            return Err(TrapKind::Malformed("an index needs a list and an Int").at(id));
        };
        let item = usize::try_from(index).ok().and_then(|place| items.get(place));
        item.cloned().ok_or_else(|| TrapKind::Index { index, length: items.len() as u64 }.at(id))
    }

    fn prefix(&mut self, id: ExprId, op: UnaryOp, operand: ExprId) -> Result<Value, Trap> {
        let operand = self.value(operand)?;
        arithmetic::unary(op, &operand).map_err(|kind| kind.at(id))
    }

    fn record(&mut self, id: ExprId, fields: &[ExprId]) -> Result<Value, Trap> {
        let fields = self.values(fields)?;
        self.built(id, fields.len(), Value::Record(fields.into()))
    }

    fn variant(&mut self, id: ExprId, place: u32, payload: Option<ExprId>) -> Result<Value, Trap> {
        let payload = payload.map(|payload| self.value(payload)).transpose()?;
        self.built(id, 1, Value::Variant(place, payload.map(Arc::new)))
    }

    fn arm(&mut self, scrutinee: ExprId, arms: &[Arm], id: ExprId) -> Result<ExprId, Trap> {
        let value = self.value(scrutinee)?;
        for arm in arms {
            let mut bound = Vec::new();
            if pattern::bind(&arm.pattern, &value, &mut bound, self.meter).map_err(|kind| kind.at(id))? {
                for (local, value) in bound {
                    self.set(local, value, id)?;
                }
                return Ok(arm.body);
            }
        }
        Err(TrapKind::Malformed("no arm of a match fits").at(id))
    }

    fn map(&mut self, id: ExprId, entries: &[(ExprId, ExprId)]) -> Result<Value, Trap> {
        let mut map = BTreeMap::new();
        for (key, value) in entries {
            let Value::String(key) = self.value(*key)? else {
                return Err(TrapKind::Malformed("a key of a map is no string").at(id));
            };
            // Of two equal keys the later one stands, as it would in an assignment.
            map.insert(key, self.value(*value)?);
        }
        self.built(id, map.len(), Value::Map(Arc::new(map)))
    }

    fn template(&mut self, id: ExprId, parts: &[ExprId]) -> Result<Value, Trap> {
        let mut text = String::new();
        for part in parts {
            let value = self.value(*part)?;
            let ty = self.ty(*part)?;
            let shown = show(&value, ty, &self.body.types, self.meter).map_err(|kind| kind.at(id))?;
            self.meter.text(shown.len()).map_err(|kind| kind.at(id))?;
            text.push_str(&shown);
        }
        Ok(Value::string(text))
    }

    fn apply(&mut self, id: ExprId, function: FnId, args: &[ExprId]) -> Result<Value, Trap> {
        let function = self
            .body
            .functions
            .get(function.0 as usize)
            .ok_or_else(|| TrapKind::Malformed("a call of a function that is not there").at(id))?;
        let mut frame = self.spare.pop().unwrap_or_default();
        // Room for all its locals, so that they are allocated once.
        frame.reserve(args.len().max(function.fragment.frame.min(FRAME_LOCALS_MAX) as usize));
        for arg in args {
            frame.push(self.value(*arg)?);
        }
        self.call(&function.fragment, frame, id)
    }

    /// Evaluates `lambda` for each of `items` and hands the results to `visit`, which says whether to go on.
    /// All elements are charged at once, those that are not visited included.
    pub(crate) fn each<'v>(
        &mut self,
        id: ExprId,
        lambda: &Lambda,
        items: &'v [Value],
        visit: impl FnMut(&'v Value, Value) -> bool,
    ) -> Result<(), Trap> {
        self.each_by(id, lambda, items, Quick::value, Ok, visit)
    }

    /// As [`Self::each`], of a condition.
    pub(crate) fn each_condition<'v>(
        &mut self,
        id: ExprId,
        lambda: &Lambda,
        items: &'v [Value],
        visit: impl FnMut(&'v Value, bool) -> bool,
    ) -> Result<(), Trap> {
        self.each_by(id, lambda, items, Quick::holds, bool_of, visit)
    }

    /// `short` is what the short way gives; what the long way gives is to be made of a value by `long`.
    #[inline]
    fn each_by<'v, R>(
        &mut self,
        id: ExprId,
        lambda: &Lambda,
        items: &'v [Value],
        short: impl Fn(&Quick<'a>, &[Value], &Value, &mut Meter) -> Option<R>,
        long: impl Fn(Value) -> Result<R, TrapKind>,
        mut visit: impl FnMut(&'v Value, R) -> bool,
    ) -> Result<(), Trap> {
        let [param] = lambda.params.as_slice() else {
            return Err(TrapKind::Malformed("a lambda takes another number of arguments").at(id));
        };
        self.charge(lambda.body, items.len() as u64).map_err(|kind| kind.at(id))?;
        let mut done = 0;
        if let Some(quick) = self.quick(*param, lambda.body, items.len()) {
            for item in items {
                // What it could not do once it will rarely do.
                let Some(result) = short(&quick, &self.frame, item, self.meter) else { break };
                if !visit(item, result) {
                    return Ok(());
                }
                done += 1;
            }
        }
        for item in items.get(done..).unwrap_or_default() {
            self.set(*param, item.clone(), id)?;
            let result = long(self.value(lambda.body)?).map_err(|kind| kind.at(id))?;
            if !visit(item, result) {
                break;
            }
        }
        Ok(())
    }

    pub(super) fn condition(&mut self, id: ExprId) -> Result<bool, Trap> {
        bool_of(self.value(id)?).map_err(|kind| kind.at(id))
    }

    fn set(&mut self, local: LocalId, value: Value, id: ExprId) -> Result<(), Trap> {
        let slot = self.frame.get_mut(local.0 as usize);
        *slot.ok_or_else(|| TrapKind::Malformed("a local outside its frame").at(id))? = value;
        Ok(())
    }

    pub(super) fn expr(&self, id: ExprId) -> Result<&'a Expr, Trap> {
        self.body.exprs.get(id).ok_or_else(|| TrapKind::Malformed("an expression that is not there").at(id))
    }

    pub(crate) fn ty(&self, id: ExprId) -> Result<&'a Type, Trap> {
        self.body.exprs.ty(id).ok_or_else(|| TrapKind::Malformed("an expression without a type").at(id))
    }

    /// Charges `times` evaluations of everything below `root`.
    fn charge(&mut self, root: ExprId, times: u64) -> Result<(), TrapKind> {
        if times == 0 {
            return Ok(());
        }
        let cost = self.cost_of(root)?;
        self.meter.work(cost.saturating_mul(times))
    }

    /// As [`Self::cost`], which is remembered.
    pub(super) fn cost_of(&mut self, root: ExprId) -> Result<u64, TrapKind> {
        if let Some(cost) = self.costs.get(&root) {
            return Ok(*cost);
        }
        let cost = self.cost(root)?;
        // What has no operands is sooner counted than found.
        if cost > 1 {
            self.costs.insert(root, cost);
        }
        Ok(cost)
    }

    /// Expressions below `root`, those on untaken branches included, those of lambdas and functions not:
    /// they are charged when they are entered. Stops where the meter would be empty anyway, so that
    /// operands shared by many users cannot make the count itself long.
    fn cost(&self, root: ExprId) -> Result<u64, TrapKind> {
        let (mut cost, mut next, mut open) = (0_u64, Some(root), Vec::new());
        while let Some(id) = next {
            cost += 1;
            if cost > self.meter.fuel() {
                return Err(TrapKind::Quota(Quota::Steps));
            }
            if let Some(expr) = self.body.exprs.get(id) {
                let mut ordered = true;
                expr.each_operand(|operand| {
                    ordered &= operand < id;
                    open.push(operand);
                });
                // INVARIANT: no evaluation starts on a table with a cycle.
                if !ordered || expr.lambda().is_some_and(|lambda| lambda.body >= id) {
                    return Err(TrapKind::Malformed("an expression is its own operand"));
                }
            }
            next = open.pop();
        }
        Ok(cost)
    }
}

#[inline]
fn bool_of(value: Value) -> Result<bool, TrapKind> {
    match value {
        Value::Bool(value) => Ok(value),
        _ => Err(TrapKind::Malformed("a condition is no Bool")),
    }
}

/// A value that is there without evaluating anything: a constant, a local, a field of a local. What only looks at it
/// need not copy it. `None` also where evaluating it would trap.
#[inline]
pub(super) fn at_hand<'v>(
    body: &'v PlanBody,
    frame: &'v [Value],
    depth: u32,
    id: ExprId,
) -> Option<&'v Value> {
    // The record of a field is one level deeper.
    if depth + 1 >= EVAL_DEPTH_MAX {
        return None;
    }
    let local = |local: &LocalId| frame.get(local.0 as usize);
    match body.exprs.get(id)? {
        Expr::Const(value) => Some(value),
        Expr::Local(read) => local(read),
        Expr::Field { record, index, .. } => {
            let Expr::Local(read) = body.exprs.get(*record)? else { return None };
            let Value::Record(fields) = local(read)? else { return None };
            fields.get(*index as usize)
        }
        _ => None,
    }
}
