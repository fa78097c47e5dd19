//! Lists, and the functions of lists.

use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{BlockArg, InstBuilder as _, Value, types};
use plan_ir::builtin::Builtin;
use plan_ir::expr::{ExprId, Lambda};

use super::Refused;
use super::expr::Typed;
use super::fx::Fx;
use super::val::{Place, STEP, Val};
use crate::helper::Helper;
use crate::layout::{Repr, ReprId};

impl<'p> Fx<'_, 'p, '_> {
    /// A literal.
    pub(super) fn list_of(&mut self, items: &[ExprId], repr: ReprId) -> Result<Typed, Refused> {
        let element = self.element(repr)?;
        let cells = self.unit.table.layouts.cells(element);
        let length = u32::try_from(items.len()).map_err(|_| Refused::Limit("a list is too long"))?;
        if items.len() > schema::limits::LIST_ELEMENTS_MAX {
            return Err(Refused::Limit("a list is too long"));
        }
        let start = self.allocate(cells * length)?;
        let mut offset = 0;
        for item in items {
            let val = self.value(*item, element)?;
            self.store(&val, element, Place::new(start, offset))?;
            offset += cells as i32 * STEP;
        }
        self.charge_known_parts(items.len());
        Ok((Val::Two(start, self.int(i64::from(length))), repr))
    }

    pub(super) fn element(&self, list: ReprId) -> Result<ReprId, Refused> {
        self.unit.table.layouts.element(list).ok_or(Refused::Malformed("a list"))
    }

    pub(super) fn index(&mut self, id: ExprId, list: ExprId, index: ExprId) -> Result<Typed, Refused> {
        let (list, repr) = self.own_value(list)?;
        let index = self.value(index, ReprId::INT)?;
        let ((start, length), index) = (Self::two(&list)?, Self::one(&index)?);
        let outside = self.b.ins().icmp(IntCC::UnsignedGreaterThanOrEqual, index, length);
        self.index_trap_if(outside, id, index, length);
        let element = self.element(repr)?;
        let at = self.element_at(start, index, element);
        Ok((self.load(element, Place::new(at, 0)), element))
    }

    /// Address of an element.
    fn element_at(&mut self, start: Value, index: Value, element: ReprId) -> Value {
        let offset = self.bytes_of(index, element);
        self.b.ins().iadd(start, offset)
    }

    /// Bytes that so many elements take.
    fn bytes_of(&mut self, count: Value, element: ReprId) -> Value {
        let stride = i64::from(self.unit.table.layouts.cells(element)) * i64::from(STEP);
        self.b.ins().imul_imm_s(count, stride)
    }

    /// The functions of the library that are native.
    pub(super) fn builtin(
        &mut self,
        id: ExprId,
        op: Builtin,
        args: &[ExprId],
        lambda: Option<&'p Lambda>,
    ) -> Result<Typed, Refused> {
        let not_native = Refused::Malformed("a library function that is not native");
        let Some((receiver, rest)) = args.split_first() else { return Err(not_native) };
        match (op, lambda) {
            (Builtin::Map | Builtin::Filter, _) => self.collected(id),
            (Builtin::All | Builtin::Any, Some(lambda)) => {
                self.quantified(*receiver, lambda, op == Builtin::Any)
            }
            (_, None) if self.unit.table.repr(*receiver)? == ReprId::TEXT => {
                let receiver = self.value(*receiver, ReprId::TEXT)?;
                self.on_text(op, &receiver, rest)
            }
            (Builtin::Len | Builtin::IsEmpty, None) => self.counted(op, *receiver),
            (Builtin::Take, None) if self.is_loop(id)? => self.collected(id),
            (Builtin::Join, None) => self.joined_texts(*receiver, rest),
            (Builtin::First | Builtin::Last, None) => self.end_of(id, *receiver, op == Builtin::Last),
            (Builtin::Take | Builtin::Skip, None) => self.cut(*receiver, rest, op == Builtin::Take),
            (Builtin::Contains, None) => self.contains(*receiver, rest),
            (Builtin::Flatten, None) => self.flattened(id, *receiver),
            (Builtin::Ok | Builtin::Errors, None) => {
                self.results(id, *receiver, u32::from(op == Builtin::Errors))
            }
            _ => Err(not_native),
        }
    }

    /// Whether the list at `id` is what comes out of a loop.
    fn is_loop(&mut self, id: ExprId) -> Result<bool, Refused> {
        Ok(!self.pipeline(id, None)?.is_direct())
    }

    /// The list that comes out of a pipeline.
    fn collected(&mut self, id: ExprId) -> Result<Typed, Refused> {
        let repr = self.unit.table.repr(id)?;
        let element = self.element(repr)?;
        let pipeline = self.pipeline(id, None)?;
        let open = self.open(&pipeline, None)?;
        let cells = i64::from(self.unit.table.layouts.cells(element));
        let most = self.b.ins().imul_imm_s(open.length, cells);
        let start = self.allocate_value(most)?;
        let to = self.b.declare_var(types::I64);
        self.b.def_var(to, start);
        self.each(&pipeline, &open, None, &mut |fx, val, from, _| {
            let at = fx.b.use_var(to);
            let val = fx.coerce(val.clone(), from, element)?;
            fx.store(&val, element, Place::new(at, 0))?;
            // What was stored may have branched.
            let at = fx.b.use_var(to);
            let next = fx.b.ins().iadd_imm_s(at, cells * i64::from(STEP));
            fx.b.def_var(to, next);
            Ok(())
        })?;
        let count = self.count(&open);
        if count != open.length {
            let size = self.b.ins().imul_imm_s(most, i64::from(STEP));
            let end = self.b.ins().iadd(start, size);
            let spare = self.b.ins().isub(open.length, count);
            let spare = self.b.ins().imul_imm_s(spare, cells);
            self.call(Helper::GiveBack, &[end, spare]);
        }
        Ok((Val::Two(start, count), repr))
    }

    /// Whether the predicate holds for all elements or, where `wanted` is true, for any.
    fn quantified(&mut self, list: ExprId, lambda: &'p Lambda, wanted: bool) -> Result<Typed, Refused> {
        let pipeline = self.pipeline(list, Some(lambda))?;
        let stops = self.may_stop(&pipeline)?;
        let open = self.open(&pipeline, Some(lambda))?;
        let found = self.b.declare_var(types::I8);
        let not_yet = self.b.ins().iconst(types::I8, 0);
        self.b.def_var(found, not_yet);
        self.each(&pipeline, &open, Some(lambda), &mut |fx, val, repr, around| {
            if !stops {
                // The elements that follow still go through what comes before.
                let already = fx.b.use_var(found);
                let look = fx.b.create_block();
                fx.b.ins().brif(already, around.next, &[], look, &[]);
                fx.continue_in(look);
            }
            let holds = fx.applied(lambda, val.clone(), repr, ReprId::BOOL)?;
            let holds = Self::one(&holds)?;
            let hit = if wanted { holds } else { fx.negated(holds) };
            fx.b.def_var(found, hit);
            if stops {
                let go_on = fx.b.create_block();
                fx.b.ins().brif(hit, around.done, &[], go_on, &[]);
                fx.continue_in(go_on);
            }
            Ok(())
        })?;
        let found = self.b.use_var(found);
        let result = if wanted { found } else { self.negated(found) };
        Ok((Val::One(result), ReprId::BOOL))
    }

    fn counted(&mut self, op: Builtin, list: ExprId) -> Result<Typed, Refused> {
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

    fn joined_texts(&mut self, list: ExprId, rest: &[ExprId]) -> Result<Typed, Refused> {
        let (list, _) = self.own_value(list)?;
        let separator = self.argument(rest, ReprId::TEXT)?;
        let ((start, length), (separator, separator_len)) = (Self::two(&list)?, Self::two(&separator)?);
        self.charge_value(length);
        let status = self.call(Helper::Join, &[start, length, separator, separator_len]);
        self.unless_ok(status)?;
        let text = self.handed();
        let (_, length) = Self::two(&text)?;
        self.charge_text(length);
        Ok((text, ReprId::TEXT))
    }

    fn argument(&mut self, rest: &[ExprId], want: ReprId) -> Result<Val, Refused> {
        match rest {
            [argument] => self.value(*argument, want),
            _ => Err(Refused::Malformed("a library function has other arguments")),
        }
    }

    fn end_of(&mut self, id: ExprId, list: ExprId, last: bool) -> Result<Typed, Refused> {
        let want = self.unit.table.repr(id)?;
        let (list, repr) = self.own_value(list)?;
        let (start, length) = Self::two(&list)?;
        self.charge_value(length);
        let element = self.element(repr)?;
        let (some, none) = (self.b.create_block(), self.b.create_block());
        let mut join = self.join(want);
        self.b.ins().brif(length, some, &[], none, &[]);
        self.continue_in(some);
        let at = if last {
            let index = self.b.ins().iadd_imm_s(length, -1);
            self.element_at(start, index, element)
        } else {
            start
        };
        let val = self.load(element, Place::new(at, 0));
        let val = self.coerce(val, element, want)?;
        self.join_with(&mut join, &val)?;
        self.continue_in(none);
        let null = self.null(want)?;
        self.join_with(&mut join, &null)?;
        Ok((self.joined(&join)?, want))
    }

    /// `take` and `skip` of a list that is there: part of it, in place.
    fn cut(&mut self, list: ExprId, rest: &[ExprId], head: bool) -> Result<Typed, Refused> {
        let (list, repr) = self.own_value(list)?;
        let n = self.argument(rest, ReprId::INT)?;
        let ((start, length), n) = (Self::two(&list)?, Self::one(&n)?);
        self.charge_value(length);
        let zero = self.int(0);
        let n = self.b.ins().smax(n, zero);
        let n = self.b.ins().smin(n, length);
        let (start, count) = if head {
            (start, n)
        } else {
            let element = self.element(repr)?;
            (self.element_at(start, n, element), self.b.ins().isub(length, n))
        };
        self.charge_parts(count);
        Ok((Val::Two(start, count), repr))
    }

    fn contains(&mut self, list: ExprId, rest: &[ExprId]) -> Result<Typed, Refused> {
        let (list, repr) = self.own_value(list)?;
        let element = self.element(repr)?;
        let wanted = self.argument(rest, element)?;
        let (start, length) = Self::two(&list)?;
        self.charge_value(length);
        let place = self.slot(self.unit.table.layouts.cells(element))?;
        self.store(&wanted, element, place)?;
        let number = self.int(i64::from(element.number()));
        let found = self.call(Helper::ListContains, &[number, start, length, place.base]);
        Ok((Val::One(found.ok_or(Refused::Malformed("an answer"))?), ReprId::BOOL))
    }

    fn flattened(&mut self, id: ExprId, list: ExprId) -> Result<Typed, Refused> {
        let want = self.unit.table.repr(id)?;
        let (list, repr) = self.own_value(list)?;
        let (start, length) = Self::two(&list)?;
        self.charge_value(length);
        let inner = self.element(repr)?;
        let element = self.element(inner)?;
        let cells = self.int(i64::from(self.unit.table.layouts.cells(element)));
        let status = self.call(Helper::Flatten, &[cells, start, length]);
        self.unless_ok(status)?;
        let flat = self.handed();
        let (_, count) = Self::two(&flat)?;
        self.charge_parts(count);
        Ok((self.coerce(flat, inner, want)?, want))
    }

    /// The payloads of the variants at position `wanted`.
    fn results(&mut self, id: ExprId, list: ExprId, wanted: u32) -> Result<Typed, Refused> {
        let want = self.unit.table.repr(id)?;
        let made = self.element(want)?;
        let (list, repr) = self.own_value(list)?;
        let (first, length) = Self::two(&list)?;
        self.charge_value(length);
        let element = self.element(repr)?;
        let payload = match self.layout(element) {
            Repr::Variants(payloads) => payloads.get(wanted as usize).copied().flatten(),
            _ => None,
        };
        let payload = payload.ok_or(Refused::Malformed("a result without a value"))?;
        let cells = i64::from(self.unit.table.layouts.cells(made));
        let most = self.b.ins().imul_imm_s(length, cells);
        let start = self.allocate_value(most)?;
        let (to, count) = (self.b.declare_var(types::I64), self.b.declare_var(types::I64));
        self.b.def_var(to, start);
        let none = self.int(0);
        self.b.def_var(count, none);
        let size = self.bytes_of(length, element);
        let end = self.b.ins().iadd(first, size);
        let (body, next, done) = (self.b.create_block(), self.b.create_block(), self.b.create_block());
        let at = self.b.append_block_param(body, types::I64);
        self.b.ins().brif(length, body, &[BlockArg::from(first)], done, &[]);
        self.b.switch_to_block(body);
        let Val::One(position) = self.load(ReprId::INT, Place::new(at, 0)) else {
            return Err(Refused::Malformed("a position"));
        };
        let fits = self.b.ins().icmp_imm_s(IntCC::Equal, position, i64::from(wanted));
        let keep = self.b.create_block();
        self.b.ins().brif(fits, keep, &[], next, &[]);
        self.continue_in(keep);
        let val = self.load(payload, Place::new(at, STEP));
        let val = self.coerce(val, payload, made)?;
        let room = self.b.use_var(to);
        self.store(&val, made, Place::new(room, 0))?;
        let (room, kept) = (self.b.use_var(to), self.b.use_var(count));
        let room = self.b.ins().iadd_imm_s(room, cells * i64::from(STEP));
        let kept = self.b.ins().iadd_imm_s(kept, 1);
        self.b.def_var(to, room);
        self.b.def_var(count, kept);
        self.b.ins().jump(next, &[]);
        self.continue_in(next);
        let stride = i64::from(self.unit.table.layouts.cells(element)) * i64::from(STEP);
        let following = self.b.ins().iadd_imm_s(at, stride);
        let more = self.b.ins().icmp(IntCC::NotEqual, following, end);
        self.b.ins().brif(more, body, &[BlockArg::from(following)], done, &[]);
        self.b.seal_block(body);
        self.continue_in(done);
        let count = self.b.use_var(count);
        self.charge_parts(count);
        Ok((Val::Two(start, count), want))
    }
}
