//! Random well-typed programs over the whole language.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use plan_ir::interp::{Env, Meter, Trap, TrapKind, eval};
use plan_ir::plan::PlanBody;
use plan_jit::{Coverage, Engine, Outcome};
use proptest::prelude::*;
use schema::value::Value;

use crate::generate::programs::{Program, program};

static ENGINE: LazyLock<Engine> = LazyLock::new(|| Engine::new().unwrap());

/// The defaults of a plan's parameters.
struct Defaults<'a>(&'a PlanBody);

impl Env for Defaults<'_> {
    fn param(&self, index: u32) -> Option<Value> {
        self.0.params[index as usize].default.clone()
    }
    fn node(&self, _: plan_ir::graph::NodeId) -> Option<Value> {
        None
    }
    fn item(&self, _: plan_ir::graph::NodeId) -> Option<Value> {
        None
    }
    fn bound(&self, _: plan_ir::graph::NodeId, _: u32) -> Option<Value> {
        None
    }
}

const FUEL: u64 = 200_000;
const BYTES: u64 = 1 << 20;

/// What came of a program: the interpreter's result, what native code made of it, and whether it was
/// compiled at all.
fn run(program: &Program, fuel: u64) -> (Result<Value, Trap>, Outcome<Value>) {
    let env = Defaults(&program.body);
    let mut expected_meter = Meter::new(fuel, BYTES);
    let expected = eval(&program.body, &program.fragment, &[], &env, &mut expected_meter);
    let native = ENGINE.compile_fragments(&program.body, &[program.fragment], Coverage::All).unwrap();
    let mut meter = Meter::new(fuel, BYTES);
    let outcome = native.eval_native(&program.fragment, &[], &env, &mut meter);
    match &outcome {
        Outcome::Done(result) => {
            assert_eq!(result, &expected, "{}", shown(program));
            if result.is_ok() {
                assert_eq!(meter, expected_meter, "{}", shown(program));
            }
        }
        Outcome::Undecided => {}
        Outcome::NotCompiled => {
            assert!(!native.refused().is_empty());
        }
    }
    let mut meter = Meter::new(fuel, BYTES);
    assert_eq!(native.eval(&program.fragment, &[], &env, &mut meter), expected);
    (expected, outcome)
}

/// The program, for a failure's message.
fn shown(program: &Program) -> String {
    let table = &program.body.exprs;
    let lines = table.exprs.iter().zip(&table.types).enumerate();
    let lines = lines.map(|(id, (expr, ty))| format!("{id}: {expr:?} : {ty:?}\n"));
    format!("{:?}\n{}{:?}", program.fragment, lines.collect::<String>(), program.body.functions)
}

proptest! {
    #![proptest_config(crate::generate::cases(crate::cases()))]

    #[test]
    fn native_code_gives_what_the_interpreter_gives(
        numbers in prop::collection::vec(any::<u32>(), 0..300),
    ) {
        let program = program(numbers);
        let (expected, outcome) = run(&program, FUEL);
        // A quota is the one thing native code may leave open.
        if outcome == Outcome::Undecided {
            let quota = matches!(&expected, Err(Trap { kind: TrapKind::Quota(_), .. }));
            prop_assert!(quota || expected.is_err(), "{expected:?}");
        }
    }
}

#[test]
fn most_programs_are_decided_and_every_trap_is_met() {
    let mut ends = BTreeMap::<String, usize>::new();
    for numbers in crate::streams(12_345, 300, crate::cases()) {
        let (expected, outcome) = run(&program(numbers), FUEL);
        let end = match (outcome, expected) {
            (Outcome::Done(Ok(_)), _) => "value".into(),
            (Outcome::Done(Err(trap)), _) => trap.kind.code().to_owned(),
            (_, Err(trap)) => format!("undecided {}", trap.kind.code()),
            (outcome, value) => unreachable!("{outcome:?} though {value:?}"),
        };
        *ends.entry(end).or_default() += 1;
    }
    for end in ["value", "E0801", "E0802", "E0803", "E0804"] {
        assert!(ends.contains_key(end), "native code never ends in {end}: {ends:?}");
    }
    let undecided: usize =
        ends.iter().filter(|(end, _)| end.starts_with("undecided")).map(|(_, count)| count).sum();
    assert!(undecided * 10 < ends.values().sum(), "{ends:?}");
}
