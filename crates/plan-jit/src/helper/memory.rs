//! Room for lists.
#![expect(unsafe_code, reason = "called by native code with addresses")]

use schema::limits::LIST_ELEMENTS_MAX;

use crate::cells::{cell, text, text_of};
use crate::run::{Exit, Run};

/// # Safety
/// `run` is that of the evaluation under way.
pub(super) unsafe extern "C" fn allocate(run: *mut Run<'_>, cells: u64) -> *mut u64 {
    // SAFETY: by contract.
    let run = unsafe { &mut *run };
    let room = usize::try_from(cells).ok().and_then(|cells| run.arena.cells(cells));
    room.map_or(std::ptr::null_mut(), std::ptr::NonNull::as_ptr)
}

/// # Safety
/// As [`allocate`]; at least so many cells that end at `end` were allocated at once, and are not used.
pub(super) unsafe extern "C" fn give_back(run: *mut Run<'_>, end: *mut u64, cells: u64) {
    // SAFETY: by contract.
    unsafe { &mut *run }.arena.give_back(end, cells as usize);
}

/// # Safety
/// As [`allocate`]; `lists` are `length` lists whose elements take `stride` cells.
pub(super) unsafe extern "C" fn flatten(
    run: *mut Run<'_>,
    stride: u64,
    lists: *const u64,
    length: u64,
) -> i32 {
    // SAFETY: by contract.
    let run = unsafe { &mut *run };
    let (stride, length) = (stride as usize, length as usize);
    // SAFETY: a list is two cells, and there are `length` of them.
    let list = |index: usize| unsafe { (cell(lists, 2 * index) as *const u64, cell(lists, 2 * index + 1)) };
    let mut total = 0_u64;
    for index in 0..length {
        let (_, elements) = list(index);
        total = total.saturating_add(elements);
        run.fuel = run.fuel.saturating_sub_unsigned(elements);
        if total > LIST_ELEMENTS_MAX as u64 || run.fuel < 0 {
            return Exit::Interpret as i32;
        }
    }
    let Some(room) = run.arena.cells(total as usize * stride) else { return Exit::Interpret as i32 };
    let mut to = room.as_ptr();
    for index in 0..length {
        let (elements, count) = list(index);
        let cells = count as usize * stride;
        // SAFETY: the elements take as many cells, and there is room for those of all lists.
        unsafe {
            std::ptr::copy_nonoverlapping(elements, to, cells);
            to = to.add(cells);
        }
    }
    run.out = [room.as_ptr() as u64, total];
    0
}

/// # Safety
/// As [`allocate`]; `length` elements of `stride` cells lie at `list`.
pub(super) unsafe extern "C" fn reverse(
    run: *mut Run<'_>,
    stride: u64,
    list: *const u64,
    length: u64,
) -> i32 {
    // SAFETY: by contract.
    let run = unsafe { &mut *run };
    let (stride, count) = (stride as usize, length as usize);
    let Some(room) = run.arena.cells(count * stride) else { return Exit::Interpret as i32 };
    for index in 0..count {
        let from = (count - 1 - index) * stride;
        // SAFETY: both are within `count` elements.
        unsafe { std::ptr::copy_nonoverlapping(list.add(from), room.as_ptr().add(index * stride), stride) };
    }
    run.out = [room.as_ptr() as u64, length];
    0
}

/// # Safety
/// As [`allocate`]; `length` entries of `stride` cells lie at `entries`, of which `cells` from `first` on are
/// initialised or not looked at.
pub(super) unsafe extern "C" fn column(
    run: *mut Run<'_>,
    entries: *const u64,
    length: u64,
    stride: u64,
    first: u64,
    cells: u64,
) -> i32 {
    // SAFETY: by contract.
    let run = unsafe { &mut *run };
    let (stride, first, cells) = (stride as usize, first as usize, cells as usize);
    let Some(room) = run.arena.cells(length as usize * cells) else { return Exit::Interpret as i32 };
    for index in 0..length as usize {
        // SAFETY: both are within `length` entries.
        unsafe {
            let from = entries.add(index * stride + first);
            std::ptr::copy_nonoverlapping(from, room.as_ptr().add(index * cells), cells);
        }
    }
    run.out = [room.as_ptr() as u64, length];
    0
}

/// # Safety
/// `length` entries of `stride` cells, in the order of their keys, lie at `entries`; the key is a text.
pub(super) unsafe extern "C" fn find(
    entries: *const u64,
    length: u64,
    stride: u64,
    key: *const u8,
    key_len: u64,
) -> *const u64 {
    // SAFETY: by contract.
    let key = unsafe { text_of(key, key_len as usize) };
    let (mut low, mut high) = (0, length as usize);
    while low < high {
        let middle = low + (high - low) / 2;
        // SAFETY: the key lies behind the origin.
        let (entry, found) = unsafe {
            let entry = entries.add(middle * stride as usize);
            (entry, text(entry.add(1)))
        };
        match found.cmp(key) {
            // SAFETY: the value lies behind the key.
            std::cmp::Ordering::Equal => return unsafe { entry.add(3) },
            std::cmp::Ordering::Less => low = middle + 1,
            std::cmp::Ordering::Greater => high = middle,
        }
    }
    std::ptr::null()
}
