//! What values count for when they are written out, told from their cells.
#![expect(unsafe_code, reason = "cells are read by address")]

use plan_ir::interp::Meter;
use schema::value::{Json, Value};

use crate::cells::cell;
use crate::layout::{Layouts, Repr, ReprId, Tally};

/// What one part of a value counts for when it is written out.
const PART_BYTES: u64 = 16;

/// Parts of a value that native code hands to the interpreter.
const PARTS_MAX: u64 = 4 << 20;

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
    #[inline]
    pub(crate) const fn new(layouts: &'a Layouts, meter: &Meter, complete: bool) -> Self {
        Self { layouts, fuel: meter.fuel(), bytes: meter.bytes(), complete }
    }

    /// A counter for values in the middle of an evaluation, which are charged nothing: its limits only keep
    /// values whose parts are shared many times from being written out.
    pub(crate) const fn of_parts(layouts: &'a Layouts) -> Self {
        Self { layouts, fuel: PARTS_MAX, bytes: PARTS_MAX * PART_BYTES, complete: false }
    }

    /// What is left of the steps.
    #[inline]
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
    #[inline]
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
