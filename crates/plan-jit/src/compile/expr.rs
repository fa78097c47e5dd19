//! From an expression to its value, by kind.

use std::sync::Arc;

use cranelift_codegen::ir::{InstBuilder as _, Value, types};
use plan_ir::expr::{BinaryOp, Expr, ExprId, UnaryOp, Widening};
use schema::value::Value as Constant;

use super::Refused;
use super::call::Source;
use super::fx::Fx;
use super::table::Way;
use super::val::{Place, Val};
use crate::layout::{Repr, ReprId};

/// A value with its representation.
pub(super) type Typed = (Val, ReprId);

impl<'p> Fx<'_, 'p, '_> {
    /// The value of the expression as `want`.
    pub(super) fn value(&mut self, id: ExprId, want: ReprId) -> Result<Val, Refused> {
        self.enter()?;
        let val = self.value_inner(id, want)?;
        self.leave();
        Ok(val)
    }

    /// The value of the expression in the representation of its type.
    pub(super) fn own_value(&mut self, id: ExprId) -> Result<Typed, Refused> {
        let repr = self.unit.table.repr(id)?;
        Ok((self.value(id, repr)?, repr))
    }

    /// A condition, in a register of 8 bits.
    pub(super) fn condition(&mut self, id: ExprId) -> Result<Value, Refused> {
        let val = self.value(id, ReprId::BOOL)?;
        Self::one(&val)
    }

    fn value_inner(&mut self, id: ExprId, want: ReprId) -> Result<Val, Refused> {
        let expr = self.unit.table.expr(id)?;
        match self.unit.table.way(id)? {
            Way::Native => {}
            Way::Operands => {
                let (val, repr) = self.interpreted(id, expr)?;
                return self.coerce(val, repr, want);
            }
            Way::Subtree => {
                let (val, repr) = self.interpreted_whole(id)?;
                return self.coerce(val, repr, want);
            }
        }
        // What has its value from a part hands on what is wanted of it.
        match expr {
            Expr::Let { local, value, body } => {
                let (val, repr) = self.own_value(*value)?;
                self.bind(*local, val, repr)?;
                let val = self.value(*body, want)?;
                self.unbind(*local);
                Ok(val)
            }
            Expr::If { condition, then, otherwise } => self.choice(*condition, *then, *otherwise, want),
            Expr::Match { scrutinee, arms } => self.matching(*scrutinee, arms, want),
            Expr::Widen(inner, Widening::Identity) => self.value(*inner, want),
            Expr::Binary(BinaryOp::Coalesce, left, right) => self.coalesce(*left, *right, want),
            // A literal is laid out as what is wanted: `null` and `[]` have no type of their own.
            Expr::Const(value) => self.constant(id, value, want),
            Expr::List(items) if self.unit.table.layouts.element(want).is_some() => {
                self.list_of(items, want).map(|(val, _)| val)
            }
            _ => {
                let (val, repr) = self.operation(id, expr)?;
                self.coerce(val, repr, want)
            }
        }
    }

    fn operation(&mut self, id: ExprId, expr: &'p Expr) -> Result<Typed, Refused> {
        let own = self.unit.table.repr(id)?;
        match expr {
            Expr::Const(value) => Ok((self.constant(id, value, own)?, own)),
            Expr::Local(local) => {
                let bound = self.locals.get(local).cloned();
                let bound = bound.ok_or(Refused::Malformed("a local is read where it is not bound"))?;
                Ok((bound.val, bound.repr))
            }
            Expr::Param(_) | Expr::Node(_) | Expr::Item(_) | Expr::Bound(..) => {
                Ok((self.input(Source::of(expr)?, own)?, own))
            }
            Expr::Field { record, index, optional } => self.field(*record, *index, *optional, own),
            Expr::Index { list, index } => self.index(id, *list, *index),
            Expr::Unary(UnaryOp::Not, operand) => {
                let operand = self.condition(*operand)?;
                Ok((Val::One(self.negated(operand)), ReprId::BOOL))
            }
            Expr::Unary(UnaryOp::Negate, operand) => self.negation(id, *operand),
            Expr::Binary(op, left, right) => self.binary(id, *op, *left, *right),
            Expr::Record(_, fields) => self.record(fields, own),
            Expr::List(items) => self.list_of(items, own),
            Expr::Variant(place, payload) => {
                let payload = match payload {
                    Some(payload) => Some(self.payload(*place, *payload, own)?),
                    None => None,
                };
                self.charge_known_parts(1);
                Ok((Val::Variant(*place, payload), own))
            }
            Expr::Widen(inner, Widening::Inject(place)) => {
                let payload = self.payload(*place, *inner, own)?;
                self.charge_known_parts(1);
                Ok((Val::Variant(*place, Some(payload)), own))
            }
            Expr::Widen(inner, Widening::IntToFloat) => {
                let inner = self.value(*inner, ReprId::INT)?;
                let inner = Self::one(&inner)?;
                Ok((Val::One(self.b.ins().fcvt_from_sint(types::F64, inner)), ReprId::FLOAT))
            }
            Expr::Template(parts) => self.template(id, parts),
            Expr::Builtin { op, args, lambda } => self.builtin(id, *op, args, lambda.as_ref()),
            Expr::Apply(function, args) => self.apply(*function, args),
            Expr::Let { .. }
            | Expr::If { .. }
            | Expr::Match { .. }
            | Expr::Map(_)
            | Expr::Cast(_)
            | Expr::DecodeText(_)
            | Expr::Widen(_, Widening::Identity | Widening::ToJson) => {
                Err(Refused::Malformed("an expression that is not native"))
            }
        }
    }

    /// A literal: small ones in the code, others in memory that lives as long as the code.
    pub(super) fn constant(&mut self, id: ExprId, value: &Constant, repr: ReprId) -> Result<Val, Refused> {
        Ok(match (self.layout(repr), value) {
            (Repr::Bool, Constant::Bool(value)) => {
                Val::One(self.b.ins().iconst(types::I8, i64::from(*value)))
            }
            (Repr::Int, Constant::Int(value))
            | (Repr::Time, Constant::Time(value))
            | (Repr::Duration, Constant::Duration(value)) => Val::One(self.int(*value)),
            (Repr::Float, Constant::Float(value)) if crate::cells::is_plain(*value) => {
                Val::One(self.b.ins().f64const(*value))
            }
            (Repr::Text, Constant::String(text)) => self.literal_text(text)?,
            (Repr::Optional(_), Constant::Null) => Val::Absent,
            (Repr::Optional(inner), value) => Val::Present(Box::new(self.constant(id, value, inner)?)),
            (Repr::Variants(payloads), Constant::Variant(place, None))
                if payloads.get(*place as usize) == Some(&None) =>
            {
                Val::Variant(*place, None)
            }
            (layout, value) => {
                let literal = self.unit.constant(id, value, repr)?;
                match layout {
                    // Both cells are known now.
                    Repr::Text | Repr::List(_) | Repr::Map(_) | Repr::Amount => {
                        let [first, second] = literal.cells;
                        Val::Two(self.int(first), self.int(second))
                    }
                    _ => {
                        let base = self.int(literal.address);
                        self.load(repr, Place::new(base, 0))
                    }
                }
            }
        })
    }

    /// A text that is known.
    pub(super) fn literal_text(&mut self, text: &Arc<str>) -> Result<Val, Refused> {
        let (at, length) = self.unit.text(text)?;
        let at = self.int(at);
        self.known_texts.insert(at, Arc::clone(text));
        Ok(Val::Two(at, self.int(length)))
    }

    fn payload(&mut self, place: u32, payload: ExprId, repr: ReprId) -> Result<Box<Val>, Refused> {
        let wanted = match self.layout(repr) {
            Repr::Variants(payloads) => payloads.get(place as usize).copied().flatten(),
            _ => None,
        };
        let wanted = wanted.ok_or(Refused::Malformed("a variant without a payload gets one"))?;
        self.value(payload, wanted).map(Box::new)
    }

    fn record(&mut self, fields: &[ExprId], repr: ReprId) -> Result<Typed, Refused> {
        let Repr::Record(reprs) = self.layout(self.unit.table.layouts.unboxed(repr)) else {
            return Err(Refused::Malformed("a record is of another type"));
        };
        let mut values = Vec::with_capacity(fields.len());
        for (field, repr) in fields.iter().zip(reprs) {
            values.push(self.value(*field, repr)?);
        }
        self.charge_known_parts(values.len());
        Ok((Val::Fields(values), repr))
    }

    fn field(&mut self, record: ExprId, index: u32, optional: bool, own: ReprId) -> Result<Typed, Refused> {
        let (val, repr) = self.own_value(record)?;
        match self.unit.table.layouts.present(repr) {
            Some(present) if optional => self.optional_field(val, present, index, own),
            _ => self.field_of(&val, repr, index),
        }
    }

    fn field_of(&mut self, val: &Val, repr: ReprId, index: u32) -> Result<Typed, Refused> {
        let field = self.unit.table.layouts.field(repr, index);
        let (field, start) = field.ok_or(Refused::Malformed("a record has no such field"))?;
        self.unit.needs.add(self.unit.table.layouts.unboxed(repr), index);
        let val = match val {
            Val::Fields(fields) => fields.get(index as usize).cloned(),
            Val::At(place) => {
                let offset = place.offset + start as i32 * super::val::STEP;
                Some(self.load(field, Place { offset, ..*place }))
            }
            _ => None,
        };
        Ok((val.ok_or(Refused::Malformed("a field is read of something that is no record"))?, field))
    }

    /// A field of a record that may be `null`, as is then the field.
    fn optional_field(
        &mut self,
        val: Val,
        record: ReprId,
        index: u32,
        own: ReprId,
    ) -> Result<Typed, Refused> {
        match val {
            Val::Absent => Ok((self.null(own)?, own)),
            Val::Present(record_val) => {
                let (field, repr) = self.field_of(&record_val, record, index)?;
                Ok((self.coerce(field, repr, own)?, own))
            }
            Val::Either(tag, record_val) => {
                let (present, absent) = (self.b.create_block(), self.b.create_block());
                let mut join = self.join(own);
                self.b.ins().brif(tag, present, &[], absent, &[]);
                self.continue_in(present);
                let (field, repr) = self.field_of(&record_val, record, index)?;
                let field = self.coerce(field, repr, own)?;
                self.join_with(&mut join, &field)?;
                self.continue_in(absent);
                let null = self.null(own)?;
                self.join_with(&mut join, &null)?;
                Ok((self.joined(&join)?, own))
            }
            _ => Err(Refused::Malformed("a field is read of something that is no record")),
        }
    }

    /// `null` as `repr`.
    pub(super) fn null(&mut self, repr: ReprId) -> Result<Val, Refused> {
        match self.layout(repr) {
            Repr::Optional(_) => Ok(Val::Absent),
            Repr::Opaque => Ok(Val::One(self.int(self.unit.null_address()))),
            _ => Err(Refused::Malformed("a type without null has none")),
        }
    }
}
