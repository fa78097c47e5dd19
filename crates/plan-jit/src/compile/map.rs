//! Functions of maps, which are lists of entries in key order.

use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{InstBuilder as _, Value};
use plan_ir::builtin::Builtin;
use plan_ir::expr::ExprId;

use super::Refused;
use super::expr::Typed;
use super::fx::Fx;
use super::list::NOT_NATIVE;
use super::val::Val;
use crate::helper::Helper;
use crate::layout::{ORIGIN_CELLS, ReprId};

impl Fx<'_, '_, '_> {
    pub(super) fn on_map(
        &mut self,
        id: ExprId,
        op: Builtin,
        map: ExprId,
        rest: &[ExprId],
        entry: ReprId,
    ) -> Result<Typed, Refused> {
        let want = self.unit.table.repr(id)?;
        let (map, _) = self.own_value(map)?;
        let (start, length) = Self::two(&map)?;
        match op {
            Builtin::Len => Ok((Val::One(length), ReprId::INT)),
            Builtin::IsEmpty => {
                Ok((Val::One(self.b.ins().icmp_imm_u(IntCC::Equal, length, 0)), ReprId::BOOL))
            }
            Builtin::Contains => {
                let at = self.found(start, length, rest, entry)?;
                Ok((Val::One(self.b.ins().icmp_imm_u(IntCC::NotEqual, at, 0)), ReprId::BOOL))
            }
            Builtin::Get => {
                let at = self.found(start, length, rest, entry)?;
                self.at_or_null(at, entry, want)
            }
            Builtin::Keys => self.column(start, length, entry, (ORIGIN_CELLS, 2), want),
            Builtin::Values => {
                let cells = self.unit.table.layouts.cells(entry);
                let (_, behind) = self.unit.table.layouts.entry_cells(entry);
                self.column(start, length, entry, (behind, cells), want)
            }
            Builtin::Entries => {
                // They lie there as the records they become.
                self.charge_value(length);
                let parts = self.b.ins().imul_imm_s(length, 3);
                self.charge_parts(parts);
                Ok((map, want))
            }
            _ => Err(NOT_NATIVE),
        }
    }

    /// The address of the value of a key, or 0.
    fn found(
        &mut self,
        start: Value,
        length: Value,
        rest: &[ExprId],
        entry: ReprId,
    ) -> Result<Value, Refused> {
        let key = self.argument(rest, ReprId::TEXT)?;
        let (key, key_len) = Self::two(&key)?;
        self.charge_scan(key_len);
        let cells = self.int(i64::from(self.unit.table.layouts.entry_cells(entry).0));
        let at = self.call(Helper::Find, &[start, length, cells, key, key_len]);
        at.ok_or(Refused::Malformed("an address"))
    }

    /// Some cells of each entry, as a list.
    fn column(
        &mut self,
        start: Value,
        length: Value,
        entry: ReprId,
        (first, cells): (u32, u32),
        want: ReprId,
    ) -> Result<Typed, Refused> {
        self.charge_value(length);
        let (stride, _) = self.unit.table.layouts.entry_cells(entry);
        let [stride, first, cells] = [stride, first, cells].map(|count| self.int(i64::from(count)));
        let status = self.call(Helper::Column, &[start, length, stride, first, cells]);
        self.unless_ok(status)?;
        self.charge_parts(length);
        Ok((self.handed(), want))
    }
}
