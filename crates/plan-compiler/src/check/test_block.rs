//! `test` blocks: mocks, runs, assertions.

use std::collections::BTreeSet;

use plan_lang::ast::{self, ExprKind as Ast, MockValueKind, Stmt, TestStmt};
use plan_lang::{Diagnostic, Span};
use schema::error::CallErrorKind;
use schema::types::{IntRange, Type};

use super::Checker;
use super::literal::to_json;
use super::scope::{Body, Place};
use crate::calls::{called_by, called_by_policies};
use crate::codes;
use crate::hir::{self, Expr, ExprKind, Mock, MockAnswer, MockAnswerKind, Target, TestBody, TestStep};
use crate::program::CallTarget;
use crate::resolve::listed;

/// The failures that a subnet can cause; the others come from the plan's own policies.
const MOCKED: [CallErrorKind; 6] = [
    CallErrorKind::Timeout,
    CallErrorKind::Unavailable,
    CallErrorKind::RateLimited,
    CallErrorKind::Unauthorized,
    CallErrorKind::Rejected,
    CallErrorKind::Invalid,
];

/// Stands for all policies among plans: which of them a plan uses is not asked.
const POLICIES: usize = usize::MAX;

impl<'a> Checker<'a, '_> {
    /// A test of the plan's file.
    pub(super) fn test(&mut self, test: &'a ast::Test) -> TestBody {
        self.body = Body::new(0, 0);
        self.body.place = Place::TEST;
        self.body.calls = Some(Vec::new());
        let cost = self.body.bind_word("cost", Type::Amount, test.name.span);
        let elapsed = self.body.bind_word("elapsed", Type::Duration, test.name.span);
        let (mut mocks, mut steps) = (Vec::new(), Vec::new());
        for stmt in &test.body {
            match stmt {
                TestStmt::Mock(mock) => {
                    let found = self.mock(mock, &mocks);
                    mocks.extend(found);
                }
                TestStmt::Assert(condition) => {
                    let span = condition.span;
                    let condition = self.check(condition, &Type::Bool, &"what is asserted");
                    steps.push(TestStep::Assert { condition, span });
                }
                TestStmt::ExpectFails(expect) => steps.extend(self.expect_fails(expect)),
                TestStmt::Stmt(stmt) => steps.extend(self.test_stmt(stmt)),
            }
        }
        self.lint_mocks(&mocks, &steps);
        let calls = self.body.calls.take().unwrap_or_default();
        TestBody { name: test.name.value.clone(), span: test.name.span, cost, elapsed, calls, mocks, steps }
    }

    fn mock(&mut self, mock: &'a ast::Mock, known: &[Mock]) -> Option<Mock> {
        let found = self.call_target(&mock.target);
        let output = match found {
            Some((target, _)) => self.mocked_type(target),
            None => Some(Type::Error),
        };
        let (in_order, values) = match &mock.value.kind {
            MockValueKind::Sequence(values) => (true, values.as_slice()),
            _ => (false, std::slice::from_ref(&mock.value)),
        };
        let answers: Option<Vec<MockAnswer>> =
            values.iter().map(|value| self.mock_answer(value, output.as_ref())).collect();
        let (target, name) = found?;
        if let Some(first) = known.iter().find(|known| known.name == name.name) {
            let message = format!("`{}` is mocked twice", name.name);
            let report = Diagnostic::error(codes::DUPLICATE_ITEM, message);
            let report = report.primary(mock.target.span, "again").secondary(first.span, "first here");
            self.report(report.help("give several answers by `sequence [a, b]`"));
            return None;
        }
        Some(Mock { target, name: name.name.clone(), answers: answers?, in_order, span: mock.target.span })
    }

    /// Lints mocks that no run of this test can ask.
    fn lint_mocks(&mut self, mocks: &[Mock], steps: &[TestStep]) {
        if mocks.is_empty() || self.sink.errors() > 0 {
            return;
        }
        let called = self.called_in(steps);
        // An operation also serves the capabilities that it has an adapter for.
        let any_capability = called.iter().any(|target| matches!(target, Target::Capability(_)));
        for mock in mocks {
            let may_serve = any_capability && matches!(mock.target, Target::Operation(_));
            if !may_serve && !called.contains(&mock.target) {
                let message = format!("nothing in this test calls `{}`", mock.name);
                self.report(
                    Diagnostic::warning(codes::UNUSED_VALUE, message)
                        .primary(mock.span, "never asked")
                        .help("remove the mock, or run a plan that makes the call"),
                );
            }
        }
    }

    /// What the plans that these steps run call, with all that those run in turn and whichever policies they use.
    fn called_in(&mut self, steps: &[TestStep]) -> BTreeSet<Target> {
        let runs = steps.iter().filter_map(|step| match step {
            TestStep::Run { run, .. } | TestStep::ExpectFails { run, .. } => Some(run.plan),
            _ => None,
        });
        let mut open: Vec<usize> = runs.collect();
        if !open.is_empty() {
            open.push(POLICIES);
        }
        let (mut seen, mut called) = (BTreeSet::new(), BTreeSet::new());
        while let Some(at) = open.pop() {
            if !seen.insert(at) {
                continue;
            }
            if !self.called_by_plans.contains_key(&at) {
                let found = self.called_by_plan(at);
                self.called_by_plans.insert(at, found);
            }
            if let Some((targets, runs)) = self.called_by_plans.get(&at) {
                called.extend(targets);
                open.extend(runs);
            }
        }
        called
    }

    fn called_by_plan(&self, at: usize) -> (BTreeSet<Target>, BTreeSet<usize>) {
        let Some(module) = self.module() else { return Default::default() };
        let (calls, runs) = match self.program.plans.get(at) {
            Some(plan) => called_by(plan.decl),
            None => (called_by_policies(module.policies.all().values().copied()), Vec::new()),
        };
        let names = calls.into_iter().filter_map(ast::Path::as_ident);
        let targets = names.filter_map(|name| match module.targets.get(name.name.as_str()) {
            Some(CallTarget::Known(target)) => Some(*target),
            _ => None,
        });
        let runs = runs.into_iter().filter_map(ast::Path::as_ident);
        (targets.collect(), runs.filter_map(|name| module.plans.get(name.name.as_str()).copied()).collect())
    }

    /// The type of a mock's answers; `None` where each call says what it wants.
    fn mocked_type(&self, target: Target) -> Option<Type> {
        match target {
            Target::Operation(at) => {
                self.program.operations.get(at).map(|operation| operation.output.clone())
            }
            Target::Capability(at) => self.program.capabilities.get(at)?.output.clone(),
        }
    }

    fn mock_answer(&mut self, value: &'a ast::MockValue, output: Option<&Type>) -> Option<MockAnswer> {
        let kind = match &value.kind {
            MockValueKind::After { delay_us, value } => {
                let answer = self.mock_answer(value, output)?;
                return Some(MockAnswer { after_us: answer.after_us.saturating_add(*delay_us), ..answer });
            }
            MockValueKind::Sequence(_) => {
                let report = Diagnostic::error(codes::LAMBDA_MISUSE, "a sequence of answers is no answer");
                self.report(report.primary(value.span, "inside another sequence"));
                return None;
            }
            MockValueKind::Fails { error, args } => self.mock_failure(error, args)?,
            MockValueKind::Value(expr) => {
                MockAnswerKind::Value(match output {
                    Some(output) => self.check(expr, output, &"the answer of this mock"),
                    // Each call says what it wants, and the answer is decoded into that, as what a model writes.
                    None => to_json(self.infer(expr, Some(&Type::Json))),
                })
            }
        };
        Some(MockAnswer { after_us: 0, kind })
    }

    fn mock_failure(&mut self, error: &'a ast::Ident, args: &'a [ast::Arg]) -> Option<MockAnswerKind> {
        let Some(kind) = MOCKED.into_iter().find(|kind| kind.name() == error.name) else {
            self.look_at_all(args);
            if error.is_missing() {
                return None;
            }
            let message = format!("a mock cannot fail with `{}`", error.name);
            let names = MOCKED.map(CallErrorKind::name);
            let report = Diagnostic::error(codes::UNKNOWN_VARIANT, message)
                .primary(error.span, "no failure of a subnet")
                .note(format!("a subnet fails with: {}", listed(names)));
            let report = self.sink.did_you_mean(report, &error.name, error.span, names);
            self.report(report);
            return None;
        };
        let path = match (args, kind) {
            ([], _) => None,
            ([path], CallErrorKind::Invalid) => {
                Some(self.check(&path.value, &Type::STRING, &"the path of `invalid`"))
            }
            ([.., last], _) => {
                let message = format!("`fails {}` takes no such argument", error.name);
                let report = Diagnostic::error(codes::ARGUMENT_COUNT, message);
                self.report(report.primary(last.span, "not expected"));
                return None;
            }
        };
        Some(MockAnswerKind::Fails { kind, path })
    }

    fn expect_fails(&mut self, expect: &'a ast::ExpectFails) -> Option<TestStep> {
        let run = self.test_run(&expect.run);
        let message = expect.message.as_ref().map(|message| self.template(message, message.span, None));
        Some(TestStep::ExpectFails { run: run?.0, message, span: expect.run.span })
    }

    fn test_stmt(&mut self, stmt: &'a Stmt) -> Option<TestStep> {
        match stmt {
            Stmt::Let(stmt) => self.test_let(stmt),
            Stmt::Ensure(ensure) => {
                let word =
                    Span::new(ensure.span.start, ensure.span.start.saturating_add(6).min(ensure.span.end));
                let report = Diagnostic::error(codes::EFFECT_IN_PURE, "`ensure` cannot stand in a test");
                self.report(report.primary(word, "not here").help("write `assert ..`"));
                None
            }
            Stmt::Expr(expr) => match &expr.kind {
                Ast::Run(run) => {
                    let (run, _) = self.test_run(run)?;
                    Some(TestStep::Run { var: None, run, span: expr.span })
                }
                _ => {
                    let value = match self.step_tried(expr) {
                        Some(report) => self.fail(expr.span, report),
                        None => self.infer(expr, None),
                    };
                    if !value.is_error() {
                        self.report(
                            Diagnostic::warning(
                                codes::UNUSED_VALUE,
                                "the value of this statement is not used",
                            )
                            .primary(expr.span, "computed for nothing")
                            .help("write `assert ..`"),
                        );
                    }
                    None
                }
            },
        }
    }

    fn test_let(&mut self, stmt: &'a ast::Let) -> Option<TestStep> {
        let declared = stmt.ty.as_ref().map(|ty| self.ty(ty));
        let what = format_args!("the value of `{}`", stmt.name.name);
        if let Ast::Run(run) = &stmt.value.kind {
            let found = self.test_run(run);
            let output = found.as_ref().map_or(Type::Error, |(_, output)| output.clone());
            let output = match declared {
                // A run is no expression that could be converted on its way.
                Some(declared) => {
                    let value = Expr { ty: output, ..Expr::error(stmt.value.span) };
                    self.coerce(value, &declared, &what).ty
                }
                None => output,
            };
            self.refuse_rebinding(&stmt.name);
            let var = self.body.bind(&stmt.name, output);
            return Some(TestStep::Run { var: Some(var), run: found?.0, span: stmt.value.span });
        }
        let value = match (self.step_tried(&stmt.value), &declared) {
            (Some(report), _) => self.fail(stmt.value.span, report),
            (None, Some(ty)) => self.check(&stmt.value, ty, &what),
            (None, None) => {
                let value = self.infer(&stmt.value, None);
                self.determined(value)
            }
        };
        self.refuse_rebinding(&stmt.name);
        let var = self.body.bind(&stmt.name, declared.unwrap_or_else(|| value.ty.clone()));
        Some(TestStep::Let { var, value })
    }

    /// A run with the type of its result.
    fn test_run(&mut self, run: &'a ast::Run) -> Option<(hir::Run, Type)> {
        let found = self.in_place(Place::Plan, |this| this.run_plan(run));
        let ExprKind::Run(checked) = found.kind else { return None };
        if let Some(arg) = checked.args.iter().find(|arg| arg.effect > hir::Effect::Pure) {
            let report =
                Diagnostic::error(codes::EFFECT_IN_PURE, "an argument in a test makes a call of its own");
            self.report(report.primary(arg.span, "not here").help("run that first: `let x = run ..`"));
            return None;
        }
        Some((*checked, found.ty))
    }

    /// `calls(op)`.
    pub(super) fn calls_of(&mut self, args: &'a [ast::Arg], span: Span) -> Expr {
        let ty = Type::Int(IntRange { min: 0, max: i64::MAX });
        let name = match args {
            [arg] if arg.name.is_none() => arg.value.as_name(),
            _ => None,
        };
        let Some(name) = name else {
            let report = Diagnostic::error(codes::ARGUMENT_COUNT, "`calls` takes the name of what is called");
            return self.fail(span, report.primary(span, "write `calls(search)`"));
        };
        let is_target = self.module().is_some_and(|module| module.targets.contains_key(&name.name));
        if !is_target {
            let report = self.unknown_target(name);
            return self.fail(span, report);
        }
        let known = self.body.calls.iter().flatten().find(|(known, _)| *known == name.name);
        let var = match known {
            Some((_, var)) => *var,
            None => {
                let var = self.body.anonymous(ty.clone(), span);
                self.body.calls.get_or_insert_default().push((name.name.clone(), var));
                var
            }
        };
        Expr::new(ExprKind::Var(var), ty, span)
    }
}
