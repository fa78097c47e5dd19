//! Between [`Value`]s and cells.
#![expect(unsafe_code, reason = "cells are read and written by address")]

use std::collections::BTreeMap;
use std::sync::Arc;

use plan_ir::interp::Meter;
use plan_ir::interp::shared::written_bytes;
use schema::amount::{Amount, Currency};
use schema::limits::LIST_ELEMENTS_MAX;
use schema::value::Value;

use crate::arena::Arena;
use crate::layout::{Layouts, Repr, ReprId};

/// What one part of a value counts for when it is written out: [`written_bytes`].
const PART_BYTES: u64 = 16;

/// Parts of a value that native code hands to the interpreter.
const PARTS_MAX: u64 = 4 << 20;

/// Why a value is not laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unfit {
    /// It is not of the type: the interpreter says what follows.
    Type,
    /// The arena is full.
    Room,
}

/// Cell `index` from `at`.
///
/// # Safety
/// The cell is there and initialised.
pub(crate) unsafe fn cell(at: *const u64, index: usize) -> u64 {
    // SAFETY: by contract.
    unsafe { at.add(index).read() }
}

/// Whether the float is one that a plan may hold: neither infinite nor NaN nor `-0.0`.
pub(crate) fn is_plain(value: f64) -> bool {
    value.is_finite() && !(value == 0.0 && value.is_sign_negative())
}

/// The text that two cells stand for.
///
/// # Safety
/// They are those of a [`Repr::Text`], and what they refer to lives as long as `'t`.
pub(crate) unsafe fn text<'t>(at: *const u64) -> &'t str {
    // SAFETY: by contract.
    unsafe { text_of(cell(at, 0) as *const u8, cell(at, 1) as usize) }
}

/// `length` bytes at `at`.
///
/// # Safety
/// They are UTF-8 and live as long as `'t`.
pub(crate) unsafe fn text_of<'t>(at: *const u8, length: usize) -> &'t str {
    // SAFETY: by contract.
    unsafe { std::str::from_utf8_unchecked(std::slice::from_raw_parts(at, length)) }
}

/// The amount that two cells stand for.
///
/// # Safety
/// They are those of a [`Repr::Amount`].
pub(crate) unsafe fn amount(at: *const u64) -> Amount {
    // SAFETY: by contract.
    let (units, currency) = unsafe { (cell(at, 0), cell(at, 1)) };
    Amount::new(units, if currency == 0 { Currency::Rao } else { Currency::MicroUsd })
}

/// The cells of an amount.
pub(crate) fn amount_cells(amount: Amount) -> [u64; 2] {
    [amount.units, u64::from(amount.currency == Currency::MicroUsd)]
}

/// Lays values out.
#[derive(Debug)]
pub(crate) struct Writer<'a> {
    pub(crate) layouts: &'a Layouts,
    pub(crate) arena: &'a mut Arena,
}

impl Writer<'_> {
    /// Writes `value` as `repr` to `to`. Texts and opaque parts are referred to, not copied: the cells are
    /// good as long as `value` stays where it is.
    ///
    /// # Safety
    /// There is room for as many cells as `repr` takes.
    pub(crate) unsafe fn write(&mut self, value: &Value, repr: ReprId, to: *mut u64) -> Result<(), Unfit> {
        let put = |index: usize, cell: u64| {
            // SAFETY: `index` is within what the representation takes, for which there is room.
            unsafe { to.add(index).write(cell) }
        };
        match (self.layouts.get(repr), value) {
            (Repr::Bool, Value::Bool(value)) => put(0, u64::from(*value)),
            (Repr::Int, Value::Int(value))
            | (Repr::Time, Value::Time(value))
            | (Repr::Duration, Value::Duration(value)) => put(0, value.cast_unsigned()),
            (Repr::Float, Value::Float(value)) if is_plain(*value) => put(0, value.to_bits()),
            (Repr::Opaque, value) => put(0, std::ptr::from_ref(value) as u64),
            (Repr::Text, Value::String(text)) => {
                put(0, text.as_ptr() as u64);
                put(1, text.len() as u64);
            }
            (Repr::Amount, Value::Amount(amount)) => {
                let [units, currency] = amount_cells(*amount);
                put(0, units);
                put(1, currency);
            }
            (Repr::Optional(_), Value::Null) => put(0, 0),
            (Repr::Optional(inner), value) => {
                put(0, 1);
                // SAFETY: what an optional holds lies behind its first cell.
                unsafe { self.write(value, *inner, to.add(1))? }
            }
            (Repr::List(element), Value::List(items)) if items.len() <= LIST_ELEMENTS_MAX => {
                put(0, self.list(items, *element)? as u64);
                put(1, items.len() as u64);
            }
            (Repr::Map(value), Value::Map(entries)) => {
                put(0, self.map(entries, *value)? as u64);
                put(1, entries.len() as u64);
            }
            (Repr::Record(fields), Value::Record(values)) if fields.len() == values.len() => {
                let mut at = 0;
                for (field, value) in fields.iter().zip(values.iter()) {
                    // SAFETY: fields lie side by side, in order.
                    unsafe { self.write(value, *field, to.add(at))? }
                    at += self.layouts.cells(*field) as usize;
                }
            }
            (Repr::Boxed(record), Value::Record(_)) => {
                let cells = self.layouts.cells(*record) as usize;
                let at = self.arena.cells(cells).ok_or(Unfit::Room)?.as_ptr();
                // SAFETY: there is room for as many cells.
                unsafe { self.write(value, *record, at)? }
                put(0, at as u64);
            }
            (Repr::Variants(payloads), Value::Variant(place, payload)) => {
                put(0, u64::from(*place));
                match (payloads.get(*place as usize), payload) {
                    // SAFETY: the payload lies behind the position.
                    (Some(Some(repr)), Some(payload)) => unsafe { self.write(payload, *repr, to.add(1))? },
                    (Some(None), None) => {}
                    _ => return Err(Unfit::Type),
                }
            }
            _ => return Err(Unfit::Type),
        }
        Ok(())
    }

    fn list(&mut self, items: &[Value], element: ReprId) -> Result<*mut u64, Unfit> {
        let stride = self.layouts.cells(element) as usize;
        let start = self.arena.cells(items.len() * stride).ok_or(Unfit::Room)?.as_ptr();
        for (index, item) in items.iter().enumerate() {
            // SAFETY: there is room for `items.len()` elements of `stride` cells.
            unsafe { self.write(item, element, start.add(index * stride))? }
        }
        Ok(start)
    }

    fn map(&mut self, entries: &BTreeMap<Arc<str>, Value>, value: ReprId) -> Result<*mut u64, Unfit> {
        let stride = self.layouts.entry_cells(value) as usize;
        let start = self.arena.cells(entries.len() * stride).ok_or(Unfit::Room)?.as_ptr();
        for (index, (key, item)) in entries.iter().enumerate() {
            // SAFETY: there is room for as many entries of `stride` cells, a key of two before each value.
            unsafe {
                let at = start.add(index * stride);
                at.write(key.as_ptr() as u64);
                at.add(1).write(key.len() as u64);
                self.write(item, value, at.add(2))?;
            }
        }
        Ok(start)
    }
}

/// Makes values of cells, within what the meter of an evaluation has left: it counts what
/// [`written_bytes`] would count.
#[derive(Debug)]
pub(crate) struct Reader<'a> {
    layouts: &'a Layouts,
    /// Parts that may still be read.
    fuel: u64,
    /// Bytes that may still be read.
    bytes: u64,
}

/// A value that is larger than the meter allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TooLarge;

impl<'a> Reader<'a> {
    pub(crate) const fn new(layouts: &'a Layouts, meter: &Meter) -> Self {
        Self { layouts, fuel: meter.fuel(), bytes: meter.bytes() }
    }

    /// A reader of values in the middle of an evaluation, which are charged nothing: its limits only keep
    /// values whose parts are shared many times from being written out.
    pub(crate) const fn of_parts(layouts: &'a Layouts) -> Self {
        Self { layouts, fuel: PARTS_MAX, bytes: PARTS_MAX * PART_BYTES }
    }

    /// What is left of the steps.
    pub(crate) const fn fuel(&self) -> u64 {
        self.fuel
    }

    fn part(&mut self) -> Result<(), TooLarge> {
        self.add(PART_BYTES)
    }

    /// A text counts as a part and as its bytes.
    fn text(&mut self, length: usize) -> Result<(), TooLarge> {
        self.part()?;
        self.add(length as u64)
    }

    fn add(&mut self, bytes: u64) -> Result<(), TooLarge> {
        self.fuel = self.fuel.checked_sub(1).ok_or(TooLarge)?;
        self.bytes = self.bytes.checked_sub(bytes).ok_or(TooLarge)?;
        Ok(())
    }

    /// Counts the value at `at` without making it.
    ///
    /// # Safety
    /// As [`Reader::read`].
    pub(crate) unsafe fn count(&mut self, repr: ReprId, at: *const u64) -> Result<(), TooLarge> {
        // SAFETY, here and below: by contract, at the places the layout says.
        match self.layouts.get(repr) {
            Repr::Bool | Repr::Int | Repr::Float | Repr::Time | Repr::Duration | Repr::Amount => self.part(),
            Repr::Opaque => self.opaque(unsafe { &*(cell(at, 0) as *const Value) }),
            Repr::Text => self.text(unsafe { cell(at, 1) } as usize),
            Repr::Optional(inner) => match unsafe { cell(at, 0) } {
                0 => self.part(),
                _ => unsafe { self.count(*inner, at.add(1)) },
            },
            Repr::List(element) => {
                self.part()?;
                let (start, length) = unsafe { (cell(at, 0) as *const u64, cell(at, 1) as usize) };
                let stride = self.layouts.cells(*element) as usize;
                (0..length).try_for_each(|index| unsafe { self.count(*element, start.add(index * stride)) })
            }
            Repr::Map(value) => {
                self.part()?;
                let (start, length) = unsafe { (cell(at, 0) as *const u64, cell(at, 1) as usize) };
                let stride = self.layouts.entry_cells(*value) as usize;
                (0..length).try_for_each(|index| unsafe {
                    let entry = start.add(index * stride);
                    self.add(cell(entry, 1))?;
                    self.count(*value, entry.add(2))
                })
            }
            Repr::Record(fields) => {
                self.part()?;
                let mut start = 0;
                for field in fields {
                    unsafe { self.count(*field, at.add(start))? }
                    start += self.layouts.cells(*field) as usize;
                }
                Ok(())
            }
            Repr::Boxed(record) => unsafe { self.count(*record, cell(at, 0) as *const u64) },
            Repr::Variants(payloads) => {
                self.part()?;
                match payloads.get(unsafe { cell(at, 0) } as usize) {
                    Some(Some(payload)) => unsafe { self.count(*payload, at.add(1)) },
                    _ => Ok(()),
                }
            }
        }
    }

    fn opaque(&mut self, value: &Value) -> Result<(), TooLarge> {
        let mut meter = Meter::new(self.fuel, self.bytes);
        let bytes = written_bytes(value, &mut meter).map_err(|_| TooLarge)?;
        self.fuel = meter.fuel();
        self.bytes = self.bytes.checked_sub(bytes as u64).ok_or(TooLarge)?;
        Ok(())
    }

    /// The value at `at`.
    ///
    /// # Safety
    /// Cells of `repr` are there, and everything they refer to is alive.
    pub(crate) unsafe fn read(&mut self, repr: ReprId, at: *const u64) -> Result<Value, TooLarge> {
        // SAFETY, here and below: by contract, at the places the layout says.
        let first = || unsafe { cell(at, 0) };
        Ok(match self.layouts.get(repr) {
            Repr::Opaque => {
                let value = unsafe { &*(first() as *const Value) };
                self.opaque(value)?;
                value.clone()
            }
            Repr::Optional(inner) if first() != 0 => unsafe { self.read(*inner, at.add(1))? },
            Repr::Boxed(record) => unsafe { self.read(*record, first() as *const u64)? },
            Repr::Text => {
                let text = unsafe { text(at) };
                self.text(text.len())?;
                Value::String(text.into())
            }
            other => {
                self.part()?;
                match other {
                    Repr::Bool => Value::Bool(first() != 0),
                    Repr::Int => Value::Int(first().cast_signed()),
                    Repr::Float => Value::Float(f64::from_bits(first())),
                    Repr::Time => Value::Time(first().cast_signed()),
                    Repr::Duration => Value::Duration(first().cast_signed()),
                    Repr::Amount => Value::Amount(unsafe { amount(at) }),
                    Repr::List(element) => {
                        let (start, length) = (first() as *const u64, unsafe { cell(at, 1) } as usize);
                        Value::List(unsafe { self.items(*element, start, length)? })
                    }
                    Repr::Map(value) => {
                        let (start, length) = (first() as *const u64, unsafe { cell(at, 1) } as usize);
                        Value::Map(Arc::new(unsafe { self.entries(*value, start, length)? }))
                    }
                    Repr::Record(fields) => Value::Record(unsafe { self.fields(fields, at)? }),
                    Repr::Variants(payloads) => {
                        let place = first();
                        let payload = match payloads.get(place as usize) {
                            Some(Some(payload)) => Some(Arc::new(unsafe { self.read(*payload, at.add(1))? })),
                            _ => None,
                        };
                        Value::Variant(u32::try_from(place).unwrap_or(u32::MAX), payload)
                    }
                    Repr::Optional(_) | Repr::Opaque | Repr::Boxed(_) | Repr::Text => Value::Null,
                }
            }
        })
    }

    /// # Safety
    /// `length` elements lie at `start`.
    unsafe fn items(
        &mut self,
        element: ReprId,
        start: *const u64,
        length: usize,
    ) -> Result<Arc<[Value]>, TooLarge> {
        // Many lists are too large; not one is allocated before its elements could be counted.
        if length as u64 > self.fuel {
            return Err(TooLarge);
        }
        let stride = self.layouts.cells(element) as usize;
        let mut items = Vec::with_capacity(length);
        for index in 0..length {
            // SAFETY: by contract.
            items.push(unsafe { self.read(element, start.add(index * stride))? });
        }
        Ok(items.into())
    }

    /// # Safety
    /// `length` entries lie at `start`.
    unsafe fn entries(
        &mut self,
        value: ReprId,
        start: *const u64,
        length: usize,
    ) -> Result<BTreeMap<Arc<str>, Value>, TooLarge> {
        let stride = self.layouts.entry_cells(value) as usize;
        (0..length)
            .map(|index| {
                // SAFETY: by contract; a key is two cells.
                let (entry, key) = unsafe {
                    let entry = start.add(index * stride);
                    (entry, text(entry))
                };
                self.add(key.len() as u64)?;
                // SAFETY: the value lies behind its key.
                Ok((Arc::from(key), unsafe { self.read(value, entry.add(2))? }))
            })
            .collect()
    }

    /// # Safety
    /// The fields lie at `at`.
    unsafe fn fields(&mut self, fields: &[ReprId], at: *const u64) -> Result<Arc<[Value]>, TooLarge> {
        let mut start = 0;
        let mut values = Vec::with_capacity(fields.len());
        for field in fields {
            // SAFETY: by contract.
            values.push(unsafe { self.read(*field, at.add(start))? });
            start += self.layouts.cells(*field) as usize;
        }
        Ok(values.into())
    }
}
