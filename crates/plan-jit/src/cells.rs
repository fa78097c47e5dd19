//! Between [`Value`]s and cells.
#![expect(unsafe_code, reason = "cells are read and written by address")]

use std::collections::BTreeMap;
use std::sync::Arc;

use schema::amount::{Amount, Currency};
use schema::limits::LIST_ELEMENTS_MAX;
use schema::value::Value;

use crate::arena::Arena;
use crate::layout::{Layouts, Need, ORIGIN_CELLS, Repr, ReprId};

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
    /// The fields of records that are laid out, where not all are: [`crate::layout::Needs`].
    pub(crate) needs: Option<&'a [Vec<Need>]>,
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
            (Repr::Optional(inner), Value::Null) => {
                put(0, 0);
                if *inner == ReprId::TEXT {
                    put(2, 0);
                }
            }
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
                put(0, std::ptr::from_ref(value) as u64);
                // SAFETY: the fields lie behind the origin.
                unsafe { self.record(values, repr, fields, to)? }
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

    /// # Safety
    /// There is room for the record.
    unsafe fn record(
        &mut self,
        values: &[Value],
        repr: ReprId,
        fields: &[ReprId],
        to: *mut u64,
    ) -> Result<(), Unfit> {
        if let Some(needs) = self.needs {
            for (index, field, cell) in needs.get(repr.number() as usize).into_iter().flatten() {
                let value = values.get(*index as usize).ok_or(Unfit::Type)?;
                // SAFETY: the field starts at this cell.
                unsafe { self.write(value, *field, to.add(*cell as usize))? }
            }
            return Ok(());
        }
        let mut at = ORIGIN_CELLS as usize;
        for (field, value) in fields.iter().zip(values) {
            // SAFETY: fields lie side by side, in order.
            unsafe { self.write(value, *field, to.add(at))? }
            at += self.layouts.cells(*field) as usize;
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
        let (stride, behind) = self.layouts.entry_cells(value);
        let start = self.arena.cells(entries.len() * stride as usize).ok_or(Unfit::Room)?.as_ptr();
        for (index, (key, item)) in entries.iter().enumerate() {
            // SAFETY: there is room for as many entries, each an origin, a key and a value.
            unsafe {
                let at = start.add(index * stride as usize);
                at.cast::<[u64; 3]>().write([0, key.as_ptr() as u64, key.len() as u64]);
                self.write(item, value, at.add(behind as usize))?;
            }
        }
        Ok(start)
    }
}

/// The value at `at`. Without limits of its own: count it first.
///
/// # Safety
/// As [`Counter::count`].
pub(crate) unsafe fn read(layouts: &Layouts, repr: ReprId, at: *const u64) -> Value {
    // SAFETY, here and below: by contract, at the places the layout says.
    let first = unsafe { cell(at, 0) };
    match layouts.get(repr) {
        Repr::Bool => Value::Bool(first != 0),
        Repr::Int => Value::Int(first.cast_signed()),
        Repr::Float => Value::Float(f64::from_bits(first)),
        Repr::Time => Value::Time(first.cast_signed()),
        Repr::Duration => Value::Duration(first.cast_signed()),
        Repr::Amount => Value::Amount(unsafe { amount(at) }),
        Repr::Text => Value::String(unsafe { text(at) }.into()),
        Repr::Opaque => unsafe { &*(first as *const Value) }.clone(),
        Repr::Optional(_) if first == 0 => Value::Null,
        Repr::Optional(inner) => unsafe { read(layouts, *inner, at.add(1)) },
        Repr::Boxed(record) => unsafe { read(layouts, *record, first as *const u64) },
        Repr::Record(_) if first != 0 => unsafe { &*(first as *const Value) }.clone(),
        Repr::Record(fields) => {
            let mut start = ORIGIN_CELLS as usize;
            let fields = fields.iter().map(|field| {
                let value = unsafe { read(layouts, *field, at.add(start)) };
                start += layouts.cells(*field) as usize;
                value
            });
            Value::Record(fields.collect())
        }
        Repr::List(element) => {
            let (start, length) = (first as *const u64, unsafe { cell(at, 1) } as usize);
            let stride = layouts.cells(*element) as usize;
            let items =
                (0..length).map(|index| unsafe { read(layouts, *element, start.add(index * stride)) });
            Value::List(items.collect())
        }
        Repr::Map(value) => {
            let (start, length) = (first as *const u64, unsafe { cell(at, 1) } as usize);
            let (stride, behind) = layouts.entry_cells(*value);
            let entries = (0..length).map(|index| unsafe {
                let entry = start.add(index * stride as usize);
                let key = text(entry.add(ORIGIN_CELLS as usize));
                (Arc::from(key), read(layouts, *value, entry.add(behind as usize)))
            });
            Value::Map(Arc::new(entries.collect()))
        }
        Repr::Variants(payloads) => {
            let payload = match payloads.get(first as usize) {
                Some(Some(payload)) => Some(Arc::new(unsafe { read(layouts, *payload, at.add(1)) })),
                _ => None,
            };
            Value::Variant(u32::try_from(first).unwrap_or(u32::MAX), payload)
        }
    }
}
