//! Plans from text, and both engines on them.

use std::sync::{Arc, LazyLock};

use plan_compiler::{Options, Source};
use plan_ir::expr::Fragment;
use plan_ir::interp::{Env, Meter, Trap, eval};
use plan_ir::plan::{CompiledPlan, NodeBody};
use plan_jit::{Coverage, Engine, NativePlan, Outcome};
use schema::lock::Lock;
use schema::value::Value;

pub(crate) static ENGINE: LazyLock<Engine> = LazyLock::new(|| Engine::new().unwrap());

/// A plan with one pure node.
pub(crate) struct Plan {
    pub(crate) text: String,
    pub(crate) plan: Arc<CompiledPlan>,
    pub(crate) fragment: Fragment,
}

/// The arguments of a plan.
pub(crate) struct Arguments(pub(crate) Vec<Value>);

impl Env for Arguments {
    fn param(&self, index: u32) -> Option<Value> {
        self.0.get(index as usize).cloned()
    }
}

/// The plan `p` of a text.
pub(crate) fn plan(text: &str) -> Plan {
    let text = format!("edition 2026\n{text}\n");
    let source = Source { name: "test.orch", text: &text };
    let mut compiled = plan_compiler::compile(&source, &Lock::empty(), &Options::default());
    assert!(!compiled.has_errors(), "{:#?}", compiled.diagnostics);
    let plan = compiled.plans.pop().unwrap();
    let NodeBody::Pure(fragment) = plan.body.nodes.last().unwrap() else { panic!("not one pure node") };
    let fragment = *fragment;
    Plan { text, plan: Arc::new(plan), fragment }
}

impl Plan {
    pub(crate) fn native(&self) -> NativePlan {
        ENGINE.compile_fragments(&self.plan.body, &[self.fragment], Coverage::All).unwrap()
    }

    pub(crate) fn interpreted(&self, args: &Arguments, meter: &mut Meter) -> Result<Value, Trap> {
        eval(&self.plan.body, &self.fragment, &[], args, meter)
    }

    /// What both engines make of the arguments; native code alone, and with the interpreter behind it.
    pub(crate) fn both(&self, args: Vec<Value>) -> (Result<Value, Trap>, Outcome<Value>) {
        self.both_within(args, &Meter::default())
    }

    pub(crate) fn both_within(
        &self,
        args: Vec<Value>,
        meter: &Meter,
    ) -> (Result<Value, Trap>, Outcome<Value>) {
        let args = Arguments(args);
        let native = self.native();
        assert!(native.covers(&self.fragment), "{:?}: {}", native.refused(), self.text);
        let expected = self.interpreted(&args, &mut meter.clone());
        let outcome = native.eval_native(&self.fragment, &[], &args, &mut meter.clone());
        if let Outcome::Done(result) = &outcome {
            assert_eq!(result, &expected, "{}", self.text);
        }
        let whole = native.eval(&self.fragment, &[], &args, &mut meter.clone());
        assert_eq!(whole, expected, "{}", self.text);
        (expected, outcome)
    }
}

pub(crate) fn ints(items: &[i64]) -> Value {
    Value::list(items.iter().copied().map(Value::Int))
}

pub(crate) fn floats(items: &[f64]) -> Value {
    Value::list(items.iter().copied().map(Value::Float))
}

pub(crate) fn texts(items: &[&str]) -> Value {
    Value::list(items.iter().copied().map(Value::string))
}
