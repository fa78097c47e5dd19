//! What an expression reads from outside, and calls of functions.

use cranelift_codegen::ir::Value;
use plan_ir::expr::{Expr, ExprId, FnId, Fragment, LocalId};
use plan_ir::graph::NodeId;
use plan_ir::interp::{Env, FRAME_LOCALS_MAX};
use schema::value::Value as Input;

use super::Refused;
use super::expr::Typed;
use super::fx::Fx;
use super::table::Table;
use super::val::{Place, STEP, Val};
use crate::flat::Flat;
use crate::layout::ReprId;
use crate::native::FlatEnv;

/// Expressions up to which a function is emitted in place of its call.
const INLINE_COST_MAX: u64 = 40;
/// Functions that are emitted within each other.
const INLINE_DEPTH_MAX: u32 = 4;

/// Where a value from outside comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    /// An argument of the fragment.
    Argument(u32),
    Param(u32),
    Node(NodeId),
    Item(NodeId),
    Bound(NodeId, u32),
}

impl Source {
    pub(super) const fn of(expr: &Expr) -> Result<Self, Refused> {
        Ok(match expr {
            Expr::Param(index) => Self::Param(*index),
            Expr::Node(node) => Self::Node(*node),
            Expr::Item(node) => Self::Item(*node),
            Expr::Bound(node, index) => Self::Bound(*node, *index),
            _ => return Err(Refused::Malformed("an expression that reads nothing")),
        })
    }

    /// The value, from where the interpreter gets it.
    pub(crate) fn read(self, args: &[Input], env: &dyn Env) -> Option<Input> {
        match self {
            Self::Argument(index) => args.get(index as usize).cloned(),
            Self::Param(index) => env.param(index),
            Self::Node(node) => env.node(node),
            Self::Item(node) => env.item(node),
            Self::Bound(node, index) => env.bound(node, index),
        }
    }

    /// The value, laid out.
    pub(crate) fn read_flat(self, args: &[Flat], env: &dyn FlatEnv) -> Option<Flat> {
        match self {
            Self::Argument(index) => args.get(index as usize).cloned(),
            Self::Param(index) => env.param(index),
            Self::Node(node) => env.node(node),
            Self::Item(node) => env.item(node),
            Self::Bound(node, index) => env.bound(node, index),
        }
    }
}

/// A call whose arguments are evaluated.
struct Call {
    fragment: Fragment,
    /// The representation of each argument that is read.
    reprs: Vec<Option<ReprId>>,
    values: Vec<Val>,
}

/// A value from outside, laid out before the code is entered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Read {
    pub(crate) source: Source,
    pub(crate) repr: ReprId,
    /// Its first cell among the arguments of the code.
    pub(crate) cell: u32,
}

impl Table<'_> {
    /// The representation of each argument of a fragment or function, as its body first reads it; `None`
    /// where it never does.
    pub(crate) fn arguments(&self, fragment: &Fragment) -> Result<Vec<Option<ReprId>>, Refused> {
        if fragment.frame < fragment.params || fragment.frame > FRAME_LOCALS_MAX {
            return Err(Refused::Malformed("a frame of another size"));
        }
        let mut reprs = vec![None; fragment.params as usize];
        self.each_below(fragment.body, |id, expr| {
            if let Expr::Local(local) = expr
                && let Some(slot @ None) = reprs.get_mut(local.0 as usize)
            {
                *slot = Some(self.repr(id)?);
            }
            Ok(())
        })?;
        Ok(reprs)
    }

    /// Visits the expression and all below it once, lambdas included, functions not.
    pub(crate) fn each_below(
        &self,
        root: ExprId,
        mut visit: impl FnMut(ExprId, &Expr) -> Result<(), Refused>,
    ) -> Result<(), Refused> {
        let mut seen = std::collections::BTreeSet::from([root]);
        let mut open = vec![root];
        while let Some(id) = open.pop() {
            let expr = self.expr(id)?;
            visit(id, expr)?;
            let mut push = |operand| {
                if seen.insert(operand) {
                    open.push(operand);
                }
            };
            expr.each_operand(&mut push);
            expr.lambda().map(|lambda| lambda.body).into_iter().for_each(push);
        }
        Ok(())
    }
}

impl Fx<'_, '_, '_> {
    /// A value from outside.
    pub(super) fn input(&mut self, source: Source, repr: ReprId) -> Result<Val, Refused> {
        if !self.sees_inputs {
            return Err(Refused::Malformed("a function reads what is outside of it"));
        }
        let cell = self.unit.read(source, repr);
        Ok(self.load(repr, Place::new(self.args, cell as i32 * STEP)))
    }

    /// Binds the arguments of the fragment that is emitted.
    pub(super) fn bind_arguments(&mut self, reprs: &[Option<ReprId>]) -> Result<(), Refused> {
        for (index, repr) in (0_u32..).zip(reprs) {
            if let Some(repr) = repr {
                let val = self.input(Source::Argument(index), *repr)?;
                self.bind(LocalId(index), val, *repr)?;
            }
        }
        Ok(())
    }

    /// Binds the arguments of the function that is emitted, which lie side by side.
    pub(super) fn bind_parameters(&mut self, reprs: &[Option<ReprId>]) -> Result<(), Refused> {
        let mut cell = 0;
        for (index, repr) in (0_u32..).zip(reprs) {
            if let Some(repr) = repr {
                // They are in the frame of the caller.
                let place = Place { stable: false, ..Place::new(self.args, cell * STEP) };
                let val = self.load(*repr, place);
                self.bind(LocalId(index), val, *repr)?;
                cell += self.unit.table.layouts.cells(*repr) as i32;
            }
        }
        Ok(())
    }

    /// Whether a call of the function is replaced by its body.
    pub(super) fn is_in_place(&mut self, function: FnId) -> Result<bool, Refused> {
        let body = self.unit.table.function(function)?.fragment.body;
        let facts = self.unit.table.facts(body)?;
        Ok(facts.cost <= INLINE_COST_MAX && !facts.loops && self.inlined < INLINE_DEPTH_MAX)
    }

    pub(super) fn apply(&mut self, function: FnId, args: &[ExprId]) -> Result<Typed, Refused> {
        if self.is_in_place(function)? {
            return self.enter_in_place(function, args, Self::own_value);
        }
        let Call { fragment, reprs, values } = self.arguments(function, args)?;
        let result = self.unit.table.repr(fragment.body)?;
        let callee = self.unit.instance(function)?;
        let callee = self.unit.import_function(callee, self.b.func);
        let cells: u32 = reprs.iter().flatten().map(|repr| self.unit.table.layouts.cells(*repr)).sum();
        let arguments = self.slot(cells)?;
        let mut offset = 0;
        for (val, repr) in values.iter().zip(&reprs) {
            if let Some(repr) = repr {
                self.store(val, *repr, Place { offset, ..arguments })?;
                offset += self.unit.table.layouts.cells(*repr) as i32 * STEP;
            }
        }
        let out = self.slot(self.unit.table.layouts.cells(result))?;
        self.call_function(callee, arguments.base, out.base)?;
        Ok((self.load(result, out), result))
    }

    /// Evaluates the arguments of a call.
    fn arguments(&mut self, function: FnId, args: &[ExprId]) -> Result<Call, Refused> {
        let fragment = self.unit.table.function(function)?.fragment;
        let reprs = self.unit.table.arguments(&fragment)?;
        if args.len() != reprs.len() {
            return Err(Refused::Malformed("a call of a function with other arguments"));
        }
        let mut values = Vec::with_capacity(args.len());
        for (arg, repr) in args.iter().zip(&reprs) {
            // What is never read is evaluated all the same: it may trap.
            let repr = repr.map_or_else(|| self.unit.table.repr(*arg), Ok)?;
            values.push(self.value(*arg, repr)?);
        }
        Ok(Call { fragment, reprs, values })
    }

    /// Emits something of the body of a small function instead of its call.
    pub(super) fn enter_in_place<T>(
        &mut self,
        function: FnId,
        args: &[ExprId],
        emit: impl FnOnce(&mut Self, ExprId) -> Result<T, Refused>,
    ) -> Result<T, Refused> {
        let Call { fragment, reprs, values } = self.arguments(function, args)?;
        let cost = self.unit.table.facts(fragment.body)?.cost;
        self.charge(cost.saturating_add(u64::from(fragment.frame)));
        let locals = std::mem::take(&mut self.locals);
        let (frame, sees) = (self.frame, self.sees_inputs);
        (self.frame, self.sees_inputs) = (fragment.frame, false);
        self.inlined += 1;
        for ((index, val), repr) in (0_u32..).zip(values).zip(reprs) {
            if let Some(repr) = repr {
                self.bind(LocalId(index), val, repr)?;
            }
        }
        let result = emit(self, fragment.body)?;
        self.inlined -= 1;
        (self.locals, self.frame, self.sees_inputs) = (locals, frame, sees);
        Ok(result)
    }

    /// Emits the whole body of a fragment or function: charges for entering it, and gives its result.
    pub(super) fn body(&mut self, fragment: &Fragment) -> Result<Typed, Refused> {
        let cost = self.unit.table.facts(fragment.body)?.cost;
        self.charge(cost.saturating_add(u64::from(fragment.frame)));
        self.own_value(fragment.body)
    }

    /// Where the result of the function goes.
    pub(super) fn out(&self) -> Result<Value, Refused> {
        let entry = self.b.func.layout.entry_block().ok_or(Refused::Malformed("a function has a body"))?;
        self.b
            .block_params(entry)
            .get(2)
            .copied()
            .ok_or(Refused::Malformed("a function has three parameters"))
    }
}
