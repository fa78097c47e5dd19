//! Functions that order or group by a key: a loop writes the keys, a helper does the rest.

use cranelift_codegen::ir::{InstBuilder as _, Value, types};
use plan_ir::builtin::Builtin;
use plan_ir::expr::{ExprId, Lambda};

use super::Refused;
use super::expr::Typed;
use super::fx::Fx;
use super::val::{Place, STEP, Val};
use crate::helper::{Helper, KeyKind};
use crate::layout::{Repr, ReprId};

/// A list and a key for each of its elements.
struct Keyed {
    start: Value,
    length: Value,
    /// Address of the first key.
    keys: Value,
    element: ReprId,
}

impl<'p> Fx<'_, 'p, '_> {
    /// The keys of a list's elements.
    fn keyed(&mut self, list: ExprId, lambda: &'p Lambda) -> Result<Keyed, Refused> {
        let (list, repr) = self.own_value(list)?;
        self.keyed_value(&list, repr, lambda)
    }

    fn keyed_value(&mut self, list: &Val, repr: ReprId, lambda: &'p Lambda) -> Result<Keyed, Refused> {
        let key = self.unit.table.repr(lambda.body)?;
        let open = self.open_list(list, repr, Some(lambda))?;
        let cells = i64::from(self.unit.table.layouts.cells(key));
        let room = self.b.ins().imul_imm_s(open.length, cells);
        let keys = self.allocate_value(room)?;
        let to = self.b.declare_var(types::I64);
        self.b.def_var(to, keys);
        self.each_of(&open, &mut |fx, val, repr, _| {
            let val = fx.applied(lambda, val.clone(), repr, key)?;
            let at = fx.b.use_var(to);
            fx.store(&val, key, Place::new(at, 0))?;
            let next = fx.b.ins().iadd_imm_s(at, cells * i64::from(STEP));
            fx.b.def_var(to, next);
            Ok(())
        })?;
        Ok(Keyed { start: open.start, length: open.length, keys, element: open.element })
    }

    /// `sort_by`.
    pub(super) fn sorted_by(
        &mut self,
        id: ExprId,
        list: ExprId,
        lambda: &'p Lambda,
    ) -> Result<Typed, Refused> {
        let keyed = self.keyed(list, lambda)?;
        let key = self.unit.table.repr(lambda.body)?;
        let all = keyed.length;
        self.in_order(id, &keyed, key, all, false)
    }

    /// `sort`: the elements are the keys.
    pub(super) fn sorted(&mut self, id: ExprId, list: ExprId) -> Result<Typed, Refused> {
        let (list, repr) = self.own_value(list)?;
        let (start, length) = Self::two(&list)?;
        self.charge_value(length);
        let element = self.element(repr)?;
        let keyed = Keyed { start, length, keys: start, element };
        self.in_order(id, &keyed, element, length, false)
    }

    /// `top`: its number is evaluated before the keys are.
    pub(super) fn top(
        &mut self,
        id: ExprId,
        list: ExprId,
        n: ExprId,
        lambda: &'p Lambda,
    ) -> Result<Typed, Refused> {
        let (receiver, repr) = self.own_value(list)?;
        let n = self.value(n, ReprId::INT)?;
        let n = Self::one(&n)?;
        let keyed = self.keyed_value(&receiver, repr, lambda)?;
        let key = self.unit.table.repr(lambda.body)?;
        let zero = self.int(0);
        let n = self.b.ins().smax(n, zero);
        let n = self.b.ins().umin(n, keyed.length);
        self.in_order(id, &keyed, key, n, true)
    }

    /// The first `count` elements in the order of their keys.
    fn in_order(
        &mut self,
        id: ExprId,
        keyed: &Keyed,
        key: ReprId,
        count: Value,
        largest_first: bool,
    ) -> Result<Typed, Refused> {
        let want = self.unit.table.repr(id)?;
        let kind = match self.layout(key) {
            Repr::Float => KeyKind::Float,
            Repr::Text => KeyKind::Text,
            _ => KeyKind::Int,
        };
        let order = self.int(kind.number(largest_first));
        let cells = self.int(i64::from(self.unit.table.layouts.cells(keyed.element)));
        let args = [order, keyed.keys, keyed.length, keyed.start, cells, count];
        let status = self.call(Helper::Sort, &args);
        self.unless_ok(status)?;
        let sorted = self.handed();
        let (_, count) = Self::two(&sorted)?;
        self.charge_parts(count);
        let list = self.unit.table.layouts.list(keyed.element);
        Ok((self.coerce(sorted, list, want)?, want))
    }

    /// `group_by` and `key_by`.
    pub(super) fn grouped(
        &mut self,
        id: ExprId,
        op: Builtin,
        list: ExprId,
        lambda: &'p Lambda,
    ) -> Result<Typed, Refused> {
        let want = self.unit.table.repr(id)?;
        let keyed = self.keyed(list, lambda)?;
        let cells = self.int(i64::from(self.unit.table.layouts.cells(keyed.element)));
        let helper = if op == Builtin::GroupBy { Helper::GroupBy } else { Helper::KeyBy };
        let status = self.call(helper, &[keyed.keys, keyed.length, keyed.start, cells]);
        self.unless_ok(status)?;
        let map = self.handed();
        let (_, entries) = Self::two(&map)?;
        if op == Builtin::GroupBy {
            self.charge_parts(keyed.length);
        }
        self.charge_parts(entries);
        Ok((map, want))
    }
}
