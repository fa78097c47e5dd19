//! The literals of a compiled plan: they live as long as its code, which has their addresses in it.
#![expect(unsafe_code, reason = "literals are laid out at addresses")]

use std::collections::BTreeMap;

use plan_ir::expr::ExprId;
use schema::value::Value;

use crate::arena::Arena;
use crate::cells::{Writer, cell};
use crate::compile::Refused;
use crate::helper::Rows;
use crate::layout::{Layouts, ReprId};

/// Bytes of the literals of one plan.
const LITERAL_BYTES_MAX: usize = 64 << 20;

/// Literals by expression.
#[derive(Debug)]
pub(crate) struct Constants {
    arena: Arena,
    known: BTreeMap<(ExprId, ReprId), Literal>,
}

/// A literal in memory.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Literal {
    pub(crate) address: i64,
    /// Its first two cells, where it has as many.
    pub(crate) cells: [i64; 2],
}

fn full() -> Refused {
    Refused::Limit("its literals take too much memory")
}

impl Constants {
    pub(crate) const fn new() -> Self {
        Self { arena: Arena::new(LITERAL_BYTES_MAX), known: BTreeMap::new() }
    }

    /// The literal at expression `id`.
    pub(crate) fn literal(
        &mut self,
        layouts: &Layouts,
        id: ExprId,
        value: &Value,
        repr: ReprId,
    ) -> Result<Literal, Refused> {
        if let Some(known) = self.known.get(&(id, repr)) {
            return Ok(*known);
        }
        let kept = self.arena.value(value.clone()).ok_or_else(full)?;
        let count = layouts.cells(repr) as usize;
        let room = self.arena.cells(count).ok_or_else(full)?.as_ptr();
        let mut writer = Writer { layouts, arena: &mut self.arena, needs: None };
        // SAFETY: the arena keeps the value, and has room for as many cells as it takes.
        let written = unsafe { writer.write(&*kept, repr, room) };
        written.map_err(|_| Refused::Malformed("a literal is not of its type"))?;
        let cells = if count == 2 {
            // SAFETY: both cells of a text, list or amount were just written.
            unsafe { [cell(room, 0), cell(room, 1)] }
        } else {
            [0; 2]
        };
        let literal = Literal { address: room as i64, cells: cells.map(u64::cast_signed) };
        self.known.insert((id, repr), literal);
        Ok(literal)
    }

    /// Address and length of a text, with [`Rows::SLACK`] bytes behind it.
    pub(crate) fn text(&mut self, text: &str) -> Result<(i64, i64), Refused> {
        let room = self.arena.bytes(text.len() + Rows::SLACK).ok_or_else(full)?.as_ptr();
        // SAFETY: there is room for the text and what is read behind it.
        unsafe {
            room.add(text.len()).write_bytes(0, Rows::SLACK);
            std::ptr::copy_nonoverlapping(text.as_ptr(), room, text.len());
        }
        Ok((room as i64, text.len() as i64))
    }
}
