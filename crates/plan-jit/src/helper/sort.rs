//! Elements in the order of their keys, or by key.
#![expect(unsafe_code, reason = "called by native code with addresses")]

use plan_ir::builtin::sorting_steps;

use crate::cells::{cell, text};
use crate::run::{Exit, Run};

/// What keys are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum KeyKind {
    /// One cell: a signed number.
    Int,
    /// One cell: a float.
    Float,
    /// Two cells.
    Text,
}

impl KeyKind {
    const LARGEST_FIRST: i64 = 4;

    /// How to order, as native code says it.
    pub(crate) const fn number(self, largest_first: bool) -> i64 {
        self as i64 + if largest_first { Self::LARGEST_FIRST } else { 0 }
    }

    const fn from_number(number: u64) -> (Self, bool) {
        let kind = match number & 3 {
            0 => Self::Int,
            1 => Self::Float,
            _ => Self::Text,
        };
        (kind, number & Self::LARGEST_FIRST as u64 != 0)
    }
}

/// Elements in memory.
#[derive(Clone, Copy)]
struct Elements {
    start: *const u64,
    /// Cells of one.
    stride: usize,
    count: usize,
}

/// # Safety
/// `run` is that of the evaluation under way; `length` keys of the kind lie at `keys`, as many elements of
/// `stride` cells at `elements`, and no more than all are kept.
pub(super) unsafe extern "C" fn sort(
    run: *mut Run<'_>,
    order: u64,
    keys: *const u64,
    length: u64,
    elements: *const u64,
    stride: u64,
    kept: u64,
) -> i32 {
    // SAFETY: by contract.
    let run = unsafe { &mut *run };
    let (kind, largest_first) = KeyKind::from_number(order);
    let elements = Elements { start: elements, stride: stride as usize, count: length as usize };
    let kept = kept as usize;
    if kind == KeyKind::Text {
        // SAFETY: by contract.
        let mut texts = unsafe { texts(keys, elements.count) };
        if !charge(run, &texts) {
            return Exit::Interpret as i32;
        }
        if largest_first {
            first(&mut texts, kept, |(a, at), (b, other)| b.cmp(a).then(at.cmp(other)));
        } else {
            first(&mut texts, kept, Ord::cmp);
        }
        // SAFETY: the places are those of elements.
        return unsafe { gather(run, elements, texts.iter().map(|(_, place)| *place)) };
    }
    run.fuel = run.fuel.saturating_sub_unsigned(sorting_steps(length, 0));
    if run.fuel < 0 {
        return Exit::Interpret as i32;
    }
    let flip = if largest_first { -1 } else { 0 };
    // SAFETY: by contract.
    let number = |index| unsafe { cell(keys, index) }.cast_signed();
    let key = |index| match kind {
        KeyKind::Float => ordered(number(index)),
        _ => number(index),
    };
    // Flipped bits order the other way round, so one sort serves both.
    let mut places: Vec<(i64, u32)> = (0..elements.count).map(|at| (key(at) ^ flip, at as u32)).collect();
    first(&mut places, kept, Ord::cmp);
    // SAFETY: the places are those of elements.
    unsafe { gather(run, elements, places.iter().map(|(_, place)| *place)) }
}

/// The bits of a float as a number of the same order; there is neither NaN nor `-0.0`.
const fn ordered(bits: i64) -> i64 {
    bits ^ ((bits >> 63).cast_unsigned() >> 1).cast_signed()
}

/// Brings the first `kept` of `items` to the front, in order.
fn first<T>(items: &mut Vec<T>, kept: usize, order: impl Fn(&T, &T) -> std::cmp::Ordering) {
    if kept < items.len() {
        if kept > 0 {
            items.select_nth_unstable_by(kept - 1, &order);
        }
        items.truncate(kept);
    }
    items.sort_unstable_by(&order);
}

/// Texts with their places.
///
/// # Safety
/// `count` texts lie at `keys`.
unsafe fn texts<'t>(keys: *const u64, count: usize) -> Vec<(&'t str, u32)> {
    // SAFETY: a text is two cells.
    (0..count).map(|index| (unsafe { text(keys.add(2 * index)) }, index as u32)).collect()
}

/// Charges for sorting texts; whether there were steps enough.
fn charge(run: &mut Run<'_>, texts: &[(&str, u32)]) -> bool {
    let bytes = texts.iter().fold(0_u64, |bytes, (text, _)| bytes.saturating_add(text.len() as u64));
    run.fuel = run.fuel.saturating_sub_unsigned(sorting_steps(texts.len() as u64, bytes));
    run.fuel >= 0
}

/// A list of the elements at these places.
///
/// # Safety
/// All of them are.
unsafe fn gather(run: &mut Run<'_>, elements: Elements, places: impl ExactSizeIterator<Item = u32>) -> i32 {
    let (count, stride) = (places.len(), elements.stride);
    let Some(room) = run.arena.cells(count * stride) else { return Exit::Interpret as i32 };
    for (index, place) in places.enumerate() {
        // SAFETY: by contract, and there is room for as many.
        unsafe { copy(elements, place, room.as_ptr().add(index * stride)) };
    }
    run.out = [room.as_ptr() as u64, count as u64];
    0
}

/// # Safety
/// There is such an element, and room for it.
unsafe fn copy(elements: Elements, place: u32, to: *mut u64) {
    // SAFETY: by contract.
    unsafe {
        let from = elements.start.add(place as usize * elements.stride);
        std::ptr::copy_nonoverlapping(from, to, elements.stride);
    }
}

/// # Safety
/// As [`sort`], with texts as keys.
pub(super) unsafe extern "C" fn group_by(
    run: *mut Run<'_>,
    keys: *const u64,
    length: u64,
    elements: *const u64,
    stride: u64,
) -> i32 {
    let elements = Elements { start: elements, stride: stride as usize, count: length as usize };
    // SAFETY: by contract.
    let (run, mut texts) = unsafe { (&mut *run, texts(keys, elements.count)) };
    if !charge(run, &texts) {
        return Exit::Interpret as i32;
    }
    texts.sort_unstable();
    // SAFETY: the places are those of elements.
    if unsafe { gather(run, elements, texts.iter().map(|(_, place)| *place)) } != 0 {
        return Exit::Interpret as i32;
    }
    let [mut group, _] = run.out;
    let groups = texts.chunk_by(|(a, _), (b, _)| a == b);
    let count = groups.clone().count();
    let Some(room) = run.arena.cells(count * 5) else { return Exit::Interpret as i32 };
    for (index, items) in groups.enumerate() {
        let key = items.first().map_or("", |(key, _)| *key);
        let entry = [0, key.as_ptr() as u64, key.len() as u64, group, items.len() as u64];
        // SAFETY: there is room for `count` entries: an origin, a key, a list.
        unsafe { room.as_ptr().add(index * 5).cast::<[u64; 5]>().write(entry) };
        group += (items.len() * elements.stride * size_of::<u64>()) as u64;
    }
    run.out = [room.as_ptr() as u64, count as u64];
    0
}

/// # Safety
/// As [`group_by`].
pub(super) unsafe extern "C" fn key_by(
    run: *mut Run<'_>,
    keys: *const u64,
    length: u64,
    elements: *const u64,
    stride: u64,
) -> i32 {
    let elements = Elements { start: elements, stride: stride as usize, count: length as usize };
    // SAFETY: by contract.
    let (run, mut texts) = unsafe { (&mut *run, texts(keys, elements.count)) };
    if !charge(run, &texts) {
        return Exit::Interpret as i32;
    }
    texts.sort_unstable();
    let groups = texts.chunk_by(|(a, _), (b, _)| a == b);
    let (count, cells) = (groups.clone().count(), elements.stride + 3);
    let Some(room) = run.arena.cells(count * cells) else { return Exit::Interpret as i32 };
    for (index, items) in groups.enumerate() {
        let Some((key, place)) = items.last() else { continue };
        // SAFETY: there is room for `count` entries, the element behind its key.
        unsafe {
            let entry = room.as_ptr().add(index * cells);
            entry.cast::<[u64; 3]>().write([0, key.as_ptr() as u64, key.len() as u64]);
            copy(elements, *place, entry.add(3));
        }
    }
    run.out = [room.as_ptr() as u64, count as u64];
    0
}
