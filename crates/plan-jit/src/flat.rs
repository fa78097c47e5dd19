//! Values as native code sees them, kept from one evaluation to the next.
#![expect(unsafe_code, reason = "cells are read and written by address")]

use std::sync::Arc;

use plan_ir::interp::Meter;
use schema::types::{Type, TypeDefs};
use schema::value::Value;
use smallvec::{SmallVec, smallvec};

use crate::arena::Arena;
use crate::cells::{Writer, read};
use crate::count::Counter;
use crate::layout::{Layouts, ReprId};
use crate::native::{ARENA_BYTES_MAX, Code};

/// A value laid out by its type. Cheap to clone; what it refers to lives as long as it does.
#[derive(Clone, Debug)]
pub struct Flat(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    shape: Shape,
    cells: Cells,
    /// What the cells refer to, and what that refers to.
    stores: Stores,
}

/// The cells of a value; of most, a few.
#[derive(Debug)]
enum Cells {
    Few([u64; FEW_CELLS], u8),
    More(Box<[u64]>),
}

/// Cells that need no allocation of their own.
const FEW_CELLS: usize = 3;

impl Cells {
    fn new(cells: &[u64]) -> Self {
        let mut few = [0; FEW_CELLS];
        match few.get_mut(..cells.len()) {
            Some(room) => {
                room.copy_from_slice(cells);
                Self::Few(few, cells.len() as u8)
            }
            None => Self::More(cells.into()),
        }
    }

    fn as_slice(&self) -> &[u64] {
        match self {
            Self::Few(cells, count) => cells.get(..usize::from(*count)).unwrap_or_default(),
            Self::More(cells) => cells,
        }
    }
}

/// Something that cells refer to.
#[derive(Debug)]
pub(crate) struct Store {
    _arena: Option<Box<Arena>>,
    /// A value, where it is.
    _value: Option<Arc<Value>>,
    /// The literals of a plan.
    _code: Option<Arc<Code>>,
    /// The document it was read from.
    _document: Option<Arc<str>>,
}

impl Store {
    const fn new(arena: Option<Box<Arena>>) -> Self {
        Self { _arena: arena, _value: None, _code: None, _document: None }
    }
}

/// Of most values, an argument's and their own.
pub(crate) type Stores = SmallVec<[Arc<Store>; 2]>;

/// Stores that one value refers to; one with more is copied into one of its own.
const STORES_MAX: usize = 32;

/// A type whose values are laid out.
#[derive(Clone, Debug)]
pub struct Shape {
    pub(crate) layouts: Arc<Layouts>,
    pub(crate) repr: ReprId,
}

impl Shape {
    /// The layout of values of `ty`.
    #[must_use]
    pub fn new(ty: &Type, defs: &TypeDefs) -> Self {
        let mut layouts = Layouts::new();
        let repr = layouts.of(ty, defs);
        Self { layouts: Arc::new(layouts), repr }
    }

    /// Whether values of both are laid out alike.
    #[must_use]
    pub fn fits(&self, other: &Self) -> bool {
        self.is(&other.layouts, other.repr)
    }

    /// Whether values are laid out as `repr` is.
    pub(crate) fn is(&self, layouts: &Arc<Layouts>, repr: ReprId) -> bool {
        if Arc::ptr_eq(&self.layouts, layouts) {
            self.repr == repr
        } else {
            self.layouts.same(self.repr, layouts, repr)
        }
    }

    /// Lays `value` out; `None` where it is not of the type or takes more than `bytes_max`.
    #[must_use]
    pub fn lay_out(&self, value: Value, bytes_max: usize) -> Option<Flat> {
        let value = Arc::new(value);
        let mut arena = Arena::new(bytes_max);
        let mut cells = vec![0_u64; self.layouts.cells(self.repr) as usize];
        let mut writer = Writer { layouts: &self.layouts, arena: &mut arena, needs: None };
        // SAFETY: there is room for the cells of the representation, and the value stays where it is.
        unsafe { writer.write(&value, self.repr, cells.as_mut_ptr()) }.ok()?;
        let stores = smallvec![Arc::new(Store { _value: Some(value), ..Store::new(Some(Box::new(arena))) })];
        let cells = Cells::new(&cells);
        Some(Flat(Arc::new(Inner { shape: self.clone(), cells, stores })))
    }
}

impl Flat {
    /// The result of an evaluation.
    ///
    /// # Safety
    /// The cells are those of a value of the shape, and refer to nothing but the arena, the stores and the
    /// literals of the code.
    pub(crate) unsafe fn result(
        shape: Shape,
        cells: &[u64],
        arena: Box<Arena>,
        mut stores: Stores,
        code: &Arc<Code>,
    ) -> Self {
        let code = Some(Arc::clone(code));
        stores.push(Arc::new(Store { _code: code, ..Store::new(Some(arena)) }));
        let flat = Self(Arc::new(Inner { shape, cells: Cells::new(cells), stores }));
        if flat.0.stores.len() <= STORES_MAX {
            return flat;
        }
        // A long chain of evaluations would keep all that any of them ever referred to.
        let copy = flat.to_value().and_then(|value| flat.shape().lay_out(value, ARENA_BYTES_MAX));
        copy.unwrap_or(flat)
    }

    /// An answer that was read from `document`.
    ///
    /// # Safety
    /// The cells are those of a value of the shape, and refer to nothing but the arena and the document.
    pub(crate) unsafe fn answer(shape: Shape, cells: &[u64], arena: Arena, document: Arc<str>) -> Self {
        let stores =
            smallvec![Arc::new(Store { _document: Some(document), ..Store::new(Some(Box::new(arena))) })];
        Self(Arc::new(Inner { shape, cells: Cells::new(cells), stores }))
    }

    /// A text of its own.
    pub(crate) fn text(shape: Shape, text: &str) -> Self {
        let text: Arc<str> = text.into();
        let cells = Cells::new(&[text.as_ptr() as u64, text.len() as u64]);
        let stores = smallvec![Arc::new(Store { _document: Some(text), ..Store::new(None) })];
        Self(Arc::new(Inner { shape, cells, stores }))
    }

    /// A result that refers to nothing.
    pub(crate) fn plain(shape: Shape, cells: &[u64]) -> Self {
        Self(Arc::new(Inner { shape, cells: Cells::new(cells), stores: Stores::new() }))
    }

    /// Adds what the value refers to.
    pub(crate) fn add_stores(&self, stores: &mut Stores) {
        for store in &self.0.stores {
            if !stores.iter().any(|known| Arc::ptr_eq(known, store)) {
                stores.push(Arc::clone(store));
            }
        }
    }

    /// Its type's layout.
    #[must_use]
    pub fn shape(&self) -> &Shape {
        &self.0.shape
    }

    pub(crate) fn cells(&self) -> &[u64] {
        self.0.cells.as_slice()
    }

    /// The value, as the interpreter has it. `None` where its parts, counted as often as they are shared, are
    /// more than an evaluation may give.
    #[must_use]
    pub fn to_value(&self) -> Option<Value> {
        let (shape, at) = (&self.0.shape, self.cells().as_ptr());
        // SAFETY: the cells are of the representation, and everything they refer to is kept.
        unsafe {
            Counter::of_parts(&shape.layouts).count(shape.repr, at).ok()?;
            Some(read(&shape.layouts, shape.repr, at))
        }
    }

    /// Charges for writing the value out, as an evaluation is charged for its result.
    #[must_use]
    pub fn charge(&self, meter: &mut Meter) -> Option<()> {
        let mut counter = Counter::new(&self.0.shape.layouts, meter, true);
        // SAFETY: as in `to_value`.
        unsafe { counter.count(self.0.shape.repr, self.cells().as_ptr()) }.ok()?;
        *meter = Meter::new(counter.fuel(), meter.bytes());
        Some(())
    }
}
