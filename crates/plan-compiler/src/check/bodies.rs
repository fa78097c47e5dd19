//! The bodies of a program, each checked by itself.

use plan_lang::{Diagnostic, ast};
use schema::types::TypeDefs;

use super::{Asked, Checked, Checker};
use crate::hir::{AdapterBody, FnBody, PlanBody, TestBody};
use crate::kept::{Keeping, KeptStmts};
use crate::program::{Module, Program};
use crate::sink::SourceId;

/// A body: by its place among its like in the program, or among the tests of the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum BodyId {
    Function(usize),
    Adapter(usize),
    Plan(usize),
    Test(usize),
}

/// What was found in one body.
#[derive(Debug, Default)]
pub(crate) struct Report {
    /// What there is to say, each with the text it is about.
    pub(crate) found: Vec<(SourceId, Diagnostic)>,
    /// What it took for granted of the functions it applies.
    pub(crate) asked: Asked,
    /// Whether that depends on more declarations of the file than those that it names.
    pub(crate) listed: bool,
}

/// A body as far as it is known, and what was found in it.
pub(crate) struct Found {
    pub(crate) report: Report,
    /// The statements of a plan that can be taken over while they stay what they are.
    pub(crate) kept: KeptStmts,
}

/// The bodies and, of those that were checked, their checked form.
pub(super) struct Bodies<'a> {
    tests_in_text: Vec<&'a ast::Test>,
    functions: Vec<Option<FnBody>>,
    adapters: Vec<Option<AdapterBody>>,
    plans: Vec<Option<PlanBody>>,
    tests: Vec<Option<TestBody>>,
}

impl<'a> Bodies<'a> {
    pub(super) fn of(program: &Program<'a>, items: &'a [ast::Item]) -> Self {
        let tests = items.iter().filter_map(|item| match item {
            ast::Item::Test(test) => Some(test),
            _ => None,
        });
        let tests_in_text: Vec<&ast::Test> = tests.collect();
        Self {
            functions: program.functions.iter().map(|_| None).collect(),
            adapters: program.adapters.iter().map(|_| None).collect(),
            plans: program.plans.iter().map(|_| None).collect(),
            tests: tests_in_text.iter().map(|_| None).collect(),
            tests_in_text,
        }
    }

    fn has(&self, id: BodyId) -> bool {
        match id {
            BodyId::Function(at) => matches!(self.functions.get(at), Some(Some(_))),
            BodyId::Adapter(at) => matches!(self.adapters.get(at), Some(Some(_))),
            BodyId::Plan(at) => matches!(self.plans.get(at), Some(Some(_))),
            BodyId::Test(at) => matches!(self.tests.get(at), Some(Some(_))),
        }
    }
}

impl<'a> Checker<'a, '_> {
    /// All bodies, in the order they are reported in.
    pub(crate) fn bodies(&self) -> Vec<BodyId> {
        let functions = (0..self.bodies.functions.len()).map(BodyId::Function);
        let adapters = (0..self.bodies.adapters.len()).map(BodyId::Adapter);
        let plans = (0..self.bodies.plans.len()).map(BodyId::Plan);
        let tests = (0..self.bodies.tests.len()).map(BodyId::Test);
        functions.chain(adapters).chain(plans).chain(tests).collect()
    }

    /// Checks a body. What is found is returned, not yet reported.
    pub(crate) fn check_body(&mut self, id: BodyId) -> Report {
        self.check_keeping(id, None).report
    }

    /// The same, with what is known of its statements, and to be known.
    pub(crate) fn check_keeping(&mut self, id: BodyId, keeping: Option<Keeping>) -> Found {
        let outer = std::mem::take(&mut self.sink);
        let has_listed = || self.program.modules.first().is_some_and(Module::take_listed);
        has_listed();
        self.analyses.begin_body();
        match id {
            BodyId::Function(at) => put(self.function(at), at, |bodies| &mut bodies.functions, self),
            BodyId::Adapter(at) => put(self.adapter(at), at, |bodies| &mut bodies.adapters, self),
            BodyId::Plan(at) => put(self.plan(at, keeping), at, |bodies| &mut bodies.plans, self),
            BodyId::Test(at) => {
                if let Some(test) = self.bodies.tests_in_text.get(at).copied() {
                    put(self.test(test), at, |bodies| &mut bodies.tests, self);
                }
            }
        }
        let asked = self.analyses.end_body();
        let found = std::mem::replace(&mut self.sink, outer).into_found();
        Found { report: Report { found, asked, listed: has_listed() }, kept: std::mem::take(&mut self.kept) }
    }

    /// Sees to it that the checked form of a body that was reported before is at hand; `keeping` says what is known of
    /// its statements.
    pub(crate) fn need(&mut self, id: BodyId, keeping: impl FnOnce() -> Option<Keeping>) {
        if !self.bodies.has(id) {
            self.check_keeping(id, keeping());
        }
    }

    /// Reports what was found in a body.
    pub(crate) fn tell(&mut self, found: impl IntoIterator<Item = (SourceId, Diagnostic)>) {
        for (source, diagnostic) in found {
            self.sink.report(source, diagnostic);
        }
    }

    /// What was asked outside of bodies, and whether a limit decided an answer anywhere.
    pub(crate) fn asked_outside(&self) -> (Asked, bool) {
        self.analyses.outside()
    }

    /// The types of the program and those that were made so far.
    pub(crate) fn types(&self) -> &TypeDefs {
        &self.types
    }

    /// Everything that was reported so far, once.
    pub(crate) fn take_found(&mut self) -> Vec<(SourceId, Diagnostic)> {
        std::mem::take(&mut self.sink).into_found()
    }

    /// The checked form; empty for bodies that were not checked.
    pub(crate) fn finish(self) -> Checked {
        let Bodies { functions, adapters, plans, tests, .. } = self.bodies;
        Checked {
            types: self.types,
            functions: functions.into_iter().map(Option::unwrap_or_default).collect(),
            plans: plans.into_iter().map(Option::unwrap_or_default).collect(),
            adapters: adapters.into_iter().map(Option::unwrap_or_default).collect(),
            plan_defaults: self.plan_defaults,
            tests: tests.into_iter().map(Option::unwrap_or_default).collect(),
        }
    }
}

fn put<'a, T>(
    body: T,
    at: usize,
    list: impl for<'b> Fn(&'b mut Bodies<'a>) -> &'b mut Vec<Option<T>>,
    checker: &mut Checker<'a, '_>,
) {
    if let Some(slot) = list(&mut checker.bodies).get_mut(at) {
        *slot = Some(body);
    }
}
