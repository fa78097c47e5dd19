//! What loops come to that is no list: whether, which, how many, how much.

use cranelift_codegen::ir::condcodes::{FloatCC, IntCC};
use cranelift_codegen::ir::{InstBuilder as _, Value, types};
use cranelift_frontend::Variable;
use plan_ir::builtin::Builtin;
use plan_ir::expr::{ExprId, Lambda};

use super::Refused;
use super::expr::Typed;
use super::fx::Fx;
use super::val::{Place, Val};
use crate::layout::{Repr, ReprId};
use crate::run::Exit;

/// What is emitted after a predicate, with the element and whether it is the one that is looked for.
type Look<'l, F> = &'l mut dyn FnMut(&mut F, &Val, ReprId, Value) -> Result<(), Refused>;

impl<'p> Fx<'_, 'p, '_> {
    /// A variable that starts as `value`.
    fn variable(&mut self, value: Value) -> Variable {
        let variable = self.b.declare_var(self.b.func.dfg.value_type(value));
        self.b.def_var(variable, value);
        variable
    }

    /// Whether the predicate holds for all elements or, where `wanted` is true, for any.
    pub(super) fn quantified(
        &mut self,
        list: ExprId,
        lambda: &'p Lambda,
        wanted: bool,
    ) -> Result<Typed, Refused> {
        let found = self.b.ins().iconst(types::I8, 0);
        let found = self.variable(found);
        self.until(list, lambda, wanted, found, &mut |_, _, _| Ok(()))?;
        let found = self.b.use_var(found);
        let result = if wanted { found } else { self.negated(found) };
        Ok((Val::One(result), ReprId::BOOL))
    }

    /// The first element for which the predicate holds.
    pub(super) fn first_that(
        &mut self,
        id: ExprId,
        list: ExprId,
        lambda: &'p Lambda,
    ) -> Result<Typed, Refused> {
        let want = self.unit.table.repr(id)?;
        // What is found stays where nothing of the loop moves it.
        let element = self.element(self.unit.table.repr(list)?)?;
        let slot = self.slot(self.unit.table.layouts.cells(element))?;
        let found = self.b.ins().iconst(types::I8, 0);
        let found = self.variable(found);
        self.until(list, lambda, true, found, &mut |fx, val, repr| {
            let val = fx.coerce(val.clone(), repr, element)?;
            fx.store(&val, element, slot)
        })?;
        let found = self.b.use_var(found);
        let (some, none) = (self.b.create_block(), self.b.create_block());
        let mut join = self.join(want);
        self.b.ins().brif(found, some, &[], none, &[]);
        self.continue_in(some);
        let val = self.load(element, slot);
        let val = self.coerce(val, element, want)?;
        self.join_with(&mut join, &val)?;
        self.continue_in(none);
        let null = self.null(want)?;
        self.join_with(&mut join, &null)?;
        Ok((self.joined(&join)?, want))
    }

    /// The place of the first element for which the predicate holds.
    pub(super) fn place_of(
        &mut self,
        id: ExprId,
        list: ExprId,
        lambda: &'p Lambda,
    ) -> Result<Typed, Refused> {
        let want = self.unit.table.repr(id)?;
        let (zero, not_yet) = (self.int(0), self.b.ins().iconst(types::I8, 0));
        let (seen, found) = (self.variable(zero), self.variable(not_yet));
        self.each_until(list, lambda, true, found, &mut |fx, _, _, hit| {
            let count = fx.b.use_var(seen);
            let more = fx.b.ins().iadd_imm_s(count, 1);
            // The place stays once it is found.
            let count = fx.b.ins().select(hit, count, more);
            fx.b.def_var(seen, count);
            Ok(())
        })?;
        let (place, found) = (self.b.use_var(seen), self.b.use_var(found));
        let place = Val::Either(found, Box::new(Val::One(place)));
        let optional = self.unit.table.layouts.optional(ReprId::INT);
        Ok((self.coerce(place, optional, want)?, want))
    }

    /// Runs the predicate until it gives `wanted`, and `keep` for the element for which it did.
    fn until(
        &mut self,
        list: ExprId,
        lambda: &'p Lambda,
        wanted: bool,
        found: Variable,
        keep: &mut dyn FnMut(&mut Self, &Val, ReprId) -> Result<(), Refused>,
    ) -> Result<(), Refused> {
        self.each_until(list, lambda, wanted, found, &mut |fx, val, repr, hit| {
            let (kept, go_on) = (fx.b.create_block(), fx.b.create_block());
            fx.b.ins().brif(hit, kept, &[], go_on, &[]);
            fx.continue_in(kept);
            keep(fx, val, repr)?;
            fx.b.ins().jump(go_on, &[]);
            fx.continue_in(go_on);
            Ok(())
        })
    }

    /// Runs the predicate until it gives `wanted`. `look` is emitted after each time, with whether it did.
    fn each_until(
        &mut self,
        list: ExprId,
        lambda: &'p Lambda,
        wanted: bool,
        found: Variable,
        look: Look<'_, Self>,
    ) -> Result<(), Refused> {
        let pipeline = self.pipeline(list, Some(lambda))?;
        let stops = self.may_stop(&pipeline)?;
        let open = self.open(&pipeline, Some(lambda))?;
        self.each(&pipeline, &open, Some(lambda), &mut |fx, val, repr, around| {
            if !stops {
                // The elements that follow still go through what comes before.
                let already = fx.b.use_var(found);
                let go_on = fx.b.create_block();
                fx.b.ins().brif(already, around.next, &[], go_on, &[]);
                fx.continue_in(go_on);
            }
            let holds = fx.applied(lambda, val.clone(), repr, ReprId::BOOL)?;
            let holds = Self::one(&holds)?;
            let hit = if wanted { holds } else { fx.negated(holds) };
            fx.b.def_var(found, hit);
            look(fx, val, repr, hit)?;
            if stops {
                let go_on = fx.b.create_block();
                fx.b.ins().brif(hit, around.done, &[], go_on, &[]);
                fx.continue_in(go_on);
            }
            Ok(())
        })
    }

    /// How many elements come out of a loop, or whether none does.
    pub(super) fn counted(&mut self, op: Builtin, list: ExprId) -> Result<Typed, Refused> {
        let pipeline = self.pipeline(list, None)?;
        let open = self.open(&pipeline, None)?;
        if !pipeline.is_direct() {
            self.each(&pipeline, &open, None, &mut |_, _, _, _| Ok(()))?;
        }
        let count = self.count(&open);
        self.charge_value(count);
        if op == Builtin::Len {
            return Ok((Val::One(count), ReprId::INT));
        }
        Ok((Val::One(self.b.ins().icmp_imm_u(IntCC::Equal, count, 0)), ReprId::BOOL))
    }

    /// For how many elements the predicate holds.
    pub(super) fn how_many(&mut self, list: ExprId, lambda: &'p Lambda) -> Result<Typed, Refused> {
        let pipeline = self.pipeline(list, Some(lambda))?;
        let open = self.open(&pipeline, Some(lambda))?;
        let zero = self.int(0);
        let count = self.variable(zero);
        self.each(&pipeline, &open, Some(lambda), &mut |fx, val, repr, _| {
            let holds = fx.applied(lambda, val.clone(), repr, ReprId::BOOL)?;
            let one = fx.b.ins().uextend(types::I64, Self::one(&holds)?);
            let before = fx.b.use_var(count);
            let after = fx.b.ins().iadd(before, one);
            fx.b.def_var(count, after);
            Ok(())
        })?;
        Ok((Val::One(self.b.use_var(count)), ReprId::INT))
    }

    /// The sum, from left to right.
    pub(super) fn sum(&mut self, id: ExprId, list: ExprId) -> Result<Typed, Refused> {
        let pipeline = self.pipeline(list, None)?;
        let open = self.open(&pipeline, None)?;
        let element = self.element(self.unit.table.repr(list)?)?;
        let float = element == ReprId::FLOAT;
        let zero = if float { self.b.ins().f64const(0.0) } else { self.int(0) };
        let sum = self.variable(zero);
        // Whether a sum left its range is looked at in the end: it stays so, and nothing else can trap.
        let in_range = self.b.ins().iconst(types::I8, 0);
        let outside = self.variable(in_range);
        self.each(&pipeline, &open, None, &mut |fx, val, repr, _| {
            let val = fx.coerce(val.clone(), repr, element)?;
            let (before, item) = (fx.b.use_var(sum), Self::one(&val)?);
            let after = if float {
                fx.b.ins().fadd(before, item)
            } else {
                let (after, overflow) = fx.b.ins().sadd_overflow(before, item);
                let already = fx.b.use_var(outside);
                let either = fx.b.ins().bor(already, overflow);
                fx.b.def_var(outside, either);
                after
            };
            fx.b.def_var(sum, after);
            Ok(())
        })?;
        let count = self.count(&open);
        self.charge_value(count);
        let ordered = self.ordered;
        self.ordered &= pipeline.is_direct();
        let sum = self.b.use_var(sum);
        let sum = if float {
            self.finite(id, sum)
        } else {
            let outside = self.b.use_var(outside);
            self.trap_if(outside, Exit::Overflow, id);
            sum
        };
        self.ordered = ordered;
        Ok((Val::One(sum), element))
    }

    /// The first of the smallest or largest elements.
    pub(super) fn extreme(&mut self, id: ExprId, list: ExprId, largest: bool) -> Result<Typed, Refused> {
        let want = self.unit.table.repr(id)?;
        let pipeline = self.pipeline(list, None)?;
        let open = self.open(&pipeline, None)?;
        let element = self.element(self.unit.table.repr(list)?)?;
        let none = self.b.ins().iconst(types::I8, 0);
        let zero = if element == ReprId::FLOAT { self.b.ins().f64const(0.0) } else { self.int(0) };
        let (some, best) = (self.variable(none), self.variable(zero));
        self.each(&pipeline, &open, None, &mut |fx, val, repr, _| {
            let val = fx.coerce(val.clone(), repr, element)?;
            let (item, so_far) = (Self::one(&val)?, fx.b.use_var(best));
            let better = fx.is_better(element, item, so_far, largest);
            let any = fx.b.use_var(some);
            let first = fx.negated(any);
            let takes = fx.b.ins().bor(first, better);
            let next = fx.b.ins().select(takes, item, so_far);
            fx.b.def_var(best, next);
            let yes = fx.b.ins().iconst(types::I8, 1);
            fx.b.def_var(some, yes);
            Ok(())
        })?;
        let count = self.count(&open);
        self.charge_value(count);
        let (some, best) = (self.b.use_var(some), self.b.use_var(best));
        let best = Val::Either(some, Box::new(Val::One(best)));
        let optional = self.unit.table.layouts.optional(element);
        Ok((self.coerce(best, optional, want)?, want))
    }

    /// The first element with the smallest or largest key.
    pub(super) fn extreme_by(
        &mut self,
        id: ExprId,
        list: ExprId,
        lambda: &'p Lambda,
        largest: bool,
    ) -> Result<Typed, Refused> {
        let want = self.unit.table.repr(id)?;
        let key = self.unit.table.repr(lambda.body)?;
        let (list, repr) = self.own_value(list)?;
        let open = self.open_list(&list, repr, Some(lambda))?;
        let element = open.element;
        let (none, zero) =
            (self.int(0), if key == ReprId::FLOAT { self.b.ins().f64const(0.0) } else { self.int(0) });
        // Where the best element lies; elements of a list stay where they are.
        let (at, best) = (self.variable(none), self.variable(zero));
        let (start, stride) = (open.start, i64::from(self.unit.table.layouts.cells(element)) * 8);
        let current = self.variable(start);
        self.each_of(&open, &mut |fx, val, repr, _| {
            let item = fx.applied(lambda, val.clone(), repr, key)?;
            let (item, so_far) = (Self::one(&item)?, fx.b.use_var(best));
            let better = fx.is_better(key, item, so_far, largest);
            let (place, here) = (fx.b.use_var(at), fx.b.use_var(current));
            let first = fx.b.ins().icmp_imm_u(IntCC::Equal, place, 0);
            let takes = fx.b.ins().bor(first, better);
            let next = fx.b.ins().select(takes, item, so_far);
            fx.b.def_var(best, next);
            let place = fx.b.ins().select(takes, here, place);
            fx.b.def_var(at, place);
            let following = fx.b.ins().iadd_imm_s(here, stride);
            fx.b.def_var(current, following);
            Ok(())
        })?;
        let at = self.b.use_var(at);
        let (some, none) = (self.b.create_block(), self.b.create_block());
        let mut join = self.join(want);
        self.b.ins().brif(at, some, &[], none, &[]);
        self.continue_in(some);
        let val = self.load(element, Place::new(at, 0));
        let val = self.coerce(val, element, want)?;
        self.join_with(&mut join, &val)?;
        self.continue_in(none);
        let null = self.null(want)?;
        self.join_with(&mut join, &null)?;
        Ok((self.joined(&join)?, want))
    }

    /// Whether `item` comes before `best`.
    fn is_better(&mut self, repr: ReprId, item: Value, best: Value, largest: bool) -> Value {
        match (self.layout(repr), largest) {
            (Repr::Float, true) => self.b.ins().fcmp(FloatCC::GreaterThan, item, best),
            (Repr::Float, false) => self.b.ins().fcmp(FloatCC::LessThan, item, best),
            (_, true) => self.b.ins().icmp(IntCC::SignedGreaterThan, item, best),
            (_, false) => self.b.ins().icmp(IntCC::SignedLessThan, item, best),
        }
    }
}
