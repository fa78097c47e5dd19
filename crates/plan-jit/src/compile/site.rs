//! Places where native code hands an expression to the interpreter.
//!
//! The operands that native code has evaluated become locals of a copy of the expression, in a table that
//! is the plan's with such copies behind it. So the interpreter sees a plain expression, and what it means
//! and charges is said in one place.

use std::collections::BTreeSet;

use plan_ir::expr::{Expr, ExprId, LocalId, Pattern};

use super::Refused;
use super::expr::Typed;
use super::fx::Fx;
use super::val::{Place, STEP, Val};
use crate::helper::Helper;
use crate::native::Site;

impl Fx<'_, '_, '_> {
    /// An expression by the interpreter, its operands by native code.
    pub(super) fn interpreted(&mut self, id: ExprId, expr: &Expr) -> Result<Typed, Refused> {
        let mut operands = Vec::new();
        expr.each_operand(|operand| operands.push(operand));
        let mut values = Vec::with_capacity(operands.len());
        for operand in &operands {
            values.push(self.own_value(*operand)?);
        }
        let (mut locals, mut first) = (Vec::new(), 0);
        if let Some(lambda) = expr.lambda() {
            (locals, first) = self.captured(lambda.body, &lambda.params)?;
        }
        let copies = (first..).map(LocalId).zip(&operands);
        let copies = copies.map(|(local, operand)| self.unit.shadow(Expr::Local(local), *operand));
        let copies = copies.collect::<Result<Vec<_>, _>>()?;
        let shadow = self.unit.shadow(with_operands(expr, &copies)?, id)?;
        let frame = first.saturating_add(u32::try_from(values.len()).unwrap_or(u32::MAX));
        locals.extend((first..).map(LocalId).zip(values));
        self.site(shadow, id, locals, frame)
    }

    /// An expression by the interpreter, with everything below it.
    pub(super) fn interpreted_whole(&mut self, id: ExprId) -> Result<Typed, Refused> {
        let (locals, frame) = self.captured(id, &[])?;
        self.site(id, id, locals, frame)
    }

    /// A part of the template `id` as the interpreter shows it; it charges for it, too.
    pub(super) fn shown_by_interpreter(&mut self, id: ExprId, part: ExprId) -> Result<Val, Refused> {
        let value = self.own_value(part)?;
        let copy = self.unit.shadow(Expr::Local(LocalId(0)), part)?;
        let shadow = self.unit.shadow(Expr::Template(vec![copy]), id)?;
        self.site(shadow, id, vec![(LocalId(0), value)], 1).map(|(val, _)| val)
    }

    /// The locals that are bound here and read below `root`, and the first that is free there.
    fn captured(&self, root: ExprId, params: &[LocalId]) -> Result<(Vec<(LocalId, Typed)>, u32), Refused> {
        let (mut read, mut bound) = (BTreeSet::new(), params.iter().copied().collect::<BTreeSet<_>>());
        self.unit.table.each_below(root, |_, expr| {
            match expr {
                Expr::Local(local) => {
                    read.insert(*local);
                }
                Expr::Let { local, .. } => {
                    bound.insert(*local);
                }
                Expr::Match { arms, .. } => {
                    arms.iter().for_each(|arm| binders(&arm.pattern, &mut bound));
                }
                _ => bound.extend(expr.lambda().into_iter().flat_map(|lambda| lambda.params.iter().copied())),
            }
            Ok(())
        })?;
        if bound.iter().any(|local| self.locals.contains_key(local)) {
            return Err(Refused::Malformed("a local is bound twice"));
        }
        let last = read.iter().chain(&bound).max();
        if last.is_some_and(|last| last.0 >= self.frame) {
            return Err(Refused::Malformed("a local outside its frame"));
        }
        let free = last.map_or(0, |last| last.0 + 1);
        let locals = read.into_iter().filter_map(|local| {
            self.locals.get(&local).map(|bound| (local, (bound.val.clone(), bound.repr)))
        });
        Ok((locals.collect(), free))
    }

    fn site(
        &mut self,
        expr: ExprId,
        original: ExprId,
        locals: Vec<(LocalId, Typed)>,
        frame: u32,
    ) -> Result<Typed, Refused> {
        let result = self.unit.table.repr(original)?;
        let layouts = &self.unit.table.layouts;
        let cells: u32 = locals.iter().map(|(_, (_, repr))| layouts.cells(*repr)).sum();
        let out_cells = layouts.cells(result);
        let input = self.slot(cells)?;
        let mut offset = 0;
        for (_, (val, repr)) in &locals {
            self.store(val, *repr, Place { offset, ..input })?;
            offset += self.unit.table.layouts.cells(*repr) as i32 * STEP;
        }
        let out = self.slot(out_cells)?;
        let operands = locals.iter().map(|(local, (_, repr))| (*local, *repr)).collect();
        let number = self.unit.site(Site { expr, original, operands, frame, result });
        let number = self.int(number);
        let status = self.call(Helper::Interpret, &[number, input.base, out.base]);
        self.unless_ok(status)?;
        Ok((self.load(result, out), result))
    }
}

fn binders(pattern: &Pattern, bound: &mut BTreeSet<LocalId>) {
    match pattern {
        Pattern::Bind(local) => {
            bound.insert(*local);
        }
        Pattern::Variant(_, Some(inner)) | Pattern::Present(inner) => binders(inner, bound),
        Pattern::Any | Pattern::Literal(_) | Pattern::Variant(_, None) => {}
    }
}

/// The expression with other operands, in the order of [`Expr::each_operand`].
fn with_operands(expr: &Expr, operands: &[ExprId]) -> Result<Expr, Refused> {
    let wrong = Refused::Malformed("an expression whose parts are not operands");
    Ok(match (expr, operands) {
        (Expr::Field { index, optional, .. }, [record]) => {
            Expr::Field { record: *record, index: *index, optional: *optional }
        }
        (Expr::Index { .. }, [list, index]) => Expr::Index { list: *list, index: *index },
        (Expr::Unary(op, _), [operand]) => Expr::Unary(*op, *operand),
        (Expr::Binary(op, ..), [left, right]) => Expr::Binary(*op, *left, *right),
        (Expr::Record(def, _), fields) => Expr::Record(*def, fields.to_vec()),
        (Expr::List(_), items) => Expr::List(items.to_vec()),
        (Expr::Map(_), entries) => {
            let pairs = entries.chunks_exact(2).filter_map(|pair| match pair {
                [key, value] => Some((*key, *value)),
                _ => None,
            });
            Expr::Map(pairs.collect())
        }
        (Expr::Variant(place, _), payload) => Expr::Variant(*place, payload.first().copied()),
        (Expr::Template(_), parts) => Expr::Template(parts.to_vec()),
        (Expr::Cast(_), [inner]) => Expr::Cast(*inner),
        (Expr::DecodeText(_), [inner]) => Expr::DecodeText(*inner),
        (Expr::Widen(_, widening), [inner]) => Expr::Widen(*inner, *widening),
        (Expr::Builtin { op, lambda, .. }, args) => {
            Expr::Builtin { op: *op, args: args.to_vec(), lambda: lambda.clone() }
        }
        _ => return Err(wrong),
    })
}
