//! Memory of one evaluation: cells are handed out one behind the other and given back all at once.
#![expect(unsafe_code, reason = "addresses of what was handed out")]

use std::mem::MaybeUninit;
use std::ptr::NonNull;

use schema::value::Value;

/// Bytes of one cell.
pub(crate) const CELL: usize = 8;

/// Cells of the first chunk; each further one is twice as large.
const FIRST_CHUNK: usize = 2 << 10;
/// Cells above which chunks do not grow further.
const LARGEST_CHUNK: usize = 256 << 10;
/// What a value on the heap counts for.
const VALUE_CELLS: usize = 8;

/// A bump allocator with a limit. What it hands out stays where it is until [`Arena::reset`], and is not
/// initialised.
pub(crate) struct Arena {
    chunks: Vec<Box<[MaybeUninit<u64>]>>,
    /// The first free cell of the last chunk.
    next: *mut u64,
    /// Free cells there.
    free: usize,
    /// Cells that may still be taken from the system or for values.
    left: usize,
    limit: usize,
    #[expect(clippy::vec_box, reason = "values stay where they are when the list grows")]
    values: Vec<Box<Value>>,
}

// SAFETY: the pointer is into a chunk that the arena owns.
unsafe impl Send for Arena {}
// SAFETY: nothing is handed out by a shared reference.
unsafe impl Sync for Arena {}

impl std::fmt::Debug for Arena {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Arena").field("chunks", &self.chunks.len()).field("left", &self.left).finish()
    }
}

impl Arena {
    /// An arena of at most about `bytes`.
    pub(crate) const fn new(bytes: usize) -> Self {
        let limit = bytes / CELL;
        Self {
            chunks: Vec::new(),
            next: NonNull::dangling().as_ptr(),
            free: 0,
            left: limit,
            limit,
            values: Vec::new(),
        }
    }

    /// Room for `count` cells; `None` where the limit is reached.
    pub(crate) fn cells(&mut self, count: usize) -> Option<NonNull<u64>> {
        if count > self.free {
            self.grow(count)?;
        }
        let start = self.next;
        self.free -= count;
        // SAFETY: `count` cells from `next` are free, so this stays within the chunk or one past its end.
        self.next = unsafe { start.add(count) };
        NonNull::new(start)
    }

    #[cold]
    fn grow(&mut self, count: usize) -> Option<()> {
        let usual = (FIRST_CHUNK << self.chunks.len().min(16)).min(LARGEST_CHUNK);
        let size = usual.min(self.left).max(count);
        self.left = self.left.checked_sub(size)?;
        let mut chunk = Box::new_uninit_slice(size);
        self.next = chunk.as_mut_ptr().cast();
        self.free = size;
        self.chunks.push(chunk);
        Some(())
    }

    /// Gives back the last `count` of the cells that end at `end`, if nothing was handed out since.
    pub(crate) fn give_back(&mut self, end: *mut u64, count: usize) {
        if std::ptr::eq(end, self.next) {
            // SAFETY: the caller got at least `count` cells that end at `end`, all of the last chunk.
            self.next = unsafe { self.next.sub(count) };
            self.free += count;
        }
    }

    /// A copy of `text`.
    pub(crate) fn text(&mut self, text: &str) -> Option<(*const u8, usize)> {
        let at = self.bytes(text.len())?;
        // SAFETY: there is room for as many bytes, and what was just handed out overlaps nothing.
        unsafe { std::ptr::copy_nonoverlapping(text.as_ptr(), at.as_ptr(), text.len()) };
        Some((at.as_ptr(), text.len()))
    }

    /// Room for `count` bytes.
    pub(crate) fn bytes(&mut self, count: usize) -> Option<NonNull<u8>> {
        self.cells(count.div_ceil(CELL)).map(NonNull::cast)
    }

    /// Keeps `value`; the address it is kept at.
    pub(crate) fn value(&mut self, value: Value) -> Option<*const Value> {
        self.left = self.left.checked_sub(VALUE_CELLS)?;
        let value = Box::new(value);
        let at: *const Value = &*value;
        self.values.push(value);
        Some(at)
    }

    /// Takes everything back. The largest chunk is kept for what comes next.
    pub(crate) fn reset(&mut self) {
        self.values.clear();
        if let [only] = self.chunks.as_mut_slice()
            && only.len() <= LARGEST_CHUNK.min(self.limit / 2)
        {
            self.free = only.len();
            self.next = only.as_mut_ptr().cast();
            self.left = self.limit - self.free;
            return;
        }
        let largest = LARGEST_CHUNK.min(self.limit / 2);
        self.chunks.retain(|chunk| chunk.len() <= largest);
        self.chunks.sort_unstable_by_key(|chunk| chunk.len());
        self.chunks.drain(..self.chunks.len().saturating_sub(1));
        let kept = self.chunks.last_mut();
        self.free = kept.as_ref().map_or(0, |chunk| chunk.len());
        self.next = kept.map_or(NonNull::dangling().as_ptr(), |chunk| chunk.as_mut_ptr().cast());
        self.left = self.limit.saturating_sub(self.free);
    }

    /// Bytes taken from the system.
    pub(crate) fn size(&self) -> usize {
        self.chunks.iter().map(|chunk| chunk.len() * CELL).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_do_not_overlap_and_the_limit_holds() {
        let mut arena = Arena::new(1 << 20);
        let mut taken = 0;
        let mut ranges: Vec<(usize, usize)> = Vec::new();
        while let Some(at) = arena.cells(100) {
            // SAFETY: 100 cells were handed out.
            unsafe { at.as_ptr().write_bytes(0xab, 100) };
            ranges.push((at.as_ptr() as usize, at.as_ptr() as usize + 800));
            taken += 800;
        }
        assert!(taken <= 1 << 20, "{taken} bytes");
        assert!(taken > 1 << 19, "{taken} bytes");
        ranges.sort_unstable();
        assert!(ranges.windows(2).all(|pair| pair[0].1 <= pair[1].0));
        arena.reset();
        assert!(arena.cells(100).is_some());
    }

    #[test]
    fn one_piece_may_be_as_large_as_the_limit_and_no_larger() {
        let mut arena = Arena::new(1 << 20);
        assert!(arena.cells((1 << 17) + 1).is_none());
        assert!(arena.cells(1 << 17).is_some());
        assert!(arena.cells(1).is_none() && arena.value(Value::Null).is_none());
        arena.reset();
        assert!(arena.value(Value::Null).is_some());
    }

    #[test]
    fn what_is_given_back_is_handed_out_again() {
        let mut arena = Arena::new(1 << 20);
        let first = arena.cells(10).unwrap().as_ptr();
        arena.give_back(first.wrapping_add(10), 4);
        let second = arena.cells(1).unwrap().as_ptr();
        assert_eq!(second, first.wrapping_add(6));
        arena.give_back(first.wrapping_add(6), 6);
        assert_eq!(arena.cells(1).unwrap().as_ptr(), first.wrapping_add(7), "something came in between");
    }

    #[test]
    fn texts_and_values_are_kept() {
        let mut arena = Arena::new(1 << 20);
        let (at, length) = arena.text("naïve").unwrap();
        // SAFETY: as many bytes were written there.
        assert_eq!(unsafe { std::slice::from_raw_parts(at, length) }, "naïve".as_bytes());
        let value = arena.value(Value::Int(7)).unwrap();
        // SAFETY: the arena keeps it.
        assert_eq!(unsafe { &*value }, &Value::Int(7));
    }
}
