//! Tests: their own expressions, and the plans they run laid out for their mocks.

use std::collections::BTreeSet;

use plan_ir::expr::Fragment;
use plan_ir::plan::PlanBody;
use plan_ir::plan_test::{CompiledTest, Mock, MockAnswer, MockAnswerKind, TestFact, TestRun, TestStep};
use plan_lang::Diagnostic;
use schema::types::Type;

use super::fragment::Operand;
use super::{Lowered, Lowerer, lower_for};
use crate::check::Checked;
use crate::hir::{self, ExprKind, Target};
use crate::program::Program;

/// What came out of one test.
pub(crate) struct LoweredTest {
    pub(crate) test: Result<CompiledTest, Vec<Diagnostic>>,
    /// As [`Lowered::parts`].
    pub(crate) parts: usize,
}

/// The test, with every plan that it runs.
pub(crate) fn lower_test(
    program: &Program<'_>,
    checked: &Checked,
    sources: &[String],
    test: &hir::TestBody,
) -> LoweredTest {
    let mocked = test.mocks.iter().filter_map(|mock| match mock.target {
        Target::Capability(at) => Some(at),
        Target::Operation(_) => None,
    });
    let mocked: BTreeSet<usize> = mocked.collect();
    let mut lowerer = Lowerer::new(program, checked);
    let mut facts = Vec::new();
    lowerer.fact(&mut facts, test.cost, TestFact::Cost);
    lowerer.fact(&mut facts, test.elapsed, TestFact::Elapsed);
    for (name, var) in &test.calls {
        lowerer.fact(&mut facts, *var, TestFact::Calls(name.clone()));
    }
    let mut runs = Vec::new();
    let steps = test.steps.iter().map(|step| lowerer.test_step(step, &mut facts, &mut runs)).collect();
    // An answer may be made of a `let`, which is a fact by now.
    let mocks = test.mocks.iter().map(|mock| lowerer.mock(mock)).collect();
    lowerer.functions_of_queue();
    lowerer.types.complete();
    let mut parts = lowerer.exprs.exprs.len() + lowerer.types.members;
    let (mut plans, mut failed) = (Vec::new(), std::mem::take(&mut lowerer.diagnostics));
    for at in runs {
        let Lowered { plan, parts: of_plan } = lower_for(program, checked, sources, at, &mocked);
        parts += of_plan;
        match plan {
            Ok(plan) => plans.push(plan),
            Err(reports) => failed.extend(reports),
        }
    }
    if !failed.is_empty() {
        return LoweredTest { test: Err(failed), parts };
    }
    let (name, span) = (test.name.clone(), lowerer.place(test.span));
    let exprs = std::mem::take(&mut lowerer.expr_spans);
    let body = lowerer.into_test_body(name.clone());
    LoweredTest { test: Ok(CompiledTest { name, span, body, exprs, facts, plans, mocks, steps }), parts }
}

impl Lowerer<'_, '_> {
    /// Makes a variable a parameter of the test's expressions.
    fn fact(&mut self, facts: &mut Vec<TestFact>, var: hir::VarId, fact: TestFact) -> u32 {
        let index = u32::try_from(facts.len()).unwrap_or(u32::MAX);
        self.bind(var, Operand::Param(index), Type::Error);
        facts.push(fact);
        index
    }

    fn mock(&mut self, mock: &hir::Mock) -> Mock {
        let operation = match mock.target {
            Target::Operation(at) => self.program.operations.get(at).map(|op| op.descriptor().id.clone()),
            Target::Capability(_) => None,
        };
        Mock {
            name: mock.name.clone(),
            operation,
            answers: mock.answers.iter().map(|answer| self.mock_answer(answer)).collect(),
            in_order: mock.in_order,
            span: self.place(mock.span),
        }
    }

    fn mock_answer(&mut self, answer: &hir::MockAnswer) -> MockAnswer {
        let kind = match &answer.kind {
            hir::MockAnswerKind::Value(value) => {
                MockAnswerKind::Value { value: self.pure(value), ty: self.types.map(&value.ty) }
            }
            hir::MockAnswerKind::Fails { kind, path } => {
                MockAnswerKind::Fails { kind: *kind, path: path.as_ref().map(|path| self.pure(path)) }
            }
        };
        MockAnswer { after_us: answer.after_us, kind }
    }

    fn test_step(
        &mut self,
        step: &hir::TestStep,
        facts: &mut Vec<TestFact>,
        runs: &mut Vec<usize>,
    ) -> TestStep {
        match step {
            hir::TestStep::Let { var, value } => {
                let value = self.pure(value);
                TestStep::Let { fact: self.fact(facts, *var, TestFact::Let), value }
            }
            hir::TestStep::Run { var, run, span } => {
                let run = self.test_run(run, *span, runs);
                let fact = var.map(|var| self.fact(facts, var, TestFact::Let));
                TestStep::Run { fact, run }
            }
            hir::TestStep::ExpectFails { run, message, span } => {
                let run = self.test_run(run, *span, runs);
                TestStep::ExpectFails { run, message: message.as_ref().map(|message| self.pure(message)) }
            }
            hir::TestStep::Assert { condition, span } => {
                let sides = match &condition.kind {
                    ExprKind::Binary(op, left, right) if is_comparison(*op) => {
                        Some([self.pure(left), self.pure(right)])
                    }
                    _ => None,
                };
                TestStep::Assert { condition: self.pure(condition), sides, span: self.place(*span) }
            }
        }
    }

    fn test_run(&mut self, run: &hir::Run, span: plan_lang::Span, runs: &mut Vec<usize>) -> TestRun {
        let plan = runs.iter().position(|known| *known == run.plan).unwrap_or_else(|| {
            runs.push(run.plan);
            runs.len() - 1
        });
        let args = run.args.iter().map(|arg| self.pure(arg)).collect();
        TestRun { plan: u32::try_from(plan).unwrap_or(u32::MAX), args, span: self.place(span) }
    }

    fn pure(&mut self, expr: &hir::Expr) -> Fragment {
        self.closed(expr).0
    }

    fn into_test_body(self, name: String) -> PlanBody {
        PlanBody {
            name,
            types: self.types.into_defs(),
            params: Vec::new(),
            output: Type::Bool,
            exprs: self.exprs,
            functions: self.functions,
            nodes: Vec::new(),
            scopes: Vec::new(),
            node_scopes: Vec::new(),
            operations: Vec::new(),
            rate: self.program.lock.rate,
        }
    }
}

const fn is_comparison(op: plan_ir::expr::BinaryOp) -> bool {
    use plan_ir::expr::BinaryOp;
    matches!(
        op,
        BinaryOp::Equal
            | BinaryOp::NotEqual
            | BinaryOp::Less
            | BinaryOp::LessEqual
            | BinaryOp::Greater
            | BinaryOp::GreaterEqual
    )
}
