//! Values while code is emitted: in registers, in memory, or not yet put together.

use cranelift_codegen::ir::{InstBuilder as _, MemFlagsData, Type, Value, types};

use super::Refused;
use super::fx::Fx;
use crate::arena::CELL;
use crate::helper::Helper;
use crate::layout::{ORIGIN_CELLS, Repr, ReprId};

/// Bytes of one cell, as an offset.
pub(super) const STEP: i32 = CELL as i32;

/// A value of a known representation.
#[derive(Clone, Debug)]
pub(super) enum Val {
    /// What fits one register; a `Bool` is 8 bits wide there.
    One(Value),
    /// A text, list, map or amount.
    Two(Value, Value),
    /// An optional that is `null`.
    Absent,
    /// An optional that is not.
    Present(Box<Val>),
    /// An optional that is `null` where the 8-bit value is 0; what it holds is looked at only where it is not.
    Either(Value, Box<Val>),
    /// A record or variant in memory.
    At(Place),
    /// A record that is not in memory.
    Fields(Vec<Val>),
    /// A variant that is not in memory.
    Variant(u32, Option<Box<Val>>),
}

/// An address.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    pub(super) base: Value,
    pub(super) offset: i32,
    /// Whether what lies there stays until the evaluation ends; else it is in the frame of the function.
    pub(super) stable: bool,
    /// Whether the cells are there wherever their address is known, and never change: then Cranelift chooses
    /// where they are read, which is where they are needed, and outside of loops that do not change them.
    pub(super) settled: bool,
}

impl Place {
    pub(super) const fn new(base: Value, offset: i32) -> Self {
        Self { base, offset, stable: true, settled: false }
    }

    /// An element of a list that is finished.
    pub(super) const fn element(base: Value) -> Self {
        Self { settled: true, ..Self::new(base, 0) }
    }

    const fn skip(self, cells: u32) -> Self {
        Self { offset: self.offset + cells as i32 * STEP, ..self }
    }
}

/// Accesses to cells: they are there, and aligned.
pub(super) const CELLS: MemFlagsData = MemFlagsData::trusted();
/// Accesses to two cells at once, which need not be aligned as a pair.
const PAIRS: MemFlagsData = MemFlagsData::new().with_notrap();
/// Accesses to what is settled.
const SETTLED: MemFlagsData = CELLS.with_readonly().with_can_move();

impl Fx<'_, '_, '_> {
    pub(super) fn layout(&self, repr: ReprId) -> Repr {
        self.unit.table.layouts.get(repr).clone()
    }

    fn cells(&self, repr: ReprId) -> u32 {
        self.unit.table.layouts.cells(repr)
    }

    /// The address of a place.
    pub(super) fn address(&mut self, place: Place) -> Value {
        if place.offset == 0 {
            place.base
        } else {
            self.b.ins().iadd_imm_s(place.base, i64::from(place.offset))
        }
    }

    /// The value of `repr` that lies at `place`.
    pub(super) fn load(&mut self, repr: ReprId, place: Place) -> Val {
        let Place { base, offset, settled, .. } = place;
        let flags = if settled { SETTLED } else { CELLS };
        match self.layout(repr) {
            Repr::Bool => Val::One(self.b.ins().load(types::I8, flags, base, offset)),
            Repr::Float => Val::One(self.b.ins().load(types::F64, flags, base, offset)),
            Repr::Int | Repr::Time | Repr::Duration | Repr::Opaque => {
                Val::One(self.b.ins().load(types::I64, flags, base, offset))
            }
            Repr::Text | Repr::List(_) | Repr::Map(_) | Repr::Amount => Val::Two(
                self.b.ins().load(types::I64, flags, base, offset),
                self.b.ins().load(types::I64, flags, base, offset + STEP),
            ),
            Repr::Optional(inner) => {
                let tag = self.b.ins().load(types::I8, flags, base, offset);
                Val::Either(tag, Box::new(self.load(inner, place.skip(1))))
            }
            Repr::Record(_) => Val::At(place),
            // Not settled: where an optional is `null`, this is no address.
            Repr::Boxed(_) => Val::At(Place::new(self.b.ins().load(types::I64, flags, base, offset), 0)),
            Repr::Variants(payloads) if payloads.iter().all(Option::is_none) => {
                Val::One(self.b.ins().load(types::I64, flags, base, offset))
            }
            Repr::Variants(_) => Val::At(place),
        }
    }

    /// Writes `val` of `repr` to `place`.
    pub(super) fn store(&mut self, val: &Val, repr: ReprId, place: Place) -> Result<(), Refused> {
        let Place { base, offset, .. } = place;
        match (val, self.layout(repr)) {
            (Val::One(value), Repr::Bool) => {
                let cell = self.b.ins().uextend(types::I64, *value);
                self.b.ins().store(CELLS, cell, base, offset);
            }
            (Val::One(value), _) => {
                self.b.ins().store(CELLS, *value, base, offset);
            }
            (Val::Two(first, second), _) => {
                self.b.ins().store(CELLS, *first, base, offset);
                self.b.ins().store(CELLS, *second, base, offset + STEP);
            }
            (Val::Absent, Repr::Optional(inner)) => {
                self.put(0, place);
                if inner == ReprId::TEXT {
                    self.put(0, place.skip(2));
                }
            }
            (Val::Present(inner), Repr::Optional(repr)) => {
                self.put(1, place);
                self.store(inner, repr, place.skip(1))?;
            }
            (Val::Either(tag, inner), Repr::Optional(repr)) => {
                let cell = self.b.ins().uextend(types::I64, *tag);
                self.b.ins().store(CELLS, cell, base, offset);
                if self.is_flat(inner, repr) {
                    self.store(inner, repr, place.skip(1))?;
                } else {
                    // What it holds may be nowhere at all.
                    let (present, after) = (self.b.create_block(), self.b.create_block());
                    self.b.ins().brif(*tag, present, &[], after, &[]);
                    self.continue_in(present);
                    self.store(inner, repr, place.skip(1))?;
                    self.b.ins().jump(after, &[]);
                    self.continue_in(after);
                }
            }
            (Val::At(from), Repr::Boxed(_)) if from.stable => {
                let address = self.address(*from);
                self.b.ins().store(CELLS, address, base, offset);
            }
            (_, Repr::Boxed(record)) => {
                let room = self.allocate(self.cells(record))?;
                self.store(val, record, Place::new(room, 0))?;
                self.b.ins().store(CELLS, room, base, offset);
            }
            (Val::At(from), Repr::Record(_) | Repr::Variants(_)) => {
                self.copy(*from, place, self.cells(repr));
            }
            (Val::Fields(fields), Repr::Record(reprs)) if fields.len() == reprs.len() => {
                // It comes from no value.
                self.put(0, place);
                let mut start = ORIGIN_CELLS;
                for (field, repr) in fields.iter().zip(reprs) {
                    self.store(field, repr, place.skip(start))?;
                    start += self.cells(repr);
                }
            }
            (Val::Variant(position, payload), Repr::Variants(reprs)) => {
                self.put(i64::from(*position), place);
                if let (Some(payload), Some(Some(repr))) = (payload, reprs.get(*position as usize)) {
                    self.store(payload, *repr, place.skip(1))?;
                }
            }
            _ => return Err(Refused::Malformed("a value is not of its representation")),
        }
        Ok(())
    }

    /// Whether writing the value reads no memory but its own.
    fn is_flat(&self, val: &Val, repr: ReprId) -> bool {
        match val {
            Val::At(place) => place.stable && matches!(self.layout(repr), Repr::Boxed(_)),
            Val::One(_) | Val::Two(..) => true,
            _ => false,
        }
    }

    fn put(&mut self, cell: i64, place: Place) {
        let cell = self.b.ins().iconst(types::I64, cell);
        self.b.ins().store(CELLS, cell, place.base, place.offset);
    }

    /// Copies cells; the places do not overlap.
    fn copy(&mut self, from: Place, to: Place, cells: u32) {
        let mut cell = 0;
        while cell < cells {
            let (ty, flags) = if cells - cell > 1 { (types::I8X16, PAIRS) } else { (types::I64, CELLS) };
            let (from, to) = (from.skip(cell), to.skip(cell));
            let value = self.b.ins().load(ty, flags, from.base, from.offset);
            self.b.ins().store(flags, value, to.base, to.offset);
            cell += ty.bytes() / CELL as u32;
        }
    }

    /// Room in the frame of the function, until the same code runs again.
    pub(super) fn slot(&mut self, cells: u32) -> Result<Place, Refused> {
        let base = self.frame_room(cells)?;
        Ok(Place { stable: false, ..Place::new(base, 0) })
    }

    /// The same value in memory.
    pub(super) fn in_memory(&mut self, val: &Val, repr: ReprId) -> Result<Place, Refused> {
        match (val, self.layout(repr)) {
            (Val::At(place), Repr::Record(_) | Repr::Variants(_)) => Ok(*place),
            _ => {
                let place = self.slot(self.cells(repr))?;
                self.store(val, repr, place)?;
                Ok(place)
            }
        }
    }

    /// The registers that values of `repr` pass from block to block in.
    pub(super) fn shape(&self, repr: ReprId) -> Vec<Type> {
        match self.layout(repr) {
            Repr::Bool => vec![types::I8],
            Repr::Float => vec![types::F64],
            Repr::Text | Repr::List(_) | Repr::Map(_) | Repr::Amount => vec![types::I64; 2],
            Repr::Optional(inner) => std::iter::once(types::I8).chain(self.shape(inner)).collect(),
            _ => vec![types::I64],
        }
    }

    /// The value in the registers of [`Fx::shape`], and whether what they refer to is stable.
    pub(super) fn explode(&mut self, val: &Val, repr: ReprId) -> Result<(Vec<Value>, bool), Refused> {
        let record = self.unit.table.layouts.unboxed(repr);
        match (val, self.layout(record)) {
            (Val::One(value), _) => Ok((vec![*value], true)),
            (Val::Two(first, second), _) => Ok((vec![*first, *second], true)),
            (Val::Absent, Repr::Optional(inner)) => {
                let mut values = vec![self.b.ins().iconst(types::I8, 0)];
                for ty in self.shape(inner) {
                    values.push(self.zero(ty));
                }
                Ok((values, true))
            }
            (Val::Present(held), Repr::Optional(inner)) => {
                let tag = self.b.ins().iconst(types::I8, 1);
                let (values, stable) = self.explode(held, inner)?;
                Ok((std::iter::once(tag).chain(values).collect(), stable))
            }
            (Val::Either(tag, held), Repr::Optional(inner)) => {
                let (values, stable) = self.explode(held, inner)?;
                Ok((std::iter::once(*tag).chain(values).collect(), stable))
            }
            (Val::Variant(position, None), Repr::Variants(payloads))
                if payloads.iter().all(Option::is_none) =>
            {
                Ok((vec![self.b.ins().iconst(types::I64, i64::from(*position))], true))
            }
            _ => {
                let place = self.in_memory(val, record)?;
                Ok((vec![self.address(place)], place.stable))
            }
        }
    }

    fn zero(&mut self, ty: Type) -> Value {
        if ty == types::F64 { self.b.ins().f64const(0.0) } else { self.b.ins().iconst(ty, 0) }
    }

    /// The value that the registers of [`Fx::shape`] hold.
    pub(super) fn implode(&self, values: &[Value], repr: ReprId, stable: bool) -> Result<Val, Refused> {
        let wrong = || Refused::Malformed("a value is not of its representation");
        Ok(match (self.layout(repr), values) {
            (Repr::Optional(inner), [tag, held @ ..]) => {
                Val::Either(*tag, Box::new(self.implode(held, inner, stable)?))
            }
            (Repr::Text | Repr::List(_) | Repr::Map(_) | Repr::Amount, [first, second]) => {
                Val::Two(*first, *second)
            }
            (Repr::Record(_) | Repr::Boxed(_), [base]) => Val::At(Place { stable, ..Place::new(*base, 0) }),
            (Repr::Variants(payloads), [base]) if payloads.iter().any(Option::is_some) => {
                Val::At(Place { stable, ..Place::new(*base, 0) })
            }
            (_, [value]) => Val::One(*value),
            _ => return Err(wrong()),
        })
    }

    /// The same value in another representation: into an optional, or of equal form.
    pub(super) fn coerce(&mut self, val: Val, from: ReprId, to: ReprId) -> Result<Val, Refused> {
        if from == to {
            return Ok(val);
        }
        let (is, wanted) = (self.unit.table.layouts.present(from), self.unit.table.layouts.present(to));
        match (val, is, wanted) {
            (Val::Absent, _, Some(_)) => Ok(Val::Absent),
            (Val::Present(held), Some(from), Some(to)) => {
                Ok(Val::Present(Box::new(self.coerce(*held, from, to)?)))
            }
            (val, None, Some(inner)) if from != ReprId::OPAQUE => {
                Ok(Val::Present(Box::new(self.coerce(val, from, inner)?)))
            }
            (val, ..) => self.rewritten(&val, from, to),
        }
    }

    /// The same value, by way of the interpreter's form.
    fn rewritten(&mut self, val: &Val, from: ReprId, to: ReprId) -> Result<Val, Refused> {
        if !self.unit.table.layouts.convertible(from, to) {
            return Err(Refused::Malformed("a value of one type stands where another is wanted"));
        }
        let input = self.slot(self.cells(from))?;
        self.store(val, from, input)?;
        let output = self.slot(self.cells(to))?;
        let [from, to_id] = [from, to].map(|repr| self.int(i64::from(repr.number())));
        let status = self.call(Helper::Rewrite, &[from, to_id, input.base, output.base]);
        self.unless_ok(status)?;
        Ok(self.load(to, output))
    }

    /// One register of a value that takes one.
    pub(super) fn one(val: &Val) -> Result<Value, Refused> {
        match val {
            Val::One(value) => Ok(*value),
            _ => Err(Refused::Malformed("a value takes one register")),
        }
    }

    /// Both registers of a value that takes two.
    pub(super) fn two(val: &Val) -> Result<(Value, Value), Refused> {
        match val {
            Val::Two(first, second) => Ok((*first, *second)),
            _ => Err(Refused::Malformed("a value takes two registers")),
        }
    }
}
