//! A compiled `test` block: what its mocks answer, what it runs, what it asserts. Whoever runs it needs the
//! scheduler; this is only what there is to run.

use schema::error::CallErrorKind;
use schema::types::Type;

use crate::expr::Fragment;
use crate::plan::{CompiledPlan, PlanBody, SourceSpan};

/// A test.
#[derive(Clone, Debug, PartialEq)]
pub struct CompiledTest {
    /// What it says.
    pub name: String,
    /// Where it stands.
    pub span: SourceSpan,
    /// Its own expressions with their types and functions; it has no nodes. Its parameters are
    /// [`CompiledTest::facts`].
    pub body: PlanBody,
    /// Positions of the expressions of `body`.
    pub exprs: Vec<SourceSpan>,
    /// What each parameter of `body` stands for.
    pub facts: Vec<TestFact>,
    /// The plans it runs, laid out for its mocks: an answer to a mocked capability is what the capability
    /// gives, not what its operation answers.
    pub plans: Vec<CompiledPlan>,
    /// What stands in for operations and capabilities.
    pub mocks: Vec<Mock>,
    /// What it does, in order.
    pub steps: Vec<TestStep>,
}

/// What an expression of a test can read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TestFact {
    /// A `let`, once its step is done.
    Let,
    /// `cost`: what all runs so far cost.
    Cost,
    /// `elapsed`: how long all runs so far took, virtual time.
    Elapsed,
    /// `calls(op)`: how many requests the target of this name was sent by all runs so far.
    Calls(String),
}

/// `mock op => ..`.
#[derive(Clone, Debug, PartialEq)]
pub struct Mock {
    /// The name of its operation or capability in the file.
    pub name: String,
    /// The operation, where it is one: it also stands in where a capability calls it.
    pub operation: Option<String>,
    /// The answers: the only one to every request, or one to each in order.
    pub answers: Vec<MockAnswer>,
    /// Whether there is one answer to each request, in order.
    pub in_order: bool,
    /// Where it stands.
    pub span: SourceSpan,
}

/// What a mock answers.
#[derive(Clone, Debug, PartialEq)]
pub struct MockAnswer {
    /// After how long, microseconds of virtual time.
    pub after_us: u64,
    /// What.
    pub kind: MockAnswerKind,
}

/// What a mock answers.
#[derive(Clone, Debug, PartialEq)]
pub enum MockAnswerKind {
    /// This value. Where the target gives what each call wants, it is decoded into that.
    Value {
        /// The value.
        value: Fragment,
        /// Its type.
        ty: Type,
    },
    /// A failure; of [`CallErrorKind::Timeout`] there is no answer at all.
    Fails {
        /// Which.
        kind: CallErrorKind,
        /// The JSON path, of [`CallErrorKind::Invalid`].
        path: Option<Fragment>,
    },
}

/// A step of a test.
#[derive(Clone, Debug, PartialEq)]
pub enum TestStep {
    /// Computes a value.
    Let {
        /// Its place among the facts.
        fact: u32,
        /// The value.
        value: Fragment,
    },
    /// Runs a plan that must succeed.
    Run {
        /// Where its result goes among the facts.
        fact: Option<u32>,
        /// What is run.
        run: TestRun,
    },
    /// Runs a plan that must fail.
    ExpectFails {
        /// What is run.
        run: TestRun,
        /// What the message of its error must contain.
        message: Option<Fragment>,
    },
    /// Fails the test unless the condition holds.
    Assert {
        /// A `Bool`.
        condition: Fragment,
        /// Both sides, where it is a comparison, for the message.
        sides: Option<[Fragment; 2]>,
        /// Where it stands.
        span: SourceSpan,
    },
}

/// A run of a plan.
#[derive(Clone, Debug, PartialEq)]
pub struct TestRun {
    /// Place in [`CompiledTest::plans`].
    pub plan: u32,
    /// One per parameter of the plan.
    pub args: Vec<Fragment>,
    /// Where it stands.
    pub span: SourceSpan,
}
