//! Where the cells of an answer are put while it is read. What is not complete yet is on a stack of cells;
//! a list or record that is goes to the arena.
#![expect(unsafe_code, reason = "finished cells are handed on by address")]

use std::sync::Arc;

use schema::types::TypeDefs;
use schema::value::Value;

use crate::arena::Arena;
use crate::cells::Writer;
use crate::flat::{Flat, Shape};
use crate::layout::ReprId;
use crate::native::ARENA_BYTES_MAX;

#[derive(Debug)]
pub(super) struct Room<'a> {
    shape: &'a Shape,
    pub(super) defs: &'a TypeDefs,
    cells: Vec<u64>,
    arena: Arena,
    /// Arrays and objects around what is read.
    pub(super) depth: usize,
}

impl<'a> Room<'a> {
    pub(super) fn new(shape: &'a Shape, defs: &'a TypeDefs) -> Self {
        Self { shape, defs, cells: Vec::with_capacity(256), arena: Arena::new(ARENA_BYTES_MAX), depth: 0 }
    }

    /// Room for `count` cells on the stack, all 0; the place of the first.
    pub(super) fn push(&mut self, count: usize) -> usize {
        let start = self.cells.len();
        self.cells.resize(start + count, 0);
        start
    }

    /// The place of what is pushed next.
    pub(super) fn top(&self) -> usize {
        self.cells.len()
    }

    /// Takes everything from `start` on off the stack.
    pub(super) fn drop_from(&mut self, start: usize) {
        self.cells.truncate(start);
    }

    pub(super) fn set(&mut self, at: usize, cell: u64) {
        if let Some(slot) = self.cells.get_mut(at) {
            *slot = cell;
        }
    }

    /// A text that stands in the document as it is.
    pub(super) fn set_text(&mut self, at: usize, text: &str) {
        self.set(at, text.as_ptr() as u64);
        self.set(at + 1, text.len() as u64);
    }

    /// A copy of a text.
    pub(super) fn copy_text(&mut self, at: usize, text: &str) -> Option<()> {
        let (address, length) = self.arena.text(text)?;
        self.set(at, address as u64);
        self.set(at + 1, length as u64);
        Some(())
    }

    /// Moves everything from `start` on to where it stays; its address.
    pub(super) fn settle(&mut self, start: usize) -> Option<u64> {
        let cells = self.cells.get(start..)?;
        let room = self.arena.cells(cells.len())?.as_ptr();
        // SAFETY: there is room for as many cells, of which none is on the stack.
        unsafe { std::ptr::copy_nonoverlapping(cells.as_ptr(), room, cells.len()) };
        self.cells.truncate(start);
        Some(room as u64)
    }

    /// Lays a value out at `at`, and keeps it.
    pub(super) fn set_value(&mut self, at: usize, repr: ReprId, value: Value) -> Option<()> {
        let kept = self.arena.value(value)?;
        let count = self.shape.layouts.cells(repr) as usize;
        let room = self.cells.get_mut(at..at + count)?;
        let mut writer = Writer { layouts: &self.shape.layouts, arena: &mut self.arena, needs: None };
        // SAFETY: the arena keeps the value, and there is room for its cells.
        unsafe { writer.write(&*kept, repr, room.as_mut_ptr()) }.ok()
    }

    /// The value whose cells are at the bottom of the stack, which refers to `document`.
    pub(super) fn into_flat(self, document: Arc<str>) -> Option<Flat> {
        let cells = self.cells.get(..self.shape.layouts.cells(self.shape.repr) as usize)?;
        // SAFETY: they were written for the shape, and refer to the arena and the document.
        Some(unsafe { Flat::answer(self.shape.clone(), cells, self.arena, document) })
    }
}
