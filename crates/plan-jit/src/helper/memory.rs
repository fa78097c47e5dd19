//! Room for lists.
#![expect(unsafe_code, reason = "called by native code with addresses")]

use schema::limits::LIST_ELEMENTS_MAX;

use crate::cells::cell;
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
