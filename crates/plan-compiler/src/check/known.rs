//! Statements of a plan that are known from an earlier version of the text, where nothing that they depend on has
//! changed since. See [`crate::kept`].

use std::sync::Arc;

use plan_lang::ast;
use smallvec::SmallVec;

use super::Checker;
use crate::hir::Stmt;
use crate::kept::{Keeping, Kept, Placed};

impl<'a> Checker<'a, '_> {
    /// The statement, as it is known, or checked now and then known.
    pub(super) fn known_statement(&mut self, stmt: &'a ast::Stmt, keeping: &mut Keeping) -> Option<Stmt> {
        if let Some(placed) =
            keeping.known_at(stmt.span()).and_then(|known| self.placed(known, stmt, keeping))
        {
            return Some(Stmt::Kept(placed));
        }
        let before = self.marks();
        let first = self.body.begin_looking();
        let checked = self.statement(stmt);
        let outside = self.body.end_looking();
        let checked = checked?;
        if self.marks() != before {
            return Some(checked);
        }
        let Some(text) = keeping.text_at(stmt.span()).map(Box::<str>::from) else { return Some(checked) };
        let vars = self.body.vars_since(first);
        let layout = Arc::clone(&keeping.layout);
        let kept = Kept {
            text,
            span: stmt.span(),
            layout: Arc::clone(&layout),
            stmt: checked,
            outside,
            first,
            vars,
        };
        let kept = Arc::new(kept);
        keeping.made.push(Arc::clone(&kept));
        Some(Stmt::Kept(Placed::new(kept, stmt.span().start, layout, first, &[])))
    }

    /// What must not have changed while a statement was checked, for it to be kept: what was reported, which may not
    /// be said again; what was asked of functions, as how often that may be done has a limit.
    fn marks(&self) -> (usize, Option<usize>) {
        (self.sink.told(), self.analyses.asked_so_far())
    }

    /// `known` where `stmt` is now, if all names around it stand for what they did. Binds its variables.
    fn placed(&mut self, known: Arc<Kept>, stmt: &'a ast::Stmt, keeping: &mut Keeping) -> Option<Placed> {
        let mut outside = SmallVec::<[_; 8]>::new();
        for name in &known.outside {
            match (self.body.lookup(&name.name), &name.found) {
                (None, None) => {}
                (Some(now), Some((before, ty))) if self.body.var(now).is_some_and(|var| var.ty == *ty) => {
                    outside.push((*before, now));
                }
                _ => return None,
            }
        }
        outside.iter().for_each(|(_, now)| self.body.mark_used(*now));
        outside.retain(|(before, now)| *before != *now);
        let start = stmt.span().start;
        let first = self.body.next();
        let placed = Placed::new(Arc::clone(&known), start, Arc::clone(&keeping.layout), first, &outside);
        for var in &known.vars {
            self.body.take_over(var, placed.span(var.span));
        }
        if let (ast::Stmt::Let(stmt), Stmt::Let { var, .. }) = (stmt, &known.stmt) {
            self.body.make_visible(&stmt.name, placed.var(*var));
        }
        keeping.made.push(known);
        Some(placed)
    }
}
