//! Runs `test` blocks: the plan's own scheduler on virtual time, with mocks for a network.

use std::collections::BTreeMap;
use std::sync::Arc;

use plan_ir::expr::{ExprId, Fragment};
use plan_ir::graph::NodeId;
use plan_ir::interp::{Env, Meter, Trap, eval};
use plan_ir::plan::{CallSpec, SourceSpan};
use plan_ir::plan_test::{CompiledTest, Mock, MockAnswer, MockAnswerKind, TestFact, TestRun, TestStep};
use schema::amount::{Amount, Currency, Rate};
use schema::error::{CallError, CallErrorKind, PlanError};
use schema::types::Type;
use schema::value::Value;

use crate::core::{End, Given, Prepared, Send};
use crate::simulation::{Reply, Simulated, simulate};

/// An assertion that does not hold.
const ASSERTION: &str = "E1601";
/// A run that failed.
const RUN_FAILED: &str = "E1602";
/// A run that was to fail and did not.
const DID_NOT_FAIL: &str = "E1603";
/// A run that failed for another reason than it was to.
const OTHER_FAILURE: &str = "E1604";
/// An operation that the test does not mock.
const NOT_MOCKED: &str = "E1605";
/// More requests than a mock has answers.
const OUT_OF_ANSWERS: &str = "E1606";
/// An expression of the test that has no value.
const NO_VALUE: &str = "E1607";
/// A mock fails so.
const MOCKED: &str = "E1608";

/// What came of a test.
#[derive(Clone, Debug, PartialEq)]
pub struct TestReport {
    /// What it says.
    pub name: String,
    /// Why it failed; `None` where it passed.
    pub failure: Option<TestFailure>,
    /// What its runs cost; `None` where they cost money of two currencies without a rate.
    pub cost: Option<Amount>,
    /// How long its runs took, microseconds of virtual time.
    pub elapsed_us: u64,
}

/// Why a test failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TestFailure {
    /// Stable code of the page.
    pub code: &'static str,
    /// What happened.
    pub message: String,
    /// Where in the file.
    pub span: SourceSpan,
    /// Another place in the file that has to do with it, and why.
    pub related: Option<(SourceSpan, &'static str)>,
    /// What helps to understand it.
    pub notes: Vec<String>,
}

/// Runs a test.
#[must_use]
pub fn run_test(test: &CompiledTest) -> TestReport {
    let mut run = Run {
        test,
        facts: vec![None; test.facts.len()],
        calls: BTreeMap::new(),
        used: vec![0; test.mocks.len()],
        cost: None,
        mixed: false,
        elapsed_us: 0,
    };
    let failure = test.steps.iter().find_map(|step| run.step(step).err());
    let cost = (!run.mixed).then(|| run.cost.unwrap_or(Amount::zero(Currency::MicroUsd)));
    TestReport { name: test.name.clone(), failure, cost, elapsed_us: run.elapsed_us }
}

struct Run<'a> {
    test: &'a CompiledTest,
    /// Values of `let`s so far.
    facts: Vec<Option<Value>>,
    /// Requests so far, by the name of their target.
    calls: BTreeMap<String, i64>,
    /// Answers given so far, by mock.
    used: Vec<usize>,
    cost: Option<Amount>,
    /// Whether costs could not be added up.
    mixed: bool,
    elapsed_us: u64,
}

impl Run<'_> {
    fn step(&mut self, step: &TestStep) -> Result<(), TestFailure> {
        match step {
            TestStep::Let { fact, value } => {
                let value = self.eval(value)?;
                self.set(*fact, value);
            }
            TestStep::Run { fact, run } => match self.run(run)? {
                End::Succeeded(value) => {
                    if let Some(fact) = fact {
                        self.set(*fact, value);
                    }
                }
                End::Failed(error) => return Err(failed(run, &error)),
                End::Cancelled => return Err(failure(RUN_FAILED, run.span, "the run did not end".into())),
            },
            TestStep::ExpectFails { run, message } => self.expect_fails(run, message.as_ref())?,
            TestStep::Assert { condition, sides, span } => {
                if self.eval(condition)? != Value::Bool(true) {
                    return Err(self.does_not_hold(sides.as_ref(), *span));
                }
            }
        }
        Ok(())
    }

    fn expect_fails(&mut self, run: &TestRun, message: Option<&Fragment>) -> Result<(), TestFailure> {
        let wanted = message.map(|message| self.eval(message)).transpose()?;
        let wanted = wanted.as_ref().and_then(Value::as_str).unwrap_or_default();
        match self.run(run)? {
            End::Failed(error) if error.message.contains(wanted) => Ok(()),
            End::Failed(error) => {
                let message = "the run failed for another reason than it was to".to_owned();
                let mut found = failure(OTHER_FAILURE, run.span, message);
                found.notes = vec![format!("expected: {wanted}"), format!("found: {error}")];
                found.related = place_in_plan(&error);
                Err(found)
            }
            _ => Err(failure(DID_NOT_FAIL, run.span, "the run was to fail, and it succeeded".into())),
        }
    }

    /// Runs a plan. What the mocks cannot answer ends the test, whatever the plan makes of it.
    fn run(&mut self, run: &TestRun) -> Result<End, TestFailure> {
        let args = run.args.iter().map(|arg| self.eval(arg)).collect::<Result<Vec<_>, _>>()?;
        let malformed = |what: &str| failure(RUN_FAILED, run.span, what.to_owned());
        let plan =
            self.test.plans.get(run.plan as usize).ok_or_else(|| malformed("there is no such plan"))?;
        let plan = Prepared::new(Arc::new(plan.clone())).map_err(|error| malformed(&error.to_string()))?;
        let plan = Arc::new(plan);
        let callable = plan.operations().map(|_| true).collect();
        let given = Given { inputs: args.into(), callable, ..Given::default() };
        let mut broken = None;
        let simulated = simulate(Arc::clone(&plan), given, |send| {
            self.answer(&plan, send).unwrap_or_else(|error| {
                broken.get_or_insert(TestFailure { span: run.span, ..error });
                None
            })
        });
        self.account(&simulated, plan.plan.body.rate);
        match broken {
            Some(error) => Err(error),
            None => Ok(simulated.end),
        }
    }

    fn account(&mut self, run: &Simulated, rate: Option<Rate>) {
        self.elapsed_us = self.elapsed_us.saturating_add(run.elapsed_us);
        let sum = match self.cost {
            None => Some(run.cost),
            Some(so_far) => run
                .cost
                .convert(so_far.currency, rate)
                .map(|cost| Amount::new(so_far.units.saturating_add(cost.units), so_far.currency)),
        };
        match sum {
            Some(sum) => self.cost = Some(sum),
            None => self.mixed = true,
        }
    }

    /// What the mocks answer to a request.
    fn answer(&mut self, plan: &Prepared, send: &Send) -> Result<Option<Reply>, TestFailure> {
        let Some(spec) = plan.call(send.node, send.level) else { return Ok(None) };
        *self.calls.entry(spec.target.clone()).or_default() += 1;
        let operation = plan.operation(send.operation).descriptor.id.as_str();
        let own = |mock: &&Mock| mock.name == spec.target;
        let same_operation = |mock: &&Mock| mock.operation.as_deref() == Some(operation);
        let mocks = &self.test.mocks;
        let mock = mocks.iter().find(own).or_else(|| mocks.iter().find(same_operation));
        let Some(mock) = mock else {
            let target = &spec.target;
            let which = if *target == operation { String::new() } else { format!(" ({operation})") };
            let message = format!("the plan calls `{target}`{which}, which the test does not mock");
            let mut error = failure(NOT_MOCKED, SourceSpan::default(), message);
            error.notes.push(format!("add `mock {target} => ..`"));
            return Err(error);
        };
        let answer = self.next_answer(mock)?;
        self.reply(plan, spec, mock, answer)
    }

    fn next_answer<'m>(&mut self, mock: &'m Mock) -> Result<&'m MockAnswer, TestFailure> {
        let place = self.test.mocks.iter().position(|known| std::ptr::eq(known, mock)).unwrap_or(0);
        let used = self.used.get_mut(place).map(|used| std::mem::replace(used, *used + 1)).unwrap_or(0);
        let index = if mock.in_order { used } else { 0 };
        mock.answers.get(index).ok_or_else(|| {
            let count = mock.answers.len();
            let times = if count == 1 { "time" } else { "times" };
            let message = format!("`{}` is asked more than {count} {times}", mock.name);
            let mut error = failure(OUT_OF_ANSWERS, mock.span, message);
            error.notes.push("its mock has one answer for each request, in order".into());
            error
        })
    }

    fn reply(
        &self,
        plan: &Prepared,
        spec: &CallSpec,
        mock: &Mock,
        answer: &MockAnswer,
    ) -> Result<Option<Reply>, TestFailure> {
        let result = match &answer.kind {
            MockAnswerKind::Fails { kind: CallErrorKind::Timeout, .. } => return Ok(None),
            MockAnswerKind::Fails { kind, path } => {
                let path = path.as_ref().map(|path| self.eval(path)).transpose()?;
                let path = path.as_ref().and_then(Value::as_str).map(str::to_owned);
                let message = format!("a mock of the test fails as {}", kind.name());
                Err(CallError { path, ..CallError::new(*kind, MOCKED, message) })
            }
            MockAnswerKind::Value { value, ty } => {
                let value = self.eval(value)?;
                if mock.operation.is_some() { Ok(value) } else { self.wanted(plan, spec, &value, ty) }
            }
        };
        Ok(Some(Reply { after_us: answer.after_us, result }))
    }

    /// The value of a capability's mock as what the call wants.
    fn wanted(&self, plan: &Prepared, spec: &CallSpec, value: &Value, ty: &Type) -> Result<Value, CallError> {
        let misfit = |path: &str, message: String| CallError::invalid(MOCKED, path, message);
        let json = schema::encode::to_json(value, ty, &self.test.body.types)
            .map_err(|error| misfit("$", format!("the mock's answer is no JSON: {error}")))?;
        schema::decode::decode(json.as_bytes(), &spec.output, &plan.types)
            .map_err(|error| misfit(&error.path, format!("the mock's answer does not fit: {error}")))
    }

    fn does_not_hold(&self, sides: Option<&[Fragment; 2]>, span: SourceSpan) -> TestFailure {
        let mut found = failure(ASSERTION, span, "this does not hold".into());
        let Some(sides) = sides else { return found };
        let shown = sides.each_ref().map(|side| {
            let (value, ty) = (self.eval(side).ok()?, self.test.body.exprs.ty(side.body)?);
            schema::encode::to_json(&value, ty, &self.test.body.types).ok()
        });
        if let [Some(left), Some(right)] = shown {
            found.notes = vec![format!(" left: {left}"), format!("right: {right}")];
        }
        found
    }

    fn eval(&self, fragment: &Fragment) -> Result<Value, TestFailure> {
        eval(&self.test.body, fragment, &[], self, &mut Meter::default()).map_err(|trap: Trap| {
            let place = |expr: ExprId| self.test.exprs.get(expr.0 as usize).copied();
            let span = place(trap.expr).unwrap_or(self.test.span);
            let mut found = failure(NO_VALUE, span, format!("this has no value: {trap}"));
            // It may stand in a function, and the step that asks for it elsewhere.
            let step = place(fragment.body).filter(|step| step.end <= span.start || span.end <= step.start);
            found.related = step.map(|step| (step, "needed here"));
            found
        })
    }

    fn set(&mut self, fact: u32, value: Value) {
        if let Some(slot) = self.facts.get_mut(fact as usize) {
            *slot = Some(value);
        }
    }
}

impl Env for Run<'_> {
    fn param(&self, index: u32) -> Option<Value> {
        match self.test.facts.get(index as usize)? {
            TestFact::Let => self.facts.get(index as usize)?.clone(),
            TestFact::Cost => Some(Value::Amount(self.cost.unwrap_or(Amount::zero(Currency::MicroUsd)))),
            TestFact::Elapsed => i64::try_from(self.elapsed_us).ok().map(Value::Duration),
            TestFact::Calls(name) => Some(Value::Int(self.calls.get(name).copied().unwrap_or(0))),
        }
    }

    fn node(&self, _: NodeId) -> Option<Value> {
        None
    }

    fn item(&self, _: NodeId) -> Option<Value> {
        None
    }

    fn bound(&self, _: NodeId, _: u32) -> Option<Value> {
        None
    }
}

fn failed(run: &TestRun, error: &PlanError) -> TestFailure {
    let mut found = failure(RUN_FAILED, run.span, format!("the run failed: {}", error.message));
    found.notes.push(format!("code {}, see `orch explain {}`", error.code, error.code));
    if let Some(node) = &error.node {
        found.notes.push(format!("at {node}"));
    }
    found.related = place_in_plan(error);
    found
}

/// Where in the plan a run failed. The plans of a test stand in its file.
fn place_in_plan(error: &PlanError) -> Option<(SourceSpan, &'static str)> {
    let (start, end) = error.span?;
    Some((SourceSpan { source: 0, start, end }, "failed here"))
}

fn failure(code: &'static str, span: SourceSpan, message: String) -> TestFailure {
    TestFailure { code, message, span, related: None, notes: Vec::new() }
}
