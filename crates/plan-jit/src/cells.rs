//! Between [`Value`]s and cells.
#![expect(unsafe_code, reason = "cells are read and written by address")]

use std::collections::BTreeMap;
use std::sync::Arc;

use plan_ir::interp::Meter;
use schema::amount::{Amount, Currency};
use schema::limits::LIST_ELEMENTS_MAX;
use schema::value::{Json, Value};

use crate::arena::Arena;
use crate::layout::{Layouts, Need, ORIGIN_CELLS, Repr, ReprId, Tally};

/// What one part of a value counts for when it is written out.
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

/// Counts values as they are counted when they are written out
/// ([`plan_ir::interp::shared::written_bytes`]), within what a meter has left.
#[derive(Debug)]
pub(crate) struct Counter<'a> {
    layouts: &'a Layouts,
    /// Parts that may still be counted.
    fuel: u64,
    /// Bytes that may still be counted.
    bytes: u64,
    /// Whether records have all their fields; if not, their origin is counted.
    complete: bool,
}

/// A value that is larger than the meter allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TooLarge;

impl<'a> Counter<'a> {
    /// `complete` says whether all records were laid out with all their fields.
    pub(crate) const fn new(layouts: &'a Layouts, meter: &Meter, complete: bool) -> Self {
        Self { layouts, fuel: meter.fuel(), bytes: meter.bytes(), complete }
    }

    /// A counter for values in the middle of an evaluation, which are charged nothing: its limits only keep
    /// values whose parts are shared many times from being written out.
    pub(crate) const fn of_parts(layouts: &'a Layouts) -> Self {
        Self { layouts, fuel: PARTS_MAX, bytes: PARTS_MAX * PART_BYTES, complete: false }
    }

    /// What is left of the steps.
    pub(crate) const fn fuel(&self) -> u64 {
        self.fuel
    }

    /// Counts as many parts.
    fn parts(&mut self, count: u64) -> Result<(), TooLarge> {
        self.fuel = self.fuel.checked_sub(count).ok_or(TooLarge)?;
        self.bytes = self.bytes.checked_sub(count.saturating_mul(PART_BYTES)).ok_or(TooLarge)?;
        Ok(())
    }

    /// Counts the bytes of a text, which is one step more.
    fn text(&mut self, length: usize) -> Result<(), TooLarge> {
        self.fuel = self.fuel.checked_sub(1).ok_or(TooLarge)?;
        self.bytes = self.bytes.checked_sub(length as u64).ok_or(TooLarge)?;
        Ok(())
    }

    fn value(&mut self, value: &Value) -> Result<(), TooLarge> {
        self.parts(1)?;
        match value {
            Value::String(text) => self.text(text.len()),
            Value::Bytes(bytes) => self.text(bytes.len()),
            Value::List(items) | Value::Record(items) => items.iter().try_for_each(|item| self.value(item)),
            Value::Map(entries) => entries.iter().try_for_each(|(key, item)| {
                self.text(key.len())?;
                self.value(item)
            }),
            Value::Variant(_, Some(payload)) => self.value(payload),
            Value::Json(json) => self.json(json),
            _ => Ok(()),
        }
    }

    fn json(&mut self, json: &Json) -> Result<(), TooLarge> {
        self.parts(1)?;
        match json {
            Json::String(text) => self.text(text.len()),
            Json::Array(items) => items.iter().try_for_each(|item| self.json(item)),
            Json::Object(entries) => entries.iter().try_for_each(|(key, item)| {
                self.text(key.len())?;
                self.json(item)
            }),
            _ => Ok(()),
        }
    }

    /// Counts the value at `at`.
    ///
    /// # Safety
    /// Cells of `repr` are there, and everything they refer to is alive.
    pub(crate) unsafe fn count(&mut self, repr: ReprId, at: *const u64) -> Result<(), TooLarge> {
        // SAFETY: by contract.
        unsafe { self.items(repr, at, 1) }
    }

    /// # Safety
    /// `length` values of `repr` lie at `start`.
    unsafe fn items(&mut self, repr: ReprId, start: *const u64, length: u64) -> Result<(), TooLarge> {
        let layouts = self.layouts;
        let Some(tally) = layouts.tally(repr) else { return Ok(()) };
        let stride = layouts.cells(repr) as usize;
        if tally.is_fixed() {
            return self.parts(tally.parts.saturating_mul(length));
        }
        // SAFETY, here and below: by contract, at the places the layout says.
        // What is there has a size that fits, so nothing is checked of its products.
        let mut places = (0..length as usize).map(|index| unsafe { start.add(index.wrapping_mul(stride)) });
        if tally.is_whole {
            return places.try_for_each(|at| unsafe { self.whole(repr, at) });
        }
        if self.complete || !matches!(layouts.get(repr), Repr::Record(_)) {
            return unsafe { self.alike(tally, start, stride, length) };
        }
        places.try_for_each(|at| match unsafe { (cell(at, 0) as *const Value).as_ref() } {
            Some(origin) => self.value(origin),
            None => unsafe { self.alike(tally, at, stride, 1) },
        })
    }

    /// Counts what is not looked at one by one, but for the parts that have to be: one part of all values after the
    /// other, and what they have in common at once.
    ///
    /// # Safety
    /// `length` values that are counted so lie at `start`, `stride` cells apart.
    unsafe fn alike(
        &mut self,
        tally: &Tally,
        start: *const u64,
        stride: usize,
        length: u64,
    ) -> Result<(), TooLarge> {
        // SAFETY, here and below: the layout says that these cells are there.
        let sum = |cell: u32| unsafe { sum(start.add(cell as usize), stride, length as usize) };
        let mut texts = length.saturating_mul(tally.texts.len() as u64);
        // Lengths are those of texts in memory, so their sum does not overflow.
        let mut bytes = 0_u64;
        for text in &tally.texts {
            bytes = bytes.wrapping_add(sum(text + 1));
        }
        for text in &tally.maybe_texts {
            texts = texts.saturating_add(sum(*text));
            bytes = bytes.wrapping_add(sum(text + 2));
        }
        for (cell, part) in &tally.others {
            for index in 0..length as usize {
                unsafe { self.items(*part, start.add(index * stride + *cell as usize), 1)? }
            }
        }
        self.parts(tally.parts.saturating_mul(length))?;
        self.fuel = self.fuel.checked_sub(texts).ok_or(TooLarge)?;
        self.bytes = self.bytes.checked_sub(bytes).ok_or(TooLarge)?;
        Ok(())
    }

    /// Counts a value that has to be looked at.
    ///
    /// # Safety
    /// As [`Counter::count`].
    unsafe fn whole(&mut self, repr: ReprId, at: *const u64) -> Result<(), TooLarge> {
        // SAFETY, here and below: by contract, at the places the layout says.
        let first = unsafe { cell(at, 0) };
        match self.layouts.get(repr) {
            Repr::Opaque => self.value(unsafe { &*(first as *const Value) }),
            Repr::Optional(_) if first == 0 => self.parts(1),
            Repr::Optional(inner) => unsafe { self.items(*inner, at.add(1), 1) },
            Repr::Boxed(record) => unsafe { self.items(*record, first as *const u64, 1) },
            Repr::List(element) => {
                self.parts(1)?;
                unsafe { self.items(*element, first as *const u64, cell(at, 1)) }
            }
            Repr::Map(value) => {
                self.parts(1)?;
                let (start, length) = (first as *const u64, unsafe { cell(at, 1) } as usize);
                let (stride, behind) = self.layouts.entry_cells(*value);
                (0..length).try_for_each(|index| unsafe {
                    let entry = start.add(index * stride as usize);
                    self.text(cell(entry, 2) as usize)?;
                    self.items(*value, entry.add(behind as usize), 1)
                })
            }
            Repr::Variants(payloads) => {
                self.parts(1)?;
                match payloads.get(first as usize) {
                    Some(Some(payload)) => unsafe { self.items(*payload, at.add(1), 1) },
                    _ => Ok(()),
                }
            }
            _ => self.parts(1),
        }
    }
}

/// The sum of `count` cells, `stride` apart. Four at a time: this is most of what counting a list takes.
///
/// # Safety
/// The cells are there and initialised.
unsafe fn sum(first: *const u64, stride: usize, count: usize) -> u64 {
    // SAFETY: by contract.
    let cell = |index: usize| unsafe { first.add(index.wrapping_mul(stride)).read() };
    let (fours, mut sum) = (count & !3, 0_u64);
    for index in (0..fours).step_by(4) {
        let four = [0, 1, 2, 3].map(|next| cell(index + next));
        sum = four.into_iter().fold(sum, u64::wrapping_add);
    }
    (fours..count).map(cell).fold(sum, u64::wrapping_add)
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
