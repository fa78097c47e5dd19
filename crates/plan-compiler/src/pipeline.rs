//! From parsed texts to plans: resolve, check, lower, bound. What did not change since an earlier version of the text
//! is taken from a [`Memo`].

use std::collections::{BTreeMap, BTreeSet};

use plan_ir::bound::Bound;
use plan_ir::plan::CompiledPlan;
use plan_lang::{Diagnostic, Span};
use schema::lock::Lock;

use crate::bounds;
use crate::check::{BodyId, Checked, Checker, meets_limit};
use crate::codes;
use crate::lower;
use crate::memo::{Lowering, Memo};
use crate::program::{Plan, Program};
use crate::report;
use crate::resolve;
use crate::sink::Sink;
use crate::texts::Texts;
use crate::{Compilation, FILE_PARTS_MAX, Options};

/// Compiles everything in `texts`.
pub(crate) fn compile(texts: &Texts, lock: &Lock, options: &Options) -> Compilation {
    if texts.is_hopeless() {
        return Compilation { diagnostics: hopeless(texts), ..Compilation::default() };
    }
    let mut sink = Sink::default();
    let (program, types) = resolve::resolve(texts, lock, &mut sink);
    let checker = Checker::new(&program, texts.items(0), types, sink);
    let pipeline = Pipeline { texts, program: &program, options, memo: None };
    pipeline.run(checker).unwrap_or_default()
}

/// Finds what [`compile`] has to say, and checks and lowers only what `memo` does not know.
pub(crate) fn check(texts: &Texts, lock: &Lock, options: &Options, memo: &mut Memo) -> Vec<Diagnostic> {
    if texts.is_hopeless() {
        memo.pass_over();
        return hopeless(texts);
    }
    let mut sink = Sink::default();
    let (program, mut types) = resolve::resolve(texts, lock, &mut sink);
    memo.prepare(texts, &program);
    memo.add_interned(&mut types);
    let checker = Checker::new(&program, texts.items(0), types, sink);
    let pipeline = Pipeline { texts, program: &program, options, memo: Some(memo) };
    match pipeline.run(checker) {
        Some(compilation) => compilation.diagnostics,
        None => compile(texts, lock, options).diagnostics,
    }
}

/// What is said of a text that is not checked.
fn hopeless(texts: &Texts) -> Vec<Diagnostic> {
    let mut diagnostics = report::collect(texts, Vec::new());
    plan_lang::diagnostic::sort(&mut diagnostics);
    diagnostics
}

/// The plan called `name`, with its bound, of texts that were checked with `memo` and have no error. Only what goes
/// into it is checked, so `memo` must not have met a limit.
pub(crate) fn plan(texts: &Texts, lock: &Lock, memo: &Memo, name: &str) -> Option<(CompiledPlan, Bound)> {
    let mut sink = Sink::default();
    let (program, mut types) = resolve::resolve(texts, lock, &mut sink);
    let at = *program.modules.first()?.plans.get(name)?;
    memo.add_interned(&mut types);
    let mut checker = Checker::new(&program, texts.items(0), types, sink);
    memo.needs([BodyId::Plan(at)], &program)
        .into_iter()
        .for_each(|body| checker.need(body, || memo.keeping(body)));
    let checked = checker.finish();
    let plan = lower::lower(&program, &checked, &texts.names(), at).plan.ok()?;
    let (bound, _) = bounds::check(&program, &checked, at, &plan, &bounds::sub_plans(&program), texts);
    Some((plan, bound?))
}

/// Whether a plan can be shown with its bound in spite of this error.
fn is_about_limits(found: &Diagnostic) -> bool {
    [codes::OVER_BUDGET, codes::OVER_DEADLINE, codes::NO_BUDGET].contains(&found.code)
}

struct Pipeline<'p, 'a, 'm> {
    texts: &'a Texts,
    program: &'p Program<'a>,
    options: &'p Options,
    /// Prepared for the program.
    memo: Option<&'m mut Memo>,
}

impl<'a> Pipeline<'_, 'a, '_> {
    /// `None` where the memo cannot be used.
    fn run(mut self, mut checker: Checker<'a, '_>) -> Option<Compilation> {
        self.check(&mut checker)?;
        let mut compilation = Compilation {
            diagnostics: report::collect(self.texts, checker.take_found()),
            ..Compilation::default()
        };
        if !compilation.has_errors() {
            let sub_plans = bounds::sub_plans(self.program);
            self.check_for_lowering(&mut checker, &sub_plans);
            let checked = checker.finish();
            let mut parts = 0;
            self.plans(&checked, &sub_plans, &mut parts, &mut compilation);
            if self.options.tests {
                self.tests(&checked, &mut parts, &mut compilation);
            }
            compilation.sub_plans = sub_plans.into_iter().map(str::to_owned).collect();
        }
        plan_lang::diagnostic::sort(&mut compilation.diagnostics);
        report::shorten(&mut compilation.diagnostics);
        if !compilation.diagnostics.iter().all(|found| self.is_shown_with(found)) {
            compilation = Compilation { diagnostics: compilation.diagnostics, ..Compilation::default() };
        }
        if compilation.has_errors() {
            compilation.tests.clear();
        }
        Some(compilation)
    }

    /// Checks every body of which nothing is known, and reports what there is to say of all.
    fn check(&mut self, checker: &mut Checker<'a, '_>) -> Option<()> {
        let bodies = checker.bodies();
        let Some(memo) = &mut self.memo else {
            for body in bodies {
                let report = checker.check_body(body);
                checker.tell(report.found);
            }
            return Some(());
        };
        let mut all_new = true;
        for &body in &bodies {
            if memo.knows(body) {
                all_new = false;
            } else {
                let keeping = memo.keeping(body);
                memo.keep(body, checker.check_keeping(body, keeping));
            }
        }
        memo.keep_interned(checker.types(), self.program.origins.len());
        let (outside, limited) = checker.asked_outside();
        // Then what is said of a body depends on all before it: only in a run from the start is it right.
        let limited = limited || meets_limit(memo.asked().chain([&outside]));
        if limited && !all_new {
            memo.meet_limit();
            return None;
        }
        for &body in &bodies {
            checker.tell(memo.found(body));
        }
        if limited {
            memo.meet_limit();
            self.memo = None;
        }
        Some(())
    }

    /// Checks what goes into that which is still to be lowered, where it was not checked this time.
    fn check_for_lowering(&self, checker: &mut Checker<'a, '_>, sub_plans: &BTreeSet<&str>) {
        let Some(memo) = &self.memo else { return };
        let open = checker.bodies().into_iter().filter(|&body| match body {
            BodyId::Plan(at) => memo.lowering(body, self.is_sub_plan(at, sub_plans)).is_none(),
            BodyId::Test(_) => self.options.tests && memo.lowering(body, false).is_none(),
            BodyId::Function(_) | BodyId::Adapter(_) => false,
        });
        memo.needs(open, self.program).into_iter().for_each(|body| checker.need(body, || memo.keeping(body)));
    }

    /// Whether the plans of a file are given away in spite of this.
    fn is_shown_with(&self, found: &Diagnostic) -> bool {
        !found.is_error() || self.options.beyond_limits && is_about_limits(found)
    }

    fn is_sub_plan(&self, at: usize, sub_plans: &BTreeSet<&str>) -> bool {
        self.program.plans.get(at).is_some_and(|plan| sub_plans.contains(plan.decl.name.name.as_str()))
    }

    fn plans(
        &mut self,
        checked: &Checked,
        sub_plans: &BTreeSet<&str>,
        parts: &mut usize,
        compilation: &mut Compilation,
    ) {
        let (program, texts, names) = (self.program, self.texts, self.texts.names());
        let mut too_large = BTreeMap::new();
        // Whether no plan is given away, so that none is held: together they may be hundreds of megabytes.
        let mut failed = false;
        for (at, plan) in program.plans.iter().enumerate() {
            let lowering = self.lowering(BodyId::Plan(at), self.is_sub_plan(at, sub_plans), || {
                let lowered = lower::lower(program, checked, &names, at);
                let found = match lowered.plan {
                    Ok(plan) => {
                        let (bound, found) = bounds::check(program, checked, at, &plan, sub_plans, texts);
                        if let Some(bound) = bound.filter(|_| !failed) {
                            compilation.plans.push(plan);
                            compilation.bounds.push(bound);
                        }
                        found
                    }
                    Err(found) => found,
                };
                Lowering { parts: lowered.parts, found }
            });
            let is_in_the_way = |found: &Diagnostic| !self.is_shown_with(found);
            if !failed && lowering.found.iter().any(is_in_the_way) {
                failed = true;
                (compilation.plans, compilation.bounds) = Default::default();
            }
            *parts += lowering.parts;
            if *parts > FILE_PARTS_MAX {
                compilation.diagnostics.push(report::too_much(&plan.decl.name));
                break;
            }
            let name = &plan.decl.name;
            let is_too_large =
                |found: &Diagnostic| found.code == codes::TOO_MANY_NODES && found.span() == name.span;
            if lowering.found.iter().any(is_too_large) {
                too_large.insert(name.name.as_str(), plan);
            }
            compilation.diagnostics.extend(lowering.found);
        }
        // A plan that runs one that is too large is too large because of that.
        let runs_one =
            |plan: &Plan<'_>| plan.runs.iter().any(|name| too_large.contains_key(name.name.as_str()));
        let echoes: BTreeSet<Span> =
            too_large.values().filter(|plan| runs_one(plan)).map(|plan| plan.decl.name.span).collect();
        compilation
            .diagnostics
            .retain(|found| found.code != codes::TOO_MANY_NODES || !echoes.contains(&found.span()));
    }

    fn tests(&mut self, checked: &Checked, parts: &mut usize, compilation: &mut Compilation) {
        let (program, names) = (self.program, self.texts.names());
        for (at, test) in self.texts.tests().enumerate() {
            let lowering = self.lowering(BodyId::Test(at), false, || {
                let Some(body) = checked.tests.get(at) else { return Lowering::default() };
                let lowered = lower::lower_test(program, checked, &names, body);
                let found = match lowered.test {
                    Ok(test) => {
                        compilation.tests.push(test);
                        Vec::new()
                    }
                    Err(found) => found,
                };
                Lowering { parts: lowered.parts, found }
            });
            *parts += lowering.parts;
            if *parts > FILE_PARTS_MAX {
                compilation.diagnostics.push(report::too_many_tests(test.name.span));
                break;
            }
            compilation.diagnostics.extend(lowering.found);
        }
    }

    /// What lowering `id` says, made where it is not known.
    fn lowering(&mut self, id: BodyId, is_sub_plan: bool, make: impl FnOnce() -> Lowering) -> Lowering {
        if let Some(known) = self.memo.as_ref().and_then(|memo| memo.lowering(id, is_sub_plan)) {
            return known;
        }
        let made = make();
        if let Some(memo) = &mut self.memo {
            memo.keep_lowering(id, is_sub_plan, &made);
        }
        made
    }
}
