//! Texts. What a text becomes is said by [`plan_ir::builtin::strings`].
#![expect(unsafe_code, reason = "called by native code with addresses")]

use std::fmt::Write as _;

use plan_ir::builtin::strings;

use crate::cells::{text, text_of};
use crate::run::{Exit, Run};

/// # Safety
/// A text.
pub(super) unsafe extern "C" fn len(at: *const u8, length: u64) -> i64 {
    // SAFETY: by contract.
    strings::len(unsafe { text_of(at, length as usize) })
}

/// # Safety
/// `run` is that of the evaluation under way, the text one of its.
pub(super) unsafe extern "C" fn take(run: *mut Run<'_>, at: *const u8, length: u64, n: i64) {
    // SAFETY: by contract.
    let (run, text) = unsafe { (&mut *run, text_of(at, length as usize)) };
    hand(run, strings::take(text, n));
}

/// # Safety
/// As [`take`].
pub(super) unsafe extern "C" fn skip(run: *mut Run<'_>, at: *const u8, length: u64, n: i64) {
    // SAFETY: by contract.
    let (run, text) = unsafe { (&mut *run, text_of(at, length as usize)) };
    hand(run, strings::skip(text, n));
}

/// # Safety
/// As [`take`].
pub(super) unsafe extern "C" fn trim(run: *mut Run<'_>, at: *const u8, length: u64) {
    // SAFETY: by contract.
    let (run, text) = unsafe { (&mut *run, text_of(at, length as usize)) };
    hand(run, strings::trim(text));
}

/// # Safety
/// As [`take`].
pub(super) unsafe extern "C" fn folded(run: *mut Run<'_>, at: *const u8, length: u64) -> i32 {
    // SAFETY: by contract.
    let (run, text) = unsafe { (&mut *run, text_of(at, length as usize)) };
    keep(run, &strings::folded(text))
}

/// # Safety
/// As [`take`].
pub(super) unsafe extern "C" fn normalize(run: *mut Run<'_>, at: *const u8, length: u64) -> i32 {
    // SAFETY: by contract.
    let (run, text) = unsafe { (&mut *run, text_of(at, length as usize)) };
    keep(run, &strings::normalize(text))
}

/// # Safety
/// Both are texts.
pub(super) unsafe extern "C" fn contains(a: *const u8, a_len: u64, b: *const u8, b_len: u64) -> bool {
    // SAFETY: by contract.
    let (a, b) = unsafe { (text_of(a, a_len as usize), text_of(b, b_len as usize)) };
    a.contains(b)
}

/// # Safety
/// As [`contains`].
pub(super) unsafe extern "C" fn starts_with(a: *const u8, a_len: u64, b: *const u8, b_len: u64) -> bool {
    // SAFETY: by contract.
    let (a, b) = unsafe { (text_of(a, a_len as usize), text_of(b, b_len as usize)) };
    a.starts_with(b)
}

/// # Safety
/// As [`contains`].
pub(super) unsafe extern "C" fn ends_with(a: *const u8, a_len: u64, b: *const u8, b_len: u64) -> bool {
    // SAFETY: by contract.
    let (a, b) = unsafe { (text_of(a, a_len as usize), text_of(b, b_len as usize)) };
    a.ends_with(b)
}

/// # Safety
/// As [`take`]; `count` texts lie at `parts`, together `total` bytes long.
pub(super) unsafe extern "C" fn concat(run: *mut Run<'_>, parts: *const Part, count: u64, total: u64) -> i32 {
    // SAFETY: by contract.
    let run = unsafe { &mut *run };
    let Some(room) = run.arena.bytes(total as usize) else { return Exit::Interpret as i32 };
    run.out = [room.as_ptr() as u64, total];
    // SAFETY: by contract, and there is room for all of them.
    unsafe { copied_all(parts, count as usize, room.as_ptr()) };
    0
}

/// The two cells of a text.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub(crate) struct Part {
    at: *const u8,
    length: usize,
}

/// What [`concat_rows`] puts together, as native code lays it out.
#[derive(Debug)]
#[repr(C)]
pub(crate) struct Rows {
    /// The texts of all rows.
    parts: *const Part,
    rows: usize,
    parts_per_row: usize,
    /// What stands before each row, [`Rows::SLACK`] readable bytes behind it.
    before: Part,
    /// Bytes of it that the first row does without.
    skipped: usize,
    /// Bytes of the whole.
    total: usize,
}

impl Rows {
    /// Cells that native code writes.
    pub(crate) const CELLS: u32 = (size_of::<Self>() / size_of::<u64>()) as u32;
    /// A short text is copied with as much behind it, which costs less than to look how long it is.
    pub(crate) const SLACK: usize = 16;
}

/// # Safety
/// As [`take`]; `rows` is as it says.
pub(super) unsafe extern "C" fn concat_rows(run: *mut Run<'_>, rows: *const Rows) -> i32 {
    // SAFETY: by contract.
    let (run, rows) = unsafe { (&mut *run, &*rows) };
    let Some(room) = run.arena.bytes(rows.total + Rows::SLACK) else { return Exit::Interpret as i32 };
    run.out = [room.as_ptr() as u64, rows.total as u64];
    let (mut parts, mut to) = (rows.parts, room.as_ptr());
    let mut before = Part {
        at: rows.before.at.wrapping_add(rows.skipped),
        length: rows.before.length.wrapping_sub(rows.skipped),
    };
    for _ in 0..rows.rows {
        // SAFETY: there is room for all rows and the slack behind them, which the next copy writes over.
        unsafe {
            if before.length <= Rows::SLACK {
                let word = before.at.cast::<[u64; 2]>().read_unaligned();
                to.cast::<[u64; 2]>().write_unaligned(word);
            } else {
                std::ptr::copy_nonoverlapping(before.at, to, before.length);
            }
            to = copied_all(parts, rows.parts_per_row, to.add(before.length));
            parts = parts.add(rows.parts_per_row);
        }
        before = rows.before;
    }
    0
}

/// Copies texts one behind the other; the address behind them.
///
/// # Safety
/// `count` texts lie at `parts`, and there is room for them.
#[inline]
unsafe fn copied_all(mut parts: *const Part, count: usize, mut to: *mut u8) -> *mut u8 {
    let end = parts.wrapping_add(count);
    while parts < end {
        // SAFETY: by contract.
        unsafe {
            let part = parts.read();
            to = copied(part.at, part.length, to);
        }
        parts = parts.wrapping_add(1);
    }
    to
}

/// # Safety
/// As [`concat`], and the separator is a text.
pub(super) unsafe extern "C" fn join(
    run: *mut Run<'_>,
    parts: *const u64,
    count: u64,
    separator: *const u8,
    length: u64,
) -> i32 {
    // SAFETY: by contract.
    unsafe { joined(&mut *run, parts, count as usize, text_of(separator, length as usize)) }
}

/// # Safety
/// As [`take`].
pub(super) unsafe extern "C" fn show_int(run: *mut Run<'_>, value: i64) -> i32 {
    // SAFETY: by contract.
    shown(unsafe { &mut *run }, format_args!("{value}"))
}

/// # Safety
/// As [`take`].
pub(super) unsafe extern "C" fn show_float(run: *mut Run<'_>, value: f64) -> i32 {
    // SAFETY: by contract.
    shown(unsafe { &mut *run }, format_args!("{value:?}"))
}

/// Hands back a part of a text that lives as long as the evaluation.
fn hand(run: &mut Run<'_>, text: &str) {
    run.out = [text.as_ptr() as u64, text.len() as u64];
}

/// Hands back a copy of a text.
fn keep(run: &mut Run<'_>, text: &str) -> i32 {
    match run.arena.text(text) {
        Some((at, length)) => {
            run.out = [at as u64, length as u64];
            0
        }
        None => Exit::Interpret as i32,
    }
}

fn shown(run: &mut Run<'_>, number: std::fmt::Arguments<'_>) -> i32 {
    // The longest is a float such as -2.2250738585072014e-308.
    let mut buffer = Buffer { bytes: [0; 32], length: 0 };
    match buffer.write_fmt(number) {
        Ok(()) => keep(run, buffer.as_str()),
        Err(_) => keep(run, &number.to_string()),
    }
}

/// A few bytes of text without an allocation.
struct Buffer {
    bytes: [u8; 32],
    length: usize,
}

impl Buffer {
    fn as_str(&self) -> &str {
        self.bytes.get(..self.length).and_then(|bytes| std::str::from_utf8(bytes).ok()).unwrap_or_default()
    }
}

impl std::fmt::Write for Buffer {
    fn write_str(&mut self, part: &str) -> std::fmt::Result {
        let end = self.length + part.len();
        let room = self.bytes.get_mut(self.length..end).ok_or(std::fmt::Error)?;
        room.copy_from_slice(part.as_bytes());
        self.length = end;
        Ok(())
    }
}

/// Copies a text; the address behind it. Most texts are short, where a call would be most of the work.
///
/// # Safety
/// There is such a text, and room for it.
#[inline]
unsafe fn copied(from: *const u8, length: usize, to: *mut u8) -> *mut u8 {
    // SAFETY: each word lies within the text; together, overlapping, they are all of it.
    unsafe {
        if length > 16 {
            std::ptr::copy_nonoverlapping(from, to, length);
        } else if length >= 8 {
            words::<u64>(from, to, length);
        } else if length >= 4 {
            words::<u32>(from, to, length);
        } else if length > 0 {
            to.write(from.read());
            to.add(length / 2).write(from.add(length / 2).read());
            to.add(length - 1).write(from.add(length - 1).read());
        }
        to.add(length)
    }
}

/// Copies the first and the last word of a text that is at most two of them long.
///
/// # Safety
/// There is at least one word, and room for all.
#[inline]
unsafe fn words<W>(from: *const u8, to: *mut u8, length: usize) {
    let last = length - size_of::<W>();
    // SAFETY: by contract.
    unsafe {
        let (head, tail) = (from.cast::<W>().read_unaligned(), from.add(last).cast::<W>().read_unaligned());
        to.cast::<W>().write_unaligned(head);
        to.add(last).cast::<W>().write_unaligned(tail);
    }
}

/// # Safety
/// `count` texts lie at `parts`.
unsafe fn joined(run: &mut Run<'_>, parts: *const u64, count: usize, separator: &str) -> i32 {
    // SAFETY: by contract; a text is two cells.
    let part = |index: usize| unsafe { text(parts.add(2 * index)) };
    let between = separator.len().saturating_mul(count.saturating_sub(1));
    let length = (0..count).fold(between, |length, index| length.saturating_add(part(index).len()));
    let Some(room) = run.arena.bytes(length) else { return Exit::Interpret as i32 };
    let mut to = room.as_ptr();
    let mut append = |text: &str| {
        // SAFETY: there is room for all parts and what stands between them.
        unsafe { to = copied(text.as_ptr(), text.len(), to) };
    };
    for index in 0..count {
        if index > 0 {
            append(separator);
        }
        append(part(index));
    }
    run.out = [room.as_ptr() as u64, length as u64];
    0
}
