//! Statements of a plan that are taken over from an earlier version of the text.
//!
//! What a statement becomes depends on its own text, on what the names that it reads from around it stand for, and on
//! the declarations of the file. Where all of that is as it was, so is the checked form, but for its places, and for
//! the numbers of its variables: those are moved when the form is read.

use std::sync::Arc;

use plan_lang::Span;
use schema::types::Type;

use crate::hir::{Stmt, Var, VarId};
use crate::layout::Layout;

/// A statement as it was checked, with what that depends on.
#[derive(Debug)]
pub(crate) struct Kept {
    pub(crate) text: Box<str>,
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

/// The statements of a plan in their order.
pub(crate) type KeptStmts = Vec<Arc<Kept>>;

/// The statements of a plan that are known, and those that are to be.
#[derive(Debug)]
pub(crate) struct Keeping {
    /// The chunk that the plan stands in.
    pub(crate) text: Arc<str>,
    /// Where that starts.
    pub(crate) start: u32,
    pub(crate) layout: Arc<Layout>,
    known: Arc<KeptStmts>,
    /// The first of those that stands behind all that were taken over.
    next: usize,
    /// Those of the text at hand.
    pub(crate) made: KeptStmts,
}

/// How far ahead a statement is looked for: so many that stood before it may have gone at once. Where more have, those
/// behind are checked anew.
const AHEAD: usize = 64;

impl Keeping {
    /// Of a plan that stands in the chunk of this `text`, which starts at `start`, with what is known of its statements.
    pub(crate) fn new(text: Arc<str>, start: u32, layout: Arc<Layout>, known: Arc<KeptStmts>) -> Self {
        let made = KeptStmts::with_capacity(known.len());
        Self { text, start, layout, known, next: 0, made }
    }

    /// What is known of the statement at `span`, which stands behind all that were asked for before.
    pub(crate) fn known_at(&mut self, span: Span) -> Option<Arc<Kept>> {
        let text = self.text_at(span)?;
        let mut ahead = self.known.iter().enumerate().skip(self.next).take(AHEAD);
        let (at, found) = ahead.find(|(_, kept)| *kept.text == *text)?;
        let found = Arc::clone(found);
        self.next = at + 1;
        Some(found)
    }

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
    /// The variables around it that it reads and that have another number now, by the one that they had.
    outside: Arc<[(VarId, VarId)]>,
}

impl Placed {
    /// `kept`, which starts at `start` of a text that is laid out as `layout`, with its variables from `first` on and
    /// those that `outside` says for what it reads, where they are others.
    pub(crate) fn new(
        kept: Arc<Kept>,
        start: u32,
        layout: Arc<Layout>,
        first: u32,
        outside: &[(VarId, VarId)],
    ) -> Self {
        // Most have none, and share it.
        let outside = if outside.is_empty() { Arc::default() } else { outside.into() };
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
