//! Templates and the functions of text.

use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{InstBuilder as _, Value, types};
use plan_ir::builtin::Builtin;
use plan_ir::expr::{Expr, ExprId};
use schema::value::Value as Constant;

use super::Refused;
use super::expr::Typed;
use super::fx::Fx;
use super::table::{Table, Way};
use super::val::{CELLS, STEP, Val};
use crate::helper::{Helper, Rows};
use crate::layout::ReprId;

/// Parts of a text that are put together in the frame of the function.
const FRAME_PARTS_MAX: usize = 32;

/// Address and length of a text.
pub(super) type Text = (Value, Value);

impl Fx<'_, '_, '_> {
    pub(super) fn template(&mut self, id: ExprId, parts: &[ExprId]) -> Result<Typed, Refused> {
        let shown = self.template_parts(id, parts)?;
        Ok((self.concat(&shown)?, ReprId::TEXT))
    }

    /// The parts of a template as texts, charged for.
    fn template_parts(&mut self, id: ExprId, parts: &[ExprId]) -> Result<Vec<Text>, Refused> {
        let mut shown = Vec::with_capacity(parts.len());
        for part in parts {
            let text = if self.unit.table.shows(*part)? {
                let text = self.shown(*part)?;
                self.charge_text(text.1);
                text
            } else {
                let text = self.shown_by_interpreter(id, *part)?;
                Self::two(&text)?
            };
            shown.push(text);
        }
        Ok(shown)
    }

    /// `join` of a list that a loop makes of a template: the parts of all texts are put together at once.
    /// `None` where the list or the separator is of another kind.
    pub(super) fn joined_templates(
        &mut self,
        list: ExprId,
        separator: ExprId,
    ) -> Result<Option<Typed>, Refused> {
        let table = &self.unit.table;
        let (
            Expr::Builtin { op: Builtin::Map, args, lambda: Some(lambda) },
            Expr::Const(Constant::String(separator)),
        ) = (table.expr(list)?, table.expr(separator)?)
        else {
            return Ok(None);
        };
        let (Expr::Template(parts), [inner]) = (table.expr(lambda.body)?, args.as_slice()) else {
            return Ok(None);
        };
        if table.way(list)? != Way::Native || parts.is_empty() || parts.len() > FRAME_PARTS_MAX {
            return Ok(None);
        }
        // A text stands behind the separator, and a template mostly starts with a text: they are one part.
        let (before, rest) = match parts.split_first() {
            Some((first, rest)) => match table.expr(*first)? {
                Expr::Const(Constant::String(head)) => (format!("{separator}{head}"), rest),
                _ => (separator.to_string(), parts.as_slice()),
            },
            None => return Ok(None),
        };
        let pipeline = self.pipeline(*inner, Some(lambda))?;
        let open = self.open(&pipeline, Some(lambda))?;
        let head_len = before.len() - separator.len();
        let before = self.literal_text(&before.into())?;
        let (between, between_len) = Self::two(&before)?;
        let cells = self.b.ins().imul_imm_s(open.length, 2 * rest.len() as i64);
        let start = self.allocate_value(cells)?;
        let (to, total) = (self.b.declare_var(types::I64), self.b.declare_var(types::I64));
        self.b.def_var(to, start);
        let none = self.int(0);
        self.b.def_var(total, none);
        self.each(&pipeline, &open, Some(lambda), &mut |fx, val, repr, _| {
            let param = Table::param(lambda).ok_or(super::list::NOT_NATIVE)?;
            if head_len > 0 {
                let head = fx.int(head_len as i64);
                fx.charge_text(head);
            }
            fx.bind(param, val.clone(), repr)?;
            let shown = fx.template_parts(lambda.body, rest)?;
            fx.unbind(param);
            let (at, mut bytes) = (fx.b.use_var(to), fx.b.use_var(total));
            let mut offset = 0;
            for (text, length) in shown {
                fx.b.ins().store(CELLS, text, at, offset);
                fx.b.ins().store(CELLS, length, at, offset + STEP);
                bytes = fx.b.ins().iadd(bytes, length);
                offset += 2 * STEP;
            }
            let at = fx.b.ins().iadd_imm_s(at, i64::from(offset));
            fx.b.def_var(to, at);
            fx.b.def_var(total, bytes);
            Ok(())
        })?;
        let count = self.count(&open);
        // The list that the interpreter makes, and going through it.
        self.charge_parts(count);
        self.charge_value(count);
        // Before the first text stands no separator.
        let (skipped, none) = (self.int(separator.len() as i64), self.int(0));
        let skipped = self.b.ins().select(count, skipped, none);
        let (heads, texts) = (self.b.ins().imul(count, between_len), self.b.use_var(total));
        let total = self.b.ins().iadd(heads, texts);
        let total = self.b.ins().isub(total, skipped);
        let per_row = self.int(rest.len() as i64);
        let rows = self.frame_room(Rows::CELLS)?;
        let cells = [start, count, per_row, between, between_len, skipped, total];
        for (cell, offset) in cells.into_iter().zip((0..).step_by(STEP as usize)) {
            self.b.ins().store(CELLS, cell, rows, offset);
        }
        let status = self.call(Helper::ConcatRows, &[rows]);
        self.unless_ok(status)?;
        self.new_text().map(Some)
    }

    /// A scalar as a template shows it.
    fn shown(&mut self, part: ExprId) -> Result<Text, Refused> {
        let (val, repr) = self.own_value(part)?;
        let helper = match repr {
            ReprId::TEXT => return Self::two(&val),
            ReprId::BOOL => {
                let value = Self::one(&val)?;
                let [yes, no] = ["true", "false"].map(|text| self.unit.text(&text.into()));
                let ((yes, yes_len), (no, no_len)) = (yes?, no?);
                let (yes, no) = (self.int(yes), self.int(no));
                let (yes_len, no_len) = (self.int(yes_len), self.int(no_len));
                let at = self.b.ins().select(value, yes, no);
                return Ok((at, self.b.ins().select(value, yes_len, no_len)));
            }
            ReprId::FLOAT => Helper::ShowFloat,
            _ => Helper::ShowInt,
        };
        let status = self.call(helper, &[Self::one(&val)?]);
        self.unless_ok(status)?;
        let text = self.handed();
        Self::two(&text)
    }

    /// One text of several; what they take together is charged by the caller.
    pub(super) fn concat(&mut self, parts: &[Text]) -> Result<Val, Refused> {
        if let [(at, length)] = parts {
            return Ok(Val::Two(*at, *length));
        }
        let cells = u32::try_from(2 * parts.len()).map_err(|_| Refused::Limit("a template is too long"))?;
        let base =
            if parts.len() <= FRAME_PARTS_MAX { self.frame_room(cells)? } else { self.allocate(cells)? };
        let mut offset = 0;
        for (at, length) in parts {
            self.b.ins().store(CELLS, *at, base, offset);
            self.b.ins().store(CELLS, *length, base, offset + STEP);
            offset += 2 * STEP;
        }
        let (count, nothing) = (self.int(i64::from(cells / 2)), self.int(0));
        let total = parts.iter().fold(nothing, |total, (_, length)| self.b.ins().iadd(total, *length));
        let status = self.call(Helper::Concat, &[base, count, total]);
        self.unless_ok(status)?;
        Ok(self.handed())
    }

    /// The functions of text. The text is charged for when they start.
    pub(super) fn on_text(&mut self, op: Builtin, receiver: &Val, args: &[ExprId]) -> Result<Typed, Refused> {
        let (at, length) = Self::two(receiver)?;
        let args = args.iter().map(|arg| self.own_value(*arg)).collect::<Result<Vec<_>, _>>()?;
        self.charge_scan(length);
        let answer = |value: Option<Value>, repr| {
            value.map(|value| (Val::One(value), repr)).ok_or(Refused::Malformed("an answer"))
        };
        match (op, args.as_slice()) {
            (Builtin::Len, []) => {
                let count = self.call(Helper::TextLen, &[at, length]);
                answer(count, ReprId::INT)
            }
            (Builtin::IsEmpty, []) => {
                Ok((Val::One(self.b.ins().icmp_imm_u(IntCC::Equal, length, 0)), ReprId::BOOL))
            }
            (Builtin::Take | Builtin::Skip, [(n, _)]) => {
                let helper = if op == Builtin::Take { Helper::TextTake } else { Helper::TextSkip };
                self.call(helper, &[at, length, Self::one(n)?]);
                self.new_text()
            }
            (Builtin::Trim, []) => {
                self.call(Helper::TextTrim, &[at, length]);
                self.new_text()
            }
            (Builtin::Folded | Builtin::Normalize, []) => {
                let (helper, steps) = match op {
                    Builtin::Folded => (Helper::TextFolded, 1),
                    _ => (Helper::TextNormalize, 4),
                };
                self.charge_times(steps, length);
                let status = self.call(helper, &[at, length]);
                self.unless_ok(status)?;
                self.new_text()
            }
            (Builtin::Contains | Builtin::StartsWith | Builtin::EndsWith, [(part, _)]) => {
                let (part, part_len) = Self::two(part)?;
                let helper = match op {
                    Builtin::StartsWith => Helper::TextStartsWith,
                    Builtin::EndsWith => Helper::TextEndsWith,
                    _ => {
                        self.charge_scan(part_len);
                        Helper::TextContains
                    }
                };
                let found = self.call(helper, &[at, length, part, part_len]);
                answer(found, ReprId::BOOL)
            }
            _ => Err(super::list::NOT_NATIVE),
        }
    }

    /// The text that a helper handed back, charged as a new one.
    fn new_text(&mut self) -> Result<Typed, Refused> {
        let text = self.handed();
        let (_, length) = Self::two(&text)?;
        self.charge_text(length);
        Ok((text, ReprId::TEXT))
    }
}
