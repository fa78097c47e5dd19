//! How values lie in memory: a type of a plan becomes a `Repr`, a number of 8-byte cells with fixed
//! places for its parts.
//!
//! | type | cells |
//! |---|---|
//! | `Bool Int Float Time Duration` | the value |
//! | `String Url` | address and length of UTF-8 bytes |
//! | `Amount` | units, currency |
//! | `[T]` | address of the first element and their number; elements lie side by side |
//! | `{String: T}` | as a list of records of a key and a `T`, in key order |
//! | `T?` | 0 or 1, then the cells of `T`; of a text that is `null`, the length is 0 |
//! | a record of up to [`INLINE_CELLS`] | its origin, then its fields in order |
//! | a larger one | address of such cells |
//! | an enum, `Result` | the variant's position, then the cells of the largest payload |
//! | `Json Bytes`, recursive types | address of a [`schema::value::Value`] |
//!
//! A representation says how a value looks, not which values are admitted: ranges are gone, and two records
//! of the same fields are one representation. So wherever the interpreter sees equal [`Value`]s, equal
//! cells stand for them.
//!
//! The origin of a record is the address of the `Value` it was laid out from, or 0. A record that goes
//! through an evaluation unchanged comes out as that very value; and of one that comes from a value, only the
//! fields that code looks at need be laid out (`Needs`).
//!
//! [`Value`]: schema::value::Value

mod needs;
mod tally;

use std::collections::BTreeMap;

use plan_ir::interp::shared::height;
use schema::types::{DefId, Type, TypeDef, TypeDefs};

pub(crate) use needs::{Need, Needs};
pub(crate) use tally::Tally;

/// Cells up to which a record lies where it is used; larger ones are referred to, so that a list of them is
/// copied cheaply.
pub const INLINE_CELLS: u32 = 16;

/// Cells up to which a type has a layout of its own, so that any value fits as many.
pub(crate) const CELLS_MAX: u32 = 64;

/// Cells of a record before its fields.
pub(crate) const ORIGIN_CELLS: u32 = 1;

/// Index of a representation in [`Layouts`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ReprId(u32);

/// A representation. Those with one cell come first.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Repr {
    Bool,
    Int,
    Float,
    Time,
    Duration,
    /// Address of a `Value`.
    Opaque,
    Text,
    Amount,
    Optional(ReprId),
    List(ReprId),
    /// Its values.
    Map(ReprId),
    Record(Box<[ReprId]>),
    /// Address of a record's fields.
    Boxed(ReprId),
    /// One entry per variant: its payload.
    Variants(Box<[Option<ReprId>]>),
}

/// The representations of a plan's types.
#[derive(Clone, Debug)]
pub struct Layouts {
    reprs: Vec<Repr>,
    /// Cells of each.
    cells: Vec<u32>,
    /// How each is counted when it is written out.
    tallies: Vec<Tally>,
    index: BTreeMap<Repr, ReprId>,
    /// What was found for a definition; `None` while it is being looked at.
    named: BTreeMap<DefId, Option<ReprId>>,
}

impl ReprId {
    pub(crate) const BOOL: Self = Self(0);
    pub(crate) const INT: Self = Self(1);
    pub(crate) const FLOAT: Self = Self(2);
    pub(crate) const TIME: Self = Self(3);
    pub(crate) const DURATION: Self = Self(4);
    pub(crate) const OPAQUE: Self = Self(5);
    pub(crate) const TEXT: Self = Self(6);
    pub(crate) const AMOUNT: Self = Self(7);

    /// The id as native code hands it to helpers.
    pub(crate) const fn number(self) -> u32 {
        self.0
    }

    pub(crate) const fn from_number(number: u32) -> Self {
        Self(number)
    }
}

impl Default for Layouts {
    fn default() -> Self {
        Self::new()
    }
}

impl Layouts {
    /// The representations that every table has.
    #[must_use]
    pub fn new() -> Self {
        let mut layouts = Self {
            reprs: Vec::new(),
            cells: Vec::new(),
            tallies: Vec::new(),
            index: BTreeMap::new(),
            named: BTreeMap::new(),
        };
        for scalar in [
            Repr::Bool,
            Repr::Int,
            Repr::Float,
            Repr::Time,
            Repr::Duration,
            Repr::Opaque,
            Repr::Text,
            Repr::Amount,
        ] {
            layouts.intern(scalar);
        }
        layouts
    }

    /// The representation of `ty`.
    pub fn of(&mut self, ty: &Type, defs: &TypeDefs) -> ReprId {
        match ty {
            Type::Bool => ReprId::BOOL,
            Type::Int(_) => ReprId::INT,
            Type::Float(_) => ReprId::FLOAT,
            Type::Time => ReprId::TIME,
            Type::Duration => ReprId::DURATION,
            Type::String(_) | Type::Url => ReprId::TEXT,
            Type::Amount => ReprId::AMOUNT,
            Type::Bytes(_) | Type::Json | Type::Error => ReprId::OPAQUE,
            Type::Map(value) => {
                let value = self.of(value, defs);
                self.intern(Repr::Map(value))
            }
            Type::List(element, _) => {
                let element = self.of(element, defs);
                self.list(element)
            }
            Type::Optional(inner) => {
                let inner = self.of(inner, defs);
                self.optional(inner)
            }
            Type::Result(ok, err) => {
                let payloads = [ok, err].map(|ty| Some(self.of(ty, defs)));
                self.small(Repr::Variants(payloads.into()))
            }
            Type::Named(id) => self.named(*id, defs),
        }
    }

    /// The representation of `ty`, if it is in the table.
    pub(crate) fn known(&self, ty: &Type) -> Option<ReprId> {
        let of = |repr: Repr| self.index.get(&repr).copied();
        match ty {
            Type::Bool => Some(ReprId::BOOL),
            Type::Int(_) => Some(ReprId::INT),
            Type::Float(_) => Some(ReprId::FLOAT),
            Type::Time => Some(ReprId::TIME),
            Type::Duration => Some(ReprId::DURATION),
            Type::String(_) | Type::Url => Some(ReprId::TEXT),
            Type::Amount => Some(ReprId::AMOUNT),
            Type::Bytes(_) | Type::Json | Type::Error => Some(ReprId::OPAQUE),
            Type::Map(value) => of(Repr::Map(self.known(value)?)),
            Type::List(element, _) => of(Repr::List(self.known(element)?)),
            Type::Named(id) => self.named.get(id).copied().flatten(),
            // What these are depends on their size.
            Type::Optional(_) | Type::Result(..) => None,
        }
    }

    fn named(&mut self, id: DefId, defs: &TypeDefs) -> ReprId {
        match self.named.get(&id) {
            Some(Some(known)) => return *known,
            // It holds itself; `height` below finds it, too.
            Some(None) => return ReprId::OPAQUE,
            None => {}
        }
        // INVARIANT: a type whose values the interpreter measures when it builds them has no layout, as
        // native code does not measure.
        if height(&Type::Named(id), defs).is_none() {
            self.named.insert(id, Some(ReprId::OPAQUE));
            return ReprId::OPAQUE;
        }
        self.named.insert(id, None);
        let repr = match defs.get(id) {
            Some(TypeDef::Record(def)) => {
                let fields = def.fields.iter().map(|field| self.of(&field.ty, defs)).collect();
                self.record(fields)
            }
            Some(TypeDef::Enum(def)) => {
                let payloads = def.variants.iter().map(|v| v.payload.as_ref().map(|ty| self.of(ty, defs)));
                let payloads = payloads.collect();
                self.small(Repr::Variants(payloads))
            }
            None => ReprId::OPAQUE,
        };
        self.named.insert(id, Some(repr));
        repr
    }

    fn record(&mut self, fields: Box<[ReprId]>) -> ReprId {
        let record = self.intern(Repr::Record(fields));
        if self.cells(record) <= INLINE_CELLS { record } else { self.intern(Repr::Boxed(record)) }
    }

    pub(crate) fn list(&mut self, element: ReprId) -> ReprId {
        self.intern(Repr::List(element))
    }

    /// `null` of an optional is one value however often it is optional.
    pub(crate) fn optional(&mut self, inner: ReprId) -> ReprId {
        match self.get(inner) {
            Repr::Optional(_) | Repr::Opaque => inner,
            _ => self.small(Repr::Optional(inner)),
        }
    }

    fn small(&mut self, repr: Repr) -> ReprId {
        if self.measure(&repr) <= CELLS_MAX { self.intern(repr) } else { ReprId::OPAQUE }
    }

    fn intern(&mut self, repr: Repr) -> ReprId {
        if let Some(known) = self.index.get(&repr) {
            return *known;
        }
        let id = ReprId(u32::try_from(self.reprs.len()).unwrap_or(u32::MAX));
        self.cells.push(self.measure(&repr));
        self.tallies.push(self.tally_of(&repr));
        self.reprs.push(repr.clone());
        self.index.insert(repr, id);
        id
    }

    fn measure(&self, repr: &Repr) -> u32 {
        match repr {
            Repr::Bool | Repr::Int | Repr::Float | Repr::Time | Repr::Duration => 1,
            Repr::Opaque | Repr::Boxed(_) => 1,
            Repr::Text | Repr::Amount | Repr::List(_) | Repr::Map(_) => 2,
            Repr::Optional(inner) => 1 + self.cells(*inner),
            Repr::Record(fields) => ORIGIN_CELLS + fields.iter().map(|field| self.cells(*field)).sum::<u32>(),
            Repr::Variants(payloads) => {
                1 + payloads.iter().flatten().map(|payload| self.cells(*payload)).max().unwrap_or(0)
            }
        }
    }

    pub(crate) fn get(&self, id: ReprId) -> &Repr {
        // INVARIANT: ids are made here and never outlive their table.
        self.reprs.get(id.0 as usize).unwrap_or(&Repr::Opaque)
    }

    /// Cells that a value takes.
    pub(crate) fn cells(&self, id: ReprId) -> u32 {
        self.cells.get(id.0 as usize).copied().unwrap_or(1)
    }

    /// Whether values are in their cells, and refer to nothing.
    pub(crate) fn is_plain(&self, id: ReprId) -> bool {
        match self.get(id) {
            Repr::Bool | Repr::Int | Repr::Float | Repr::Time | Repr::Duration | Repr::Amount => true,
            Repr::Optional(inner) => self.is_plain(*inner),
            Repr::Variants(payloads) => payloads.iter().flatten().all(|payload| self.is_plain(*payload)),
            // A record may refer to its origin.
            Repr::Text | Repr::List(_) | Repr::Map(_) | Repr::Opaque | Repr::Record(_) | Repr::Boxed(_) => {
                false
            }
        }
    }

    /// Field `index` of a record, inline or not: its representation, and the cell at which it starts.
    pub(crate) fn field(&self, record: ReprId, index: u32) -> Option<(ReprId, u32)> {
        let Repr::Record(fields) = self.get(self.unboxed(record)) else { return None };
        let field = fields.get(index as usize)?;
        let before: u32 = fields.iter().take(index as usize).map(|field| self.cells(*field)).sum();
        Some((*field, ORIGIN_CELLS + before))
    }

    /// The record itself, of one that is referred to.
    pub(crate) fn unboxed(&self, id: ReprId) -> ReprId {
        match self.get(id) {
            Repr::Boxed(record) => *record,
            _ => id,
        }
    }

    /// What an optional holds.
    pub(crate) fn present(&self, id: ReprId) -> Option<ReprId> {
        match self.get(id) {
            Repr::Optional(inner) => Some(*inner),
            _ => None,
        }
    }

    /// The element of a list.
    pub(crate) fn element(&self, id: ReprId) -> Option<ReprId> {
        match self.get(id) {
            Repr::List(element) => Some(*element),
            _ => None,
        }
    }

    /// The value of an entry of a map.
    pub(crate) fn entry(&self, id: ReprId) -> Option<ReprId> {
        match self.get(id) {
            Repr::Map(value) => Some(*value),
            _ => None,
        }
    }

    /// Cells of an entry of a map with such values, and the cell at which its value starts.
    pub(crate) fn entry_cells(&self, value: ReprId) -> (u32, u32) {
        let start = ORIGIN_CELLS + self.cells(ReprId::TEXT);
        (start + self.cells(value), start)
    }

    /// How a value is counted when it is written out.
    pub(crate) fn tally(&self, id: ReprId) -> Option<&Tally> {
        self.tallies.get(id.0 as usize)
    }

    /// Whether a value of `from` is one of `to` once it is written anew: what a conversion that keeps the
    /// interpreter's representation may meet.
    pub(crate) fn convertible(&self, from: ReprId, to: ReprId) -> bool {
        match (self.get(from), self.get(to)) {
            _ if from == to => true,
            (Repr::Opaque, _) | (_, Repr::Opaque) => true,
            (Repr::Optional(from), Repr::Optional(to)) => self.convertible(*from, *to),
            (_, Repr::Optional(to)) => self.convertible(from, *to),
            (Repr::List(from), Repr::List(to)) | (Repr::Map(from), Repr::Map(to)) => {
                self.convertible(*from, *to)
            }
            (Repr::Boxed(from), _) => self.convertible(*from, to),
            (_, Repr::Boxed(to)) => self.convertible(from, *to),
            (Repr::Record(from), Repr::Record(to)) => {
                from.len() == to.len() && from.iter().zip(to).all(|(from, to)| self.convertible(*from, *to))
            }
            (Repr::Variants(from), Repr::Variants(to)) => {
                let fits = |(from, to): (&Option<ReprId>, &Option<ReprId>)| match (from, to) {
                    (Some(from), Some(to)) => self.convertible(*from, *to),
                    (None, None) => true,
                    _ => false,
                };
                from.len() == to.len() && from.iter().zip(to).all(fits)
            }
            _ => false,
        }
    }

    /// Whether `own` here and `other` in another table lay values out alike.
    pub(crate) fn same(&self, own: ReprId, tables: &Self, other: ReprId) -> bool {
        let all = |own: &[ReprId], other: &[ReprId]| {
            own.len() == other.len()
                && own.iter().zip(other).all(|(own, other)| self.same(*own, tables, *other))
        };
        match (self.get(own), tables.get(other)) {
            (Repr::Optional(own), Repr::Optional(other))
            | (Repr::List(own), Repr::List(other))
            | (Repr::Map(own), Repr::Map(other))
            | (Repr::Boxed(own), Repr::Boxed(other)) => self.same(*own, tables, *other),
            (Repr::Record(own), Repr::Record(other)) => all(own, other),
            (Repr::Variants(own), Repr::Variants(other)) => {
                let alike = |(own, other): (&Option<ReprId>, &Option<ReprId>)| match (own, other) {
                    (Some(own), Some(other)) => self.same(*own, tables, *other),
                    (own, other) => own.is_none() && other.is_none(),
                };
                own.len() == other.len() && own.iter().zip(other).all(alike)
            }
            (own, other) => own == other,
        }
    }
}

#[cfg(test)]
mod tests;
