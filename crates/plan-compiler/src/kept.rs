//! Statements of a plan that are taken over from an earlier version of the text.
//!
//! What a statement becomes depends on its own text, on what the names that it reads from around it stand for, and on
//! the declarations of the file. Where all of that is as it was, so is the checked form, but for its places, and for
//! the numbers of its variables: those are moved when the form is read.

use std::sync::Arc;

use foldhash::HashMap;
use plan_lang::Span;
use schema::types::Type;

use crate::hir::{Stmt, Var, VarId};
use crate::layout::Layout;

/// A statement as it was checked, with what that depends on.
#[derive(Debug)]
pub(crate) struct Kept {
    pub(crate) text: Arc<str>,
    /// Where it stood.
    pub(crate) span: Span,
    /// Of the text that it stood in.
    pub(crate) layout: Arc<Layout>,
    pub(crate) stmt: Stmt,
    /// The names that were looked up and that it does not bind itself.
    pub(crate) outside: Vec<Outside>,
    /// The number of its first variable. Its variables follow one another.
    pub(crate) first: u32,
    pub(crate) vars: Vec<KeptVar>,
}

/// What a name around a statement stood for.
#[derive(Debug)]
pub(crate) struct Outside {
    pub(crate) name: String,
    /// `None` where it stood for no variable.
    pub(crate) found: Option<(VarId, Type)>,
}

/// A variable that a statement binds.
#[derive(Debug)]
pub(crate) struct KeptVar {
    pub(crate) var: Var,
    pub(crate) span: Span,
    /// Whether the statement itself reads it, or need not.
    pub(crate) used: bool,
}

/// The statements of a plan by their text. Of those that are alike it is the last.
pub(crate) type KeptStmts = HashMap<Arc<str>, Arc<Kept>>;

/// The statements of a plan that are known, and those that are to be.
#[derive(Debug)]
pub(crate) struct Keeping {
    /// The chunk that the plan stands in.
    pub(crate) text: Arc<str>,
    /// Where that starts.
    pub(crate) start: u32,
    pub(crate) layout: Arc<Layout>,
    pub(crate) known: Arc<KeptStmts>,
    /// Those of the text at hand.
    pub(crate) made: KeptStmts,
}

impl Keeping {
    /// The text at `span`, where that is within the chunk.
    pub(crate) fn text_at(&self, span: Span) -> Option<&str> {
        let at = |offset: u32| offset.checked_sub(self.start).map(|offset| offset as usize);
        self.text.get(at(span.start)?..at(span.end)?)
    }
}

/// A kept statement at its place in the text at hand.
#[derive(Clone, Debug)]
pub(crate) struct Placed {
    kept: Arc<Kept>,
    start: u32,
    layout: Arc<Layout>,
    /// The number of its first variable.
    first: u32,
    /// The variables around it that it reads, by the numbers that they had.
    outside: Vec<(VarId, VarId)>,
}

impl Placed {
    /// `kept`, which starts at `start` of a text that is laid out as `layout`, with its variables from `first` on and
    /// those that `outside` says for what it reads.
    pub(crate) fn new(
        kept: Arc<Kept>,
        start: u32,
        layout: Arc<Layout>,
        first: u32,
        outside: Vec<(VarId, VarId)>,
    ) -> Self {
        Self { kept, start, layout, first, outside }
    }

    /// The statement, whose places and variables are those that it had.
    pub(crate) fn stmt(&self) -> &Stmt {
        &self.kept.stmt
    }

    /// Where what was at `span` is now.
    pub(crate) fn span(&self, span: Span) -> Span {
        let by = if self.kept.span.contains(span) {
            self.start.wrapping_sub(self.kept.span.start)
        } else if Arc::ptr_eq(&self.kept.layout, &self.layout) {
            0
        } else {
            // Of a policy or a default, which is declared elsewhere.
            self.kept.layout.shift(&self.layout, None, span)
        };
        Span::new(span.start.wrapping_add(by), span.end.wrapping_add(by))
    }

    /// The number of a variable now.
    pub(crate) fn var(&self, var: VarId) -> VarId {
        if var.0 >= self.kept.first {
            return VarId(var.0.wrapping_sub(self.kept.first).wrapping_add(self.first));
        }
        let now = self.outside.iter().find(|(before, _)| *before == var);
        now.map_or(var, |(_, now)| *now)
    }
}
