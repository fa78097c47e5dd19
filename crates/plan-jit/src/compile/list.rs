//! Lists, and the functions of lists.

use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{InstBuilder as _, Value, types};
use plan_ir::builtin::Builtin;
use plan_ir::expr::{ExprId, Lambda};

use super::Refused;
use super::expr::Typed;
use super::fx::Fx;
use super::val::{Place, STEP, Val};
use crate::helper::Helper;
use crate::layout::{Repr, ReprId};

pub(super) const NOT_NATIVE: Refused = Refused::Malformed("a library function that is not native");

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
        let Some((receiver, rest)) = args.split_first() else { return Err(NOT_NATIVE) };
        if let Some(lambda) = lambda {
            return self.with_lambda(id, op, *receiver, rest, lambda);
        }
        let repr = self.unit.table.repr(*receiver)?;
        match self.layout(repr) {
            Repr::List(_) => self.on_list(id, op, *receiver, rest),
            Repr::Map(entry) => self.on_map(id, op, *receiver, rest, entry),
            Repr::Text => {
                let receiver = self.value(*receiver, ReprId::TEXT)?;
                self.on_text(op, &receiver, rest)
            }
            _ => self.on_number(id, op, *receiver, rest),
        }
    }

    fn with_lambda(
        &mut self,
        id: ExprId,
        op: Builtin,
        list: ExprId,
        rest: &[ExprId],
        lambda: &'p Lambda,
    ) -> Result<Typed, Refused> {
        match (op, rest) {
            (Builtin::Map | Builtin::Filter, []) => self.collected(id),
            (Builtin::All | Builtin::Any, []) => self.quantified(list, lambda, op == Builtin::Any),
            (Builtin::Count, []) => self.how_many(list, lambda),
            (Builtin::Find, []) => self.first_that(id, list, lambda),
            (Builtin::Position, []) => self.place_of(id, list, lambda),
            (Builtin::SortBy, []) => self.sorted_by(id, list, lambda),
            (Builtin::Top, [n]) => self.top(id, list, *n, lambda),
            (Builtin::MinBy | Builtin::MaxBy, []) => self.extreme_by(id, list, lambda, op == Builtin::MaxBy),
            (Builtin::GroupBy | Builtin::KeyBy, []) => self.grouped(id, op, list, lambda),
            _ => Err(NOT_NATIVE),
        }
    }

    fn on_list(&mut self, id: ExprId, op: Builtin, list: ExprId, rest: &[ExprId]) -> Result<Typed, Refused> {
        match op {
            Builtin::Len | Builtin::IsEmpty => self.counted(op, list),
            Builtin::Take if self.is_loop(id)? => self.collected(id),
            Builtin::Join => self.joined_texts(list, rest),
            Builtin::First | Builtin::Last => self.end_of(id, list, op == Builtin::Last),
            Builtin::Take | Builtin::Skip => self.cut(list, rest, op == Builtin::Take),
            Builtin::Get => self.got(id, list, rest),
            Builtin::Contains => self.contains(list, rest),
            Builtin::Flatten => self.flattened(id, list),
            Builtin::Concat => self.concatenated(list, rest),
            Builtin::Ok | Builtin::Errors => self.payloads(id, list, i64::from(op == Builtin::Errors)),
            Builtin::Present => self.payloads(id, list, 1),
            Builtin::Reverse => self.reversed(list),
            Builtin::Sort => self.sorted(id, list),
            Builtin::Sum => self.sum(id, list),
            Builtin::Min | Builtin::Max => self.extreme(id, list, op == Builtin::Max),
            _ => Err(NOT_NATIVE),
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

    fn joined_texts(&mut self, list: ExprId, rest: &[ExprId]) -> Result<Typed, Refused> {
        if let [separator] = rest
            && let Some(joined) = self.joined_templates(list, *separator)?
        {
            return Ok(joined);
        }
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

    pub(super) fn argument(&mut self, rest: &[ExprId], want: ReprId) -> Result<Val, Refused> {
        match rest {
            [argument] => self.value(*argument, want),
            _ => Err(NOT_NATIVE),
        }
    }

    fn end_of(&mut self, id: ExprId, list: ExprId, last: bool) -> Result<Typed, Refused> {
        let (list, repr) = self.own_value(list)?;
        let (start, length) = Self::two(&list)?;
        self.charge_value(length);
        let element = self.element(repr)?;
        let index = if last { self.b.ins().iadd_imm_s(length, -1) } else { self.int(0) };
        self.element_or_null(id, start, index, length, element)
    }

    /// `get` of a list.
    fn got(&mut self, id: ExprId, list: ExprId, rest: &[ExprId]) -> Result<Typed, Refused> {
        let (list, repr) = self.own_value(list)?;
        let index = self.argument(rest, ReprId::INT)?;
        let ((start, length), index) = (Self::two(&list)?, Self::one(&index)?);
        let element = self.element(repr)?;
        self.element_or_null(id, start, index, length, element)
    }

    /// The element at `index`, or `null` where there is none.
    fn element_or_null(
        &mut self,
        id: ExprId,
        start: Value,
        index: Value,
        length: Value,
        element: ReprId,
    ) -> Result<Typed, Refused> {
        let want = self.unit.table.repr(id)?;
        let inside = self.b.ins().icmp(IntCC::UnsignedLessThan, index, length);
        let at = self.element_at(start, index, element);
        let none = self.int(0);
        let at = self.b.ins().select(inside, at, none);
        self.at_or_null(at, element, want)
    }

    /// What lies at an address, or `null` where that is 0.
    pub(super) fn at_or_null(&mut self, at: Value, repr: ReprId, want: ReprId) -> Result<Typed, Refused> {
        let (some, none) = (self.b.create_block(), self.b.create_block());
        let mut join = self.join(want);
        self.b.ins().brif(at, some, &[], none, &[]);
        self.continue_in(some);
        let val = self.load(repr, Place::new(at, 0));
        let val = self.coerce(val, repr, want)?;
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
        self.unit.needs.add_whole(element, &self.unit.table.layouts);
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

    fn concatenated(&mut self, list: ExprId, rest: &[ExprId]) -> Result<Typed, Refused> {
        let (list, repr) = self.own_value(list)?;
        let more = self.argument(rest, repr)?;
        // One list of two is flattened; that charges for the elements of both.
        let both = self.slot(4)?;
        self.store(&list, repr, both)?;
        self.store(&more, repr, Place { offset: 2 * STEP, ..both })?;
        let (cells, two) = (self.cells_of(repr)?, self.int(2));
        let status = self.call(Helper::Flatten, &[cells, both.base, two]);
        self.unless_ok(status)?;
        let joined = self.handed();
        let (_, count) = Self::two(&joined)?;
        self.charge_parts(count);
        Ok((joined, repr))
    }

    fn reversed(&mut self, list: ExprId) -> Result<Typed, Refused> {
        let (list, repr) = self.own_value(list)?;
        let (start, length) = Self::two(&list)?;
        self.charge_value(length);
        let cells = self.cells_of(repr)?;
        let status = self.call(Helper::Reverse, &[cells, start, length]);
        self.unless_ok(status)?;
        self.charge_parts(length);
        Ok((self.handed(), repr))
    }

    /// Cells of one element.
    fn cells_of(&mut self, list: ReprId) -> Result<Value, Refused> {
        let element = self.element(list)?;
        Ok(self.int(i64::from(self.unit.table.layouts.cells(element))))
    }

    /// What the elements hold behind their first cell, where that is `wanted`: values of results, or of
    /// optionals that are not `null`.
    fn payloads(&mut self, id: ExprId, list: ExprId, wanted: i64) -> Result<Typed, Refused> {
        let want = self.unit.table.repr(id)?;
        let made = self.element(want)?;
        let (list, repr) = self.own_value(list)?;
        let element = self.element(repr)?;
        let payload = match self.layout(element) {
            Repr::Variants(payloads) => payloads.get(wanted as usize).copied().flatten(),
            Repr::Optional(inner) => Some(inner),
            _ => None,
        };
        let payload = payload.ok_or(NOT_NATIVE)?;
        let (first, length) = Self::two(&list)?;
        self.charge_value(length);
        let cells = i64::from(self.unit.table.layouts.cells(made));
        let most = self.b.ins().imul_imm_s(length, cells);
        let start = self.allocate_value(most)?;
        let (to, count) = (self.b.declare_var(types::I64), self.b.declare_var(types::I64));
        self.b.def_var(to, start);
        let none = self.int(0);
        self.b.def_var(count, none);
        let open = self.open_list(&Val::Two(first, length), repr, None)?;
        let current = self.b.declare_var(types::I64);
        self.b.def_var(current, first);
        let stride = i64::from(self.unit.table.layouts.cells(element)) * i64::from(STEP);
        self.each_of(&open, &mut |fx, _, _, around| {
            let at = fx.b.use_var(current);
            let following = fx.b.ins().iadd_imm_s(at, stride);
            fx.b.def_var(current, following);
            let tag = fx.load(ReprId::INT, Place::new(at, 0));
            let fits = fx.b.ins().icmp_imm_s(IntCC::Equal, Self::one(&tag)?, wanted);
            let keep = fx.b.create_block();
            fx.b.ins().brif(fits, keep, &[], around.next, &[]);
            fx.continue_in(keep);
            let val = fx.load(payload, Place::new(at, STEP));
            let val = fx.coerce(val, payload, made)?;
            let room = fx.b.use_var(to);
            fx.store(&val, made, Place::new(room, 0))?;
            let (room, kept) = (fx.b.use_var(to), fx.b.use_var(count));
            let room = fx.b.ins().iadd_imm_s(room, cells * i64::from(STEP));
            let kept = fx.b.ins().iadd_imm_s(kept, 1);
            fx.b.def_var(to, room);
            fx.b.def_var(count, kept);
            Ok(())
        })?;
        let count = self.b.use_var(count);
        self.charge_parts(count);
        Ok((Val::Two(start, count), want))
    }
}
