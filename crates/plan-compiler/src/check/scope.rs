//! The variables of a body and which of their names are visible.

use std::sync::Arc;

use foldhash::{HashMap, HashMapExt as _};
use plan_lang::ast::{Binder, Ident};
use plan_lang::{Diagnostic, Span};
use schema::types::Type;

use super::Checker;
use crate::codes;
use crate::hir::{Var, VarId};
use crate::kept::{KeptVar, Outside};
use crate::program::ModuleId;
use crate::sink::SourceId;

/// What may stand in the code that is being checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// A plan: everything.
    Plan,
    /// Pure code, and what kind of code it is, for messages.
    Pure(&'static str),
}

impl Place {
    /// A test, outside its runs.
    pub(super) const TEST: Self = Self::Pure("a test");
}

/// The body that is being checked.
#[derive(Debug)]
pub(super) struct Body<'a> {
    pub(super) module: ModuleId,
    pub(super) source: SourceId,
    pub(super) place: Place,
    /// Whether `wanted_schema()` has a meaning here.
    pub(super) generic: bool,
    /// Whether this is the value of a block, behind all its statements.
    pub(super) tail: bool,
    /// The field whose value is written by its name alone.
    pub(super) shorthand: Option<&'a Ident>,
    /// In a test, the variables that `calls(op)` stands for, by the name of the target.
    pub(super) calls: Option<Vec<(String, VarId)>>,
    pub(super) vars: Vec<Var>,
    spans: Vec<Span>,
    used: Vec<bool>,
    /// What each name stands for.
    names: HashMap<&'a str, VarId>,
    /// Names in the order they became visible, each with what it stood for before.
    trail: Vec<(&'a str, Option<VarId>)>,
    /// A variable whose type was too large to be kept.
    oversized: Option<Span>,
    /// The names that were looked up and found among the variables before the first of these, or nowhere.
    looked_up: Option<LookedUp>,
}

/// What is looked up while a statement is checked.
#[derive(Debug)]
struct LookedUp {
    /// The first variable of the statement.
    first: u32,
    outside: Vec<(String, Option<VarId>)>,
}

/// Parts of the type of one variable. A few lines can double a type again and again.
const TYPE_PARTS_MAX: usize = 1_000;

impl<'a> Body<'a> {
    /// A body without variables.
    pub(super) fn new(module: ModuleId, source: SourceId) -> Self {
        Self {
            module,
            source,
            place: Place::Pure("a constant"),
            generic: false,
            tail: false,
            shorthand: None,
            calls: None,
            vars: Vec::new(),
            spans: Vec::new(),
            used: Vec::new(),
            names: HashMap::new(),
            trail: Vec::new(),
            oversized: None,
            looked_up: None,
        }
    }

    /// Whether a variable may have this type.
    pub(super) fn has_room_for(ty: &Type) -> bool {
        ty.has_parts_within(TYPE_PARTS_MAX)
    }

    /// A variable without a name.
    pub(super) fn anonymous(&mut self, ty: Type, span: Span) -> VarId {
        let id = VarId(self.next());
        let fits = Self::has_room_for(&ty);
        if !fits && self.oversized.is_none() {
            self.oversized = Some(span);
        }
        let ty = if fits { ty } else { Type::Error };
        self.vars.push(Var { name: Arc::default(), ty });
        self.spans.push(span);
        self.used.push(true);
        id
    }

    /// A variable that is visible from here to the end of the scope.
    pub(super) fn bind(&mut self, name: &'a Ident, ty: Type) -> VarId {
        let id = self.anonymous(ty, name.span);
        if !name.is_missing()
            && let Some(var) = self.vars.last_mut()
        {
            var.name = name.name.as_str().into();
        }
        self.make_visible(name, id);
        id
    }

    /// Makes a variable visible by its name from here to the end of the scope.
    pub(super) fn make_visible(&mut self, name: &'a Ident, id: VarId) {
        if !name.is_missing() {
            self.make_known(&name.name, id);
        }
    }

    fn make_known(&mut self, name: &'a str, id: VarId) {
        let before = self.names.insert(name, id);
        self.trail.push((name, before));
    }

    /// The number of the next variable.
    pub(super) fn next(&self) -> u32 {
        u32::try_from(self.vars.len()).unwrap_or(u32::MAX)
    }

    /// A variable of a statement that is known, which stands at `span` now.
    pub(super) fn take_over(&mut self, kept: &KeptVar, span: Span) {
        self.vars.push(kept.var.clone());
        self.spans.push(span);
        self.used.push(kept.used);
    }

    /// The variables from the number `first` on.
    pub(super) fn vars_since(&self, first: u32) -> Vec<KeptVar> {
        let rows = self.vars.iter().zip(&self.spans).zip(&self.used).skip(first as usize);
        rows.map(|((var, span), used)| KeptVar { var: var.clone(), span: *span, used: *used }).collect()
    }

    /// From here to [`Self::end_looking`], takes note of the names that are looked up and not bound since. Returns the
    /// number of the first variable that is bound since.
    pub(super) fn begin_looking(&mut self) -> u32 {
        let first = self.next();
        self.looked_up = Some(LookedUp { first, outside: Vec::new() });
        first
    }

    /// What was noted.
    pub(super) fn end_looking(&mut self) -> Vec<Outside> {
        let looked_up = self.looked_up.take().map(|looked_up| looked_up.outside).unwrap_or_default();
        let outside = looked_up.into_iter().map(|(name, found)| {
            let found = found.and_then(|id| Some((id, self.var(id)?.ty.clone())));
            Outside { name, found }
        });
        outside.collect()
    }

    /// A variable that the language names, from here on.
    pub(super) fn bind_word(&mut self, name: &'static str, ty: Type, span: Span) -> VarId {
        let id = self.anonymous(ty, span);
        if let Some(var) = self.vars.last_mut() {
            var.name = name.into();
        }
        self.make_known(name, id);
        id
    }

    /// A variable for a binder of a lambda or loop.
    pub(super) fn bind_binder(&mut self, binder: &'a Binder, ty: Type) -> VarId {
        match binder {
            Binder::Name(name) => self.bind(name, ty),
            Binder::Ignore(span) => self.anonymous(ty, *span),
        }
    }

    /// The visible variable called `name`.
    pub(super) fn lookup(&mut self, name: &str) -> Option<VarId> {
        let found = self.names.get(name).copied();
        if let Some(LookedUp { first, outside }) = &mut self.looked_up
            && found.is_none_or(|id| id.0 < *first)
            && !outside.iter().any(|(other, id)| *id == found && other == name)
        {
            outside.push((name.to_owned(), found));
        }
        found
    }

    pub(super) fn var(&self, id: VarId) -> Option<&Var> {
        self.vars.get(id.0 as usize)
    }

    pub(super) fn span_of(&self, id: VarId) -> Span {
        self.spans.get(id.0 as usize).copied().unwrap_or_default()
    }

    pub(super) fn mark_used(&mut self, id: VarId) {
        if let Some(used) = self.used.get_mut(id.0 as usize) {
            *used = true;
        }
    }

    /// Whether something read the variable since it was watched.
    pub(super) fn is_used(&self, id: VarId) -> bool {
        self.used.get(id.0 as usize).is_none_or(|used| *used)
    }

    /// Lints the variable where nothing reads it.
    pub(super) fn watch(&mut self, id: VarId) {
        if let Some(used) = self.used.get_mut(id.0 as usize) {
            *used = false;
        }
    }

    /// Variables that are watched and that nothing has read.
    pub(super) fn unused(&self) -> Vec<VarId> {
        let unused = self.used.iter().enumerate().filter(|(_, used)| !**used);
        unused.filter_map(|(at, _)| u32::try_from(at).ok().map(VarId)).collect()
    }

    /// Where a scope begins.
    pub(super) fn enter(&self) -> usize {
        self.trail.len()
    }

    /// Ends the scope that began at `mark`.
    pub(super) fn leave(&mut self, mark: usize) {
        while self.trail.len() > mark {
            match self.trail.pop() {
                Some((name, Some(before))) => _ = self.names.insert(name, before),
                Some((name, None)) => _ = self.names.remove(name),
                None => return,
            }
        }
    }

    /// The visible names, in the order they were bound.
    pub(super) fn visible(&self) -> impl Iterator<Item = &str> {
        self.trail.iter().map(|(name, _)| *name)
    }
}

impl<'a> Checker<'a, '_> {
    /// Runs `inside` with another kind of code around it.
    pub(super) fn in_place<T>(&mut self, place: Place, inside: impl FnOnce(&mut Self) -> T) -> T {
        let before = std::mem::replace(&mut self.body.place, place);
        let result = inside(self);
        self.body.place = before;
        result
    }

    /// Runs `inside` as the value of a block, or as something else.
    pub(super) fn in_tail<T>(&mut self, tail: bool, inside: impl FnOnce(&mut Self) -> T) -> T {
        let before = std::mem::replace(&mut self.body.tail, tail);
        let result = inside(self);
        self.body.tail = before;
        result
    }

    /// Runs `inside`, with the variables of the body visible or not.
    pub(super) fn seeing<T>(&mut self, locals: bool, inside: impl FnOnce(&mut Self) -> T) -> T {
        if locals {
            return inside(self);
        }
        let names = std::mem::take(&mut self.body.names);
        let trail = std::mem::take(&mut self.body.trail);
        let result = inside(self);
        self.body.names = names;
        self.body.trail = trail;
        result
    }

    /// Runs `inside` in a scope of its own.
    pub(super) fn scoped<T>(&mut self, inside: impl FnOnce(&mut Self) -> T) -> T {
        let mark = self.body.enter();
        let result = inside(self);
        self.body.leave(mark);
        self.refuse_oversized();
        result
    }

    /// Reports the first variable whose type was too large, of those bound since this was last asked: once for each
    /// statement, so that what is said of one does not depend on those before it.
    pub(super) fn refuse_oversized(&mut self) {
        let Some(span) = self.body.oversized.take() else { return };
        let message = format!("a type has more than {TYPE_PARTS_MAX} parts");
        self.report(
            Diagnostic::error(codes::TOO_MANY_NODES, message)
                .primary(span, "of this value")
                .help("each `Ok` and `Err` around a value nests its type once more: use records and enums"),
        );
    }

    /// Reports a `let` of a name that is visible already.
    pub(super) fn refuse_rebinding(&mut self, name: &Ident) {
        let Some(first) = self.body.lookup(&name.name).filter(|_| !name.is_missing()) else { return };
        let first = self.body.span_of(first);
        let is_of_test = self.body.calls.is_some() && matches!(name.name.as_str(), "cost" | "elapsed");
        let label = if is_of_test { "a test has it from its start" } else { "first bound here" };
        self.report(
            Diagnostic::error(codes::REBOUND, format!("`{}` is bound already", name.name))
                .primary(name.span, "bound again")
                .secondary(first, label)
                .note("a name stands for one value: the graph of the plan follows the names")
                .help("give this value another name"),
        );
    }

    /// Lints `let`s that nothing reads, unless the body has `errors`: what is missing may have read them.
    pub(super) fn lint_unused(&mut self, errors_before: usize) {
        if self.sink.errors() > errors_before {
            return;
        }
        for id in self.body.unused() {
            let span = self.body.span_of(id);
            let Some(name) = self.body.var(id).map(|var| var.name.clone()) else { continue };
            if name.is_empty() || name.starts_with('_') {
                continue;
            }
            self.report(
                Diagnostic::warning(codes::UNUSED_VALUE, format!("nothing uses `{name}`"))
                    .primary(span, "unused")
                    .help("remove it, or start its name with `_`"),
            );
        }
    }
}
